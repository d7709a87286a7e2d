/**
 * What Odoo's own users feel of a surge: `deno run -A bench/interactive.ts`. One simulated user opens a list, opens a
 * record, saves it, thinks, and again; first alone, then while Weir brings a month's time lines and invoices in, within
 * the share of Odoo's workers that it is configured to. Told is the user's latency, request by request.
 *
 * Over the stand-in, in virtual time on its latency model. With `ODOO_URL`, `ODOO_DB` and `ODOO_API_KEY` over a real Odoo
 * 19, in the time that it takes; it writes there. Options: `--lines 20000`, `--invoices 400`, `--workers 4`,
 * `--requests 300` of the user in each part; `--quick` for a small one. Prints a table, then JSON.
 */
import { Clock, Console, Effect, Exit, Fiber } from "effect"
import process from "node:process"
import { hire } from "../fixtures/odoo/employees.ts"
import { measured } from "../fixtures/odoo/Latency.ts"
import { StandIn } from "../fixtures/odoo/StandIn.ts"
import { make as makeOdoo } from "../fixtures/odoo/StandInOdoo.ts"
import type { Json, Odoo } from "../src/odoo/Odoo.ts"
import { Business } from "./business.ts"
import { liveOdoo } from "./live.ts"
import { companiesOf, defaults, entityOf } from "./month.ts"
import { stage } from "./stage.ts"
import { both, format, option, percentile } from "./table.ts"
import { inVirtualTime } from "./virtual.ts"

const quick = process.argv.includes("--quick")
const live = process.env["ODOO_URL"] !== undefined
const lines = option(process.argv, "lines", quick ? 8_000 : live ? 6_000 : 80_000)
const invoices = option(process.argv, "invoices", quick ? 40 : live ? 100 : 400)
const workers = option(process.argv, "workers", live ? 2 : 4)
const requests = option(process.argv, "requests", quick ? 60 : 240)
const ENGAGEMENTS = 60
/** Over the stand-in: enough to keep all workers busy, if they may. */
const ENTITIES = Array.from({ length: 4 }, (_, n) => [entityOf(n), n + 1] as const)
/** Between two of the user's requests: mean, milliseconds. */
const THINKING = 150
const SHARES = live ? [0.5] : [0.5, 1]

/** The user's requests in turn. */
const script = (partner: number): ReadonlyArray<readonly [name: string, method: string, args: Json, ids?: number]> => [
  ["open a list", "search_read", { domain: [["is_company", "=", true]], fields: ["name", "email", "city"], limit: 80 }],
  ["open a record", "read", { fields: ["name", "email", "street", "city", "zip"] }, partner],
  ["save it", "write", { vals: { comment: "called" } }, partner],
]

interface Felt {
  readonly name: string
  readonly millis: number
}

/** Until all `requests` are made, or `over`. */
const user = Effect.fnUntraced(function* (
  odoo: Odoo["Service"],
  company: number,
  partner: number,
  over: () => boolean,
) {
  const felt: Array<Felt> = []
  for (let n = 0; felt.length < requests && !over(); n++) {
    for (const [name, method, args, id] of script(partner)) {
      const begun = yield* Clock.currentTimeMillis
      yield* Effect.orDie(odoo.call({
        database: "main",
        model: "res.partner",
        method,
        ...(id !== undefined && { ids: [id] }),
        args: args as { readonly [name: string]: Json },
        context: { allowed_company_ids: [company] },
      }))
      felt.push({ name, millis: (yield* Clock.currentTimeMillis) - begun })
      // Not in step with anything else.
      yield* Effect.sleep(THINKING / 2 + (n * 37 + name.length * 13) % THINKING)
    }
  }
  return felt
})

const businessOf = (entity: string, company: number) =>
  new Business({ entity, company, engagements: ENGAGEMENTS, customers: ENGAGEMENTS })

