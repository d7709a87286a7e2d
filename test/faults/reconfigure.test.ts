import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Input from "./Input.ts"
import * as Installation from "./Installation.ts"
import { seedOf } from "./seed.ts"

const SIZE = { consultants: 9, days: 5 }
const LATENCY = 0.2

const without = (entity: string) => (given: Installation.Configured) => {
  const { [entity]: _, ...entities } = given.entities
  return { ...given, entities }
}

describe("weir run, under a file that changes", () => {
  it.live(
    "takes up an added and a changed legal entity in the middle of the work, and refuses a wrong file",
    () =>
      Effect.gen(function* () {
        const scenario = yield* Input.make({ ...SIZE, seed: seedOf("reconfigure") })
        const { events } = scenario.expected
        const [late, changed] = Object.keys(scenario.expected.entities)
        const at = yield* Installation.make({ scenario, latency: LATENCY })
        yield* at.reconfigure(without(late!))
        const weir = yield* at.weir
        yield* weir.said(/status on/u)

        // Found by looking.
        yield* at.reconfigure((given) => given)
        yield* weir.said(new RegExp(`configuration taken up; added: ${late}$`, "u"))
        yield* at.publish
        yield* at.until(Math.ceil(events / 4), weir)

        // Told by a signal.
        yield* at.reconfigure((given) => ({
          ...given,
          entities: { ...given.entities, [changed!]: { ...given.entities[changed!], latePolicy: "approval" } },
        }))
        yield* weir.signal("SIGHUP")
        yield* weir.said(new RegExp(`configuration taken up; changed: ${changed}$`, "u"))
        assert.isBelow(yield* at.settled, events, "it is at work")

        yield* at.reconfigure(() => "{")
        yield* weir.said(/1 problem in .*the one before goes on/u)

        yield* at.until(events, weir)
        assert.deepStrictEqual(yield* at.wrong, [])
        const epochs = yield* at.epochs
        for (const entity of Object.keys(scenario.expected.entities)) {
          assert.strictEqual(epochs.get(entity), entity === changed ? 2 : 1, entity)
        }
        yield* weir.signal("SIGTERM")
        assert.deepStrictEqual(yield* weir.ended, { code: 0, signal: null })
      }),
    120_000,
  )
})
