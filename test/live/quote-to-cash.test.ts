/** The executable example `docs/examples/quote-to-cash/` on a real Odoo 19: `docs/live-odoo.md`. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { walk } from "../../docs/examples/quote-to-cash/walk.ts"
import { ports } from "./ports.ts"

const page = readFileSync(new URL("../../docs/examples/quote-to-cash/README.md", import.meta.url), "utf8")

describe("quote to cash on a real Odoo", () => {
  it.live("goes as its page says", () =>
    Effect.gen(function* () {
      const run = `${Date.now().toString(36)}q`
      assert.strictEqual(yield* walk(run, { moment: Effect.sleep("250 millis"), patience: 1200 }), page)
    }).pipe(Effect.provide(ports)), 300_000)
})
