/** Whether the heap is enough for what is configured, now and later. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, SubscriptionRef } from "effect"
import { TestClock } from "effect/testing"
import { heapNeededMiB, heapProblem, watchHeap } from "../../src/cli/heap.ts"
import type { Settings } from "../../src/config/Configuration.ts"
import { check } from "../../src/config/load.ts"
import { catalog } from "../../streams/catalog.ts"
import { configuration } from "../simulation/World.ts"

/** So many legal entities that take all flows, or those that are named. */
const settingsOf = (count: number, flows?: ReadonlyArray<string>): Effect.Effect<Settings> =>
  Effect.orDie(check("test", {
    ...configuration,
    entities: Object.fromEntries(
      Array.from({ length: count }, (_, n) => [`be${n + 10}`, {
        ...configuration.entities.be01,
        company: n + 1,
        ...(flows !== undefined && { flows }),
      }]),
    ),
  }, {})).pipe(Effect.map(({ configuration }) => configuration))

describe("the heap", () => {
  it.effect("is enough or not by what each legal entity takes", () =>
    Effect.gen(function* () {
      const needed = heapNeededMiB(80 * catalog.length)
      assert.isNull(heapProblem(yield* settingsOf(80), needed))
      const problem = heapProblem(yield* settingsOf(80), needed - 1)
      assert.include(problem?.detail, `80 legal entities with ${80 * catalog.length} flows need about ${needed}`)
      assert.include(problem?.action, `--max-old-space-size=${needed}`)
      assert.isNull(heapProblem(yield* settingsOf(80, ["customers"]), needed - 1))
    }))

  it.effect("is told of at the start and whenever more is configured, once each", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ message }) => void lines.push(String(message)))
    return Effect.gen(function* () {
      const settings = yield* SubscriptionRef.make(yield* settingsOf(10))
      yield* Effect.forkScoped(watchHeap({ settings }, heapNeededMiB(50 * catalog.length)))
      const counts: Array<number> = []
      for (const entities of [10, 50, 51, 51, 20, 60]) {
        yield* SubscriptionRef.set(settings, yield* settingsOf(entities))
        yield* TestClock.adjust(1)
        counts.push(lines.length)
      }
      assert.deepStrictEqual(counts, [0, 0, 1, 1, 1, 2])
      assert.include(lines[0], "the heap is bounded to")
    }).pipe(Effect.provide(Logger.layer([logger])))
  })
})
