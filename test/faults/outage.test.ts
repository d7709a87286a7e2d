import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Input from "./Input.ts"
import * as Installation from "./Installation.ts"
import type { Program } from "../../src/cli/lab/Program.ts"
import { seedOf } from "./seed.ts"
import { words } from "./words.ts"

/** A few hundred events that keep the stand-in busy for some seconds. */
const SIZE = { consultants: 6, days: 5 }
const LATENCY = 0.15
/** Long enough that a busy machine is not taken for an Odoo that is away. */
const ODOO_TIMEOUT = "5 seconds"

const installed = Effect.fnUntraced(function* (test: string) {
  const scenario = yield* Input.make({ ...SIZE, seed: seedOf(test) })
  return yield* Installation.make({ scenario, latency: LATENCY, odooTimeout: ODOO_TIMEOUT })
})

/** Everything is settled in the end, as it must, by a process that never ended. */
const finished = Effect.fnUntraced(function* (at: Installation.Installation, weir: Program) {
  yield* at.until(at.scenario.expected.events, weir)
  assert.deepStrictEqual(yield* at.wrong, [])
  assert.deepStrictEqual(yield* at.untold, [])
  assert.isTrue(weir.isAlive())
  for (const { level, text } of weir.lines) assert.notInclude(["Error", "Fatal"], level, text)
})

describe("weir, when what it depends on goes away", () => {
  for (const name of ["broker", "database", "odoo"] as const) {
    it.live(`waits at its start for the ${name} and says so`, () =>
      Effect.gen(function* () {
        const at = yield* installed(`${name} away at start`)
        const server = at.servers[name]
        if (name !== "broker") yield* at.publish
        yield* server.stop
        const weir = yield* at.weir
        const { level } = yield* weir.said(words[name].atStart)
        assert.strictEqual(level, "Warn")
        yield* server.start
        if (name === "broker") yield* at.publish
        yield* finished(at, weir)
        if (name !== "odoo") yield* weir.said(words[name].back)
      }), 120_000)
  }

  it.live("does not skip in silence what comes after the broker has lost its stream", () =>
    Effect.gen(function* () {
      // The same numbers in another stream: one seed in which no two of them meet by chance.
      const scenario = yield* Input.make({ ...SIZE, seed: 1 })
      const { events } = scenario.expected
      const at = yield* Installation.make({ scenario, latency: LATENCY, odooTimeout: ODOO_TIMEOUT })
      const half = Math.ceil(events * 0.6)
      yield* at.publishPart(0, half)
      const first = yield* at.weir
      yield* at.until(half, first)
      yield* first.signal("SIGTERM")
      yield* first.ended

      yield* at.loseStream
      yield* at.publishPart(half, events)
      const second = yield* at.weir
      const { level } = yield* second.said(/^flow \w+ stopped and is restarted/u)
      assert.strictEqual(level, "Error")
      const told = second.lines.find(({ text }) => text.includes("delete the rows of weir.checkpoint"))
      assert.isDefined(told, "it says what to do")
      yield* second.signal("SIGTERM")
      yield* second.ended
      assert.isBelow(yield* at.settled, events)

      yield* at.rewind
      const third = yield* at.weir
      yield* at.until(events, third)
      assert.deepStrictEqual(yield* at.wrong, [])
    }), 120_000)
})
