import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { StandIn } from "../../fixtures/odoo/StandIn.ts"
import { make as makeOdoo } from "../../fixtures/odoo/StandInOdoo.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { Odoo, OdooError } from "../../src/odoo/Odoo.ts"
import { customer, engagement, invoice, payment } from "../streams/samples.ts"
import { pass, ports, publication, publish, running } from "./World.ts"

/** Odoo that refuses one method of one model. */
const refusing = (standIn: StandIn, model: string, method: string) =>
  Layer.sync(Odoo, () => {
    const odoo = makeOdoo(standIn)
    return Odoo.of({
      ...odoo,
      call: (call) =>
        call.model === model && call.method === method
          ? Effect.fail(
            new OdooError({ code: "ODOO-VALIDATION", operation: `${model}/${method}`, message: "not like this" }),
          )
          : odoo.call(call),
    })
  })

const events = [
  publication("customer.upserted", customer, { sequence: 1 }),
  publication("engagement.activated", engagement),
  publication("invoice.requested", invoice),
  publication("payment.received", { ...payment, invoices: ["INV-1"] }),
]
const held = Effect.flatMap(Ledger, (ledger) => ledger.exceptions({ limit: 10 }))
const rows = (standIn: StandIn, model: string) => [...standIn.store.tables.get(model)!.rows.values()]

describe("an event that fails for good at a later step", () => {
  it.effect("payment: its exception lists the payment that stands, and that it is posted", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...events)
      yield* pass(30)
      const [exception] = yield* held
      assert.deepInclude(exception, { flow: "payments", code: "ODOO-VALIDATION", state: "parked" })
      const payment = rows(world.standIn, "account.payment")[0]!
      assert.include(
        exception?.detail,
        `Already in Odoo: account.payment ${payment.id} (weir_be01.payments_PAY-1, in_process).`,
      )
      assert.strictEqual(payment["state"], "in_process")
    }).pipe(
      Effect.provide(running()),
      Effect.provide(Layer.merge(world.layer, refusing(world.standIn, "account.move.line", "reconcile"))),
    )
  })

  it.effect("invoice that Odoo will not post: its draft is cancelled, and no longer counts as invoiced", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...events.slice(0, 3))
      yield* pass(30)
      const [exception] = yield* held
      assert.strictEqual(exception?.code, "ODOO-VALIDATION")
      assert.include(exception?.detail, "taken back by button_cancel, it is cancel now")
      const move = rows(world.standIn, "account.move").find((row) => row["move_type"] === "out_invoice")
      assert.deepInclude(move, { state: "cancel", name: null })
      yield* Effect.flatMap(Ledger, (ledger) => ledger.retry("be01", [exception!.eventId]))
      yield* pass(10)
      assert.strictEqual((yield* held)[0]?.code, "ODOO-UNEXPECTED-STATE")
    }).pipe(
      Effect.provide(running()),
      Effect.provide(Layer.merge(world.layer, refusing(world.standIn, "account.move", "action_post"))),
    )
  })
})
