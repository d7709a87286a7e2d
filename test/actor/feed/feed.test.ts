/** What people change in Odoo, as others hear of it: the whole product in virtual time, a clerk at the stand-in. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { databaseAway, type StandIn } from "../../../fixtures/odoo/StandIn.ts"
import { InvoiceFact } from "../../../schemas/facts/documents.ts"
import { LegalEntity } from "../../../src/actor/LegalEntity.ts"
import { MemoryLedger } from "../../../src/ledger/MemoryLedger.ts"
import type { Json } from "../../../src/odoo/Odoo.ts"
import { configuration, pass, ports, publication, publish, running } from "../../simulation/World.ts"
import { creditNoteFeed } from "../../../streams/creditNoteFeed.ts"
import { paymentFeed } from "../../../streams/paymentFeed.ts"
import { customer, invoice } from "../../streams/samples.ts"
import { type Fact, published } from "../../streams/Trial.ts"

const START = Date.UTC(2026, 10, 22, 8)
/** Seconds between two looks, and some. */
const LOOK = 11
const settings = { ...configuration, feed: { every: "10 seconds", overlap: "1 minute" } }

const world = (given: Parameters<typeof ports>[0] = {}, config: unknown = settings) => {
  const { layer, standIn } = ports(given)
  const product = <A, E, R>(life: Effect.Effect<A, E, R>) => Effect.provide(life, running({ configuration: config }))
  const test = <A, E, R>(body: Effect.Effect<A, E, R>) =>
    TestClock.setTime(START).pipe(Effect.andThen(body), Effect.provide(layer))
  return { standIn, product, test, clerk: clerkOf(standIn) }
}

/** A person at Odoo: other calls of the same company. */
const clerkOf = (standIn: StandIn) => {
  const ask = (model: string, method: string, body: Record<string, Json>, begunMillis?: number) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const response = standIn.handle({
        model,
        method,
        key: "stand-in-key",
        nowMillis: begunMillis ?? now,
        body: { ...body, context: { allowed_company_ids: [3] } },
      })
      if (response.status !== 200) throw new Error(`${model}/${method}: ${JSON.stringify(response.body)}`)
      return response.body
    })
  const idsOf = (model: string, domain: Json) =>
    Effect.map(ask(model, "search", { domain }), (ids) => ids as ReadonlyArray<number>)
  const type = (ref: string, price: number, begunMillis?: number, document: Json = {}) =>
    Effect.gen(function* () {
      const [partner = 0] = (yield* ask("res.partner", "create", { vals_list: [{ name: ref }] })) as Array<number>
      const [id = 0] = (yield* ask("account.move", "create", {
        vals_list: [{
          move_type: "out_invoice",
          partner_id: partner,
          invoice_date: "2026-11-22",
          ref,
          ...document as object,
          invoice_line_ids: [[0, 0, { name: "Work", quantity: 1, price_unit: price, tax_ids: [[6, 0, []]] }]],
        }],
      }, begunMillis)) as Array<number>
      return { id, partner }
    })
  const post = (id: number) => ask("account.move", "action_post", { ids: [id] })
  const receivable = (field: string, id: number) =>
    idsOf("account.move.line", [[field, "=", id], ["account_type", "=", "asset_receivable"]])
  const register = (partner: number, amount: number, memo?: string) =>
    Effect.gen(function* () {
      const [journal = 0] = yield* idsOf("account.journal", [["code", "=", "BNK1"], ["company_id", "=", 3]])
      const [payment = 0] = (yield* ask("account.payment", "create", {
        vals_list: [{
          journal_id: journal,
          payment_type: "inbound",
          partner_type: "customer",
          partner_id: partner,
          amount,
          date: "2026-11-22",
          ...(memo !== undefined && { memo }),
        }],
      })) as Array<number>
      yield* ask("account.payment", "action_post", { ids: [payment] })
      return payment
    })
  const pay = (id: number, partner: number, amount: number) =>
    Effect.gen(function* () {
      const payment = yield* register(partner, amount)
      const lines = [...(yield* receivable("move_id", id)), ...(yield* receivable("payment_id", payment))]
      yield* ask("account.move.line", "reconcile", { ids: lines })
      return payment
    })
  const moveOf = (key: string) => Effect.map(idsOf("account.move", [["ref", "=", key]]), ([id]) => id!)
  const partnerOf = (move: number) =>
    Effect.map(
      ask("account.move", "read", { ids: [move], fields: ["partner_id"] }),
      (rows) => (rows as never as ReadonlyArray<{ partner_id: readonly [number] }>)[0]!.partner_id[0],
    )
  return { ask, type, post, register, pay, receivable, moveOf, partnerOf }
}

