import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { keepToPart, partsOf } from "../../src/actor/partition.ts"
import { type EntitySettings, Roster } from "../../src/actor/Roster.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import * as MemoryLedger from "../../src/ledger/MemoryLedger.ts"
import { CallGate, layer } from "../../src/odoo/CallGate.ts"

const settings = (code: string, database: string): readonly [string, EntitySettings] => [code, {
  code,
  database,
  company: 1,
  currency: "EUR",
  journals: {},
  taxes: {},
  latePolicy: "exception",
  mode: "full",
}]
const entities = new Map([
  settings("be01", "main"),
  settings("be02", "main"),
  settings("nl01", "main"),
  settings("uk01", "other"),
])
const roster = Layer.succeed(Roster, {
  retention: null,
  rules: "test",
  owner: "a:1",
  entities,
  flows: [],
  feed: { every: Duration.zero, overlap: Duration.zero },
  changed: () => Effect.never,
})
const databases = new Map([["main", { workers: 9, share: 1 }], ["other", { workers: 8, share: 1 }]])
const caps = Effect.map(CallGate.use((gate) => gate.snapshot), (doors) => doors.map(({ cap }) => cap))
const owned = (owner: string, ...codes: ReadonlyArray<string>) => codes.map((entity) => ({ entity, owner }))

describe("runners of a cluster", () => {
  it("get a part of a database by the entities of it that they own; those that nobody configures do not count", () => {
    const owners = [...owned("a", "be01", "nl01", "uk01", "_unrouted"), ...owned("b", "be02", "gone")]
    assert.deepStrictEqual(partsOf("a", owners, entities), new Map([["main", 2 / 3], ["other", 1]]))
    assert.deepStrictEqual(partsOf("b", owners, entities), new Map([["main", 1 / 3], ["other", 1]]))
    assert.deepStrictEqual(partsOf("c", owners, entities), new Map([["main", 1 / 3], ["other", 1]]))
    assert.deepStrictEqual(partsOf("a", [], entities), new Map())
  })

  it("together get no more than there is, wherever the entities are", () => {
    for (let places = 0; places < 4 ** 3; places++) {
      const owners = ["be01", "be02", "nl01"].map((entity, n) => ({
        entity,
        owner: String(Math.floor(places / 4 ** n) % 4),
      }))
      const all = new Set(owners.map(({ owner }) => owner))
      const sum = [...all].reduce((total, owner) => total + partsOf(owner, owners, entities).get("main")!, 0)
      assert.approximately(sum, 1, 1e-12)
    }
  })

  it.effect("divide what Weir may ask of an Odoo, and take it back when they are alone", () =>
    Effect.gen(function* () {
      const ledger = yield* Ledger
      yield* ledger.claim("be01", "a:1")
      yield* ledger.claim("be02", "b:2")
      yield* ledger.claim("nl01", "b:2")
      yield* ledger.claim("uk01", "b:2")
      yield* Effect.forkScoped(keepToPart)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* caps, [3, 8])
      yield* ledger.claim("be02", "a:1")
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* caps, [6, 8])
      const { failNext } = yield* MemoryLedger.MemoryLedger
      yield* failNext(1, "before", "owners")
      yield* ledger.claim("nl01", "a:1")
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* caps, [6, 8], "a ledger that is away changes nothing")
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* caps, [9, 8])
    }).pipe(Effect.provide([roster, MemoryLedger.layer, layer({ databases })])))
})
