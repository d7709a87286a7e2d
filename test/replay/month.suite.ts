/**
 * A small month, replayed onto itself, proven and corrected: on the stand-in in `month.test.ts`, on a real Odoo in `test/live/`. What
 * people do in between, they do by Odoo's own calls.
 */
import { assert } from "@effect/vitest"
import { Clock, Effect, type Layer } from "effect"
import { hire } from "../../fixtures/odoo/employees.ts"
import { configurationOf, DATABASE, filled, type Place, places } from "../../fixtures/replay/Place.ts"
import type { Broker, Publication } from "../../src/broker/Broker.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import type { Ports } from "../../src/ledger/PgPorts.ts"
import { type NewRun, type Run, type RunJson, Runs, type RunState } from "../../src/ledger/Runs.ts"
import { type Json, Odoo } from "../../src/odoo/Odoo.ts"
import { mismatchKinds } from "../../src/reconcile/Account.ts"
import { keptIn } from "../../src/reconcile/Report.ts"
import { daysOf } from "../../src/reconcile/Request.ts"
import type { ReplayRequest } from "../../src/replay/Request.ts"
import { publication, publish, running } from "../simulation/World.ts"

const TIMESHEETS = 25
const INVOICES = 30
const PAYMENTS = 10
const DELETED = 10
/** 21 % and the price make whole cents. */
const priceOf = (n: number): number => 100 * n

export interface Pace {
  /** Lets a moment pass, virtual or real. */
  readonly moment: Effect.Effect<void>
  /** Most moments until something is done. */
  readonly patience: number
}

/** What was found and how long it took, for `docs/live-odoo.md`. */
export interface Figures {
  readonly events: number
  readonly seconds: Readonly<Record<string, number>>
}

type Row = { readonly id: number; readonly [field: string]: Json }

const keys = (prefix: string, count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, n) => `${prefix}-${String(n + 1).padStart(2, "0")}`)

/** Work, invoices and the payments of some of them, all of one month. */
const eventsOf = (place: Place, month: string, consultant: string): ReadonlyArray<Publication> => {
  const { country, currency, entity } = place
  const send = <D extends { readonly key: string }>(type: string, data: D, sequence?: number) =>
    publication(type, data, { entity, ...(sequence !== undefined && { sequence }) })
  const [customer, engagement] = ["C-1", "E-1"]
  return [
    send("customer.upserted", {
      key: customer,
      name: `Month ${entity}`,
      reference: `${entity}-C-1`,
      kind: "company",
      vat: filled("{vat:1}", place, new Map()),
      email: "accounts@month.example",
      address: { street: "Kaai 1", city: "Brussel", zip: "1000", country },
    }, 1),
    send("engagement.activated", {
      key: engagement,
      customer,
      legalEntity: entity,
      contract: "SOW-1",
      name: "Month",
      kind: "time-and-materials",
      currency,
      startDate: `${month}-01`,
      billing: { rhythm: "monthly" },
      lines: [{ key: "senior", description: "Senior consultant", quantity: "200", unitPrice: "100", taxCode: "STD" }],
      tasks: [{ key: "design", name: "Design", line: "senior" }],
      milestones: [],
    }),
    ...keys("T", TIMESHEETS).map((key, n) =>
      send("timesheet.approved", {
        key,
        engagement,
        line: "senior",
        task: "design",
        consultant,
        date: `${month}-${String(n % 28 + 1).padStart(2, "0")}`,
        hours: "7.25",
        description: `Design ${key}`,
        billable: true,
      })
    ),
    ...keys("I", INVOICES).map((key, n) =>
      send("invoice.requested", {
        key,
        customer,
        engagement,
        invoiceDate: `${month}-28`,
        dueDate: `${month}-28`,
        currency,
        lines: [{
          key: "1",
          description: `Work of ${key}`,
          quantity: "1",
          unitPrice: String(priceOf(n + 1)),
          taxCode: "STD",
          engagementLine: "senior",
        }],
        totals: {
          untaxed: `${priceOf(n + 1)}.00`,
          tax: `${priceOf(n + 1) * 21 / 100}.00`,
          total: `${priceOf(n + 1) * 121 / 100}.00`,
        },
      })
    ),
    ...keys("P", PAYMENTS).map((key, n) =>
      send("payment.received", {
        key,
        customer,
        amount: `${priceOf(n + 1) * 121 / 100}.00`,
        currency,
        date: `${month}-28`,
        invoices: [keys("I", INVOICES)[n]!],
        method: "transfer",
      })
    ),
  ]
}

