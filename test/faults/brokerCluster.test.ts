import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Random } from "../../fixtures/generator/Random.ts"
import * as Input from "./Input.ts"
import * as Installation from "./Installation.ts"
import { seedOf } from "./seed.ts"

const SIZE = { consultants: 8, days: 6 }
const LATENCY = 0.1
const FROZEN = "5 seconds"

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

        yield* at.until(events, weir)
        assert.deepStrictEqual(yield* at.wrong, [])
        assert.deepStrictEqual(yield* at.untold, [])
        yield* weir.signal("SIGTERM")
        assert.strictEqual((yield* weir.ended).code, 0)
      }),
    240_000,
  )
})
