import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { makeWatchdog, type Watched } from "../../src/actor/Watchdog.ts"
import { Broker, BrokerError } from "../../src/broker/Broker.ts"

/** A flow whose consumer is set by hand. */
const consumerOf = (subject: string) => {
  const state = { delivered: 0, hasRoom: true, replaced: 0 }
  const watched: Watched = {
    subject,
    delivered: () => state.delivered,
    hasRoom: () => state.hasRoom,
    replace: Effect.sync(() => void state.replaced++),
  }
  return Object.assign(state, { watched })
}

/** What the stream holds by subject, and what was asked. */
const world = () => {
  const last = new Map<string, number>()
  const asked: Array<string> = []
  const away = new Set<string>()
  const layer = Layer.mock(Broker, {
    lastSequence: (subject) =>
      Effect.suspend(() => {
        asked.push(subject)
        return away.has(subject)
          ? Effect.fail(new BrokerError({ reason: "Unreachable", operation: "lastSequence", message: "away" }))
          : Effect.succeed(last.get(subject) ?? 0)
      }),
  })
  const takeAsked = () => asked.splice(0)
  return { last, away, layer, takeAsked }
}

const watch = Effect.fnUntraced(function* (...consumers: ReadonlyArray<ReturnType<typeof consumerOf>>) {
  const watchdog = yield* makeWatchdog
  yield* Effect.forkScoped(watchdog.run)
  return yield* Effect.forEach(
    consumers,
    ({ watched }) => Effect.forkScoped(watchdog.watching(watched)(Effect.never)),
  )
})

describe("watchdog", () => {
  it.effect("replaces a consumer when the stream is ahead of it at two looks, and once", () => {
    const { last, layer } = world()
    return Effect.gen(function* () {
      const consumer = consumerOf("a")
      yield* watch(consumer)
      last.set("a", 7)
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(consumer.replaced, 0)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(consumer.replaced, 1)
      consumer.delivered = 7
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(consumer.replaced, 1)
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.effect("leaves alone who has no room, and who has delivered meanwhile", () => {
    const { last, layer, takeAsked } = world()
    return Effect.gen(function* () {
      const [full, busy] = [consumerOf("full"), consumerOf("busy")]
      full.hasRoom = false
      last.set("full", 1_000).set("busy", 1_000)
      yield* watch(full, busy)
      for (let turn = 0; turn < 20; turn++) {
        busy.delivered++
        yield* TestClock.adjust("10 seconds")
      }
      assert.deepStrictEqual([full.replaced, busy.replaced], [0, 0])
      assert.deepStrictEqual(takeAsked(), [])
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.effect("asks for whom nothing comes less and less often, and soon again after a delivery", () => {
    const { last, layer, takeAsked } = world()
    return Effect.gen(function* () {
      const consumer = consumerOf("a")
      yield* watch(consumer)
      yield* TestClock.adjust("2 minutes")
      // After 20, 50 and 110 seconds.
      assert.strictEqual(takeAsked().length, 3)
      yield* TestClock.adjust("20 minutes")
      assert.strictEqual(takeAsked().length, 10)
      consumer.delivered = 1
      last.set("a", 2)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(consumer.replaced, 1)
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.effect("takes no answer for no proof, and asks the others at the next look", () => {
    const { away, last, layer, takeAsked } = world()
    return Effect.gen(function* () {
      const [a, b] = [consumerOf("a"), consumerOf("b")]
      yield* watch(a, b)
      last.set("a", 1).set("b", 1)
      away.add("a")
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(takeAsked(), ["a"])
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(takeAsked(), ["b"])
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual([a.replaced, b.replaced], [0, 1])
      away.clear()
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(a.replaced, 1)
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.effect("forgets a flow that has ended", () => {
    const { last, layer, takeAsked } = world()
    return Effect.gen(function* () {
      const consumer = consumerOf("a")
      const [flow] = yield* watch(consumer)
      last.set("a", 1)
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(takeAsked().length, 1)
      yield* Fiber.interrupt(flow!)
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual([takeAsked().length, consumer.replaced], [0, 0])
    }).pipe(Effect.scoped, Effect.provide(layer))
  })
})
