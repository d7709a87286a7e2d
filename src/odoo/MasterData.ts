/**
 * What Odoo owns and Weir only refers to: companies, journals, taxes, products, employees, accounts, currencies, lock
 * dates. Codes become database ids here. All of it is remembered, bounded in number and age:
 *
 *     asked ──► believed ──┬─ too old ──────────────────────────────► asked again
 *                          └─ a write that used it was refused ─────► asked again, and the write is tried once more
 */
import { Clock, Context, Duration, Effect, Layer } from "effect"
import type { Seed } from "../flow/Flow.ts"
import type { Lane } from "../flow/Lane.ts"
import type { Row } from "../flow/Step.ts"
import { dispositionOf } from "../reason/Reason.ts"
import { CallGate } from "./CallGate.ts"
import type { Company } from "./Company.ts"
import { type CompanyCalls, companyCalls, type OdooRecord } from "./CompanyCalls.ts"
import { type LockDates, lockDatesOf, lockFields } from "./Locks.ts"
import { companyOf, type CompanySettings, missing } from "./master/company.ts"
import { Memory } from "./master/Memory.ts"
import { Odoo, type OdooError } from "./Odoo.ts"
import { isolate } from "./plan/isolate.ts"
import { KeyedMutex } from "./plan/KeyedMutex.ts"
import { createOrSkip, idsOf } from "./plan/load.ts"
import { columnsOf, matrixOf } from "./plan/rows.ts"

export type { CompanySettings } from "./master/company.ts"

export interface MasterDataOptions {
  /** Most values whose records are remembered, over all entities. Default 100 000. */
  readonly capacity?: number
  /** How long a found record is believed. Default 10 minutes. */
  readonly timeToLive?: Duration.Input
  /** How long a company's journals, taxes and products are believed. Default 10 minutes. */
  readonly companyTimeToLive?: Duration.Input
  /** How long it is believed that there is none. Default 5 seconds; zero: not at all. */
  readonly missTimeToLive?: Duration.Input
  /**
   * How long lock dates are believed: within it, a period that a person locks can still be posted into. Default 5 seconds;
   * zero: they are read before every posting.
   */
  readonly lockTimeToLive?: Duration.Input
}

/** Most values asked for in one call. */
const MAX_VALUES = 500
/** A company as its calls need it. */
type Place = Pick<Company, "entity" | "database" | "id">

export class MasterData extends Context.Service<MasterData, {
  /**
   * The company with the ids its configuration's codes stand for. `MASTER-DATA-MISSING` names the role or code, and
   * what exists instead.
   */
  readonly company: (settings: CompanySettings) => Effect.Effect<Company, OdooError>
  /**
   * The company as it is now: what was asked before `staleMillis` (default: the age that is allowed) is asked again, its
   * seeds included. The same object when nothing changed. When Odoo lacks something that it had, what was known stays.
   */
  readonly current: (company: Company, lane: Lane, staleMillis?: number) => Effect.Effect<Company, OdooError>
  /** Loads a flow's seeds, create-or-skip; ids by external id. Idempotent. */
  readonly seed: (company: Company, seeds: ReadonlyArray<Seed>) => Effect.Effect<ReadonlyMap<string, number>, OdooError>
  /**
   * Ids of the records of a model by the exact value of a field, as the company sees them; no entry for a value that no
   * record has, several ids when it is not unique. Remembered. Accounts: `account.account` by `code`; currencies:
   * `res.currency` by `name`; employees: `hr.employee` by `work_email`.
   */
  readonly find: (
    company: Place,
    lane: Lane,
    model: string,
    field: string,
    values: ReadonlyArray<string>,
  ) => Effect.Effect<ReadonlyMap<string, ReadonlyArray<number>>, OdooError>
  /** Ids of records by external id; no entry for what Odoo does not have. Remembered. See `Resolve` in `flow/Step.ts`. */
  readonly resolve: (
    company: Place,
    lane: Lane,
    model: string,
    externalIds: ReadonlyArray<string>,
  ) => Effect.Effect<ReadonlyMap<string, number>, OdooError>
  /** What `find` (of a field) or `resolve` (null) was told before `beforeMillis` is stale; whether there was anything. */
  readonly forget: (
    company: Place,
    model: string,
    field: string | null,
    value: string,
    beforeMillis: number,
  ) => boolean
  /** The company's lock dates, no older than `lockTimeToLive`. */
  readonly locks: (company: Place, lane: Lane) => Effect.Effect<LockDates, OdooError>
  /** The lock dates turned out to be stale: the next question reads them anew. */
  readonly forgetLocks: (company: Pick<Company, "database" | "id">) => Effect.Effect<void>
}>()("weir/odoo/MasterData") {}

/** A company that is known, and what it was known by. */
interface Known {
  readonly settings: CompanySettings
  readonly company: Company
  readonly seeds: ReadonlyArray<Seed>
  readonly seeded: string
  readonly askedMillis: number
}

/** Most companies that are remembered: one per legal entity. */
const MAX_COMPANIES = 10_000

const millisOf = (duration: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(duration))

