/** The flows' fixtures on the stand-in, in virtual time. */
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { fixtures } from "../../fixtures/replay/Fixture.ts"
import { pass, ports } from "../simulation/World.ts"
import { replayed } from "./fixtures.suite.ts"

/** A day on which none of the fixtures' documents is late. */
const TODAY = Date.UTC(2026, 10, 22)

describe("the flows' fixtures on the stand-in", () => {
  for (const fixture of fixtures()) {
    it.effect(fixture.name, () => {
      const world = ports()
      return Effect.gen(function* () {
        yield* TestClock.setTime(TODAY)
        yield* replayed(fixture, "01", {
          moment: pass(1),
          patience: 600,
          lock: (company, lock, day) => Effect.sync(() => world.standIn.lock(company, lock, day)),
        })
      }).pipe(Effect.provide(world.layer))
    }, 60_000)
  }
})
