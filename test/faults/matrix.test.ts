import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import process from "node:process"
import { inTurn } from "./matrix/turns.ts"
import { striking } from "./matrix/faults.ts"
import { seedOf } from "./seed.ts"
import { words } from "./words.ts"

describe("weir, when everything fails in turn", () => {
  it.live(
    "loses nothing, writes nothing twice, keeps every key's order, and says what it waits for",
    () =>
      Effect.gen(function* () {
        const { lines, turns, wrong } = yield* inTurn(
          seedOf("faults in turn"),
          ({ fault, seconds, strikes }) =>
            process.stderr.write(`${fault.name}: ${seconds.toFixed(1)} s, struck ${strikes} times\n`),
        )
        assert.deepStrictEqual(wrong, [])
        assert.deepStrictEqual(turns.map(({ fault }) => fault.name), striking.map(({ name }) => name))
        for (const [name, { back, midway }] of Object.entries(words)) {
          assert.isTrue(lines.some(({ message }) => midway.test(message)), `says that the ${name} is away`)
          assert.isTrue(lines.some(({ message }) => back.test(message)), `says that the ${name} is back`)
        }
      }),
    480_000,
  )
})
