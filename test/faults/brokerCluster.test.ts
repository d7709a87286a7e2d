import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { Random } from "../../fixtures/generator/Random.ts"
import { publications, type Scenario } from "../../fixtures/scenario.ts"
import type { Publication } from "../../src/broker/Broker.ts"
import * as JetStreamBroker from "../../src/broker/JetStreamBroker.ts"
import * as Input from "./Input.ts"
import * as Installation from "./Installation.ts"
import { seedOf } from "./seed.ts"

const SIZE = { consultants: 8, days: 6 }
const LATENCY = 0.1
const FROZEN = "5 seconds"
/** Longer than Weir needs to find out that a consumer is silent, and to make another one. */
const SILENCE = "60 seconds"

/**
 * Publishes again what the broker confirmed and has no more: its 2.9 may lose some when leaders change in quick succession,
 * and a publisher's outbox would send it again. Answers how many.
 */
const restored = Effect.fnUntraced(function* (url: string, scenario: Scenario) {
  const broker = yield* JetStreamBroker.make({ servers: url })
  const stored = yield* Stream.runCollect(broker.read({ subject: "erp.>", fromSequence: 1 }))
  const kept = new Set(stored.map(({ headers }) => headers["nats-msg-id"]))
  const lost = yield* Effect.promise(async () => {
    const found: Array<Publication> = []
    for await (const one of publications(scenario)) if (!kept.has(one.messageId)) found.push(one)
    return found
  })
  yield* broker.publish(lost)
  return lost.length
}, Effect.scoped)

describe("weir on a JetStream cluster of three", () => {
  it.live(
    "brings everything into Odoo, once, while one server is killed and another one frozen",
    () =>
      Effect.gen(function* () {
        const seed = seedOf("broker cluster")
        const random = new Random(seed, "broker cluster")
        const scenario = yield* Input.make({ ...SIZE, seed })
        const at = yield* Installation.make({ scenario, latency: LATENCY, brokers: 3 })
        const { events } = scenario.expected
        const middle = Math.ceil(events / 2)
        yield* at.publishPart(0, middle)
        const weir = yield* at.weir
        yield* at.until(Math.ceil(events * 0.1), weir)

        const killed = random.int(0, 2)
        const frozen = (killed + random.int(1, 2)) % 3
        const rest = yield* Effect.forkChild(at.publishPart(middle, events))
        yield* at.brokers[killed]!.crash
        yield* at.until(Math.ceil(events * 0.3), weir)
        yield* at.brokers[killed]!.start
        yield* Effect.sleep(random.int(500, 2_000))
        yield* at.brokers[frozen]!.freeze
        yield* Effect.sleep(FROZEN)
        yield* at.brokers[frozen]!.thaw
        yield* Fiber.join(rest)

        const all = yield* Effect.raceFirst(at.until(events, weir), Effect.as(Effect.sleep(SILENCE), null))
        if (all === null) {
          const lost = yield* restored(at.brokerUrl, scenario)
          assert.isAbove(lost, 0, "the broker has everything, and Weir does not go on")
          yield* Effect.logWarning(`the broker lost ${lost} confirmed messages`)
          yield* at.until(events, weir)
        }
        assert.deepStrictEqual(yield* at.wrong, [])
        assert.deepStrictEqual(yield* at.untold, [])
        yield* weir.signal("SIGTERM")
        assert.strictEqual((yield* weir.ended).code, 0)
      }),
    240_000,
  )
})
