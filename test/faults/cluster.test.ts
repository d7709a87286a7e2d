import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Random } from "../../fixtures/generator/Random.ts"
import * as Input from "./Input.ts"
import * as Installation from "./Installation.ts"
import * as Program from "../../src/cli/lab/Program.ts"
import { seedOf } from "./seed.ts"

const SIZE = { consultants: 8, days: 6 }
const LATENCY = 0.1
/** Longer than the test profile's locks last. */
const FROZEN = "8 seconds"
const LOOKS = 600

const busiest = (runners: ReadonlyArray<Program.Program>, owners: ReadonlyMap<string, number>): Program.Program => {
  const owned = ({ pid }: Program.Program) => [...owners.values()].filter((owner) => owner === pid).length
  return runners.reduce((most, runner) => owned(runner) > owned(most) ? runner : most)
}

/** Waits until every entity is owned by one of `runners`. */
const takenBy = Effect.fnUntraced(function* (at: Installation.Installation, runners: ReadonlyArray<Program.Program>) {
  const pids = new Set(runners.map(({ pid }) => pid))
  const wanted = Object.keys(at.scenario.expected.entities).length
  for (let look = 0;; look++) {
    const owners = [...(yield* at.owners).values()].filter((pid) => pids.has(pid))
    if (owners.length === wanted) return
    assert.isBelow(look, LOOKS, "the entities are not taken over")
    yield* Effect.sleep("100 millis")
  }
})

describe("weir, several of one cluster", () => {
  it.live(
    "moves entities when runners are killed, frozen, stopped and started: nothing lost, nothing twice",
    () =>
      Effect.gen(function* () {
        const seed = seedOf("cluster")
        const random = new Random(seed, "cluster")
        const scenario = yield* Input.make({ ...SIZE, seed })
        const at = yield* Installation.make({ scenario, latency: LATENCY })
        const { events } = scenario.expected
        yield* at.publish
        const runners = yield* Effect.forEach([0, 1, 2], at.runner)
        yield* at.until(Math.ceil(events * 0.1), runners[0]!)
        const place = (runner: Program.Program) => runners.indexOf(runner)
        const others = (runner: Program.Program) => runners.filter((each) => each !== runner)

        const killed = busiest(runners, yield* at.owners)
        yield* Effect.sleep(random.int(0, 300))
        yield* killed.signal("SIGKILL")
        yield* takenBy(at, others(killed))
        assert.isBelow(yield* at.settled, events, "it was still at work")
        runners[place(killed)] = yield* at.runner(place(killed))

        const frozen = busiest(runners, yield* at.owners)
        yield* frozen.signal("SIGSTOP")
        yield* Effect.sleep(FROZEN)
        yield* takenBy(at, others(frozen))
        yield* frozen.signal("SIGCONT")

        const stopped = others(frozen)[0]!
        yield* stopped.signal("SIGTERM")
        assert.strictEqual((yield* stopped.ended).code, 0)
        const last = yield* at.runner(place(stopped))
        runners[place(stopped)] = last

        yield* at.until(events, frozen)
        // The others may have been done before this one was up, and a process that loads its modules dies of a signal.
        yield* last.said(/status on/u)
        assert.deepStrictEqual(yield* at.wrong, [])
        assert.deepStrictEqual(yield* at.untold, [])
        for (const runner of runners) {
          assert.isTrue(runner.isAlive())
          yield* runner.signal("SIGTERM")
        }
        for (const runner of runners) {
          const ended = yield* runner.ended
          assert.deepStrictEqual(ended, { code: 0, signal: null }, Program.tail(runner.lines))
        }
      }),
    240_000,
  )
})
