/** The completeness proof over the running product: each way in which stream, ledger and Odoo can disagree is found. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { StandIn } from "../../fixtures/odoo/StandIn.ts"
import { Faults } from "../../fixtures/odoo/Faults.ts"
import { make as makeOdoo } from "../../fixtures/odoo/StandInOdoo.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { Runs } from "../../src/ledger/Runs.ts"
import type { Json } from "../../src/odoo/Odoo.ts"
import { SetHash } from "../../src/reconcile/Account.ts"
import { daysOf } from "../../src/reconcile/Request.ts"
import { customer, engagement, invoice, payment, timesheet } from "../streams/samples.ts"
import { pass, ports, publication, publish, running } from "../simulation/World.ts"

const quoteToCash = [
  publication("customer.upserted", customer, { sequence: 1 }),
  publication("engagement.activated", engagement),
  publication("timesheet.approved", timesheet),
  publication("invoice.requested", invoice),
  publication("payment.received", { ...payment, date: "2026-10-31", invoices: ["INV-1"] }),
]

/** The engine starts when October is over. */
const inNovember = (world: ReturnType<typeof ports>) => <A, E, R>(body: Effect.Effect<A, E, R>) =>
  TestClock.setTime(Date.UTC(2026, 10, 2)).pipe(
    Effect.andThen(body.pipe(Effect.provide(running()))),
    Effect.provide(world.layer),
  )

let ids = 0

// deno-lint-ignore no-explicit-any
type Report = any

const proven = Effect.fnUntraced(function* (
  period = "2026-10",
  flows?: readonly [string, ...Array<string>],
  seconds = 8,
) {
  const runs = yield* Runs
  const runId = `rec-${++ids}`
  yield* runs.open({
    entity: "be01",
    runId,
    kind: "reconciliation",
    state: "examining",
    request: { period, ...(flows !== undefined && { flows }) },
    requestedBy: "ada",
    reason: "test",
  })
  yield* pass(seconds)
  const run = (yield* runs.run("be01", runId))!
  assert.strictEqual(run.state, "done", run.trouble)
  const found = yield* runs.events({ entity: "be01", runId, after: 0, limit: 500 })
  const report = run.result as Report
  return {
    report,
    flow: (name: string): Report => report.flows.find((one: { flow: string }) => one.flow === name),
    found: found.map(({ finding, flow, key }) => `${flow} ${key}: ${finding}`),
  }
})

const byHand = (
  standIn: StandIn,
  model: string,
  method: string,
  ids: ReadonlyArray<number>,
  args: { [name: string]: Json } = {},
) => makeOdoo(standIn).call({ database: "main", model, method, ids, args, context: { allowed_company_ids: [3] } })

const rows = (standIn: StandIn, model: string) => [...standIn.store.tables.get(model)!.rows.values()]
const invoices = (standIn: StandIn) => rows(standIn, "account.move").filter((row) => row["move_type"] === "out_invoice")

