/**
 * A small month on a real Odoo 19 (`docs/live-odoo.md`): replayed twice onto itself, ten invoices deleted by hand, an amount
 * edited and an invoice made by hand. Each run has an entity code and a month of its own.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { monthReplayed } from "../replay/month.suite.ts"
import { ports } from "./ports.ts"

describe("a small month on a real Odoo", () => {
  it.live("is all there, brings again what was deleted, and tells what people changed", () =>
    Effect.gen(function* () {
      const run = `${Date.now().toString(36)}r`
      const { events, seconds } = yield* monthReplayed(run, { moment: Effect.sleep("250 millis"), patience: 1200 })
      assert.strictEqual(events, 67)
      yield* Effect.logInfo(`${events} events: ${JSON.stringify(seconds)}`)
    }).pipe(Effect.provide(ports)), 600_000)
})
