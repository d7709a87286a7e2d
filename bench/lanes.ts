/**
 * Whether payments overtake a flood: `deno run -A bench/lanes.ts`. A payment a second, of one legal entity, each of a
 * posted invoice; first alone, then while 50 000 approved time lines of four entities of the same Odoo flood in, then while
 * they still do and every call takes Odoo twice as long. Told is the time from publication to the durable outcome: payment
 * posted in Odoo and matched with its invoice.
 *
 * Over the stand-in, in virtual time on its latency model. Options: `--lines 50000`, `--payments 100` in each part,
 * `--workers 4`; `--quick` for a small one. Prints a table.
 */
import { Console, Effect } from "effect"
import process from "node:process"
import { measured } from "../fixtures/odoo/Latency.ts"
import { StandIn } from "../fixtures/odoo/StandIn.ts"
import { make as makeOdoo } from "../fixtures/odoo/StandInOdoo.ts"
import { Business } from "./business.ts"
import { companiesOf, defaults, entityOf } from "./month.ts"
import { stage } from "./stage.ts"
import { format, option, percentile, table } from "./table.ts"
import { inVirtualTime } from "./virtual.ts"

const quick = process.argv.includes("--quick")
const lines = option(process.argv, "lines", quick ? 5_000 : 50_000)
const payments = option(process.argv, "payments", quick ? 10 : 100)
const workers = option(process.argv, "workers", 4)
const ENGAGEMENTS = 60
const SHARES = [0.5, 1]

/** Enough of them to keep all workers busy; the first one has the payments. */
const businesses = Array.from(
  { length: 4 },
  (_, n) => new Business({ entity: entityOf(n), company: n + 1, engagements: ENGAGEMENTS, customers: ENGAGEMENTS }),
)
const business = businesses[0]!

const measure = Effect.fnUntraced(function* (share: number) {
  const standIn = new StandIn({
    companies: companiesOf({ ...defaults, entities: businesses.length }),
    employees: businesses.flatMap(({ employees }) => employees),
  })
  const normal = measured({ workers })
  let pace = 1
  const odoo = makeOdoo(standIn, { latency: { workers, cost: (request) => normal.cost(request) * pace } })
  const at = yield* stage(odoo, {
    databases: { main: { url: "http://127.0.0.1:1", database: "odoo", key: { env: "ODOO_API_KEY" }, workers, share } },
    entities: Object.fromEntries(businesses.map(({ options: { company, entity } }) => [entity, {
      database: "main",
      company,
      currency: "EUR",
      journals: { sales: "INV", bank: "BNK1" },
      taxes: { S21: "21%" },
    }])),
  })
  for (const each of businesses) yield* at.publish(each.masters())
  yield* at.applied("engagements", ENGAGEMENTS * businesses.length)
  yield* at.publish(business.invoices(0, 3 * payments))
  yield* at.applied("invoices", 3 * payments)

  /** One a second; answers their latencies. */
  const arrivals = Effect.fnUntraced(function* (from: number) {
    at.clear()
    for (let n = from; n < from + payments; n++) {
      yield* at.publish([business.payment(n)])
      yield* Effect.sleep("1 second")
    }
    yield* at.applied("payments", from + payments)
    return at.settled.flatMap(({ atMillis, outcome: { _tag, event } }) =>
      _tag === "Applied" && event.flow === "payments" ? [atMillis - event.storedAtMillis] : []
    )
  })
  const idle = yield* arrivals(0)
  for (const each of businesses) yield* at.publish(each.time(0, lines / businesses.length))
  const flooded = yield* arrivals(payments)
  const brought = at.settled.filter(({ outcome }) => outcome.event.flow === "timesheets").length
  pace = 2
  const slow = yield* arrivals(2 * payments)
  const left = at.settled.filter(({ outcome }) => outcome.event.flow === "timesheets").length
  if (brought + left >= lines) return yield* Effect.die(new Error("the flood was over too soon: more --lines"))
  return { idle, flooded, slow, brought }
})

const rows = SHARES.map((share) => {
  const { brought, flooded, idle, slow } = inVirtualTime(measure(share))
  const at = (q: number) => [idle, flooded, slow].map((found) => percentile(found, q)) as [number, number, number]
  const [[idle50, flooded50, slow50], [idle99, flooded99, slow99]] = [at(0.5), at(0.99)]
  return [
    String(share),
    ...[idle50, flooded50, slow50, idle99, flooded99, slow99].map((millis) => format(millis)),
    format(flooded99 / idle99, 2),
    format(slow99 / idle99, 2),
    format(brought),
  ]
})
await Effect.runPromise(Console.log(
  `${payments} payments, one a second; ${lines} time lines; ${workers} Odoo workers; the stand-in's latency model, ` +
    `virtual time; milliseconds\n\n${
      table([
        [
          "share",
          "p50 idle",
          "flood",
          "flood, Odoo slow",
          "p99 idle",
          "flood",
          "flood, Odoo slow",
          "p99 ratio",
          "Odoo slow",
          "time lines meanwhile",
        ],
        ...rows,
      ])
    }`,
))
