/**
 * The flows' fixtures on a real Odoo 19 with companies in USD, EUR and GBP (`docs/live-odoo.md`). Each run has entity codes
 * of its own, so it can be repeated on the same database.
 */
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fixtures, locksIn } from "../../fixtures/replay/Fixture.ts"
import { places } from "../../fixtures/replay/Place.ts"
import { Odoo } from "../../src/odoo/Odoo.ts"
import { replayed } from "../streams/fixtures.suite.ts"
import { lock, ports } from "./ports.ts"

/** Entity codes have at most 16 characters, the currency's three among them. */
const run = Date.now().toString(36)

describe("the flows' fixtures on a real Odoo", () => {
  for (const [at, fixture] of fixtures().entries()) {
    const locks = locksIn(fixture)
    // All fixtures share the companies: what is locked here is open again for the next.
    const unlocked = Effect.gen(function* () {
      for (const { company } of locks.length === 0 ? [] : yield* places(yield* Odoo, run)) {
        for (const name of locks) yield* lock!(company, name, false)
      }
    })
    it.live.skipIf(locks.length > 0 && lock === undefined)(
      fixture.name,
      () =>
        Effect.gen(function* () {
          const odoo = yield* Odoo
          yield* replayed(fixture, `${run}${at.toString(36)}`, {
            moment: Effect.sleep("250 millis"),
            patience: 2000,
            lock: (company, name, day) =>
              lock!(company, name, day).pipe(Effect.provideService(Odoo, odoo), Effect.orDie),
          }).pipe(Effect.ensuring(Effect.orDie(unlocked)))
        }).pipe(Effect.provide(ports)),
      600_000,
    )
  }
})
