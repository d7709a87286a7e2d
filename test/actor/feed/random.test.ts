/**
 * A clerk who does what comes to mind, an Odoo and a ledger that fail, a Weir that is started anew: whatever happens, what
 * others were told of an invoice ends with how it stands, and nothing was told twice. `WEIR_SEED` repeats a run.
 */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Random } from "../../../fixtures/generator/Random.ts"
import { databaseAway, type StandIn } from "../../../fixtures/odoo/StandIn.ts"
import { Broker } from "../../../src/broker/Broker.ts"
import { MemoryLedger } from "../../../src/ledger/MemoryLedger.ts"
import type { OdooRecord } from "../../../src/odoo/CompanyCalls.ts"
import type { Json } from "../../../src/odoo/Odoo.ts"
import { invoiceFeed } from "../../../streams/invoiceFeed.ts"
import { seedOf } from "../../faults/seed.ts"
import { configuration, pass, ports, publication, publish, running } from "../../simulation/World.ts"
import { customer, invoice } from "../../streams/samples.ts"

const TURNS = 3
const STEPS = 25
const START = Date.UTC(2026, 10, 22, 8)
const settings = { ...configuration, feed: { every: "5 seconds", overlap: "30 seconds" } }
const seed = seedOf("feed-random")

const COMPANY = { allowed_company_ids: [3] }

interface Fact {
  readonly id: string
  readonly source: string
  readonly type: string
  readonly data: { readonly [name: string]: Json }
}

/** A person at Odoo. What Odoo refuses is not done. */
class Clerk {
  readonly #standIn: StandIn
  readonly #random: Random
  readonly #journal: number

  constructor(standIn: StandIn, random: Random) {
    this.#standIn = standIn
    this.#random = random
    const [journal] = this.#ask("account.journal", "search", {
      domain: [["code", "=", "BNK1"], ["company_id", "=", 3]],
    }, 0) as ReadonlyArray<number>
    this.#journal = journal!
  }

  get invoices(): ReadonlyArray<OdooRecord> {
    const domain = [["move_type", "=", "out_invoice"], ["company_id", "=", 3]]
    return this.#ask("account.move", "search_read", {
      domain,
      fields: [...invoiceFeed.fields, "partner_id"],
    }, 0) as never
  }

  act(nowMillis: number): void {
    const one = this.invoices.at(this.#random.int(0, Math.max(0, this.invoices.length - 1)))
    const kind = this.#random.int(0, 7)
    if (one === undefined || kind <= 1) return this.#type(nowMillis)
    const { id } = one
    if (kind <= 3) this.#ask("account.move", "action_post", { ids: [id] }, nowMillis)
    else if (kind <= 5) this.#pay(one, nowMillis)
    else if (kind === 6) {
      const ids = this.#receivable("move_id", id)
      this.#ask("account.move.line", "remove_move_reconcile", { ids }, nowMillis)
    } else {
      const method = this.#random.chance(0.5) ? "button_draft" : "button_cancel"
      this.#ask("account.move", method, { ids: [id] }, nowMillis)
    }
  }

  #type(nowMillis: number): void {
    const vals = { name: "Somebody" }
    const [partner = 0] = this.#ask("res.partner", "create", { vals_list: [vals] }, nowMillis) as Array<number>
    const line = { name: "Work", quantity: 1, price_unit: this.#random.int(1, 500), tax_ids: [[6, 0, []]] }
    const move = { move_type: "out_invoice", partner_id: partner, invoice_date: "2026-11-22" }
    this.#ask("account.move", "create", { vals_list: [{ ...move, invoice_line_ids: [[0, 0, line]] }] }, nowMillis)
  }

  #pay(one: OdooRecord, nowMillis: number): void {
    const open = Number(one["amount_residual"])
    if (one["state"] !== "posted" || open <= 0) return
    const [partner] = one["partner_id"] as readonly [number, string]
    const amount = this.#random.chance(0.5) ? open : Math.round(open * 50) / 100
    if (amount <= 0) return
    const vals = { journal_id: this.#journal, payment_type: "inbound", partner_type: "customer", partner_id: partner }
    const [payment = 0] = this.#ask("account.payment", "create", {
      vals_list: [{ ...vals, amount, date: "2026-11-22" }],
    }, nowMillis) as Array<number>
    this.#ask("account.payment", "action_post", { ids: [payment] }, nowMillis)
    const ids = [...this.#receivable("move_id", one.id), ...this.#receivable("payment_id", payment)]
    this.#ask("account.move.line", "reconcile", { ids }, nowMillis)
  }

  #receivable(field: string, id: number): ReadonlyArray<number> {
    const domain = [[field, "=", id], ["account_type", "=", "asset_receivable"]]
    return this.#ask("account.move.line", "search", { domain }, 0) as ReadonlyArray<number>
  }

  #ask(model: string, method: string, body: { readonly [name: string]: Json }, nowMillis: number): Json {
    const request = { model, method, key: "stand-in-key", nowMillis, body: { ...body, context: COMPANY } }
    const { body: answer, status } = this.#standIn.handle(request)
    return status === 200 ? answer : []
  }
}

