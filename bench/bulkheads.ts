/**
 * Whether one entity's trouble stays its own: `deno run -A bench/bulkheads.ts`. Three legal entities have more approved
 * time lines than they can write; the Odoo of the first one hangs: it takes every call and never answers. Told are the
 * lines a second of the other two, before and while it hangs.
 *
 * - `own Odoo`: the first entity has an Odoo of its own.
 * - `shared Odoo`: all three are in one, and only the calls of the first entity hang (a lock that is never given back).
 *
 * Over the stand-in, in virtual time on its latency model. Options: `--seconds 60` of each part, `--workers 8`;
 * `--quick` for a short one. Prints a table, then JSON.
 */
import { Clock, Console, Effect } from "effect"
import process from "node:process"
import { measured } from "../fixtures/odoo/Latency.ts"
import { StandIn } from "../fixtures/odoo/StandIn.ts"
import { make as makeOdoo } from "../fixtures/odoo/StandInOdoo.ts"
import { Odoo, OdooError } from "../src/odoo/Odoo.ts"
import { Business } from "./business.ts"
import { companiesOf, defaults, entityOf } from "./month.ts"
import { stage } from "./stage.ts"
import { both, format, option } from "./table.ts"
import { inVirtualTime } from "./virtual.ts"

const quick = process.argv.includes("--quick")
const seconds = option(process.argv, "seconds", quick ? 20 : 60)
const workers = option(process.argv, "workers", 8)
const ENGAGEMENTS = 60
/** Weir's own, as configured by default: longer than Odoo's `limit_time_real`. */
const TIMEOUT = "150 seconds"
/** Time for the trouble to show before the second part begins. */
const SETTLING = "5 seconds"
/** Lines of each that wait at least, topped up every second: more than any of them can write in one. */
const BACKLOG = 5_000

const businesses = [0, 1, 2].map((n) =>
  new Business({ entity: entityOf(n), company: n + 1, engagements: ENGAGEMENTS, customers: ENGAGEMENTS })
)

const measure = Effect.fnUntraced(function* (own: boolean) {
  const standIn = () =>
    new StandIn({
      companies: companiesOf({ ...defaults, entities: businesses.length }),
      employees: businesses.flatMap(({ employees }) => employees),
    })
  const main = standIn()
  const odoo = makeOdoo(new Map([["main", main], ["own", standIn()]]), { latency: measured({ workers }) })
  let hangs = false
  const [sick] = businesses
  const moody = Odoo.of({
    ...odoo,
    call: (call) =>
      Effect.suspend(() =>
        !hangs || (call.context?.["allowed_company_ids"] as ReadonlyArray<number>)[0] !== sick!.options.company
          ? odoo.call(call)
          : Effect.andThen(
            Effect.sleep(TIMEOUT),
            Effect.fail(
              new OdooError({ code: "ODOO-NO-ANSWER", operation: `${call.model}/${call.method}`, message: "it hangs" }),
            ),
          )
      ),
  })
  const database = { url: "http://127.0.0.1:1", database: "odoo", key: { env: "ODOO_API_KEY" }, workers, share: 0.5 }
  const at = yield* stage(moody, {
    databases: { main: database, own: database },
    entities: Object.fromEntries(businesses.map(({ options: { company, entity } }, n) => [entity, {
      database: own && n === 0 ? "own" : "main",
      company,
      currency: "EUR",
      journals: { sales: "INV", bank: "BNK1" },
      taxes: { S21: "21%" },
    }])),
  })
  for (const business of businesses) yield* at.publish(business.masters())
  yield* at.applied("engagements", ENGAGEMENTS * businesses.length)
  const settledOf = (each: Business) => at.settledOf(each.options.entity, "timesheets")
  const published = new Map(businesses.map((each) => [each, 0]))
  yield* Effect.forkScoped(Effect.forever(Effect.gen(function* () {
    for (const each of businesses) {
      const [from, to] = [published.get(each)!, settledOf(each) + BACKLOG]
      if (to > from) yield* at.publish(each.time(from, to))
      published.set(each, Math.max(from, to))
    }
    yield* Effect.sleep("1 second")
  })))

  /** Lines a second of the healthy ones. */
  const rate = Effect.fnUntraced(function* () {
    const count = () => businesses.slice(1).reduce((sum, each) => sum + settledOf(each), 0)
    const [from, begun] = [count(), yield* Clock.currentTimeMillis]
    yield* Effect.sleep(`${seconds} seconds`)
    return (count() - from) / ((yield* Clock.currentTimeMillis) - begun) * 1_000
  })
  yield* Effect.sleep(SETTLING)
  const before = yield* rate()
  hangs = true
  yield* Effect.sleep(SETTLING)
  const during = yield* rate()
  return { before, during }
})

const rows = [true, false].map((own) => {
  const { before, during } = inVirtualTime(measure(own))
  return [own ? "own Odoo" : "shared Odoo", format(before), format(during), `${format(during / before * 100)} %`]
})
await Effect.runPromise(Console.log(
  `${workers} workers an Odoo, half of them for Weir; ${seconds} s each; the stand-in's latency model, virtual time; ` +
    `time lines a second of the two healthy entities\n\n${
      both([["", "before", "while one hangs", "of before"], ...rows])
    }`,
))
