/** A small month replayed onto itself and proven, on the stand-in, in virtual time. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { pass, ports } from "../simulation/World.ts"
import { monthReplayed } from "./month.suite.ts"

describe("a small month on the stand-in", () => {
  it.effect(
    "is all there, brings again what was deleted, and tells what people changed",
    () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(Date.UTC(2026, 10, 22))
        const { events } = yield* monthReplayed("01", { moment: pass(1), patience: 300 })
        assert.strictEqual(events, 67)
      }).pipe(Effect.provide(ports().layer)),
    120_000,
  )
})
