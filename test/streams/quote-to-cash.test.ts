/** The executable example `docs/examples/quote-to-cash/` on the stand-in, in virtual time. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { walk } from "../../docs/examples/quote-to-cash/walk.ts"
import { pass, ports } from "../simulation/World.ts"

const page = readFileSync(new URL("../../docs/examples/quote-to-cash/README.md", import.meta.url), "utf8")

describe("quote to cash on the stand-in", () => {
  it.effect("goes as its page says", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* walk("01", { moment: pass(1), patience: 600 }), page)
    }).pipe(Effect.provide(ports().layer)), 60_000)
})