const TYPES = ["posted", "withdrawn", "cancelled", "partly-paid", "paid", "reversed", "reopened"] as const

/** Facts of invoices so far, by the invoice's reference, in the order in which they went out. */
const facts = Effect.gen(function* () {
  const check = Schema.decodeUnknownSync(InvoiceFact)
  const found: Array<Fact & { readonly at: number }> = []
  for (const type of TYPES) {
    for (const fact of yield* published(`invoice.${type}`)) {
      check(fact.data)
      found.push({ ...fact, at: Date.parse(fact.time) })
    }
  }
  found.sort((a, b) => a.at - b.at || TYPES.indexOf(a.type.slice(8) as never) - TYPES.indexOf(b.type.slice(8) as never))
  return found
})
const told = Effect.map(
  facts,
  (all) => all.map(({ data, type }) => `${String(data["reference"] ?? data["invoice"])} ${type.slice(8)}`),
)

/** The invoice of `billed` taken back as a whole, and somebody else's approval. */
const credited = [
  publication("credit-note.requested", {
    key: "CN-1",
    customer: invoice.customer,
    invoice: "INV-1",
    date: "2026-11-22",
    currency: "EUR",
    reason: "a courtesy",
    requestedBy: "ada@example.test",
    totals: { untaxed: "2.23", tax: "0.47", total: "2.70" },
  }),
  publication("approval.granted", { flow: "credit-notes", key: "CN-1", by: "fin@example.test" }),
]
const paid = [publication("payment.received", {
  key: "PAY-1",
  customer: invoice.customer,
  date: "2026-11-22",
  currency: "EUR",
  amount: "2.70",
  method: "transfer",
  invoices: ["INV-1"],
})]
const { engagement: _, ...unbound } = invoice
const billed = [
  publication("customer.upserted", customer, { sequence: 1 }),
  publication("invoice.requested", {
    ...unbound,
    lines: [invoice.lines[1]],
    totals: { untaxed: "2.23", tax: "0.47", total: "2.70" },
  }),
]

/** Types and what they are about, of another feed, in the order in which they went out. */
const toldOf = (types: ReadonlyArray<string>, about: string) =>
  Effect.map(
    Effect.forEach(types, (type) => published(type)),
    (all) =>
      all.flat().toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time))
        .map(({ data, type }) => `${String(data["reference"] ?? data[about])} ${type}`),
  )
const creditNotes = toldOf(creditNoteFeed.facts.map(({ type }) => type), "creditNote")
const payments = toldOf(paymentFeed.facts.map(({ type }) => type), "payment")

