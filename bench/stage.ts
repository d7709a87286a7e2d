/**
 * A stage for benchmarks that ask how Weir treats Odoo: the real engine and flows on broker and ledger in memory, before
 * an Odoo whose every call is noted down with what it writes to.
 */
import { Clock, Context, Effect, Exit, Layer, Option } from "effect"
import { catalog } from "../streams/catalog.ts"
import { Broker, type Publication } from "../src/broker/Broker.ts"
import * as MemoryBroker from "../src/broker/MemoryBroker.ts"
import { check } from "../src/config/load.ts"
import type { Flow } from "../src/flow/Flow.ts"
import { Ledger, type Outcome } from "../src/ledger/Ledger.ts"
import * as MemoryLedger from "../src/ledger/MemoryLedger.ts"
import { engine } from "../src/main.ts"
import { type Json, Odoo, type OdooCall } from "../src/odoo/Odoo.ts"

const POLL = "20 millis"
/** Longest time for one part of a benchmark, virtual or not. */
const LIMIT_MILLIS = 3_600_000

export interface Call {
  readonly database: string
  readonly operation: string
  readonly startMillis: number
  readonly endMillis: number
  /** Why it failed; empty when it did not. */
  readonly code: string
}

export interface Settled {
  readonly entity: string
  readonly outcome: Outcome
  readonly atMillis: number
}

export interface Stage {
  readonly publish: (publications: ReadonlyArray<Publication>) => Effect.Effect<void>
  /** Waits until so many events of a flow are applied, of all entities together. A parked one is a defect of the benchmark. */
  readonly applied: (flow: string, count: number) => Effect.Effect<void>
  /** How many events of a flow have an outcome in one entity. */
  readonly settledOf: (entity: string, flow: string) => number
  readonly calls: ReadonlyArray<Call>
  readonly settled: ReadonlyArray<Settled>
  /** Most writing calls at once below one record, by what the record is: order, journal. */
  readonly most: ReadonlyMap<string, number>
  /** Forgets calls, settlements and counts. */
  readonly clear: () => void
}

const WRITING = new Set(["load", "action_post", "action_confirm", "reconcile"])

/** External ids in the rows of a load; an id of a line or a task tells the engagement. */
const idsIn = (call: OdooCall): ReadonlyArray<string> => {
  const rows = call.args?.["data"]
  return Array.isArray(rows)
    ? (rows as ReadonlyArray<ReadonlyArray<Json>>).flatMap((row) =>
      row.filter((cell) => typeof cell === "string" && cell.startsWith("weir_"))
    ) as ReadonlyArray<string>
    : []
}

/** What a call writes to and others may not at the same time: orders with their tasks, journals. */
const touchedBy = (call: OdooCall): ReadonlySet<string> => {
  const names = new Set<string>()
  if (!WRITING.has(call.method)) return names
  for (const id of idsIn(call)) {
    const match = /^weir_([^.]+)\.engagements_([^.]+)/u.exec(id)
    if (match !== null) names.add(`order ${match[1]} ${match[2]}`)
  }
  if (call.method === "action_post") {
    const companies = call.context?.["allowed_company_ids"]
    names.add(`journal ${call.database} ${String(companies)} ${call.model}`)
  }
  return names
}

/** Lives with the scope. */
export const stage = Effect.fnUntraced(function* (
  odoo: Odoo["Service"],
  configuration: unknown,
  flows: ReadonlyArray<Flow> = catalog,
) {
  const calls: Array<Call> = []
  const settled: Array<Settled> = []
  const most = new Map<string, number>()
  const writing = new Map<string, number>()
  const appliedOf = new Map<string, number>()
  const settledOf = new Map<string, number>()

  const noted = Odoo.of({
    ...odoo,
    call: Effect.fnUntraced(function* (call) {
      const startMillis = yield* Clock.currentTimeMillis
      const touched = touchedBy(call)
      for (const name of touched) {
        const now = (writing.get(name) ?? 0) + 1
        writing.set(name, now)
        const kind = name.split(" ", 1)[0]!
        most.set(kind, Math.max(most.get(kind) ?? 0, now))
      }
      return yield* odoo.call(call).pipe(Effect.onExit((exit) =>
        Effect.map(Clock.currentTimeMillis, (endMillis) => {
          for (const name of touched) writing.set(name, writing.get(name)! - 1)
          const error = Option.getOrUndefined(Exit.findErrorOption(exit))
          const code = error?.code ?? (Exit.isSuccess(exit) ? "" : "interrupted")
          calls.push({
            database: call.database,
            operation: `${call.model}/${call.method}`,
            startMillis,
            endMillis,
            code,
          })
        })
      ))
    }),
  })
  const memory = yield* Layer.build(Layer.mergeAll(MemoryBroker.layer(), MemoryLedger.layer))
  const broker = Context.get(memory, Broker)
  const ledger = Context.get(memory, Ledger)
  const watched: typeof Ledger.Service = {
    ...ledger,
    settle: (fence, settlement) =>
      Effect.tap(
        ledger.settle(fence, settlement),
        () =>
          Effect.map(Clock.currentTimeMillis, (atMillis) => {
            for (const outcome of settlement.outcomes) {
              settled.push({ entity: fence.entity, outcome, atMillis })
              const { flow } = outcome.event
              const line = `${fence.entity}/${flow}`
              settledOf.set(line, (settledOf.get(line) ?? 0) + 1)
              if (outcome._tag === "Applied") appliedOf.set(flow, (appliedOf.get(flow) ?? 0) + 1)
            }
          }),
      ),
  }
  yield* Effect.orDie(broker.provision)
  const { configuration: settings } = yield* Effect.orDie(check("bench", configuration, {}))
  yield* Layer.build(Layer.provide(
    engine(settings, flows),
    Layer.succeedContext(memory).pipe(
      Layer.merge(
        Layer.mergeAll(Layer.succeed(Broker, broker), Layer.succeed(Ledger, watched), Layer.succeed(Odoo, noted)),
      ),
    ),
  ))

  const made: Stage = {
    publish: (publications) => Effect.orDie(Effect.asVoid(broker.publish(publications))),
    applied: Effect.fnUntraced(function* (flow, count) {
      const begun = yield* Clock.currentTimeMillis
      let seen = 0
      while ((appliedOf.get(flow) ?? 0) < count) {
        for (; seen < settled.length; seen++) {
          const { outcome } = settled[seen]!
          if (outcome._tag === "Parked") return yield* Effect.die(new Error(`${outcome.code} ${outcome.detail}`))
        }
        if ((yield* Clock.currentTimeMillis) - begun > LIMIT_MILLIS) {
          return yield* Effect.die(
            new Error(`${appliedOf.get(flow) ?? 0} of ${count} ${flow} are applied, and no more`),
          )
        }
        yield* Effect.sleep(POLL)
      }
    }),
    settledOf: (entity, flow) => settledOf.get(`${entity}/${flow}`) ?? 0,
    calls,
    settled,
    most,
    clear: () => {
      calls.length = 0
      settled.length = 0
      most.clear()
    },
  }
  return made
})