describe("the completeness proof", () => {
  it.effect("holds when everything arrived: counts, hashes and money of all three agree", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...quoteToCash)
      yield* publish({ ...quoteToCash[3]!, messageId: "again" })
      yield* pass(20)
      const { flow, found, report } = yield* proven()
      assert.deepStrictEqual(found, [])
      assert.isTrue(report.complete)
      const account = flow("invoices")
      assert.deepStrictEqual([account.stream.events, account.stream.duplicates], [2, 1])
      assert.strictEqual(account.stream.hash, account.ledger.hash)
      assert.strictEqual(account.ledger.applied, 1)
      const amounts = { "EUR amount_untaxed": "912.11", "EUR amount_tax": "191.54", "EUR amount_total": "1103.65" }
      assert.deepStrictEqual([account.odoo.due, account.odoo.standing], [amounts, amounts])
      assert.deepStrictEqual(flow("timesheets").odoo.standing, { unit_amount: "7.25" })
      assert.deepStrictEqual(flow("payments").odoo.standing, { "EUR amount": "1103.65" })
      assert.deepStrictEqual((yield* proven("2026-09")).report.flows, [], "another month has nothing of it")
    }).pipe(inNovember(world))
  }, 60_000)

  it.effect("finds a hand-edited amount, a hand-made invoice and a deleted one, each by its event or record", () => {
    const world = ports()
    return Effect.gen(function* () {
      const { standIn } = world
      yield* publish(...quoteToCash.slice(0, 3))
      yield* publish(...["A", "B", "C"].map((key) => publication("invoice.requested", { ...invoice, key })))
      yield* pass(20)
      const idOf = (ref: string) => invoices(standIn).find((row) => row["ref"] === ref)!.id
      yield* byHand(standIn, "account.move", "button_draft", [idOf("A"), idOf("B")])
      const line = rows(standIn, "account.move.line").find((row) =>
        row["move_id"] === idOf("A") && row["name"] === "Travel"
      )!
      yield* byHand(standIn, "account.move.line", "write", [line.id], { vals: { price_unit: 3.23 } })
      yield* byHand(standIn, "account.move", "action_post", [idOf("A")])
      yield* byHand(standIn, "account.move", "unlink", [idOf("B")])
      const [made] = (yield* byHand(standIn, "account.move", "create", [], {
        vals_list: [{
          move_type: "out_invoice",
          partner_id: rows(standIn, "res.partner").find((row) => row["ref"] === customer.key)!.id,
          invoice_date: "2026-10-20",
          invoice_line_ids: [[0, 0, { name: "By hand", quantity: 1, price_unit: 50 }]],
        }],
      })) as ReadonlyArray<number>
      yield* byHand(standIn, "account.move", "action_post", [made!])
      const { flow, found, report } = yield* proven()
      assert.deepStrictEqual(found.sort(), [
        "invoices A: amount",
        "invoices B: deleted",
        `invoices account.move ${made}: hand-made`,
      ])
      assert.isFalse(report.complete)
      assert.deepStrictEqual(flow("invoices").mismatches, { amount: 1, deleted: 1, "hand-made": 1 })
      assert.deepStrictEqual(flow("invoices").odoo.due["EUR amount_untaxed"], "1824.22", "of the two that stand")
      assert.deepStrictEqual(flow("invoices").odoo.standing["EUR amount_untaxed"], "1825.22")
      assert.isTrue(flow("timesheets").complete)
    }).pipe(inNovember(world))
  }, 60_000)

  it.effect("finds an event that the ledger does not know, and a record of it that nobody can account for", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...quoteToCash.slice(0, 2), quoteToCash[3]!)
      yield* pass(20)
      // A ledger that was restored from an older backup: its checkpoint is right, an event is not in it.
      const ledger = yield* Ledger
      const fence = yield* ledger.claim("be01", "another")
      yield* publish(publication("invoice.requested", { ...invoice, key: "LOST" }))
      yield* ledger.settle(fence, { outcomes: [], checkpoints: new Map([["invoices", 4]]) })
      yield* byHand(world.standIn, "account.move", "load", [], {
        fields: [
          "id",
          "move_type",
          "partner_id/id",
          "invoice_date",
          "invoice_line_ids/name",
          "invoice_line_ids/price_unit",
        ],
        data: [[
          "weir_be01.invoices_ORPHAN",
          "out_invoice",
          `weir_be01.customers_${customer.key}`,
          "2026-10-05",
          "x",
          "5",
        ]],
      })
      yield* byHand(
        world.standIn,
        "account.move",
        "action_post",
        invoices(world.standIn).filter(({ state }) => state === "draft").map(({ id }) => id),
      )
      yield* pass(12)
      const { found } = yield* proven()
      assert.deepStrictEqual(found.sort(), ["invoices LOST: ledger-missing", "invoices ORPHAN: unknown-record"])
    }).pipe(inNovember(world))
  }, 60_000)

  it.effect("finds an event that the stream has lost", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...quoteToCash.slice(0, 1))
      yield* pass(5)
      yield* publish(publication("customer.upserted", { ...customer, name: "Newer" }, { sequence: 2 }))
      yield* pass(5)
      const ledger = yield* Ledger
      const fence = yield* ledger.claim("be01", "another")
      yield* ledger.settle(fence, {
        outcomes: [{
          _tag: "Superseded",
          event: {
            eventId: "crm#lost",
            type: "customer.upserted",
            flow: "customers",
            key: "CUS-9",
            version: 1,
            // Between two messages that the stream has: of another entity, as far as the stream can tell.
            streamSequence: 1.5,
            storedAtMillis: Date.UTC(2026, 10, 2),
            payloadHash: "x",
            correlationId: null,
            attempts: 1,
          },
        }],
        checkpoints: new Map(),
      })
      yield* pass(12)
      assert.deepStrictEqual((yield* proven("2026-11")).found, ["customers CUS-9: stream-lost"])
    }).pipe(inNovember(world))
  }, 60_000)

  it.effect("compares with the source's control totals, the newest that were published", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...quoteToCash)
      const told = (sequence: number, events: number, amount: string) =>
        publication("period.totals", {
          key: "unused",
          period: "2026-10",
          flow: "invoices",
          events,
          totals: [{ field: "amount_total", currency: "EUR", amount }],
        }, { sequence, id: `totals-${sequence}` })
      yield* publish(told(1, 2, "2000.00"))
      yield* pass(20)
      const wrong = yield* proven("2026-10", ["invoices"])
      assert.deepStrictEqual(wrong.found, ["invoices invoices: source-count", "invoices invoices: source-amount"])
      yield* publish(told(2, 1, "1103.65"))
      yield* pass(10)
      const right = yield* proven("2026-10", ["invoices"])
      assert.isTrue(right.report.complete)
      assert.deepStrictEqual(right.flow("invoices").source, { events: 1, amounts: { "EUR amount_total": "1103.65" } })
    }).pipe(inNovember(world))
  }, 60_000)

  it.effect("counts everything once, however often Odoo is away while it looks", () => {
    const faults = new Faults(1)
    const world = ports({ odoo: { faults } })
    return Effect.gen(function* () {
      yield* publish(...quoteToCash)
      yield* pass(20)
      const undisturbed = yield* proven()
      for (const method of ["read", "get_metadata", "search_read"]) {
        faults.add({ fault: { kind: "away" }, method, after: 1, times: 2 })
      }
      const disturbed = yield* proven("2026-10", undefined, 90)
      assert.deepStrictEqual(disturbed.found, [])
      assert.deepStrictEqual(disturbed.report.flows, undisturbed.report.flows)
      assert.strictEqual(disturbed.report.scanned.messages, undisturbed.report.scanned.messages)
    }).pipe(inNovember(world))
  }, 60_000)

  it.effect("counts what is held and what is still to come as open, not as a mismatch", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(publication("invoice.requested", { ...invoice, customer: "NOBODY" }))
      yield* pass(10)
      const { flow, found } = yield* proven()
      assert.deepStrictEqual(found, [])
      assert.deepStrictEqual([flow("invoices").ledger.held, flow("invoices").open], [1, 1])
    }).pipe(inNovember(world))
  }, 60_000)

  it("hashes sets, not orders", () => {
    const [a, b, c] = [new SetHash(), new SetHash(), new SetHash()]
    for (const id of ["x", "y", "z"]) a.add(id, "h")
    for (const id of ["z", "x", "y"]) b.add(id, "h")
    for (const id of ["z", "x", "y"]) c.add(id, id === "y" ? "changed" : "h")
    assert.strictEqual(a.hex, b.hex)
    assert.notStrictEqual(a.hex, c.hex)
  })

  it("knows how long months are", () => {
    assert.deepStrictEqual(daysOf("2028-02"), { first: "2028-02-01", last: "2028-02-29" })
    assert.deepStrictEqual(daysOf("2026-12"), { first: "2026-12-01", last: "2026-12-31" })
  })
})
