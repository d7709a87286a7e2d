/**
 * What people change in a real Odoo 19, as others hear of it: `docs/live-odoo.md`. Each run has an entity of its own; the
 * company is shared, so it looks only at its own invoices.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer, Stream } from "effect"
import { configurationOf, DATABASE, places } from "../../fixtures/replay/Place.ts"
import { Broker } from "../../src/broker/Broker.ts"
import { toMessage } from "../../src/broker/cloudevents.ts"
import type { Ledger } from "../../src/ledger/Ledger.ts"
import { type Json, Odoo } from "../../src/odoo/Odoo.ts"
import { running } from "../simulation/World.ts"
import { ports } from "./ports.ts"

const run = `${Date.now().toString(36)}f`
const feed = { every: "1 second", overlap: "20 seconds" }

interface Told {
  readonly type: string
  readonly time: string
  readonly causationid?: string
  readonly data: { readonly [name: string]: unknown }
}

describe("the feeds on a real Odoo", () => {
  it.live(
    "tells what a clerk does, once, and nothing of Weir's own twice, over a restart",
    () =>
      Effect.gen(function* () {
        const odoo = yield* Odoo
        const broker = yield* Broker
        const place = (yield* places(odoo, run)).find(({ label }) => label === "EUR")!
        const { company, entity } = place
        const ask = (
          model: string,
          method: string,
          body: { ids?: ReadonlyArray<number>; args?: Record<string, Json> },
        ) => odoo.call({ database: DATABASE, model, method, context: { allowed_company_ids: [company] }, ...body })
        const search = (model: string, domain: Json) =>
          Effect.map(ask(model, "search", { args: { domain } }), (ids) => ids as ReadonlyArray<number>)
        const create = (model: string, vals: Json) =>
          Effect.map(ask(model, "create", { args: { vals_list: [vals] } }), (ids) => (ids as ReadonlyArray<number>)[0]!)
        const receivable = (field: string, id: number) =>
          search("account.move.line", [[field, "=", id], ["account_type", "=", "asset_receivable"]])
        const [journal] = yield* search("account.journal", [["company_id", "=", company], ["type", "=", "bank"]])
        const pay = (invoice: number, partner: number, amount: number) =>
          Effect.gen(function* () {
            const payment = yield* create("account.payment", {
              journal_id: journal!,
              payment_type: "inbound",
              partner_type: "customer",
              partner_id: partner,
              amount,
            })
            yield* ask("account.payment", "action_post", { ids: [payment] })
            const ids = [...(yield* receivable("move_id", invoice)), ...(yield* receivable("payment_id", payment))]
            yield* ask("account.move.line", "reconcile", { ids })
            return payment
          })

        /** Facts of one invoice so far: by the clerk's reference, or by the business key. */
        const told = (name: string) =>
          Effect.gen(function* () {
            const found: Array<Told> = []
            yield* Stream.runForEach(
              broker.read({ subject: `erp-out.${entity}.>`, fromSequence: 1 }),
              ({ data }) =>
                Effect.sync(() => {
                  const fact = JSON.parse(new TextDecoder().decode(data)) as Told
                  if (fact.data["reference"] === name || fact.data["invoice"] === name) found.push(fact)
                }),
            )
            return found
          })
        const eventually = (name: string, types: ReadonlyArray<string>) =>
          Effect.gen(function* () {
            for (let tries = 0; tries < 60; tries++) {
              if ((yield* told(name)).length >= types.length) break
              yield* Effect.sleep("500 millis")
            }
            assert.deepStrictEqual((yield* told(name)).map(({ type }) => type), types)
          })
        const life = <A, E, R>(body: Effect.Effect<A, E, R>) => {
          const configuration = { ...configurationOf([place]), feed }
          return Effect.provide(body, running({ configuration }) as Layer.Layer<never, unknown, Odoo | Broker | Ledger>)
        }

        const [typed, cash, credit] = ["TYPED", "CASH", "CREDIT"].map((name) => `${name}-${run}`) as [
          string,
          string,
          string,
        ]
        const partner = yield* create("res.partner", { name: `Clerk's customer ${run}` })
        const move = yield* life(Effect.gen(function* () {
          // What is there is noted before anything is told.
          yield* Effect.sleep("5 seconds")
          const line = { name: "Work", quantity: 1, price_unit: 100, tax_ids: [[6, 0, []]] }
          const move = yield* create("account.move", {
            move_type: "out_invoice",
            partner_id: partner,
            invoice_date: "2026-11-20",
            ref: typed,
            invoice_line_ids: [[0, 0, line as Json]],
          })
          yield* ask("account.move", "action_post", { ids: [move] })
          yield* eventually(typed, ["invoice.posted"])
          const payment = yield* create("account.payment", {
            journal_id: journal!,
            payment_type: "inbound",
            partner_type: "customer",
            partner_id: partner,
            amount: 12.5,
            memo: cash,
          })
          yield* ask("account.payment", "action_post", { ids: [payment] })
          yield* eventually(cash, ["payment.registered"])
          yield* ask("account.payment", "action_draft", { ids: [payment] })
          const note = yield* create("account.move", {
            move_type: "out_refund",
            partner_id: partner,
            invoice_date: "2026-11-20",
            ref: credit,
            invoice_line_ids: [[0, 0, line as Json]],
          })
          yield* ask("account.move", "action_post", { ids: [note] })
          yield* eventually(cash, ["payment.registered", "payment.withdrawn"])
          yield* eventually(credit, ["credit-note.posted"])
          yield* pay(move, partner, 30)
          yield* eventually(typed, ["invoice.posted", "invoice.partly-paid"])
          return move
        }))

        // While nobody looks.
        const payment = yield* pay(move, partner, 70)

        const event = (type: string, id: string, data: object, sequence?: number) =>
          toMessage({
            specversion: "1.0",
            id,
            source: "live",
            type,
            ...(sequence !== undefined && { sequence }),
            data,
          }, `erp.${entity}.${type}`)
        const key = `OWN-${run}`
        yield* life(Effect.gen(function* () {
          yield* eventually(typed, ["invoice.posted", "invoice.partly-paid", "invoice.paid"])
          const [item] = yield* receivable("payment_id", payment)
          yield* ask("account.move.line", "remove_move_reconcile", { ids: [item!] })
          const all = ["invoice.posted", "invoice.partly-paid", "invoice.paid", "invoice.partly-paid"]
          yield* eventually(typed, all)

          yield* broker.publish([
            event("customer.upserted", "C-1", {
              key: "C-1",
              name: "Customer",
              kind: "company",
              reference: `${entity}-C-1`,
              address: { country: place.country },
            }, 1),
            event("invoice.requested", key, {
              key,
              customer: "C-1",
              invoiceDate: "2026-11-20",
              dueDate: "2026-12-20",
              currency: place.currency,
              lines: [{ key: "1", description: "Fee", quantity: "1", unitPrice: "50", taxCode: "ZERO" }],
              totals: { untaxed: "50", tax: "0", total: "50" },
            }),
          ])
          yield* eventually(key, ["invoice.posted"])
          yield* Effect.sleep("5 seconds")
          const [own] = yield* search("account.move", [["ref", "=", key], ["company_id", "=", company]])
          const rows = yield* ask("account.move", "read", { ids: [own!], args: { fields: ["partner_id"] } })
          const [customer] = (rows as never as ReadonlyArray<{ partner_id: readonly [number] }>)[0]!.partner_id
          yield* pay(own!, customer, 50)
          yield* eventually(key, ["invoice.posted", "invoice.paid"])
          const [posted, paid] = yield* told(key)
          assert.strictEqual(posted?.data["residual"], undefined, "told by the flow, and not again by the feed")
          assert.strictEqual(paid?.causationid, `live#${key}`)
          // Longer than the overlap: what was told is looked at again and not told again.
          yield* Effect.sleep("25 seconds")
          yield* eventually(typed, all)
          yield* eventually(cash, ["payment.registered", "payment.withdrawn"])
          yield* eventually(credit, ["credit-note.posted"])
          yield* eventually(key, ["invoice.posted", "invoice.paid"])
        }))
      }).pipe(Effect.provide(ports)),
    240_000,
  )
})