/** What was told of each record and aspect, in order: the state that it says. */
const toldBy = Effect.gen(function* () {
  const broker = yield* Broker
  const facts: Array<Fact> = []
  yield* Stream.runForEach(
    broker.read({ subject: "erp-out.be01.>", fromSequence: 1 }),
    ({ data }) => Effect.sync(() => facts.push(JSON.parse(new TextDecoder().decode(data)))),
  )
  return facts.filter(({ type }) => type.startsWith("invoice."))
})

const POSTING = new Set(["invoice.posted", "invoice.withdrawn", "invoice.cancelled"])

const stateIn = ({ data, type }: Fact): string => {
  const what = type.slice("invoice.".length)
  if (what === "posted") return `posted ${String(data["total"])}`
  return what === "partly-paid" ? `${what} ${String(data["residual"])}` : what
}

describe("a feed, whatever happens", () => {
  it.effect(`tells how every invoice stands, and nothing twice (seed ${seed})`, () =>
    Effect.gen(function* () {
      let told = 0
      for (let turn = 0; turn < TURNS; turn++) {
        const about = `seed ${seed}, turn ${turn}`
        const random = new Random(seed, "feed", turn)
        const world = ports()
        const handle = world.standIn.handle.bind(world.standIn)
        let failing = 0
        world.standIn.handle = (request) =>
          request.body["context"] !== undefined && request.method === "search_read" && failing > 0 &&
            request.model === "account.move" && (request.body["fields"] as ReadonlyArray<string>).includes("write_date")
            ? (failing--, databaseAway)
            : handle(request)
        const clerk = new Clerk(world.standIn, random)
        const { engagement: _, ...unbound } = invoice
        const own = (n: number) =>
          publication("invoice.requested", {
            ...unbound,
            key: `INV-${n}`,
            lines: [invoice.lines[1]],
            totals: { untaxed: "2.23", tax: "0.47", total: "2.70" },
          })
        yield* Effect.gen(function* () {
          yield* TestClock.setTime(START + turn * 86_400_000)
          yield* publish(publication("customer.upserted", customer, { sequence: 1 }))
          let requests = 0
          for (let life = 0; life < 3; life++) {
            yield* Effect.gen(function* () {
              // The first life begins with what is there: nothing.
              yield* pass(8)
              for (let step = 0; step < STEPS / 3; step++) {
                if (random.chance(0.2)) yield* publish(own(++requests))
                if (random.chance(0.15)) failing = random.int(1, 3)
                if (random.chance(0.15)) {
                  yield* MemoryLedger.use((ledger) =>
                    ledger.failNext(random.int(1, 2), random.chance(0.5) ? "after" : "before", "advance")
                  )
                }
                for (let n = random.int(0, 3); n > 0; n--) clerk.act(yield* Clock.currentTimeMillis)
                yield* pass(random.int(1, 9))
              }
            }).pipe(Effect.provide(running({ configuration: settings })))
            // While nobody looks.
            for (let n = random.int(0, 3); n > 0; n--) clerk.act(yield* Clock.currentTimeMillis)
            yield* TestClock.adjust("1 minute")
          }
          failing = 0
          yield* pass(120).pipe(Effect.provide(running({ configuration: settings })))

          const facts = yield* toldBy
          const ids = facts.map(({ id, source }) => `${source}#${id}`)
          assert.strictEqual(new Set(ids).size, ids.length, about)
          told += facts.length
          const records = clerk.invoices
          const idOf = new Map(records.map((record) => [record["ref"], record.id]))
          const last = new Map<string, string>()
          for (const fact of facts) {
            const record = fact.data["invoiceId"] ?? idOf.get(String(fact.data["invoice"]))
            const aspect = POSTING.has(fact.type) ? "posting" : "payment"
            const state = stateIn(fact)
            // Cancelled, a draft again, which is nobody's business, and cancelled again.
            if (state !== "cancelled") {
              assert.notStrictEqual(last.get(`${record} ${aspect}`), state, `${about}: ${record} ${state} twice`)
            }
            last.set(`${record} ${aspect}`, state)
            // What is no document any more has no payments.
            if (state === "withdrawn" || state === "cancelled") last.delete(`${record} payment`)
          }
          for (const record of records) {
            const [posting, payment] = invoiceFeed.aspects.map((aspect) => aspect.content(record))
            const [stands, paid] = ["posting", "payment"].map((aspect) => last.get(`${record.id} ${aspect}`))
            const what = `${about}: ${record.id} is ${posting}, ${payment}; told ${stands}, ${paid}`
            // A draft that was never posted, and one that was taken back.
            if (posting === "draft") assert.include([undefined, "withdrawn", "cancelled"], stands, what)
            else if (posting === "cancelled") assert.include([undefined, "cancelled"], stands, what)
            else {
              assert.strictEqual(stands, posting, what)
              assert.include(payment === "unpaid" ? [undefined, "reopened"] : [payment], paid, what)
            }
          }
        }).pipe(Effect.provide(world.layer))
      }
      assert.isAbove(told, 20, `seed ${seed}: something was told`)
    }), 240_000)
})
