/**
 * How near Weir comes to what its Odoo can do: `deno run -A bench/limit.ts`. The same approved time lines and the same
 * invoices of one legal entity are brought in by Weir's engine, and by the best that a program without any guarantee can
 * do: everything known beforehand, no look at what is there, no record of what was done.
 *
 * - time lines: full calls of `load`, as many at once as Odoo has workers, each on engagements of its own;
 * - invoices: full calls of `create`, and of `action_post` one after the other, because they share a journal.
 *
 * The engine runs on broker and ledger in memory: what is compared is how Odoo is used. Over the stand-in in virtual time
 * on its latency model, exact; with `ODOO_URL`, `ODOO_DB` and `ODOO_API_KEY` over a real Odoo 19, where it writes, in turns,
 * medians of `--rounds 3`. Options: `--lines 4000`, `--invoices 400`, `--workers 2`; `--calls`
 * says which; `--quick`. Prints a table, then JSON.
 */
import { Clock, Console, Effect, References, Semaphore } from "effect"
import process from "node:process"
import { hire } from "../fixtures/odoo/employees.ts"
import { measured } from "../fixtures/odoo/Latency.ts"
import { StandIn } from "../fixtures/odoo/StandIn.ts"
import { make as makeOdoo } from "../fixtures/odoo/StandInOdoo.ts"
import type { InvoiceRequested } from "../schemas/invoice.ts"
import type { TimesheetApproved } from "../schemas/timesheet.ts"
import type { Publication } from "../src/broker/Broker.ts"
import type { Json, Odoo } from "../src/odoo/Odoo.ts"
import { Business } from "./business.ts"
import { liveOdoo } from "./live.ts"
import { load } from "./processes.ts"
import { stage } from "./stage.ts"
import { format, median, option, table } from "./table.ts"
import { inVirtualTime } from "./virtual.ts"

const quick = process.argv.includes("--quick")
const live = process.env["ODOO_URL"] !== undefined
const lines = option(process.argv, "lines", quick ? 400 : 4_000)
const invoices = option(process.argv, "invoices", quick ? 40 : 400)
const workers = option(process.argv, "workers", 2)
const rounds = live ? option(process.argv, "rounds", quick ? 1 : 3) : 1
const ENGAGEMENTS = 60
/** Records a call: larger ones are no faster. */
const LINES_A_CALL = 200
const INVOICES_A_CALL = 50

interface Seconds {
  readonly direct: number
  readonly weir: number
}
interface Round {
  readonly lines: Seconds
  readonly invoices: Seconds
  readonly calls: { readonly lines: number; readonly invoices: number }
}

const dataOf = <A>({ data }: Publication): A =>
  (JSON.parse(new TextDecoder().decode(data)) as { readonly data: A }).data

const parts = <A>(all: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, n) => all.slice(n * size, (n + 1) * size))

/** What the program without guarantees knows beforehand. */
const directly = Effect.fnUntraced(function* (odoo: Odoo["Service"], entity: string, company: number) {
  const call = (model: string, method: string, args: Record<string, Json>, ids?: ReadonlyArray<number>) =>
    odoo.call({
      database: "main",
      model,
      method,
      args,
      context: { allowed_company_ids: [company] },
      ...(ids !== undefined && { ids }),
    }).pipe(Effect.orDie)
  const idOf = (model: string, domain: Json) =>
    Effect.map(call(model, "search", { domain, limit: 1 }), (ids) => (ids as ReadonlyArray<number>)[0]!)
  const employees = new Map<string, number>()
  const partners = new Map<string, number>()
  const journal = yield* idOf("account.journal", [["type", "=", "sale"], ["company_id", "=", company]])
  const tax = yield* idOf("account.tax", [
    ["name", "=", "21%"],
    ["type_tax_use", "=", "sale"],
    ["company_id", "=", company],
  ])
  const known = Effect.fnUntraced(function* (found: Map<string, number>, name: string, model: string, domain: Json) {
    if (!found.has(name)) found.set(name, yield* idOf(model, domain))
  })

  const time = Effect.fnUntraced(function* (events: ReadonlyArray<Publication>) {
    const all = events.map((event) => dataOf<typeof TimesheetApproved.Encoded>(event))
    for (const { consultant } of all) {
      yield* known(employees, consultant, "hr.employee", [["work_email", "=", consultant]])
    }
    const shares = Array.from({ length: workers }, () => new Array<ReadonlyArray<string>>())
    const shareOf = new Map<string, number>()
    for (const line of all) {
      const share = shareOf.get(line.engagement) ?? shareOf.size % workers
      shareOf.set(line.engagement, share)
      const engagement = `weir_${entity}.engagements_${line.engagement}`
      shares[share]!.push([
        line.date,
        line.description,
        line.hours,
        String(employees.get(line.consultant)),
        `${engagement}.project`,
        `${engagement}.task-${line.task}`,
        `${engagement}.line-${line.line}`,
        "1",
      ])
    }
    const fields = [
      "date",
      "name",
      "unit_amount",
      "employee_id/.id",
      "project_id/id",
      "task_id/id",
      "so_line/id",
      "is_so_line_edited",
    ]
    return Effect.forEach(
      shares,
      (share) =>
        Effect.forEach(
          parts(share, LINES_A_CALL),
          (data) =>
            Effect.map(call("account.analytic.line", "load", { fields, data }), (answer) => {
              if ((answer as { readonly ids: unknown }).ids === false) {
                throw new Error(JSON.stringify(answer).slice(0, 300))
              }
            }),
          { discard: true },
        ),
      { concurrency: workers, discard: true },
    )
  })

  const bill = Effect.fnUntraced(function* (events: ReadonlyArray<Publication>) {
    const all = events.map((event) => dataOf<typeof InvoiceRequested.Encoded>(event))
    for (const { customer } of all) {
      yield* known(partners, customer, "res.partner", [["ref", "=", `${entity}-${customer}`]])
    }
    const journalLock = yield* Semaphore.make(1)
    return Effect.forEach(parts(all, INVOICES_A_CALL), (some) =>
      Effect.gen(function* () {
        const vals_list = some.map((invoice): Json => ({
          move_type: "out_invoice",
          ref: invoice.key,
          partner_id: partners.get(invoice.customer)!,
          journal_id: journal,
          invoice_date: invoice.invoiceDate,
          invoice_line_ids: invoice.lines.map((line): Json => [0, 0, {
            name: line.description,
            quantity: Number(line.quantity),
            price_unit: Number(line.unitPrice),
            tax_ids: [[6, 0, [tax]]],
          }]),
        }))
        const ids = yield* call("account.move", "create", { vals_list })
        yield* journalLock.withPermit(call("account.move", "action_post", {}, ids as ReadonlyArray<number>))
      }), { concurrency: workers, discard: true })
  })
  return { time, bill }
})

