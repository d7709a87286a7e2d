import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { TestClock } from "effect/testing"
import { LegalEntity } from "../../src/actor/LegalEntity.ts"
import type { EventRecord } from "../../src/ledger/Ledger.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { catalog } from "../../streams/catalog.ts"
import { customer } from "../streams/samples.ts"
import { ports, publication, publish, running, tallies } from "./World.ts"

/** Few, so that a few hundred events are a crowd. */
const IN_FLIGHT = 40
const BATCH = { size: 10, concurrency: 2, linger: 20 }
const HOT = "CUS-HOT"
const flows = catalog.map((flow) => flow.name === "customers" ? { ...flow, inFlight: IN_FLIGHT, batch: BATCH } : flow)

/** Nine events of the hot customer, one of another, and so on; versions tell their order. */
const crowd = (events: number) =>
  Array.from({ length: events }, (_, n) => {
    const key = n % 10 === 9 ? `CUS-${n}` : HOT
    return publication("customer.upserted", { ...customer, key, name: `Version ${n}` }, { sequence: n + 1 })
  })

const tick = (millis: number) =>
  Effect.andThen(
    TestClock.adjust(millis),
    Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve))),
  )
/** Ticks until `what` holds; fails when it does not within so many. */
const until = <E, R>(what: string, holds: Effect.Effect<boolean, E, R>, ticks: number, millis = 100) =>
  Effect.gen(function* () {
    for (let n = 0; n < ticks; n++) {
      yield* tick(millis)
      if (yield* holds) return
    }
    assert.fail(`${what} did not come to pass`)
  })

const slowOdoo = (millis: number) => ports({ odoo: { latency: { workers: 4, cost: () => millis } } })
const written = (world: ReturnType<typeof slowOdoo>) =>
  [...world.standIn.store.tables.get("res.partner")!.rows.values()].filter((row) =>
    String(row["ref"]).startsWith("CUS-")
  )
const customers = Effect.map(tallies(), (all) => all.get("customers"))

describe("fairness between keys", () => {
  it.effect("a key with nine tenths of all events does not hold up the others, nor fill the places in flight", () => {
    const events = 240
    const world = slowOdoo(50)
    return Effect.gen(function* () {
      yield* publish(...crowd(events))
      const client = yield* LegalEntity.client
      let othersDone = Infinity
      let most = 0
      const done = Effect.gen(function* () {
        const { flows } = yield* client("be01").Status()
        most = Math.max(most, flows.find(({ flow }) => flow === "customers")?.inFlight ?? 0)
        if (written(world).length === events / 10 + 1) {
          othersDone = Math.min(othersDone, yield* Clock.currentTimeMillis)
        }
        return (yield* customers)?.applied === events
      })
      yield* until("all being applied, none overtaken", done, 3_000)
      const all = yield* Clock.currentTimeMillis
      assert.isBelow(othersDone * 4, all, `the others were done at ${othersDone} of ${all} ms`)
      assert.isAtMost(most, IN_FLIGHT + BATCH.size, "what the ledger hands back comes on top, a batch of it at most")
      const hot = written(world).find((row) => row["ref"] === HOT)
      assert.strictEqual(hot?.["name"], `Version ${events - 2}`, "the last of the hot key's versions stands")
    }).pipe(Effect.provide(running({ flows })), Effect.provide(world.layer))
  })

  it.effect("keeps the order of a key whose events were set aside when its owner is cut off again and again", () => {
    const world = slowOdoo(1_000)
    return Effect.gen(function* () {
      const few = crowd(30).filter((_, n) => n % 10 !== 9)
      yield* publish(...few)
      const ledger = yield* Ledger
      const isSetAside = Effect.map(customers, (flow) => flow?.ready === 1 && flow.behind > 10)
      // Cut while the first one is being written and others are held: the stream brings them again.
      for (const afterMillis of [0, 300, 700, 1_100, 2_600]) {
        yield* until("events being set aside", isSetAside, 200)
        yield* tick(afterMillis)
        yield* ledger.claim("be01", "somebody else")
        yield* tick(5_000)
      }
      yield* until("all being applied", Effect.map(customers, (flow) => flow?.applied === few.length), 2_000)
      assert.deepInclude(yield* customers, { superseded: 0, duplicate: 0, behind: 0, ready: 0, parked: 0 })
    }).pipe(Effect.provide(running({ flows })), Effect.provide(world.layer))
  })

  it.effect("hands back what was held before the stream lost its place", () => {
    const world = slowOdoo(50)
    return Effect.gen(function* () {
      const [message] = crowd(1)
      const ledger = yield* Ledger
      const claim = yield* ledger.claim("be01", "who was here before")
      const event: EventRecord = {
        eventId: "test#held",
        type: "customer.upserted",
        flow: "customers",
        key: HOT,
        version: 1,
        streamSequence: 1_000,
        storedAtMillis: 0,
        payloadHash: "hash",
        correlationId: null,
        attempts: 1,
      }
      yield* ledger.settle(claim, {
        outcomes: [{ _tag: "Behind", event, message: message! }],
        checkpoints: new Map(),
      })
      const one = Effect.map(customers, (flow) => flow?.applied === 1)
      yield* until("the held event being applied", one, 200).pipe(Effect.provide(running({ flows })))
      assert.strictEqual(written(world).length, 1)
    }).pipe(Effect.provide(world.layer))
  })
})
