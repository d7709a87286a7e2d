import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { StandIn } from "../../fixtures/odoo/StandIn.ts"
import { Broker } from "../../src/broker/Broker.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import type { LatePolicy } from "../../src/odoo/Locks.ts"
import { customer, engagement, invoice, payment } from "../streams/samples.ts"
import { configuration, pass, ports, publication, publish, running, tallies } from "./World.ts"

const COMPANY = 3
/** The day that Odoo would move to: long after the sample invoice of 2026-10-31 and the payment of 2026-11-03. */
const TODAY = Date.parse("2027-01-20T08:00:00Z")

const today = Layer.effectDiscard(TestClock.setTime(TODAY))

const worldOf = (latePolicy: LatePolicy) => {
  const world = ports()
  const be01 = { ...configuration.entities.be01, latePolicy }
  const engine = running({ configuration: { ...configuration, entities: { be01 } } })
  return { standIn: world.standIn, engine, layer: Layer.provideMerge(today, world.layer) }
}

const toInvoice = [
  publication("customer.upserted", customer, { sequence: 1 }),
  publication("engagement.activated", engagement),
  publication("invoice.requested", invoice),
]
const paid = publication("payment.received", { ...payment, invoices: ["INV-1"] })

const held = Effect.flatMap(Ledger, (ledger) => ledger.exceptions({ limit: 10 }))
const rows = (standIn: StandIn, model: string) => [...standIn.store.tables.get(model)!.rows.values()]
const theInvoice = (standIn: StandIn) => rows(standIn, "account.move").find((row) => row["move_type"] === "out_invoice")
const theEntry = (standIn: StandIn) => rows(standIn, "account.move").find((row) => row["move_type"] === "entry")
const applied = (flow: string) => Effect.map(tallies(), (flows) => flows.get(flow)?.applied ?? 0)

/** Payloads that went out on a subject. */
const published = (subject: string) =>
  Effect.gen(function* () {
    const broker = yield* Broker
    const found: Array<unknown> = []
    yield* broker.read({ subject, fromSequence: 1 }).pipe(
      Stream.runForEach(({ data }) => Effect.sync(() => found.push(JSON.parse(new TextDecoder().decode(data)).data))),
    )
    return found as ReadonlyArray<Record<string, unknown>>
  })

