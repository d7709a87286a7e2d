import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Broker } from "../../../src/broker/Broker.ts"
import * as MemoryBroker from "../../../src/broker/MemoryBroker.ts"
import type { Posting } from "../../../src/cli/surge/postings.ts"
import { Feed, replay, type ReplayOptions } from "../../../src/cli/surge/replay.ts"
import { Track } from "../../../src/cli/surge/Track.ts"

const HOUR = 3_600_000

const postingsAt = (...moments: ReadonlyArray<number>): ReadonlyArray<Posting> =>
  moments.map((atMillis, index) => ({
    atMillis,
    event: null,
    publication: {
      subject: "erp.be01.customer.upserted",
      headers: {},
      data: new TextEncoder().encode(String(index)),
      messageId: String(index),
    },
  }))

const feedOf = (postings: ReadonlyArray<Posting>): Feed =>
  new Feed((async function* () {
    yield* postings
  })())

const start = (postings: ReadonlyArray<Posting>, options: Partial<ReplayOptions>) =>
  Effect.gen(function* () {
    const broker = yield* Broker
    yield* broker.provision
    const track = new Track(0)
    const feed = feedOf(postings)
    const fiber = yield* Effect.forkChild(replay({ feed, broker, track, speed: 1, fromMillis: 0, ...options }))
    return { broker, track, feed, fiber }
  })

/** Virtual time, with a turn of real promises after every step: reading a file takes some. */
const pass = (millis: number) =>
  Effect.gen(function* () {
    for (let step = 0; step < 10; step++) {
      yield* TestClock.adjust(millis / 10)
      yield* Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
    }
  })

describe("a replay", () => {
  it.effect("publishes every event at its moment", () =>
    Effect.gen(function* () {
      const { fiber, track } = yield* start(postingsAt(0, 10_000, 20_000, 20_001), {})
      yield* pass(1_000)
      assert.strictEqual(track.published, 1)
      yield* pass(8_000)
      assert.strictEqual(track.published, 1)
      yield* pass(2_000)
      assert.strictEqual(track.published, 2)
      yield* pass(10_000)
      assert.strictEqual(track.published, 4)
      yield* Fiber.join(fiber)
    }).pipe(Effect.provide(MemoryBroker.layer())))

  it.effect("goes through an hour in a minute at sixty times the pace", () =>
    Effect.gen(function* () {
      const { fiber, track } = yield* start(postingsAt(0, HOUR / 2, HOUR), { speed: 60 })
      yield* pass(29_000)
      assert.strictEqual(track.published, 1)
      yield* pass(2_000)
      assert.strictEqual(track.published, 2)
      yield* pass(30_000)
      yield* Fiber.join(fiber)
      assert.strictEqual(track.published, 3)
    }).pipe(Effect.provide(MemoryBroker.layer())))

  it.effect("waits for nothing at full speed, and keeps the order", () =>
    Effect.gen(function* () {
      const moments = Array.from({ length: 1_200 }, (_, index) => index * HOUR)
      const { broker, fiber, track } = yield* start(postingsAt(...moments), { speed: "max" })
      yield* Fiber.join(fiber)
      assert.strictEqual(track.published, 1_200)
      const stored = yield* Stream.runCollect(broker.read({ subject: "erp.>", fromSequence: 1 }))
      const numbers = stored.map(({ data }) => Number(new TextDecoder().decode(data)))
      assert.deepStrictEqual(numbers, moments.map((_, index) => index))
    }).pipe(Effect.provide(MemoryBroker.layer())))

  it.effect("begins and ends where it is told, and leaves the rest in the feed", () =>
    Effect.gen(function* () {
      const { broker, feed, fiber, track } = yield* start(postingsAt(0, HOUR, 2 * HOUR, 3 * HOUR), {
        speed: "max",
        untilMillis: HOUR - 1,
      })
      yield* Fiber.join(fiber)
      assert.strictEqual(track.published, 1)
      const paced = yield* Effect.forkChild(
        replay({ feed, broker, track, speed: 3_600, fromMillis: HOUR, untilMillis: 2 * HOUR }),
      )
      yield* pass(500)
      assert.strictEqual(track.published, 2)
      yield* pass(600)
      yield* Fiber.join(paced)
      assert.strictEqual(track.published, 3)
      assert.strictEqual((yield* Effect.promise(() => feed.peek()))?.atMillis, 3 * HOUR)
    }).pipe(Effect.provide(MemoryBroker.layer())))

  it.effect("goes on when the broker is back, and tells how late it is", () =>
    Effect.gen(function* () {
      const faults = yield* MemoryBroker.BrokerFaults
      const lags: Array<number> = []
      const { fiber, track } = yield* start(postingsAt(0, 1_000, 2_000), { lag: (millis) => void lags.push(millis) })
      yield* pass(100)
      yield* faults.setReachable(false)
      yield* pass(5_000)
      assert.strictEqual(track.published, 1)
      yield* faults.setReachable(true)
      yield* pass(1_000)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual([track.published, track.dropped], [3, 0])
      assert.isAbove(Math.max(...lags), 3_000)
    }).pipe(Effect.provide(MemoryBroker.layer())))
})
