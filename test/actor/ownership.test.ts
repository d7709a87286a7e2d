/** A session that another one has overtaken makes no further call to Odoo. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { StandIn } from "../../fixtures/odoo/StandIn.ts"
import { make as makeOdoo } from "../../fixtures/odoo/StandInOdoo.ts"
import { makeOwnership } from "../../src/actor/Ownership.ts"
import { isFenced, Ledger } from "../../src/ledger/Ledger.ts"
import * as MemoryLedger from "../../src/ledger/MemoryLedger.ts"
import * as CallGate from "../../src/odoo/CallGate.ts"
import { companyCalls } from "../../src/odoo/CompanyCalls.ts"
import { Odoo } from "../../src/odoo/Odoo.ts"

/** A session, and how often it asks whose the entity is. */
const session = Effect.gen(function* () {
  const real = yield* Ledger
  const claim = yield* real.claim("be01", "here")
  let asked = 0
  const counting = Ledger.of({
    ...real,
    readyFlows: (fence, flows) => Effect.suspend(() => (asked++, real.readyFlows(fence, flows))),
  })
  const ownership = yield* makeOwnership(claim).pipe(Effect.provideService(Ledger, counting))
  return { real, claim, ownership, asked: () => asked }
})

const world = Layer.mergeAll(
  MemoryLedger.layer,
  CallGate.layer({ databases: new Map([["main", { workers: 4, share: 1 }]]) }),
  Layer.succeed(Odoo, makeOdoo(new StandIn({ now: () => 0 }))),
)

/** The companies of the stand-in, through calls that wait for `owned`; and how many of them went out. */
const calling = (owned: Effect.Effect<void>) =>
  Effect.gen(function* () {
    const odoo = yield* Odoo
    let sent = 0
    const counting = Odoo.of({ ...odoo, call: (input) => Effect.suspend(() => (sent++, odoo.call(input))) })
    const place = { entity: "be01", database: "main", id: 3 }
    const calls = companyCalls(counting, yield* CallGate.CallGate, place, "normal", owned)
    return { read: calls.read("res.company", [3], ["name"]), sent: () => sent }
  })

describe("ownership", () => {
  it.effect("is asked for at first, and again when nothing was heard of the ledger for a while", () =>
    Effect.gen(function* () {
      const { asked, claim, ownership, real } = yield* session
      const { read, sent } = yield* calling(ownership.sure)
      yield* read
      assert.deepStrictEqual([sent(), asked()], [1, 1])
      yield* TestClock.adjust("9 seconds")
      yield* read
      assert.deepStrictEqual([sent(), asked()], [2, 1])
      yield* ownership.told(real.admit(claim, "customers", []))
      yield* TestClock.adjust("9 seconds")
      yield* read
      assert.deepStrictEqual([sent(), asked()], [3, 1], "the ledger's answer says it too")
      yield* TestClock.adjust("1 second")
      yield* read
      assert.deepStrictEqual([sent(), asked()], [4, 2])
    }).pipe(Effect.provide(world)))

  it.effect("that is another one's lets nothing out any more, and ends the session", () =>
    Effect.gen(function* () {
      const { ownership, real } = yield* session
      const { read, sent } = yield* calling(ownership.sure)
      yield* read
      // Frozen here: the other one takes over, and a verb that was told before proves nothing any more.
      yield* real.claim("be01", "there")
      yield* TestClock.adjust("16 seconds")
      const reading = yield* Effect.forkScoped(read)
      const exit = yield* Effect.exit(ownership.lost)
      assert.isTrue(Exit.isFailure(exit) && isFenced(exit.cause))
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual([sent(), reading.pollUnsafe()], [1, undefined])
      yield* Fiber.interrupt(reading)
    }).pipe(Effect.provide(world)))

  it.effect("waits for a ledger that is away, and goes on by itself", () =>
    Effect.gen(function* () {
      const { ownership } = yield* session
      const { read, sent } = yield* calling(ownership.sure)
      const { failNext } = yield* MemoryLedger.MemoryLedger
      yield* failNext(3, "before", "readyFlows")
      const reading = yield* Effect.forkScoped(read)
      yield* TestClock.adjust("10 millis")
      assert.strictEqual(sent(), 0)
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(reading)
      assert.strictEqual(sent(), 1)
    }).pipe(Effect.provide(world)))
})
