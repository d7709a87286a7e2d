/**
 * What Odoo owns and Weir only refers to: companies, journals, taxes, employees. Codes become database ids here, once per
 * entity for its configuration and cached for records found by value.
 */
import { Context, Duration, Effect, Layer } from "effect"
import type { Lane, Seed } from "../flow/Flow.ts"
import type { Row } from "../flow/Step.ts"
import { elapsedMillis } from "../telemetry/elapsed.ts"
import { CallGate } from "./CallGate.ts"
import type { Company } from "./Company.ts"
import { type CompanyCalls, companyCalls, type OdooRecord } from "./CompanyCalls.ts"
import { type LatePolicy, type LockDates, lockDatesOf, lockFields } from "./Locks.ts"
import { Odoo, OdooError } from "./Odoo.ts"
import { KeyedMutex } from "./plan/KeyedMutex.ts"
import { createOrSkip, idsOf } from "./plan/load.ts"
import { columnsOf, matrixOf } from "./plan/rows.ts"

/** A legal entity as `weir.json` describes it. */
export interface CompanySettings {
  /** Code of the legal entity: `be01`. */
  readonly code: string
  readonly database: string
  /** `res.company` id. */
  readonly company: number
  /** ISO 4217 code; must be the company's. */
  readonly currency: string
  /** `account.journal` codes by role: `{"sales": "INV"}`. */
  readonly journals: Readonly<Record<string, string>>
  /** Sales taxes by the source's tax code: database id or exact name. */
  readonly taxes: Readonly<Record<string, number | string>>
  /** What is done with documents dated in a locked period. Default `exception`. */
  readonly latePolicy?: LatePolicy
}

