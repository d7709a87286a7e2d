import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { TestClock } from "effect/testing"
import { LegalEntity } from "../../src/actor/LegalEntity.ts"
import { depthOf } from "../../src/actor/aside.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { catalog } from "../../streams/catalog.ts"
import { customer } from "../streams/samples.ts"
import { ports, publication, publish, running, tallies } from "./World.ts"

const EVENTS = 2_000
const HOT = "CUS-HOT"
/** As Odoo on a small machine. */
const CALL = 50

/** Nine events of the hot customer, one of another, and so on; versions tell their order. */
const events = Array.from({ length: EVENTS }, (_, n) => {
  const key = n % 10 === 9 ? `CUS-${n}` : HOT
  return publication("customer.upserted", { ...customer, key, name: `Version ${n}` }, { sequence: n + 1 })
})
const others = EVENTS / 10
const { inFlight } = catalog.find(({ name }) => name === "customers")!

const tick = (millis: number) =>
  Effect.andThen(
    TestClock.adjust(millis),
    Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve))),
  )

const slowOdoo = (millis = CALL) => ports({ odoo: { latency: { workers: 4, cost: () => millis } } })
const written = (world: ReturnType<typeof slowOdoo>) =>
  [...world.standIn.store.tables.get("res.partner")!.rows.values()].filter((row) =>
    String(row["ref"]).startsWith("CUS-")
  )
const applied = Effect.map(tallies(), (flows) => {
  const customers = flows.get("customers")
  return (customers?.applied ?? 0) + (customers?.superseded ?? 0)
})

describe("fairness between keys", () => {
  it.effect("a key with nine tenths of all events does not hold up the others, nor fill the places in flight", () => {
    const world = slowOdoo()
    return Effect.gen(function* () {
      yield* publish(...events)
      const client = yield* LegalEntity.client
      let othersDone = Infinity
      let most = 0
      while ((yield* applied) < EVENTS) {
        yield* tick(100)
        const { flows } = yield* client("be01").Status()
        most = Math.max(most, flows.find(({ flow }) => flow === "customers")?.inFlight ?? 0)
        const now = yield* Clock.currentTimeMillis
        if (othersDone === Infinity && written(world).length === others + 1) othersDone = now
        assert.isBelow(now, 3_600_000, "it must come to an end")
      }
      const all = yield* Clock.currentTimeMillis
      assert.isBelow(othersDone * 3, all, `the others were done at ${othersDone} of ${all} ms`)
      assert.isAtMost(most, inFlight)
      const hot = written(world).find((row) => row["ref"] === HOT)
      assert.strictEqual(hot?.["name"], "Version 1998", "the last of the hot key's versions stands")
      assert.strictEqual((yield* tallies()).get("customers")?.applied, EVENTS, "none overtook another")
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  }, 60_000)

  it.effect("keeps the order of a key whose events were set aside when its owner is cut off again and again", () => {
    const world = slowOdoo(1_000)
    return Effect.gen(function* () {
      const few = events.filter((_, n) => n % 10 !== 9).slice(0, depthOf(inFlight) + 10)
      yield* publish(...few)
      const ledger = yield* Ledger
      // Cut while the first one is being written and its followers are held.
      for (let step = 0; step < 200 && (yield* tallies()).get("customers")?.behind !== few.length - 2; step++) {
        yield* tick(100)
      }
      assert.deepInclude((yield* tallies()).get("customers"), { applied: 0, ready: 1, behind: few.length - 2 })
      for (let cut = 1; cut <= 4; cut++) {
        // What is in flight is lost with this epoch; the stream brings it again.
        yield* ledger.claim("be01", "somebody else")
        for (let step = 0; step < 100 + cut * 3; step++) yield* tick(100)
      }
      for (let step = 0; step < 3_000 && (yield* applied) < few.length; step++) yield* tick(100)
      const customers = (yield* tallies()).get("customers")
      assert.deepInclude(customers, { applied: few.length, superseded: 0, behind: 0, ready: 0, parked: 0 })
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  }, 60_000)
})