/** `run` makes the entity's code and the month its own: what other runs left in the company is of other months. */
export const monthReplayed = Effect.fnUntraced(function* (
  run: string,
  { moment, patience }: Pace,
): Effect.fn.Return<Figures, unknown, Odoo | Broker | Ports> {
  const odoo = yield* Odoo
  const place = (yield* places(odoo, run)).find(({ label }) => label === "EUR")!
  const { company, entity } = place
  const call = (
    model: string,
    method: string,
    args: { readonly [name: string]: Json },
    ids?: ReadonlyArray<number>,
  ) =>
    odoo.call({
      database: DATABASE,
      model,
      method,
      args,
      context: { allowed_company_ids: [company] },
      ...(ids !== undefined && { ids }),
    })
  const search = (model: string, domain: Json, fields: ReadonlyArray<string>) =>
    Effect.map(call(model, "search_read", { domain, fields, order: "id" }), (rows) => rows as ReadonlyArray<Row>)

  /** A month in which the company has nothing. */
  const empty = Effect.fnUntraced(function* (from: number) {
    for (let n = from;; n++) {
      const month = `${2000 + Math.floor(n / 12) % 20}-${String(n % 12 + 1).padStart(2, "0")}`
      const { first, last } = daysOf(month)
      const found = yield* search("account.move", [["date", ">=", first], ["date", "<=", last]], ["id"])
      if (found.length === 0) return month
    }
  })
  const month = yield* empty(Number.parseInt(run.slice(-6), 36) % 240)
  const consultant = `c-${entity}@month.example`
  yield* hire(odoo, DATABASE, [{ name: `Consultant ${entity}`, work_email: consultant, company }])

  const seconds: Record<string, number> = {}
  const timed = <A, E, R>(what: string, effect: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const began = yield* Clock.currentTimeMillis
      const answer = yield* effect
      seconds[what] = ((yield* Clock.currentTimeMillis) - began) / 1_000
      return answer
    })

  const eventually = Effect.fnUntraced(function* <A, E, R>(what: string, look: Effect.Effect<A | null, E, R>) {
    for (let waited = 0; waited < patience; waited++) {
      const found = yield* look
      if (found !== null) return found
      yield* moment
    }
    return yield* Effect.die(new Error(`${what} does not come about`))
  })

  /** Everything of the company that a replay could write, with when it was written last. */
  const standing = Effect.forEach(
    ["sale.order", "project.task", "account.analytic.line", "account.move", "account.payment"],
    (model) => search(model, [["company_id", "=", company]], ["write_date"]),
  )
  const invoices = search(
    "account.move",
    [["company_id", "=", company], ["move_type", "=", "out_invoice"], ["invoice_date", "=", `${month}-28`]],
    ["ref", "state", "amount_total", "invoice_line_ids"],
  )
  const refs = Effect.map(invoices, (rows) => rows.map(({ ref }) => String(ref)).toSorted())

  let runs = 0
  const begun = Effect.fnUntraced(function* (what: Pick<NewRun, "kind" | "request">) {
    const store = yield* Runs
    const runId = `run-${++runs}`
    yield* store.open({ ...what, entity, runId, state: "examining", requestedBy: "ada", reason: "audit" })
    return runId
  })
  const ended = (runId: string, states: ReadonlyArray<RunState>) =>
    eventually(
      `${states.join(" or ")} of ${runId}`,
      Effect.map(Runs.use((store) => store.run(entity, runId)), (run) => {
        assert.notStrictEqual(run?.state, "failed", run?.trouble)
        return run !== null && states.includes(run.state) ? run : null
      }),
    )
  const found = (runId: string, findings: ReadonlyArray<string>) =>
    Effect.map(
      Runs.use((store) => store.events({ entity, runId, after: 0, findings, limit: 500 })),
      (events) => events.map(({ finding, flow, key }) => `${flow} ${key}: ${finding}`).toSorted(),
    )

  const dryRunWith = Effect.fnUntraced(function* (onChanged: ReplayRequest["onChanged"]) {
    const request: ReplayRequest = {
      selection: { subject: "erp.>" },
      source: "stream",
      onChanged,
      ratePerSecond: 0,
      concurrency: 10,
      keepAll: true,
    }
    const runId = yield* begun({ kind: "replay", request: request as unknown as RunJson })
    return yield* ended(runId, ["examined"])
  })
  const dryRun = Effect.suspend(() => dryRunWith("skip"))
  const apply = Effect.fnUntraced(function* ({ runId }: Run) {
    yield* Runs.use((store) => store.change(entity, runId, ["examined"], { state: "applying", appliedBy: "eve" }))
    const { progress } = yield* ended(runId, ["done"])
    return progress["outcomes"]
  })
  const proof = Effect.gen(function* () {
    const run = yield* ended(yield* begun({ kind: "reconciliation", request: { period: month } }), ["done"])
    return { run, report: keptIn(run.result)!.report }
  })

  return yield* Effect.gen(function* () {
    const events = eventsOf(place, month, consultant)
    yield* timed(
      "written",
      Effect.andThen(
        publish(...events),
        eventually(
          "everything applied",
          Effect.gen(function* () {
            const ledger = yield* Ledger
            const refused = (yield* ledger.exceptions({ entity, limit: 9 })).filter(({ state }) => state === "parked")
            assert.deepStrictEqual(refused.map(({ code, detail, key }) => `${key}: ${code} ${detail}`), [])
            const applied = (yield* ledger.tallies(entity)).reduce((sum, tally) => sum + tally.applied, 0)
            return applied === events.length ? applied : null
          }),
        ),
      ),
    )

    // Twice onto itself: all there, and nothing changes.
    const before = yield* standing
    const allThere = {
      customers: { there: 1 },
      engagements: { there: 1 },
      timesheets: { there: TIMESHEETS },
      invoices: { there: INVOICES },
      payments: { there: PAYMENTS },
    }
    const first = yield* timed("dry run", dryRun)
    assert.deepStrictEqual(first.totals, allThere)
    assert.deepStrictEqual(yield* apply(first), {})
    const second = yield* dryRun
    assert.deepStrictEqual(second.totals, allThere)
    assert.deepStrictEqual(yield* apply(second), {})
    assert.deepStrictEqual(yield* standing, before, "nothing was written")
    const whole = yield* timed("proof", proof)
    assert.deepStrictEqual(yield* found(whole.run.runId, mismatchKinds), [])
    assert.isTrue(whole.report.complete)

    // Ten invoices deleted by hand: exactly those are proposed, and come again once.
    const doomed = (yield* invoices).toSorted((a, b) => b.id - a.id).slice(0, DELETED)
    const doomedKeys = doomed.map(({ ref }) => String(ref)).toSorted()
    yield* call("account.move", "button_draft", {}, doomed.map(({ id }) => id))
    yield* call("account.move", "unlink", {}, doomed.map(({ id }) => id))
    assert.strictEqual((yield* invoices).length, INVOICES - DELETED)
    const lacking = yield* proof
    const proposed = yield* dryRun
    assert.deepStrictEqual(yield* found(proposed.runId, ["create"]), doomedKeys.map((key) => `invoices ${key}: create`))
    assert.deepStrictEqual(proposed.totals, {
      ...allThere,
      invoices: { there: INVOICES - DELETED, create: DELETED },
    })
    assert.deepStrictEqual(
      yield* found(lacking.run.runId, mismatchKinds),
      doomedKeys.map((key) => `invoices ${key}: deleted`),
    )
    assert.deepStrictEqual(yield* timed("brought again", apply(proposed)), { applied: DELETED })
    assert.deepStrictEqual(yield* refs, keys("I", INVOICES))
    assert.deepStrictEqual((yield* invoices).map(({ state }) => state), keys("I", INVOICES).map(() => "posted"))
    assert.deepStrictEqual((yield* dryRun).totals, allThere)
    assert.isTrue((yield* proof).report.complete)

    // An amount edited and an invoice made by hand: both are found, and nothing else.
    const edited = (yield* invoices).find(({ ref }) => ref === "I-15")!
    yield* call("account.move", "button_draft", {}, [edited.id])
    const [line] = edited["invoice_line_ids"] as ReadonlyArray<number>
    yield* call("account.move.line", "write", { vals: { price_unit: priceOf(15) + 1 } }, [line!])
    yield* call("account.move", "action_post", {}, [edited.id])
    const [partner] = yield* search("res.partner", [["name", "=", `Month ${entity}`]], ["id"])
    const [made] = (yield* call("account.move", "create", {
      vals_list: [{
        move_type: "out_invoice",
        partner_id: partner!.id,
        invoice_date: `${month}-28`,
        invoice_line_ids: [[0, 0, { name: "By hand", quantity: 1, price_unit: 50 }]],
      }],
    })) as ReadonlyArray<number>
    yield* call("account.move", "action_post", {}, [made!])
    const last = yield* proof
    assert.deepStrictEqual(yield* found(last.run.runId, mismatchKinds), [
      "invoices I-15: amount",
      `invoices account.move ${made}: hand-made`,
    ])
    const { due, standing: stands } = last.report.flows.find(({ flow }) => flow === "invoices")!.odoo
    const untaxed = "EUR amount_untaxed"
    assert.strictEqual(Number(stands[untaxed]) - Number(due[untaxed]), 1)

    // What was edited is credited and billed anew, with the amounts that its event says.
    const posted = yield* dryRunWith("credit-and-rebill")
    assert.deepStrictEqual(yield* found(posted.runId, ["changed"]), ["invoices I-15: changed"])
    assert.deepStrictEqual(yield* timed("credited and billed anew", apply(posted)), { rebilled: 1 })
    const family = yield* search(
      "account.move",
      [["company_id", "=", company], ["ref", "=like", "I-15%"], ["partner_id", "=", partner!.id]],
      ["move_type", "state", "amount_untaxed", "payment_state"],
    )
    assert.deepStrictEqual(
      family.map(({ amount_untaxed, move_type, payment_state, state }) => [
        move_type,
        state,
        amount_untaxed,
        payment_state,
      ]),
      [
        ["out_invoice", "posted", priceOf(15) + 1, "reversed"],
        ["out_refund", "posted", priceOf(15) + 1, "paid"],
        ["out_invoice", "posted", priceOf(15), "not_paid"],
      ],
    )
    const again = yield* dryRunWith("credit-and-rebill")
    assert.deepStrictEqual(yield* found(again.runId, ["superseded"]), ["invoices I-15: superseded"])
    assert.deepStrictEqual(yield* apply(again), {})
    return { events: events.length, seconds }
  }).pipe(Effect.provide(running({ configuration: configurationOf([place]) }) as Layer.Layer<never, unknown, Ports>))
})