describe("a feed of credit notes", () => {
  it.effect("tells what a clerk posts, sets off and takes back, and nothing of Weir's own twice", () => {
    const { clerk, product, test } = world()
    return test(product(Effect.gen(function* () {
      yield* pass(LOOK)
      const { id: invoice, partner } = yield* clerk.type("TYPED", 100)
      yield* clerk.post(invoice)
      const credit = { move_type: "out_refund", partner_id: partner, reversed_entry_id: invoice }
      const { id } = yield* clerk.type("CREDIT", 30, undefined, credit)
      yield* pass(3 * LOOK)
      assert.deepStrictEqual(yield* creditNotes, [])
      // Posted, it is set off against the invoice that it cites.
      yield* clerk.post(id)
      yield* pass(3 * LOOK)
      assert.deepStrictEqual(yield* creditNotes, ["CREDIT credit-note.posted", "CREDIT credit-note.settled"])
      assert.deepStrictEqual(yield* told, ["TYPED posted", "TYPED partly-paid"])
      const [settled] = yield* published("credit-note.settled")
      assert.deepInclude(settled?.data, { creditNoteId: id, invoiceId: invoice, residual: "0.00", status: "settled" })
      const [item = 0] = yield* clerk.receivable("move_id", id)
      yield* clerk.ask("account.move.line", "remove_move_reconcile", { ids: [item] })
      yield* pass(3 * LOOK)
      yield* clerk.ask("account.move", "button_draft", { ids: [id] })
      yield* pass(3 * LOOK)
      yield* clerk.ask("account.move", "button_cancel", { ids: [id] })
      yield* pass(3 * LOOK)
      assert.deepStrictEqual((yield* creditNotes).slice(2), [
        "CREDIT credit-note.reopened",
        "CREDIT credit-note.withdrawn",
        "CREDIT credit-note.cancelled",
      ])

      yield* publish(...billed)
      yield* pass(3 * LOOK)
      yield* publish(...credited)
      yield* pass(12 * LOOK)
      assert.deepStrictEqual((yield* creditNotes).slice(5), ["CN-1 credit-note.posted", "CN-1 credit-note.settled"])
      const [, own] = yield* published("credit-note.posted")
      assert.strictEqual(own?.data["residual"], undefined, "told by the flow")
    })))
  })
})

describe("a feed of payments", () => {
  it.effect("tells what a clerk registers and takes back, and nothing of Weir's own", () => {
    const { clerk, product, test } = world()
    return test(product(Effect.gen(function* () {
      yield* pass(LOOK)
      const { partner } = yield* clerk.type("CUSTOMER", 1)
      const payment = yield* clerk.register(partner, 25, "CASH")
      yield* pass(3 * LOOK)
      const [registered] = yield* published("payment.registered")
      assert.deepInclude(registered?.data, {
        payment: null,
        paymentId: payment,
        direction: "inbound",
        customerId: partner,
        amount: "25.00",
        status: "registered",
      })
      yield* clerk.ask("account.payment", "action_draft", { ids: [payment] })
      yield* pass(3 * LOOK)
      yield* clerk.post(yield* clerk.type("OTHER", 1).pipe(Effect.map(({ id }) => id)))
      yield* clerk.ask("account.payment", "action_post", { ids: [payment] })
      yield* pass(3 * LOOK)
      yield* clerk.ask("account.payment", "action_cancel", { ids: [payment] })
      yield* publish(...billed, ...paid)
      yield* pass(12 * LOOK)
      assert.deepStrictEqual(yield* payments, [
        "CASH payment.registered",
        "CASH payment.withdrawn",
        "CASH payment.registered",
        "CASH payment.cancelled",
      ])
      assert.lengthOf(yield* published("payment.reconciled"), 1)
    })))
  })
})

