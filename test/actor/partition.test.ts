import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { keepToPart, partiesOf } from "../../src/actor/partition.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import * as MemoryLedger from "../../src/ledger/MemoryLedger.ts"
import { CallGate, layer } from "../../src/odoo/CallGate.ts"

const entities = new Map([
  ["be01", { database: "main" }],
  ["be02", { database: "main" }],
  ["uk01", { database: "other" }],
])
const databases = new Map([["main", { workers: 8, share: 1 }], ["other", { workers: 8, share: 1 }]])
const caps = Effect.map(CallGate.use((gate) => gate.snapshot), (doors) => doors.map(({ cap }) => cap))

describe("runners of a cluster", () => {
  it("are counted by database, however many entities each has; entities that nobody configures do not count", () => {
    const owned = (owner: string, ...codes: ReadonlyArray<string>) => codes.map((entity) => ({ entity, owner }))
    assert.deepStrictEqual(
      partiesOf([...owned("a", "be01", "uk01", "_unrouted"), ...owned("b", "be02", "gone")], entities),
      new Map([["main", 2], ["other", 1]]),
    )
    assert.deepStrictEqual(partiesOf(owned("a", "be01", "be02"), entities), new Map([["main", 1]]))
  })

  it.effect("divide what Weir may ask of an Odoo, and take it back when they are alone", () =>
    Effect.gen(function* () {
      const ledger = yield* Ledger
      yield* ledger.claim("be01", "a:1")
      yield* ledger.claim("be02", "b:2")
      yield* ledger.claim("uk01", "b:2")
      yield* Effect.forkScoped(keepToPart(entities))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* caps, [4, 8])
      yield* ledger.claim("be02", "a:1")
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* caps, [8, 8])
      const { failNext } = yield* MemoryLedger.MemoryLedger
      yield* failNext(1, "before", "owners")
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* caps, [8, 8], "a ledger that is away changes nothing")
      yield* ledger.claim("be01", "c:3")
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* caps, [4, 8])
    }).pipe(Effect.provide([MemoryLedger.layer, layer({ databases })])))
})
