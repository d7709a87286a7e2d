/** Waits between tries, in virtual time. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { TestClock } from "effect/testing"
import { restartBackoff, untilAvailable } from "../../src/actor/patience.ts"
import { elapsedMillis } from "../../src/telemetry/elapsed.ts"

interface Life {
  readonly began: number
  readonly ended: number
}

/** Fails with each of `lives` after so many milliseconds, then lasts; answers when each one began and ended. */
const failing = (lives: ReadonlyArray<number>) => {
  const lived: Array<Life> = []
  const part = Effect.gen(function* () {
    const began = yield* elapsedMillis
    const life = lives[lived.length]
    if (life === undefined) return yield* Effect.never
    yield* Effect.sleep(life)
    lived.push({ began, ended: yield* elapsedMillis })
    return yield* Effect.fail({ message: "away", isRetryable: true })
  })
  return { lived, part }
}

/** Waits between the lives, in milliseconds. */
const waitsOf = (lived: ReadonlyArray<Life>) => lived.slice(1).map(({ began }, n) => began - lived[n]!.ended)

const isAbout = (actual: ReadonlyArray<number>, expected: ReadonlyArray<number>) => {
  assert.lengthOf(actual, expected.length)
  for (const [n, wait] of expected.entries()) assert.approximately(actual[n]!, wait, wait / 5 + 1, `wait ${n + 1}`)
}

const hour = 3_600_000

describe("waits between tries", () => {
  it.effect("double up to the longest one while a part fails at once, and begin anew after it ran well", () =>
    Effect.gen(function* () {
      const { lived, part } = failing([0, 0, 0, 0, 0, 0, 0, 0, 0, 30_000, 2 * hour, 0, hour, 0, 0])
      yield* Effect.forkScoped(part.pipe(Effect.retry(restartBackoff)))
      yield* TestClock.adjust("6 hours")
      isAbout(waitsOf(lived), [
        ...[200, 400, 800, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000],
        ...[15_000, 200, 400, 200, 400],
      ])
    }))

  it.effect("of a dependency are told once, and again when it worked in between", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ message }) => void lines.push(String(message)))
    return Effect.gen(function* () {
      const { lived, part } = failing([0, 0, 0, hour, 0, hour])
      yield* Effect.forkScoped(part.pipe(untilAvailable("intake")))
      yield* TestClock.adjust("3 hours")
      isAbout(waitsOf(lived), [50, 100, 200, 50, 100])
      const line = "intake waits for a dependency and goes on by itself: away"
      assert.deepStrictEqual(lines, [line, line, line])
    }).pipe(Effect.provide(Logger.layer([logger])))
  })
})
