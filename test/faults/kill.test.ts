import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Random } from "../../fixtures/generator/Random.ts"
import { load } from "../../fixtures/scenario.ts"
import * as Installation from "./Installation.ts"
import { seedOf } from "./seed.ts"

/** Parts of all events that are settled when the blow falls, and then up to so many milliseconds later. */
const BLOWS = [0.05, 0.25, 0.5, 0.8]
const JITTER_MILLIS = 400
/** Slow enough that a month-end takes many seconds and a kill lands in the middle of it. */
const LATENCY = 0.02

describe("weir, killed hard", () => {
  it.live(
    "brings a whole month-end into Odoo, nothing lost and nothing twice, killed again and again",
    () =>
      Effect.gen(function* () {
        const random = new Random(seedOf("kill"), "kill")
        const scenario = yield* load("fixtures/month-end-small")
        const { events } = scenario.expected
        const at = yield* Installation.make({ scenario, latency: LATENCY })
        yield* at.publish
        let caught = 0
        for (const blow of BLOWS) {
          const weir = yield* at.weir
          yield* at.until(Math.ceil(events * blow), weir)
          yield* Effect.sleep(random.int(0, JITTER_MILLIS))
          caught += (yield* Installation.inFlight(weir)) ?? 0
          yield* weir.signal("SIGKILL")
          assert.strictEqual((yield* weir.ended).signal, "SIGKILL")
          assert.isBelow(yield* at.settled, events, "it was still at work")
        }
        assert.isAbove(caught, 0, "events were in its hands when it died")
        const weir = yield* at.weir
        yield* at.until(events, weir)
        assert.deepStrictEqual(yield* at.wrong, [])
        assert.deepStrictEqual(yield* at.untold, [])
        yield* weir.signal("SIGTERM")
        assert.strictEqual((yield* weir.ended).code, 0)
      }),
    240_000,
  )
})
