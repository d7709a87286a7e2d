import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { TestClock } from "effect/testing"
import { makeCircuit } from "../../../src/actor/modes/Circuit.ts"
import { settableClock } from "../setClock.ts"

class Away extends Error {}

/** More than open a circuit. */
const FAILURES = 5
/** Longer than a circuit stays open that has just opened, and much shorter than the clock is set by. */
const SOON = "10 seconds"

describe("a circuit", () => {
  for (const hours of [-1, 1]) {
    it.effect(`asks again as soon as it would have, when the clock is set by ${hours} h`, () =>
      Effect.gen(function* () {
        const { clock, set } = yield* settableClock
        yield* Effect.gen(function* () {
          let works = false
          let probes = 0
          const circuit = yield* makeCircuit<Away>({
            entity: "be01",
            dependency: "odoo",
            judge: () => "failure",
            probe: Effect.suspend(() => {
              probes++
              return works ? Effect.void : Effect.fail(new Away("away"))
            }),
            changed: () => {},
            asks: false,
          })
          yield* Effect.forEach(
            Array.from({ length: FAILURES }),
            () => Effect.forkChild(Effect.exit(circuit.guard(Effect.fail(new Away("away"))))),
          )
          yield* TestClock.adjust(1)
          assert.strictEqual(circuit.state(), "open")
          set(hours * 3_600_000)
          works = true
          const before = probes
          yield* TestClock.adjust(SOON)
          assert.isAbove(probes, before)
          assert.strictEqual(circuit.state(), "closed")
        }).pipe(Effect.provideService(Clock.Clock, clock))
      }))
  }
})
