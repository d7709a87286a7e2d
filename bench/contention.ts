/**
 * Whether Weir ever has two calls under way on one sales order (with its tasks) or one journal, and what it would cost:
 * `deno run -A bench/contention.ts`. The same time lines and invoices of few engagements are brought into Odoo twice: as
 * Weir does it, and with flows that name no parents and no journal locks.
 *
 * Over the stand-in, in virtual time on its latency model: exact. With `ODOO_URL`, `ODOO_DB` and `ODOO_API_KEY` over a
 * real Odoo 19, in the time that it takes; it writes there. Options: `--lines 2000`, `--invoices 200`, `--workers 4`;
 * `--quick` for a small one. Prints a table, then JSON.
 */
import { Console, Effect } from "effect"
import process from "node:process"
import { StandIn } from "../fixtures/odoo/StandIn.ts"
import { make as makeOdoo } from "../fixtures/odoo/StandInOdoo.ts"
import { measured } from "../fixtures/odoo/Latency.ts"
import { hire } from "../fixtures/odoo/employees.ts"
import type { EventSpec, Flow } from "../src/flow/Flow.ts"
import { catalog } from "../streams/catalog.ts"
import { Business } from "./business.ts"
import { liveOdoo } from "./live.ts"
import { type Call, stage } from "./stage.ts"
import { both, format, option } from "./table.ts"
import { inVirtualTime } from "./virtual.ts"

const quick = process.argv.includes("--quick")
const lines = option(process.argv, "lines", quick ? 400 : 2_000)
const invoices = option(process.argv, "invoices", quick ? 40 : 200)
const workers = option(process.argv, "workers", 4)
/** Few, so that batches meet on them. */
const ENGAGEMENTS = 8

/** Nothing keeps two batches, or two calls, off the same record. */
const careless = (flow: Flow): Flow => ({
  ...flow,
  events: flow.events.map((spec): EventSpec<unknown> => ({
    ...spec,
    parents: () => [],
    plan: spec.plan.map((step) => {
      if (step._tag !== "Transition") return step
      const { lock: _, ...free } = step
      return free
    }),
  })),
})

interface Round {
  readonly seconds: number
  readonly calls: ReadonlyArray<Call>
  readonly most: ReadonlyMap<string, number>
}

const configurationOf = (entity: string, company: number, live: boolean) => ({
  databases: {
    main: { url: "http://127.0.0.1:1", database: "odoo", key: { env: "ODOO_API_KEY" }, workers, share: 1 },
  },
  entities: {
    [entity]: {
      database: "main",
      company,
      currency: "EUR",
      journals: { sales: "INV", bank: "BNK1" },
      taxes: { S21: live ? "21%" : "21%" },
    },
  },
})

/** Brings everything in; counts from the moment when customers and engagements stand. */
const round = Effect.fnUntraced(function* (
  odoo: Parameters<typeof stage>[0],
  entity: string,
  company: number,
  flows: ReadonlyArray<Flow>,
) {
  const business = new Business({ entity, company, engagements: ENGAGEMENTS, customers: ENGAGEMENTS })
  const at = yield* stage(odoo, configurationOf(entity, company, false), flows)
  yield* at.publish(business.masters())
  yield* at.applied("engagements", ENGAGEMENTS)
  at.clear()
  const begun = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
  yield* at.publish(business.time(0, lines))
  yield* at.publish(business.invoices(0, invoices))
  yield* at.applied("timesheets", lines)
  yield* at.applied("invoices", invoices)
  const ended = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
  const result: Round = { seconds: (ended - begun) / 1_000, calls: [...at.calls], most: new Map(at.most) }
  return result
})

const rowOf = (name: string, { calls, most, seconds }: Round): ReadonlyArray<string> => {
  const writes = calls.filter(({ operation }) => /\/(?:load|action_post)$/u.test(operation))
  const longest = Math.max(...writes.map(({ endMillis, startMillis }) => endMillis - startMillis))
  return [
    name,
    format(seconds, 1),
    format(calls.length),
    format(calls.filter(({ code }) => code === "ODOO-CONTENTION").length),
    format(longest),
    String(most.get("order") ?? 0),
    String(most.get("journal") ?? 0),
  ]
}
const HEAD = ["", "seconds", "calls", "collisions", "longest call, ms", "most at once: order", "journal"]

const overStandIn = (flows: ReadonlyArray<Flow>): Round => {
  const entity = "be01"
  const { employees } = new Business({ entity, company: 3, engagements: ENGAGEMENTS, customers: ENGAGEMENTS })
  const standIn = new StandIn({ employees })
  return inVirtualTime(round(makeOdoo(standIn, { latency: measured({ workers }) }), entity, 3, flows))
}

const overOdoo = (flows: ReadonlyArray<Flow>) =>
  Effect.gen(function* () {
    const { company, entity, odoo } = yield* liveOdoo
    const { employees } = new Business({ entity, company, engagements: ENGAGEMENTS, customers: ENGAGEMENTS })
    yield* hire(odoo, "main", employees)
    return yield* round(odoo, entity, company, flows)
  }).pipe(Effect.scoped)

const main = Effect.gen(function* () {
  const live = process.env["ODOO_URL"] !== undefined
  const without = catalog.map(careless)
  const rounds = live
    ? [yield* overOdoo(catalog), yield* overOdoo(without)]
    : [overStandIn(catalog), overStandIn(without)]
  yield* Console.log(
    `${lines} time lines and ${invoices} invoices of ${ENGAGEMENTS} engagements, ${workers} calls at once at most, ${
      live ? "real Odoo" : "the stand-in's latency model, virtual time"
    }\n`,
  )
  yield* Console.log(both([HEAD, rowOf("as Weir does", rounds[0]!), rowOf("without parents", rounds[1]!)]))
})

await Effect.runPromise(main)
