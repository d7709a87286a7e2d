import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Random } from "../../fixtures/generator/Random.ts"
import { format, fromOdooFloat } from "../../schemas/money.ts"
import { BigDecimal } from "effect"
import { seedOf } from "../faults/seed.ts"
import { pass, ports } from "../simulation/World.ts"
import { moneyKept } from "./money.suite.ts"

describe("money", () => {
  it.effect("never changes by a rounding unit from event to Odoo and back", () => {
    const seed = seedOf("money")
    return Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 10, 22))
      yield* moneyKept({ seed, run: "m1", count: 36, moment: pass(1), patience: 300 })
    }).pipe(Effect.provide(ports().layer))
  }, 120_000)

  it("comes back from a float as it went in, whatever its scale", () => {
    const seed = seedOf("floats")
    const random = new Random(seed)
    for (let n = 0; n < 20_000; n++) {
      const scale = random.int(0, 3)
      const minor = BigInt(random.int(1, 10 ** random.int(1, 12))) * (random.chance(0.5) ? -1n : 1n)
      const text = format(BigDecimal.make(minor, scale), scale)
      assert.strictEqual(format(fromOdooFloat(Number(text), scale), scale), text, `seed ${seed}`)
    }
  })
})
