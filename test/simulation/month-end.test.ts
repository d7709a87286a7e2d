import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { agrees, compare, load, publications, settled } from "../../fixtures/scenario.ts"
import { pass, ports, publish, running } from "./World.ts"

describe("month-end-small in virtual time", () => {
  it.effect(
    "ends with exactly the records, sums and exceptions that its generator expects",
    () =>
      Effect.gen(function* () {
        const scenario = yield* load("fixtures/month-end-small")
        const world = ports({ standIn: { employees: scenario.employees } })
        yield* Effect.gen(function* () {
          yield* publish(...(yield* Effect.promise(() => Array.fromAsync(publications(scenario)))))
          yield* pass(60)
          assert.strictEqual(yield* settled, scenario.expected.events)
          const figures = yield* compare(scenario)
          assert.deepStrictEqual(figures.filter((figure) => !agrees(figure)), [])
          assert.isAbove(figures.length, 100)
        }).pipe(Effect.provide(running({ configuration: scenario.configuration })), Effect.provide(world.layer))
      }),
    60_000,
  )
})