describe("a document dated in a locked period", () => {
  it.effect("stays a draft and becomes an exception, and follows when the period is opened and it is retried", () => {
    const { engine, layer, standIn } = worldOf("exception")
    standIn.lock(COMPANY, "fiscalyear", "2026-10-31")
    return Effect.gen(function* () {
      yield* publish(...toInvoice)
      yield* pass(20)
      const [exception] = yield* held
      assert.strictEqual(exception?.code, "ODOO-LOCKED-PERIOD")
      for (const word of ["2026-10-31", "fiscalyear_lock_date", "Already in Odoo: account.move", "draft"]) {
        assert.include(exception?.detail, word)
      }
      assert.deepInclude(theInvoice(standIn), { state: "draft", date: "2026-10-31", name: null })

      standIn.lock(COMPANY, "fiscalyear", null)
      yield* pass(6)
      yield* Effect.flatMap(Ledger, (ledger) => ledger.retry("be01", [exception!.eventId]))
      yield* pass(10)
      assert.deepInclude(theInvoice(standIn), { state: "posted", date: "2026-10-31" })
      assert.strictEqual(yield* applied("invoices"), 1)
    }).pipe(Effect.provide(engine), Effect.provide(layer))
  })

  it.effect("is posted when a person gave the draft an open date", () => {
    const { engine, layer, standIn } = worldOf("exception")
    standIn.lock(COMPANY, "sale", "2026-10-31")
    return Effect.gen(function* () {
      yield* publish(...toInvoice)
      yield* pass(20)
      const [exception] = yield* held
      theInvoice(standIn)!["date"] = "2026-11-15"
      yield* Effect.flatMap(Ledger, (ledger) => ledger.retry("be01", [exception!.eventId]))
      yield* pass(10)
      assert.deepInclude(theInvoice(standIn), { state: "posted", date: "2026-11-15" })
    }).pipe(Effect.provide(engine), Effect.provide(layer))
  })

  it.effect("is booked on the first open day by policy, with its own date in the text and both in what goes out", () => {
    const { engine, layer, standIn } = worldOf("next-open-day")
    standIn.lock(COMPANY, "sale", "2026-10-31")
    standIn.lock(COMPANY, "tax", "2026-11-30")
    standIn.lock(COMPANY, "hard", "2026-12-31")
    return Effect.gen(function* () {
      yield* publish(...toInvoice, paid)
      yield* pass(30)
      assert.deepStrictEqual(yield* held, [])
      assert.deepInclude(theInvoice(standIn), {
        state: "posted",
        date: "2027-01-01",
        invoice_date: "2026-10-31",
        ref: "INV-1 (2026-10-31)",
      })
      assert.deepInclude(rows(standIn, "account.payment")[0], {
        date: "2027-01-01",
        memo: "transfer PAY-1 (2026-11-03)",
        state: "paid",
      })
      assert.strictEqual(theEntry(standIn)?.["date"], "2027-01-01")
      assert.deepInclude((yield* published("erp-out.be01.invoice.posted"))[0], {
        invoiceDate: "2026-10-31",
        accountingDate: "2027-01-01",
      })
      assert.deepInclude((yield* published("erp-out.be01.payment.reconciled"))[0], {
        valueDate: "2026-11-03",
        accountingDate: "2027-01-01",
      })
    }).pipe(Effect.provide(engine), Effect.provide(layer))
  })

  it.effect("waits for the approval of its month, through any restart, and is then booked on the first open day", () => {
    const { engine, layer, standIn } = worldOf("approval")
    standIn.lock(COMPANY, "hard", "2026-11-30")
    return Effect.gen(function* () {
      yield* Effect.gen(function* () {
        yield* publish(...toInvoice, paid)
        yield* pass(30)
        assert.deepStrictEqual(
          (yield* held).map(({ code, flow, state }) => `${flow} ${state} ${code}`).sort(),
          ["invoices waiting PERIOD-APPROVAL-MISSING", "payments waiting REFERENCE-MISSING"],
        )
        assert.include(
          (yield* held).find(({ flow }) => flow === "invoices")?.detail,
          "weir period approve be01 2026-10",
        )
        assert.strictEqual(theInvoice(standIn)?.["state"], "draft")
        // The drain at the end needs time to pass.
      }).pipe(Effect.provide(engine), Effect.raceFirst(Effect.sleep("1 hour")))

      const ledger = yield* Ledger
      assert.strictEqual(yield* ledger.approve("be01", { flow: "period", key: "2026-09" }, "cfo"), 0)
      assert.strictEqual(yield* ledger.approve("be01", { flow: "period", key: "2026-10" }, "cfo"), 1)
      assert.strictEqual(yield* ledger.approve("be01", { flow: "period", key: "2026-10" }, "cfo"), 0)
      yield* Effect.gen(function* () {
        yield* pass(30)
        assert.deepInclude(theInvoice(standIn), { state: "posted", date: "2026-12-01", ref: "INV-1 (2026-10-31)" })
        assert.deepStrictEqual(
          (yield* held).map(({ code, flow }) => `${flow} ${code}`),
          ["payments PERIOD-APPROVAL-MISSING"],
          "the payment is of November",
        )
        yield* ledger.approve("be01", { flow: "period", key: "2026-11" }, "cfo")
        yield* pass(20)
        assert.deepStrictEqual(yield* held, [])
        assert.strictEqual(theInvoice(standIn)?.["payment_state"], "paid")
      }).pipe(Effect.provide(engine))
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not wait when its month was approved before, and not at all when the lock is another journal's", () => {
    const { engine, layer, standIn } = worldOf("approval")
    standIn.lock(COMPANY, "fiscalyear", "2026-10-31")
    standIn.lock(COMPANY, "purchase", "2026-12-31")
    return Effect.gen(function* () {
      yield* Effect.flatMap(Ledger, (ledger) => ledger.approve("be01", { flow: "period", key: "2026-10" }, "cfo"))
      yield* publish(...toInvoice, paid)
      yield* pass(30)
      assert.deepInclude(theInvoice(standIn), { state: "posted", date: "2026-11-01", payment_state: "paid" })
      assert.strictEqual(theEntry(standIn)?.["date"], "2026-11-03")
    }).pipe(Effect.provide(engine), Effect.provide(layer))
  })

  it.effect("is told of when the lock came between the look at it and the posting", () => {
    const { engine, layer, standIn } = worldOf("exception")
    const handle = standIn.handle.bind(standIn)
    standIn.handle = (request) => {
      if (request.method === "action_post" && request.model === "account.move") {
        standIn.lock(COMPANY, "fiscalyear", "2026-10-31")
      }
      return handle(request)
    }
    return Effect.gen(function* () {
      yield* publish(...toInvoice)
      yield* pass(20)
      const [exception] = yield* held
      assert.strictEqual(exception?.code, "ODOO-PERIOD-MOVED")
      assert.include(exception?.detail, "2027-01-20")
      assert.include(exception?.detail, "posted")
      yield* Effect.flatMap(Ledger, (ledger) => ledger.retry("be01", [exception!.eventId]))
      yield* pass(10)
      assert.strictEqual(yield* applied("invoices"), 1, "a retry accepts what stands")
    }).pipe(Effect.provide(engine), Effect.provide(layer))
  })
})
