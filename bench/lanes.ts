/**
 * Whether payments overtake a flood: `deno run -A bench/lanes.ts`. A payment a second, of one legal entity, each of a
 * posted invoice: alone; while 50 000 approved time lines of four entities of the same Odoo, published at once, are
 * brought in; while as many wait all the time; and while they do and every call takes Odoo twice as long. Told is the time
 * from publication to the durable outcome: payment posted in Odoo and matched with its invoice.
 *
 * Over the stand-in, in virtual time on its latency model. Options: `--lines 50000`, `--payments 100` in each part,
 * `--workers 4`; `--quick` for a small one. Prints a table, then JSON.
 */
import { Console, Effect } from "effect"
import process from "node:process"
import { measured } from "../fixtures/odoo/Latency.ts"
import { StandIn } from "../fixtures/odoo/StandIn.ts"
import { make as makeOdoo } from "../fixtures/odoo/StandInOdoo.ts"
import { Business } from "./business.ts"
import { companiesOf, defaults, entityOf } from "./month.ts"
import { stage } from "./stage.ts"
import { both, format, option, percentile } from "./table.ts"
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
  yield* at.publish(business.invoices(0, 4 * payments))
  yield* at.applied("invoices", 4 * payments)

  let flooding = false
  let published = 0
  const brought = () => businesses.reduce((sum, { options: { entity } }) => sum + at.settledOf(entity, "timesheets"), 0)
  /** As many lines wait as the flood has, all the time. */
  const flood = Effect.suspend(() => {
    const from = published
    published = Math.max(published, brought() + lines)
    const [first, last] = [from, published].map((all) => Math.floor(all / businesses.length))
    return Effect.forEach(businesses, (each) => at.publish(each.time(first!, last!)), { discard: true })
  })
  /** One a second; answers their latencies. */
  const arrivals = Effect.fnUntraced(function* (from: number) {
    at.clear()
    for (let n = from; n < from + payments; n++) {
      if (flooding) yield* flood
      yield* at.publish([business.payment(n)])
      yield* Effect.sleep("1 second")
    }
    yield* at.applied("payments", from + payments)
    return at.settled.flatMap(({ atMillis, outcome: { _tag, event } }) =>
      _tag === "Applied" && event.flow === "payments" ? [atMillis - event.storedAtMillis] : []
    )
  })
  const idle = yield* arrivals(0)
  yield* flood
  const flooded = yield* arrivals(payments)
  flooding = true
  const endless = yield* arrivals(2 * payments)
  pace = 2
  const slow = yield* arrivals(3 * payments)
  return { idle, flooded, endless, slow }
})

const rows = SHARES.flatMap((share) => {
  const { endless, flooded, idle, slow } = inVirtualTime(measure(share))
  const cases = [["idle", idle], ["flood", flooded], ["endless flood", endless], [
    "and Odoo half as fast",
    slow,
  ]] as const
  return cases.map(([name, found]) => [
    name,
    String(share),
    format(percentile(found, 0.5)),
    format(percentile(found, 0.99)),
    format(percentile(found, 0.5) / percentile(idle, 0.5), 2),
    format(percentile(found, 0.99) / percentile(idle, 0.99), 2),
  ])
})
await Effect.runPromise(Console.log(
  `${payments} payments, one a second; ${lines} time lines; ${workers} Odoo workers; the stand-in's latency model, ` +
    `virtual time; milliseconds\n\n${both([["", "share", "p50", "p99", "p50 / idle", "p99 / idle"], ...rows])}`,
))
