/**
 * A cut-over on a real Odoo 19 (`docs/live-odoo.md`): a contact and an invoice that somebody else has made are taken over, and
 * a payment of after the cut-over finds its invoice.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { configurationOf, DATABASE, places } from "../../fixtures/replay/Place.ts"
import type { Broker } from "../../src/broker/Broker.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { type Json, Odoo } from "../../src/odoo/Odoo.ts"
import { publication, publish, running } from "../simulation/World.ts"
import { lock, ports } from "./ports.ts"

const FROM = "2026-12-01"

describe("a cut-over on a real Odoo", () => {
  // The key of who may lock periods may give external ids, too.
  it.live.skipIf(lock === undefined)("takes over what stands, and goes on from it", () =>
    Effect.gen(function* () {
      const odoo = yield* Odoo
      const run = Date.now().toString(36)
      const place = (yield* places(odoo, run)).find(({ label }) => label === "EUR")!
      const { company, currency, entity, taxes } = place
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
          ...ids !== undefined && { ids },
        })
      const created = (model: string, vals: { readonly [field: string]: Json }) =>
        Effect.map(call(model, "create", { vals_list: [vals] }), (ids) => (ids as ReadonlyArray<number>)[0]!)
      const [customer, invoice] = [`C-${run}`, `I-${run}`]
      const partner = yield* created("res.partner", { name: customer, is_company: true, ref: customer, country_id: 20 })
      const move = yield* created("account.move", {
        move_type: "out_invoice",
        partner_id: partner,
        ref: invoice,
        payment_reference: invoice,
        invoice_date: "2026-11-10",
        invoice_date_due: "2026-12-10",
        invoice_line_ids: [[0, 0, { name: "Work", quantity: 1, price_unit: 100, tax_ids: [[6, 0, [taxes["ZERO"]!]]] }]],
      })
      yield* call("account.move", "action_post", {}, [move])

      const base = configurationOf([place])
      const entities = {
        [entity]: { ...base.entities[entity], cutover: { from: { customers: FROM, invoices: FROM } } },
      }
      yield* Effect.gen(function* () {
        yield* publish(
          publication("customer.upserted", {
            key: customer,
            name: customer,
            kind: "company",
            reference: customer,
            address: { country: "BE" },
          }, { entity, sequence: 1 }),
          publication("invoice.requested", {
            key: invoice,
            customer,
            invoiceDate: "2026-11-10",
            dueDate: "2026-12-10",
            currency,
            lines: [{ key: "1", description: "Work", quantity: "1", unitPrice: "100", taxCode: "ZERO" }],
            totals: { untaxed: "100.00", tax: "0.00", total: "100.00" },
          }, { entity }),
          publication("payment.received", {
            key: `P-${run}`,
            customer,
            amount: "100.00",
            currency,
            date: "2026-12-03",
            invoices: [invoice],
            method: "transfer",
          }, { entity }),
        )
        for (let waited = 0; waited < 200; waited++) {
          const ledger = yield* Ledger
          const tallies = yield* ledger.tallies(entity)
          if (tallies.reduce((sum, { applied }) => sum + applied, 0) === 3) break
          const held = (yield* ledger.exceptions({ entity, limit: 5 })).filter(({ state }) => state === "parked")
          assert.deepStrictEqual(held.map(({ code, detail, key }) => `${key}: ${code} ${detail}`), [])
          yield* Effect.sleep("250 millis")
        }
        const [found] = (yield* call("account.move", "read", { fields: ["amount_residual", "payment_state"] }, [
          move,
        ])) as ReadonlyArray<{ readonly [field: string]: Json }>
        assert.strictEqual(found!["amount_residual"], 0)
        const names = yield* call("account.move", "get_external_id", {}, [move])
        assert.deepStrictEqual(names, { [String(move)]: `weir_${entity}.invoices_${invoice}` })
        for (const [model, ref] of [["account.move", invoice], ["res.partner", customer]] as const) {
          const all = yield* call(model, "search_read", { domain: [["ref", "=", ref]], fields: ["id"] })
          assert.lengthOf(all as ReadonlyArray<Json>, 1, `${model}: nothing was made twice`)
        }
      }).pipe(
        Effect.provide(
          running({ configuration: { ...base, entities } }) as Layer.Layer<never, unknown, Odoo | Broker | Ledger>,
        ),
      )
    }).pipe(Effect.provide(ports)), 120_000)
})
