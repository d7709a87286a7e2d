import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { customer, engagement, invoice, payment, timesheet } from "../streams/samples.ts"
import { pass, ports, publication, publish, running, tallies } from "./World.ts"

const onePayment = { ...payment, invoices: ["INV-1"] }
const count = (standIn: ReturnType<typeof ports>["standIn"], model: string) =>
  standIn.store.tables.get(model)!.rows.size

describe("the pipeline", () => {
  it.effect("brings a quote-to-cash into Odoo whatever the order in which its events arrive", () => {
    const world = ports()
    const partners = count(world.standIn, "res.partner")
    return Effect.gen(function* () {
      yield* publish(
        publication("payment.received", onePayment),
        publication("invoice.requested", invoice),
        publication("timesheet.approved", timesheet),
        publication("engagement.activated", engagement),
        publication("customer.upserted", customer, { sequence: 1 }),
      )
      yield* pass(60)
      const flows = yield* tallies()
      for (const flow of ["customers", "engagements", "timesheets", "invoices", "payments"]) {
        assert.strictEqual(flows.get(flow)?.applied, 1, flow)
      }
      assert.strictEqual(count(world.standIn, "res.partner"), partners + 1)
      const move = [...world.standIn.store.tables.get("account.move")!.rows.values()].find((row) =>
        row["move_type"] === "out_invoice"
      )
      assert.strictEqual(move?.["state"], "posted")
      assert.strictEqual(move?.["payment_state"], "paid")
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  })
})
