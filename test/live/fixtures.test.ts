/**
 * The flows' fixtures on a real Odoo 19 with companies in USD, EUR and GBP (`docs/live-odoo.md`). Each run has entity codes
 * of its own, so it can be repeated on the same database.
 */
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fixtures } from "../../fixtures/replay/Fixture.ts"
import { replayed } from "../streams/fixtures.suite.ts"
import { ports } from "./ports.ts"

/** Entity codes have at most 16 characters, the currency's three among them. */
const run = Date.now().toString(36)

describe("the flows' fixtures on a real Odoo", () => {
  for (const [at, fixture] of fixtures().entries()) {
    if (fixture.only === "stand-in") continue
    it.live(
      fixture.name,
      () =>
        replayed(fixture, `${run}${at.toString(36)}`, { moment: Effect.sleep("250 millis"), patience: 2000 }).pipe(
          Effect.provide(ports),
        ),
      600_000,
    )
  }
})