const measure = Effect.fnUntraced(function* (
  odoo: Odoo["Service"],
  entities: ReadonlyArray<readonly [code: string, company: number]>,
  share: number,
) {
  const businesses = entities.map(([entity, company]) => businessOf(entity, company))
  const [[entity, company] = ["", 0]] = entities
  const at = yield* stage(odoo, {
    databases: { main: { url: "http://127.0.0.1:1", database: "odoo", key: { env: "ODOO_API_KEY" }, workers, share } },
    entities: Object.fromEntries(entities.map(([code, company]) => [code, {
      database: "main",
      company,
      currency: "EUR",
      journals: { sales: "INV", bank: "BNK1" },
      taxes: { S21: "21%" },
    }])),
  })
  for (const business of businesses) yield* at.publish(business.masters())
  yield* at.applied("engagements", ENGAGEMENTS * entities.length)
  // A customer of the user's own, whom nobody else writes to.
  const made = yield* Effect.orDie(odoo.call({
    database: "main",
    model: "res.partner",
    method: "create",
    args: { vals_list: [{ name: `Walk-in ${entity}`, is_company: true }] },
    context: { allowed_company_ids: [company] },
  }))
  const partner = Number((made as ReadonlyArray<number>)[0])
  const quiet = yield* user(odoo, company, partner, () => false)
  const surge = yield* Effect.forkChild(Effect.gen(function* () {
    for (const business of businesses) {
      yield* at.publish(business.time(0, lines / entities.length))
      yield* at.publish(business.invoices(0, invoices / entities.length))
    }
    yield* at.applied("timesheets", lines)
    yield* at.applied("invoices", invoices)
  }))
  const busy = yield* user(odoo, company, partner, () => surge.pollUnsafe() !== undefined)
  const ended = surge.pollUnsafe()
  if (ended !== undefined && Exit.isFailure(ended)) return yield* Effect.failCause(ended.cause)
  yield* Fiber.interrupt(surge)
  return { quiet, busy }
})
type Measured = Effect.Success<ReturnType<typeof measure>>

const rowsOf = (name: string, { busy, quiet }: Measured): ReadonlyArray<ReadonlyArray<string>> => {
  const row = (what: string, of: (felt: Felt) => boolean) => {
    const [alone, beside] = [quiet, busy].map((felts) => felts.filter(of).map(({ millis }) => millis))
    const at = (q: number) => [percentile(alone!, q), percentile(beside!, q)] as const
    const [[p50, busy50], [p95, busy95]] = [at(0.5), at(0.95)]
    return [
      name,
      what,
      format(beside!.length),
      ...[p50, busy50, p95, busy95].map((millis) => format(millis)),
      format(busy95 / p95, 2),
    ]
  }
  return [row("all", () => true), ...script(0).map(([each]) => row(each, (felt) => felt.name === each))]
}

const results = live
  ? await Effect.runPromise(Effect.scoped(Effect.forEach(SHARES, (share) =>
    Effect.gen(function* () {
      const { company, entity, odoo } = yield* liveOdoo
      yield* hire(odoo, "main", businessOf(entity, company).employees)
      return yield* measure(odoo, [[entity, company]], share)
    }))))
  : SHARES.map((share) => {
    const standIn = new StandIn({
      companies: companiesOf({ ...defaults, entities: ENTITIES.length }),
      employees: ENTITIES.flatMap(([entity, company]) => businessOf(entity, company).employees),
    })
    return inVirtualTime(measure(makeOdoo(standIn, { latency: measured({ workers }) }), ENTITIES, share))
  })
await Effect.runPromise(Console.log(
  `${workers} Odoo workers, ${lines} time lines and ${invoices} invoices, ${
    live ? "real Odoo" : "the stand-in's latency model, virtual time"
  }; milliseconds\n\n${
    both([
      ["share", "request", "requests", "p50 quiet", "p50 surge", "p95 quiet", "p95 surge", "p95 ratio"],
      ...results.flatMap((result, index) => rowsOf(String(SHARES[index]), result)),
    ])
  }`,
))
