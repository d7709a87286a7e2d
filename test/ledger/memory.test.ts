import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import process from "node:process"
import { layer, make } from "../../src/ledger/MemoryLedger.ts"
import { accessSuite } from "./Access.suite.ts"
import { archivesSuite } from "./Archives.suite.ts"
import { deskSuite } from "./Desk.suite.ts"
import { ledgerSuite } from "./Ledger.suite.ts"
import { recallSuite } from "./Recall.suite.ts"
import { runsSuite } from "./Runs.suite.ts"
import { applied, parked, settlement } from "./outcomes.ts"
import { everything, randomWork, seedsOf } from "./random.ts"

ledgerSuite("memory", layer)
accessSuite("memory", layer)
recallSuite("memory", layer)
runsSuite("memory", layer)
deskSuite("memory", layer)
archivesSuite("memory", layer)

describe("MemoryLedger", () => {
  it.effect("fails before a call took effect, or after, as often as planned", () =>
    Effect.gen(function* () {
      const { ledger, failNext, inspect } = yield* make
      const fence = yield* ledger.claim("be01", "here")
      const settle = ledger.settle(fence, settlement([applied("e1"), parked("e2", { key: "B" })]))
      const events = Effect.map(inspect, ([state]) => state?.events.map((known) => known.state))
      yield* failNext(2, "before", "settle")
      for (let n = 0; n < 2; n++) {
        assert.deepStrictEqual(yield* ledger.outbox(fence, 1), [])
        const error = yield* Effect.flip(settle)
        assert.deepStrictEqual([error.reason, error.isRetryable], ["Unavailable", true])
        assert.deepStrictEqual(yield* events, [])
      }
      yield* failNext(1, "after")
      assert.strictEqual((yield* Effect.flip(settle)).reason, "Unavailable")
      assert.deepStrictEqual(yield* events, ["applied", "parked"])
      yield* settle
      assert.deepStrictEqual((yield* ledger.tallies())[0]?.applied, 1)
    }))

  it.effect.each(seedsOf(process.env["WEIR_SEED"]))(
    "has tallies equal to the counts after random work, seed %i",
    (seed) =>
      Effect.gen(function* () {
        const { ledger, inspect } = yield* make
        const fence = yield* ledger.claim("be01", "here")
        for (const step of randomWork(seed, 300)) yield* step(ledger, fence)
        const [state] = yield* inspect
        const { tallies } = yield* everything(ledger, fence)
        for (const tally of tallies) {
          for (const name of ["applied", "superseded", "waiting", "parked", "behind", "ready"] as const) {
            const count = state?.events.filter((known) => known.record.flow === tally.flow && known.state === name)
              .length
            assert.strictEqual(tally[name], count, `seed ${seed}, ${tally.flow} ${name}`)
          }
        }
        assert.isAbove(tallies.reduce((sum, tally) => sum + tally.applied, 0), 10, "the work did something")
      }),
  )
})