/** External ids under one name with the fields that `find` asks for; a field is never called so. */
const EXTERNAL_ID = "/id"

const keyOf = ({ database, id }: Pick<Company, "database" | "id">, model: string, field: string): string =>
  `${database} ${id} ${model} ${field} `

const companyKey = ({ database, id }: Pick<Company, "database" | "id">): string => `${database} ${id}`

export const make = Effect.fnUntraced(function* (options: MasterDataOptions) {
  const odoo = yield* Odoo
  const gate = yield* CallGate
  const hitMillis = millisOf(options.timeToLive ?? "10 minutes")
  const missMillis = millisOf(options.missTimeToLive ?? "5 seconds")
  const lockMillis = millisOf(options.lockTimeToLive ?? "5 seconds")
  const companyMillis = millisOf(options.companyTimeToLive ?? "10 minutes")
  const remembered = new Memory<ReadonlyArray<number>>(options.capacity ?? 100_000)
  const locked = new Memory<LockDates>(MAX_COMPANIES)
  const companies = new Memory<Known>(MAX_COMPANIES)
  const seeding = new KeyedMutex()
  const renewing = new KeyedMutex()

  /** What is known of `values`, and what has to be asked. */
  const recall = (prefix: string, values: ReadonlyArray<string>, nowMillis: number) => {
    const found = new Map<string, ReadonlyArray<number>>()
    const unknown = new Set<string>()
    for (const value of values) {
      // A batch asks for the same few values again and again.
      if (found.has(value) || unknown.has(value)) continue
      const ids = remembered.get(prefix + value, nowMillis)
      if (ids === undefined) unknown.add(value)
      else if (ids.length > 0) found.set(value, ids)
    }
    return { found, unknown: [...unknown] }
  }
  const remember = (key: string, ids: ReadonlyArray<number>, askedMillis: number): void =>
    remembered.put(key, ids, askedMillis, ids.length === 0 ? missMillis : hitMillis)

  const ask = Effect.fnUntraced(
    function* (calls: CompanyCalls, model: string, field: string, values: ReadonlyArray<string>) {
      const byValue = new Map<string, Array<number>>()
      for (let from = 0; from < values.length; from += MAX_VALUES) {
        const part = values.slice(from, from + MAX_VALUES)
        const records: ReadonlyArray<OdooRecord> = yield* calls.searchRead(model, [[field, "in", part]], [field])
        for (const record of records) {
          const value = String(record[field])
          const ids = byValue.get(value)
          if (ids === undefined) byValue.set(value, [record.id])
          else ids.push(record.id)
        }
      }
      return byValue
    },
  )

  /** Odoo finds a record by the id alone, and refuses to make one of nothing. */
  const askIds = Effect.fnUntraced(
    function* (calls: CompanyCalls, model: string, externalIds: ReadonlyArray<string>) {
      const byId = new Map<string, ReadonlyArray<number>>()
      for (let from = 0; from < externalIds.length; from += MAX_VALUES) {
        yield* isolate(externalIds.slice(from, from + MAX_VALUES), {
          call: (part) =>
            calls.call(model, "load", {
              args: { fields: ["id"], data: part.map((externalId) => [externalId]) },
              context: createOrSkip,
              size: part.length,
            }).pipe(
              Effect.flatMap((answer) => idsOf(`${model}/load`, answer, part.length)),
              Effect.map((ids) => part.forEach((externalId, n) => byId.set(externalId, [ids[n]!]))),
            ),
          refuse: (externalId) => byId.set(externalId, []),
          named: ({ failures, row }, part) => {
            const rows = failures?.map((failure) => failure.row) ?? (row === undefined ? [] : [row])
            return { guilty: new Map(), suspects: new Set(rows.flatMap((at) => part[at] ?? [])) }
          },
        })
      }
      return byId
    },
  )

  const callsOf = (company: Place, lane: Lane): CompanyCalls => companyCalls(odoo, gate, company, lane)

  const load = Effect.fnUntraced(function* (calls: CompanyCalls, seeds: ReadonlyArray<Seed>) {
    const loaded = new Map<string, number>()
    // A seed may build on an earlier one, so only neighbours with the same model and columns share a call.
    const kindOf = ({ model, values }: Seed): string => JSON.stringify([model, Object.keys(values)])
    for (let from = 0, to = 0; from < seeds.length; from = to) {
      const { model } = seeds[from]!
      while (to < seeds.length && kindOf(seeds[to]!) === kindOf(seeds[from]!)) to++
      const rows: ReadonlyArray<Row> = seeds.slice(from, to)
      const { data, fields } = matrixOf(columnsOf(rows[0]!), rows)
      const answer = yield* calls.call(model, "load", {
        args: { fields, data },
        context: createOrSkip,
        size: data.length,
      })
      const ids = yield* idsOf(`${model}/load`, answer, rows.length)
      rows.forEach(({ externalId }, n) => loaded.set(externalId, ids[n]!))
    }
    return loaded
  })

  const asked = Effect.fnUntraced(function* (settings: CompanySettings, lane: Lane) {
    const { code: entity, company: id, database } = settings
    const askedMillis = yield* Clock.currentTimeMillis
    const company = yield* companyOf(settings, callsOf({ entity, database, id }, lane))
    return { settings, company, askedMillis }
  })
  const keep = (known: Known): void => companies.put(companyKey(known.company), known, known.askedMillis, Infinity)

  /** Asks again; the company that was known when nothing has changed. */
  const renew = Effect.fnUntraced(function* (known: Known, lane: Lane) {
    const { askedMillis, company, settings } = yield* asked(known.settings, lane)
    const seeded = yield* load(callsOf(company, lane), known.seeds).pipe(
      (effect) => seeding.run(company.database, effect),
      Effect.map((ids) => JSON.stringify([...ids])),
    )
    const same = seeded === known.seeded && JSON.stringify(company) === JSON.stringify(known.company)
    keep({ ...known, settings, seeded, askedMillis, company: same ? known.company : company })
    if (!same) yield* Effect.logInfo(`the master data of ${company.entity} changed in Odoo`)
    return same ? known.company : company
  })

  return MasterData.of({
    company: Effect.fn("MasterData.company")(function* (settings) {
      const fresh = yield* asked(settings, "critical")
      keep({ ...fresh, seeds: [], seeded: "[]" })
      return fresh.company
    }),

    current: Effect.fnUntraced(function* (company, lane, staleMillis) {
      const nowMillis = yield* Clock.currentTimeMillis
      const oldest = staleMillis ?? nowMillis - companyMillis
      const young = (): Known | undefined => {
        const known = companies.get(companyKey(company), nowMillis)
        return known === undefined || known.askedMillis >= oldest ? known : undefined
      }
      const known = companies.get(companyKey(company), nowMillis)
      if (known === undefined) return company
      if (known.askedMillis >= oldest) return known.company
      // All batches notice at the same time; one of them asks.
      return yield* Effect.suspend(() => {
        const meanwhile = young()
        return meanwhile === undefined ? renew(known, lane) : Effect.succeed(meanwhile.company)
      }).pipe(
        (effect) => renewing.run(companyKey(company), effect),
        Effect.catchIf((error) => dispositionOf(error.code) === "park", (error) =>
          Effect.as(
            Effect.logWarning(`${company.entity} goes on with the master data that it knows: ${error.message}`),
            keep({ ...known, askedMillis: nowMillis }),
          ).pipe(Effect.as(known.company))),
      )
    }),

    seed: Effect.fn("MasterData.seed")(function* (company, seeds) {
      const loaded = yield* load(callsOf(company, "critical"), seeds)
      const known = companies.get(companyKey(company), 0)
      if (known !== undefined) keep({ ...known, seeds, seeded: JSON.stringify([...loaded]) })
      return loaded
      // All entities of a database start at once with the same seeds, and would collide over them.
    }, (effect, company) => seeding.run(company.database, effect)),

    find: Effect.fnUntraced(function* (company, lane, model, field, values) {
      const prefix = keyOf(company, model, field)
      const askedMillis = yield* Clock.currentTimeMillis
      const { found, unknown } = recall(prefix, values, askedMillis)
      if (unknown.length === 0) return found
      const answers = yield* ask(callsOf(company, lane), model, field, unknown)
      for (const value of unknown) {
        const ids = answers.get(value) ?? []
        if (ids.length > 0) found.set(value, ids)
        remember(prefix + value, ids, askedMillis)
      }
      return found
    }),

    resolve: Effect.fnUntraced(function* (company, lane, model, externalIds) {
      const prefix = keyOf(company, model, EXTERNAL_ID)
      const askedMillis = yield* Clock.currentTimeMillis
      const { found, unknown } = recall(prefix, externalIds, askedMillis)
      const answers = unknown.length === 0
        ? new Map<string, ReadonlyArray<number>>()
        : yield* askIds(callsOf(company, lane), model, unknown)
      for (const [externalId, ids] of answers) remember(prefix + externalId, ids, askedMillis)
      const resolved = new Map<string, number>()
      for (const known of [found, answers]) {
        for (const [externalId, [id]] of known) if (id !== undefined) resolved.set(externalId, id)
      }
      return resolved
    }),

    forget: (company, model, field, value, beforeMillis) =>
      remembered.forget(keyOf(company, model, field ?? EXTERNAL_ID) + value, beforeMillis),

    locks: Effect.fnUntraced(function* (company, lane) {
      const askedMillis = yield* Clock.currentTimeMillis
      const known = locked.get(companyKey(company), askedMillis)
      if (known !== undefined) return known
      const records = yield* callsOf(company, lane).read("res.company", [company.id], lockFields)
      const record = records.get(company.id)
      if (record === undefined) {
        return yield* missing("res.company/read", `${company.entity}: Odoo has no company ${company.id} any more.`)
      }
      const dates = lockDatesOf(record)
      locked.put(companyKey(company), dates, askedMillis, lockMillis)
      return dates
    }),

    forgetLocks: (company) => Effect.sync(() => void locked.forget(companyKey(company))),
  })
})

export const layer = (options: MasterDataOptions = {}): Layer.Layer<MasterData, never, Odoo | CallGate> =>
  Layer.effect(MasterData, make(options))