describe("a feed of invoices", () => {
  it.effect("tells what a clerk posts, pays in parts, takes back and reverses, each once", () => {
    const { clerk, product, test } = world()
    return test(product(Effect.gen(function* () {
      yield* pass(LOOK)
      const { id, partner } = yield* clerk.type("TYPED", 100)
      yield* pass(LOOK)
      assert.deepStrictEqual(yield* told, [], "a draft is nobody's business")
      yield* clerk.post(id)
      yield* pass(3 * LOOK)
      yield* clerk.pay(id, partner, 30)
      yield* pass(3 * LOOK)
      const second = yield* clerk.pay(id, partner, 70)
      yield* pass(3 * LOOK)
      assert.deepStrictEqual(yield* told, ["TYPED posted", "TYPED partly-paid", "TYPED paid"])
      const [, part, paid] = yield* facts
      assert.deepInclude(part?.data, { invoice: null, invoiceId: id, total: "100.00", residual: "70.00" })
      assert.deepInclude(paid?.data, { residual: "0.00", status: "paid", statusVersion: 1, currency: "EUR" })
      assert.strictEqual(paid?.correlationid, `be01/account.move/${id}`)

      const [item = 0] = yield* clerk.receivable("payment_id", second)
      yield* clerk.ask("account.move.line", "remove_move_reconcile", { ids: [item] })
      yield* pass(LOOK)
      yield* clerk.ask("account.move", "button_draft", { ids: [id] })
      yield* pass(LOOK)
      yield* clerk.ask("account.move", "button_cancel", { ids: [id] })
      yield* pass(10 * LOOK)
      assert.deepStrictEqual((yield* told).slice(3), ["TYPED partly-paid", "TYPED withdrawn", "TYPED cancelled"])
      const ids = (yield* facts).map(({ id }) => id)
      assert.strictEqual(new Set(ids).size, ids.length)
    })))
  })

  it.effect("tells every state in order when a clerk is quicker than it looks", () => {
    const { clerk, product, test } = world()
    return test(product(Effect.gen(function* () {
      yield* pass(LOOK)
      const { id, partner } = yield* clerk.type("QUICK", 50)
      yield* clerk.post(id)
      yield* clerk.pay(id, partner, 50)
      yield* pass(5 * LOOK)
      assert.deepStrictEqual(yield* told, ["QUICK posted", "QUICK paid"])
    })))
  })

  it.effect("tells nothing back that Weir wrote, and ties what happens later to the event that began it", () => {
    const { clerk, product, test } = world()
    return test(product(Effect.gen(function* () {
      yield* pass(LOOK)
      yield* publish(...billed)
      yield* pass(12 * LOOK)
      assert.deepStrictEqual(yield* told, ["INV-1 posted"])
      const move = yield* clerk.moveOf("INV-1")
      yield* clerk.pay(move, yield* clerk.partnerOf(move), 2.7)
      yield* pass(3 * LOOK)
      assert.deepStrictEqual(yield* told, ["INV-1 posted", "INV-1 paid"])
      const [posted, paid] = yield* facts
      assert.strictEqual(posted?.data["residual"], undefined, "told by the flow")
      assert.deepInclude(paid?.data, { invoice: "INV-1", invoiceId: move, status: "paid" })
      assert.strictEqual(paid?.causationid, "test#invoice.requested-INV-1-0")
      assert.strictEqual(paid?.correlationid, posted?.correlationid)
    })))
  })

  it.effect("begins with what is there and tells only what changes from then on", () => {
    const { clerk, product, test } = world()
    return test(Effect.gen(function* () {
      const [open, done] = [yield* clerk.type("OPEN", 10), yield* clerk.type("DONE", 20)]
      for (const { id } of [open, done]) yield* clerk.post(id)
      yield* clerk.pay(done.id, done.partner, 20)
      yield* TestClock.adjust("1 hour")
      yield* product(Effect.gen(function* () {
        yield* pass(3 * LOOK)
        // Of what was over before it began, a change of no consequence is none.
        yield* clerk.ask("account.move", "write", { ids: [done.id], vals: { narration: "thanks" } })
        yield* pass(3 * LOOK)
        assert.deepStrictEqual(yield* told, [])
        yield* clerk.pay(open.id, open.partner, 4)
        const [item = 0] = yield* clerk.receivable("move_id", done.id)
        yield* clerk.ask("account.move.line", "remove_move_reconcile", { ids: [item] })
        yield* pass(3 * LOOK)
        assert.sameMembers([...yield* told], ["OPEN partly-paid", "DONE reopened"])
      }))
    }))
  })

  it.effect("goes on where it was after a crash, with what happened meanwhile, and repeats nothing", () => {
    const { clerk, product, test } = world()
    return test(Effect.gen(function* () {
      const first = yield* product(Effect.gen(function* () {
        yield* pass(LOOK)
        const typed = yield* clerk.type("A", 10)
        yield* clerk.post(typed.id)
        yield* pass(LOOK)
        return typed
      }))
      yield* clerk.pay(first.id, first.partner, 10)
      const second = yield* clerk.type("B", 10)
      yield* clerk.post(second.id)
      yield* TestClock.adjust("1 day")
      yield* product(pass(5 * LOOK))
      yield* product(pass(5 * LOOK))
      assert.deepStrictEqual(yield* told, ["A posted", "B posted", "A paid"])
    }))
  })

  it.effect("sees a transaction that was committed long after others that began later", () => {
    const { clerk, product, test } = world()
    return test(product(Effect.gen(function* () {
      yield* pass(LOOK)
      const begun = yield* Clock.currentTimeMillis
      const quick = yield* clerk.type("QUICK", 10)
      yield* clerk.post(quick.id)
      yield* pass(50)
      // Stamped with its beginning, seen by nobody until now.
      const slow = yield* clerk.type("SLOW", 10, begun)
      yield* clerk.ask("account.move", "action_post", { ids: [slow.id] }, begun)
      yield* pass(20 * LOOK)
      assert.deepStrictEqual(yield* told, ["QUICK posted", "SLOW posted"])
    })))
  })

  it.effect("looks at nothing in mode hold, and catches up afterwards", () => {
    const { clerk, product, standIn, test } = world()
    return test(product(Effect.gen(function* () {
      yield* pass(LOOK)
      const client = yield* LegalEntity.client
      const mode = (mode: "hold" | "auto") =>
        client("be01").SetMode({ mode, actor: "ada", reason: "test", untilMillis: null }).pipe(
          Effect.forkChild,
          Effect.andThen(pass(3)),
        )
      yield* mode("hold")
      const { id } = yield* clerk.type("HELD", 10)
      yield* clerk.post(id)
      const before = standIn.calls
      yield* pass(10 * LOOK)
      assert.deepStrictEqual([yield* told, standIn.calls], [[], before])
      yield* mode("auto")
      yield* pass(2 * LOOK)
      assert.deepStrictEqual(yield* told, ["HELD posted"])
    })))
  })

  it.effect("takes a small share of Odoo's time, however slow it is, and pages through many changes", () => {
    const latency = { workers: 2, cost: () => 200 }
    const { clerk, product, standIn, test } = world({ odoo: { latency } }, {
      ...settings,
      feed: { every: "1 second", overlap: "1 minute" },
    })
    return test(product(Effect.gen(function* () {
      yield* pass(20)
      for (let n = 0; n < 450; n++) {
        const { id } = yield* clerk.type(`M-${n}`, 1)
        yield* clerk.post(id)
      }
      const before = standIn.calls
      yield* pass(150)
      const share = ((standIn.calls - before) * 0.2) / 150
      assert.isAtMost(share, 0.06)
      const sent = yield* told
      assert.deepStrictEqual([sent.length, new Set(sent).size], [450, 450])
    })))
  })

  it.effect("steps back while only what is critical goes on", () => {
    const { clerk, product, standIn, test } = world()
    return test(product(Effect.gen(function* () {
      yield* pass(LOOK)
      const client = yield* LegalEntity.client
      yield* client("be01").SetMode({ mode: "essential" }).pipe(Effect.forkChild)
      const { id } = yield* clerk.type("LATER", 10)
      yield* clerk.post(id)
      const before = standIn.calls
      yield* pass(5 * LOOK)
      assert.deepStrictEqual([yield* told, standIn.calls], [[], before])
      yield* pass(6 * LOOK)
      assert.deepStrictEqual(yield* told, ["LATER posted"])
    })))
  })

  it.effect("tells once, also when the ledger kept it and could not say so, and when Odoo breaks off", () => {
    const faults: Array<true> = []
    const { clerk, product, standIn, test } = world()
    const handle = standIn.handle.bind(standIn)
    standIn.handle = (request) =>
      request.method === "search_read" && request.model === "account.move" && faults.pop() === true
        ? databaseAway
        : handle(request)
    return test(product(Effect.gen(function* () {
      yield* pass(LOOK)
      const { id, partner } = yield* clerk.type("ONCE", 10)
      yield* clerk.post(id)
      yield* clerk.pay(id, partner, 10)
      yield* MemoryLedger.use((ledger) => ledger.failNext(2, "after", "advance"))
      faults.push(true)
      yield* pass(12 * LOOK)
      assert.deepStrictEqual([yield* told, faults], [["ONCE posted", "ONCE paid"], []])
    })))
  })

  it.effect("is off when it is told to rest for no time", () => {
    const { clerk, product, test } = world({}, configuration)
    return test(product(Effect.gen(function* () {
      const { id } = yield* clerk.type("OFF", 10)
      yield* clerk.post(id)
      yield* pass(60)
      assert.deepStrictEqual(yield* told, [])
    })))
  })
})