const round = Effect.fnUntraced(function* (odoo: Odoo["Service"], entity: string, company: number) {
  const business = new Business({ entity, company, engagements: ENGAGEMENTS, customers: ENGAGEMENTS })
  const at = yield* stage(odoo, {
    databases: {
      main: { url: "http://127.0.0.1:1", database: "odoo", key: { env: "ODOO_API_KEY" }, workers, share: 1 },
    },
    entities: {
      [entity]: {
        database: "main",
        company,
        currency: "EUR",
        journals: { sales: "INV", bank: "BNK1" },
        taxes: { S21: "21%" },
      },
    },
  })
  yield* at.publish(business.masters())
  yield* at.applied("engagements", ENGAGEMENTS)
  const took = Effect.fnUntraced(function* <E, R>(work: Effect.Effect<unknown, E, R>) {
    const begun = yield* Clock.currentTimeMillis
    yield* work
    return ((yield* Clock.currentTimeMillis) - begun) / 1_000
  })
  const direct = yield* directly(odoo, entity, company)
  // Its own looks are not counted: everything is known beforehand.
  const time = yield* direct.time(business.time(0, lines))
  const bill = yield* direct.bill(business.invoices(0, invoices))
  const callsOf = Effect.fnUntraced(function* (flow: string, count: number, events: ReadonlyArray<Publication>) {
    at.clear()
    const seconds = yield* took(Effect.andThen(at.publish(events), at.applied(flow, count)))
    if (process.argv.includes("--calls")) {
      const counts = Map.groupBy(at.calls, ({ operation }) => operation)
      yield* Console.error([...counts].map(([operation, some]) => `${some.length} ${operation}`).join(", "))
    }
    return { seconds, calls: at.calls.length }
  })
  const directLines = yield* took(time)
  const weirLines = yield* callsOf("timesheets", lines, business.time(0, lines))
  const directInvoices = yield* took(bill)
  const weirInvoices = yield* callsOf("invoices", invoices, business.invoices(0, invoices))
  const result: Round = {
    lines: { direct: directLines, weir: weirLines.seconds },
    invoices: { direct: directInvoices, weir: weirInvoices.seconds },
    calls: { lines: weirLines.calls, invoices: weirInvoices.calls },
  }
  return result
})

const overStandIn = (): Round => {
  const [entity, company] = ["be01", 3]
  const { employees } = new Business({ entity, company, engagements: ENGAGEMENTS, customers: ENGAGEMENTS })
  return inVirtualTime(round(makeOdoo(new StandIn({ employees }), { latency: measured({ workers }) }), entity, company))
}

const overOdoo = Effect.scoped(Effect.gen(function* () {
  const { company, entity, odoo } = yield* liveOdoo
  const { employees } = new Business({ entity, company, engagements: ENGAGEMENTS, customers: ENGAGEMENTS })
  yield* hire(odoo, "main", employees)
  return yield* round(odoo, entity, company)
}))

const main = Effect.gen(function* () {
  const results: Array<Round> = []
  for (let n = 0; n < rounds; n++) results.push(live ? yield* overOdoo : overStandIn())
  const rowOf = (name: string, count: number, of: (round: Round) => Seconds, calls: (round: Round) => number) => {
    const rate = (pick: (seconds: Seconds) => number) => median(results.map((result) => count / pick(of(result))))
    const share = median(results.map((result) => of(result).direct / of(result).weir))
    return [
      `${format(count)} ${name}`,
      format(rate(({ direct }) => direct), 1),
      format(rate(({ weir }) => weir), 1),
      `${format(share * 100)} %`,
      format(median(results.map(calls)) / count * 1_000),
    ]
  }
  yield* Console.log(
    `${workers} calls at once, ${
      live ? `a real Odoo 19, medians of ${rounds}, load ${load()}` : "the stand-in's latency model, virtual time"
    }\n`,
  )
  yield* Console.log(table([
    ["", "direct, a second", "weir, a second", "weir / direct", "weir's calls per 1000"],
    rowOf("time lines", lines, (result) => result.lines, ({ calls }) => calls.lines),
    rowOf("posted invoices", invoices, (result) => result.invoices, ({ calls }) => calls.invoices),
  ]))
  yield* Console.log(JSON.stringify({ live, workers, lines, invoices, load: load(), results }))
})

await Effect.runPromise(main.pipe(Effect.provideService(References.MinimumLogLevel, "Warn")))
process.exit(0)