export interface MasterDataOptions {
  /** Most values whose records are remembered, over all entities. Default 100 000. */
  readonly capacity?: number
  /** How long a found record is believed. Default 10 minutes. */
  readonly timeToLive?: Duration.Input
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
/** Most names of existing records that an error lists. */
const MAX_CANDIDATES = 20

export class MasterData extends Context.Service<MasterData, {
  /**
   * The company with the ids its configuration's codes stand for. `MASTER-DATA-MISSING` names the role or code, and
   * what exists instead.
   */
  readonly company: (settings: CompanySettings) => Effect.Effect<Company, OdooError>
  /** Loads a flow's seeds, create-or-skip; ids by external id. Idempotent. */
  readonly seed: (company: Company, seeds: ReadonlyArray<Seed>) => Effect.Effect<ReadonlyMap<string, number>, OdooError>
  /**
   * Ids of the records of a model by the exact value of a field, as the company sees them; no entry for a value that no
   * record has, several ids when it is not unique. Cached.
   */
  readonly find: (
    company: Pick<Company, "entity" | "database" | "id">,
    lane: Lane,
    model: string,
    field: string,
    values: ReadonlyArray<string>,
  ) => Effect.Effect<ReadonlyMap<string, ReadonlyArray<number>>, OdooError>
  /** The company's lock dates, no older than `lockTimeToLive`. */
  readonly locks: (
    company: Pick<Company, "entity" | "database" | "id">,
    lane: Lane,
  ) => Effect.Effect<LockDates, OdooError>
  /** The lock dates turned out to be stale: the next question reads them anew. */
  readonly forgetLocks: (company: Pick<Company, "database" | "id">) => Effect.Effect<void>
}>()("weir/odoo/MasterData") {}

const missing = (operation: string, message: string): OdooError =>
  new OdooError({ code: "MASTER-DATA-MISSING", operation, message })

const listed = (candidates: ReadonlyArray<string>): string =>
  candidates.length === 0
    ? "There is none."
    : `There are: ${[...candidates].sort().slice(0, MAX_CANDIDATES).join(", ")}${
      candidates.length > MAX_CANDIDATES ? ` and ${candidates.length - MAX_CANDIDATES} more` : ""
    }.`

const checkCompany = Effect.fnUntraced(function* (settings: CompanySettings, calls: CompanyCalls) {
  const operation = "res.company/read"
  const records = yield* calls.read("res.company", [settings.company], ["name", "currency_id"]).pipe(
    // Odoo refuses the context of a company that does not exist in the same words as that of a forbidden one.
    Effect.mapError((error) =>
      error.code !== "ODOO-ACCESS" ? error : new OdooError({
        code: "ODOO-ACCESS",
        operation,
        message:
          `${settings.code}: Odoo has no company ${settings.company}, or the technical user may not use it. Correct the number in weir.json or allow the company in the user's settings.`,
      })
    ),
  )
  const company = records.get(settings.company)
  if (company === undefined) {
    return yield* missing(
      operation,
      `${settings.code}: Odoo has no company ${settings.company}. Correct it in weir.json.`,
    )
  }
  const currency = company["currency_id"]
  const code = Array.isArray(currency) ? String(currency[1]) : ""
  if (code !== settings.currency) {
    return yield* missing(
      operation,
      `${settings.code}: company ${settings.company} (${
        company["name"]
      }) keeps its books in ${code}, weir.json says ${settings.currency}.`,
    )
  }
})

const journalsOf = Effect.fnUntraced(function* (settings: CompanySettings, calls: CompanyCalls) {
  const roles = Object.entries(settings.journals)
  if (roles.length === 0) return {}
  const records = yield* calls.searchRead("account.journal", [["company_id", "=", settings.company]], ["code", "name"])
  const idByCode = new Map(records.map((record) => [String(record["code"]), record.id]))
  const journals: Record<string, number> = {}
  for (const [role, code] of roles) {
    const id = idByCode.get(code)
    if (id === undefined) {
      return yield* missing(
        "account.journal/search_read",
        `${settings.code}: company ${settings.company} has no journal "${code}" for the role "${role}". ${
          listed(records.map((record) => `${record["code"]} (${record["name"]})`))
        }`,
      )
    }
    journals[role] = id
  }
  return journals
})

const taxesOf = Effect.fnUntraced(function* (settings: CompanySettings, calls: CompanyCalls) {
  const codes = Object.entries(settings.taxes)
  if (codes.length === 0) return {}
  const operation = "account.tax/search_read"
  const records = yield* calls.searchRead(
    "account.tax",
    [["company_id", "=", settings.company], ["type_tax_use", "=", "sale"]],
    ["name"],
  )
  const taxes: Record<string, number> = {}
  for (const [code, wanted] of codes) {
    const found = records.filter((record) =>
      typeof wanted === "number" ? record.id === wanted : record["name"] === wanted
    )
    if (found.length !== 1) {
      const about = typeof wanted === "number" ? `with the id ${wanted}` : `named "${wanted}"`
      return yield* missing(
        operation,
        `${settings.code}: company ${settings.company} has ${
          found.length === 0 ? "no sales tax" : `${found.length} sales taxes`
        } ${about} for the tax code "${code}". ${listed(records.map((record) => `${record.id} "${record["name"]}"`))}`,
      )
    }
    taxes[code] = found[0]!.id
  }
  return taxes
})

interface Remembered {
  readonly ids: ReadonlyArray<number>
  readonly untilMillis: number
}

export const make = Effect.fnUntraced(function* (options: MasterDataOptions) {
  const seeding = new KeyedMutex()
  const odoo = yield* Odoo
  const gate = yield* CallGate
  const capacity = options.capacity ?? 100_000
  const hitMillis = Duration.toMillis(Duration.fromInputUnsafe(options.timeToLive ?? "10 minutes"))
  const missMillis = Duration.toMillis(Duration.fromInputUnsafe(options.missTimeToLive ?? "5 seconds"))
  /** In order of insertion: the oldest goes first. */
  const remembered = new Map<string, Remembered>()
  const lockMillis = Duration.toMillis(Duration.fromInputUnsafe(options.lockTimeToLive ?? "5 seconds"))
  /** One entry per company. */
  const locked = new Map<string, { readonly dates: LockDates; readonly untilMillis: number }>()
  const companyKey = ({ database, id }: Pick<Company, "database" | "id">): string => `${database} ${id}`

  const remember = (key: string, ids: ReadonlyArray<number>, nowMillis: number): void => {
    remembered.delete(key)
    const millis = ids.length === 0 ? missMillis : hitMillis
    if (millis <= 0) return
    if (remembered.size >= capacity) {
      const oldest = remembered.keys().next()
      if (oldest.done !== true) remembered.delete(oldest.value)
    }
    remembered.set(key, { ids, untilMillis: nowMillis + millis })
  }

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

  return MasterData.of({
    company: Effect.fn("MasterData.company")(function* (settings) {
      const { code: entity, company: id, currency, database } = settings
      const calls = companyCalls(odoo, gate, { entity, database, id }, "critical")
      yield* checkCompany(settings, calls)
      return {
        entity,
        database,
        id,
        currency,
        journals: yield* journalsOf(settings, calls),
        taxes: yield* taxesOf(settings, calls),
        ...(settings.latePolicy !== undefined && { latePolicy: settings.latePolicy }),
      }
    }),

    seed: Effect.fn("MasterData.seed")(function* (company, seeds) {
      const calls = companyCalls(odoo, gate, company, "critical")
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
      // All entities of a database start at once with the same seeds, and would collide over them.
    }, (effect, company) => seeding.run(company.database, effect)),

    find: Effect.fnUntraced(function* (company, lane, model, field, values) {
      const nowMillis = yield* elapsedMillis
      const prefix = `${company.database} ${company.id} ${model} ${field} `
      const found = new Map<string, ReadonlyArray<number>>()
      const unknown = new Set<string>()
      for (const value of values) {
        const known = remembered.get(prefix + value)
        if (known === undefined || known.untilMillis <= nowMillis) unknown.add(value)
        else if (known.ids.length > 0) found.set(value, known.ids)
      }
      if (unknown.size === 0) return found
      const asked = yield* ask(companyCalls(odoo, gate, company, lane), model, field, [...unknown])
      const askedMillis = yield* elapsedMillis
      for (const value of unknown) {
        const ids = asked.get(value) ?? []
        if (ids.length > 0) found.set(value, ids)
        remember(prefix + value, ids, askedMillis)
      }
      return found
    }),

    locks: Effect.fnUntraced(function* (company, lane) {
      const askedMillis = yield* elapsedMillis
      const known = locked.get(companyKey(company))
      if (known !== undefined && askedMillis < known.untilMillis) return known.dates
      const records = yield* companyCalls(odoo, gate, company, lane).read("res.company", [company.id], lockFields)
      const record = records.get(company.id)
      if (record === undefined) {
        return yield* missing("res.company/read", `${company.entity}: Odoo has no company ${company.id} any more.`)
      }
      const dates = lockDatesOf(record)
      // Counted from the question: the answer may have been on its way for long.
      locked.set(companyKey(company), { dates, untilMillis: askedMillis + lockMillis })
      return dates
    }),

    forgetLocks: (company) => Effect.sync(() => void locked.delete(companyKey(company))),
  })
})

export const layer = (options: MasterDataOptions = {}): Layer.Layer<MasterData, never, Odoo | CallGate> =>
  Layer.effect(MasterData, make(options))
