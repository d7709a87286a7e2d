import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, Random, Ref, Scheduler } from "effect"
import { TestClock } from "effect/testing"
import type { Lane } from "../../src/flow/Lane.ts"
import { AdaptiveLimit } from "../../src/odoo/AdaptiveLimit.ts"
import { type Caller, CallGate, type GateDatabase, layer, make } from "../../src/odoo/CallGate.ts"
import { settableClock } from "../actor/setClock.ts"
import { FairQueue, lanes } from "../../src/odoo/FairQueue.ts"
import { OdooError } from "../../src/odoo/Odoo.ts"

const gateOf = (database: GateDatabase, maxWaiting?: number) =>
  layer({ databases: new Map([["main", database]]), ...(maxWaiting !== undefined && { maxWaiting }) })
const one: GateDatabase = { workers: 1, share: 1 }
const caller = (lane: Lane, entity = "be01"): Caller => ({ lane, entity })
const contention = new OdooError({
  code: "ODOO-CONTENTION",
  operation: "res.partner/load",
  message: "concurrent update",
})

const stateOf = Effect.map(CallGate.use((gate) => gate.snapshot), ([state]) => state!)

describe("CallGate", () => {
  it.effect("lets through what the configuration says now: another share, another database", () =>
    Effect.gen(function* () {
      const databases = new Map<string, GateDatabase>([["main", one]])
      const gate = yield* make({ databases })
      const running = new Set<number>()
      const hold = (n: number) =>
        Effect.forkChild(
          gate.run("main", caller("normal"), Effect.andThen(Effect.sync(() => running.add(n)), Effect.never)),
          { startImmediately: true },
        )
      const fibers = yield* Effect.forEach([1, 2, 3], hold)
      assert.strictEqual(running.size, 1)
      databases.set("main", { workers: 8, share: 0.5 })
      fibers.push(yield* hold(4))
      assert.deepInclude((yield* gate.snapshot)[0]!, { cap: 4, running: 4 })
      for (const fiber of fibers) yield* Fiber.interrupt(fiber)
      databases.set("other", one)
      assert.strictEqual(yield* gate.run("other", caller("normal"), Effect.succeed(7)), 7)
      databases.delete("main")
      const refused = yield* Effect.flip(gate.run("main", caller("normal"), Effect.void))
      assert.strictEqual(refused.code, "ODOO-REFUSED-CALL")
      assert.deepStrictEqual((yield* gate.snapshot).map(({ database }) => database), ["other"])
    }))

  it.effect("gives lanes turns by weight while all are busy, and none starves", () =>
    Effect.gen(function* () {
      const gate = yield* CallGate
      const order: Array<Lane> = []
      // The first call holds the only place until everybody waits.
      const first = yield* Effect.forkChild(gate.run("main", caller("normal"), Effect.sleep("1 second")), {
        startImmediately: true,
      })
      const fibers = []
      for (const lane of ["backfill", "bulk", "normal", "critical"] as const) {
        for (let n = 0; n < 150; n++) {
          fibers.push(
            yield* Effect.forkChild(gate.run("main", caller(lane), Effect.sync(() => order.push(lane))), {
              startImmediately: true,
            }),
          )
        }
      }
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(first)
      yield* Effect.forEach(fibers, Fiber.join)
      const busy = order.slice(0, 150)
      const turns = (lane: Lane) => busy.filter((each) => each === lane).length
      // The call that held the place was one of the normal lane's turns.
      assert.deepStrictEqual(lanes.map(turns), [81, 39, 20, 10])
      assert.strictEqual(order.length, 600)
    }).pipe(Effect.provide(gateOf(one))))

  it.effect("gives entities of a lane turns one by one, however many calls each has waiting", () =>
    Effect.gen(function* () {
      const gate = yield* CallGate
      const order: Array<string> = []
      const first = yield* Effect.forkChild(gate.run("main", caller("bulk"), Effect.sleep("1 second")), {
        startImmediately: true,
      })
      const fibers = []
      for (const [entity, calls] of [["loud", 20], ["calm", 3], ["shy", 1]] as const) {
        for (let n = 0; n < calls; n++) {
          fibers.push(
            yield* Effect.forkChild(gate.run("main", caller("bulk", entity), Effect.sync(() => order.push(entity))), {
              startImmediately: true,
            }),
          )
        }
      }
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(first)
      yield* Effect.forEach(fibers, Fiber.join)
      assert.deepStrictEqual(order.slice(0, 7), ["loud", "calm", "shy", "loud", "calm", "loud", "calm"])
    }).pipe(Effect.provide(gateOf(one))))

  /** Calls one after the other, as a write plan makes them. */
  const plan = (lane: Lane, calls: number, note: (lane: Lane) => void) =>
    Effect.gen(function* () {
      const gate = yield* CallGate
      for (let n = 0; n < calls; n++) {
        yield* gate.run("main", caller(lane), Effect.andThen(Effect.sync(() => note(lane)), Effect.sleep("100 millis")))
      }
    })

  it.effect("lets a critical plan wait once behind what runs, and not before each of its calls", () =>
    Effect.gen(function* () {
      const order: Array<Lane> = []
      for (let n = 0; n < 50; n++) {
        yield* Effect.forkChild(plan("bulk", 1, (lane) => order.push(lane)), { startImmediately: true })
      }
      const critical = yield* Effect.forkChild(plan("critical", 8, (lane) => order.push(lane)), {
        startImmediately: true,
      })
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(critical)
      assert.deepStrictEqual(order.slice(0, 9), ["bulk", ...Array.from({ length: 8 }, () => "critical" as const)])
      assert.strictEqual(order.length, 58)
    }).pipe(Effect.provide(gateOf(one))))

  it.effect("starves nobody by critical plans that follow one another without end", () =>
    Effect.gen(function* () {
      const order: Array<Lane> = []
      for (let n = 0; n < 200; n++) {
        yield* Effect.forkChild(plan("bulk", 1, (lane) => order.push(lane)), { startImmediately: true })
      }
      yield* Effect.forkChild(plan("critical", 2_000, (lane) => order.push(lane)), { startImmediately: true })
      yield* TestClock.adjust("60 seconds")
      const bulk = order.filter((lane) => lane === "bulk").length
      // By weight, 2 of 10 turns.
      assert.approximately(bulk / order.length, 0.2, 0.03)
    }).pipe(Effect.provide(gateOf(one))))

  it.effect("gives the place of a critical call that nobody follows to the next in line, after a moment", () =>
    Effect.gen(function* () {
      const begun: Array<number> = []
      yield* Effect.forkChild(plan("critical", 1, () => {}), { startImmediately: true })
      yield* Effect.forkChild(
        CallGate.use((gate) =>
          gate.run(
            "main",
            caller("bulk"),
            Effect.clockWith((clock) => Effect.map(clock.currentTimeMillis, (now) => void begun.push(now))),
          )
        ),
        { startImmediately: true },
      )
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(begun, [110])
      assert.strictEqual((yield* stateOf).running, 0)
    }).pipe(Effect.provide(gateOf(one))))

  for (const seed of [1, 7, 20261031]) {
    it.effect(`never lets in more than its cap and leaks no place, on random schedules (seed ${seed})`, () =>
      Effect.gen(function* () {
        const gate = yield* CallGate
        const running = yield* Ref.make(0)
        let most = 0
        let interrupted = 0
        const call = Effect.gen(function* () {
          most = Math.max(most, yield* Ref.updateAndGet(running, (n) => n + 1))
          yield* Effect.sleep(yield* Random.nextIntBetween(1, 50))
          const chance = yield* Random.nextIntBetween(0, 10)
          if (chance === 0) return yield* contention
          if (chance === 1) return yield* Effect.die("broken")
        }).pipe(Effect.ensuring(Ref.update(running, (n) => n - 1)))
        const fibers: Array<Fiber.Fiber<void, OdooError>> = []
        for (let n = 0; n < 400; n++) {
          const lane = lanes[yield* Random.nextIntBetween(0, lanes.length - 1)]!
          const entity = `e${yield* Random.nextIntBetween(0, 5)}`
          fibers.push(yield* Effect.forkChild(gate.run("main", { lane, entity, operation: "x/load" }, call)))
          if ((yield* Random.nextIntBetween(0, 3)) === 0) yield* TestClock.adjust(yield* Random.nextIntBetween(0, 20))
          if ((yield* Random.nextIntBetween(0, 4)) === 0) {
            interrupted++
            yield* Fiber.interrupt(fibers[yield* Random.nextIntBetween(0, fibers.length - 1)]!)
          }
          const state = yield* stateOf
          assert.isAtMost(state.running, 4)
          assert.isAtLeast(state.limit, 1)
        }
        yield* TestClock.adjust("1 hour")
        for (const fiber of fibers) yield* Fiber.await(fiber)
        const state = yield* stateOf
        assert.isAtMost(most, 4)
        assert.isAtLeast(interrupted, 1)
        assert.strictEqual(state.running, 0)
        assert.deepStrictEqual(state.waiting, { critical: 0, normal: 0, bulk: 0, backfill: 0 })
      }).pipe(Effect.provide(gateOf({ workers: 8, share: 0.5 })), Random.withSeed(seed)))
  }

  it.effect("gives the place of an interrupted call to the next one", () =>
    Effect.gen(function* () {
      const gate = yield* CallGate
      const stuck = yield* Effect.forkChild(gate.run("main", caller("bulk"), Effect.never), { startImmediately: true })
      const leaver = yield* Effect.forkChild(gate.run("main", caller("bulk"), Effect.never), { startImmediately: true })
      const next = yield* Effect.forkChild(gate.run("main", caller("bulk"), Effect.succeed("through")), {
        startImmediately: true,
      })
      yield* Fiber.interrupt(leaver)
      assert.strictEqual((yield* stateOf).waiting.bulk, 1)
      yield* Fiber.interrupt(stuck)
      assert.strictEqual(yield* Fiber.join(next), "through")
      assert.strictEqual((yield* stateOf).running, 0)
    }).pipe(Effect.provide(gateOf(one))))

  it.effect("gets its place back from a caller that is interrupted at whatever point of its entry", () =>
    Effect.gen(function* () {
      const gate = yield* CallGate
      for (let turns = 0; turns < 60; turns++) {
        const entering = yield* Effect.forkChild(
          // A fiber that yields every few operations can be interrupted between any two of them.
          Effect.provideService(gate.run("main", caller("bulk"), Effect.never), Scheduler.MaxOpsBeforeYield, 3),
        )
        for (let n = 0; n < turns; n++) yield* Effect.yieldNow
        yield* Fiber.interrupt(entering)
        assert.strictEqual((yield* stateOf).running, 0, `after ${turns} turns`)
      }
      assert.strictEqual(yield* gate.run("main", caller("bulk"), Effect.succeed("through")), "through")
    }).pipe(Effect.provide(gateOf(one))))

  it.effect("starts no more calls a second than the database allows", () =>
    Effect.gen(function* () {
      const gate = yield* CallGate
      const started = yield* Ref.make(0)
      yield* Effect.forEach(
        Array.from({ length: 10 }),
        () => Effect.forkChild(gate.run("main", caller("normal"), Ref.update(started, (n) => n + 1))),
      )
      yield* TestClock.adjust(0)
      assert.strictEqual(yield* Ref.get(started), 1)
      yield* TestClock.adjust("499 millis")
      assert.strictEqual(yield* Ref.get(started), 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Ref.get(started), 2)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Ref.get(started), 10)
    }).pipe(Effect.provide(gateOf({ workers: 4, share: 1, callsPerSecond: 2 }))))

  it.effect("keeps to the rate when the clock is set back, and stops for no hour", () =>
    Effect.gen(function* () {
      const { clock, set } = yield* settableClock
      yield* Effect.gen(function* () {
        const gate = yield* CallGate
        const started = yield* Ref.make(0)
        const call = gate.run("main", caller("bulk"), Ref.update(started, (count) => count + 1))
        for (let n = 0; n < 10; n++) yield* Effect.forkChild(call, { startImmediately: true })
        yield* TestClock.adjust("1 second")
        set(-3_600_000)
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(yield* Ref.get(started), 10)
      }).pipe(Effect.provideService(Clock.Clock, clock))
    }).pipe(Effect.provide(gateOf({ workers: 4, share: 1, callsPerSecond: 2 }))))

  /** Starts calls that never end; answers how many of them run. */
  const hanging = Effect.fnUntraced(function* (calls: number, caller: Caller) {
    const gate = yield* CallGate
    const started = yield* Ref.make(0)
    const hang = gate.run("main", caller, Effect.andThen(Ref.update(started, (n) => n + 1), Effect.never))
    for (let n = 0; n < calls; n++) yield* Effect.forkChild(hang, { startImmediately: true })
    return Ref.get(started)
  })

  it.effect("keeps to its part of share and rate when several processes call the same Odoo", () =>
    Effect.gen(function* () {
      const gate = yield* CallGate
      yield* gate.divide("main", 1 / 2)
      const started = yield* hanging(30, caller("normal"))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* started, 2, "half of the limit that it begins with")
      assert.strictEqual((yield* stateOf).cap, 4)
      yield* gate.divide("main", 1)
      assert.strictEqual(yield* started, 4, "those who wait hear of it at once")
      yield* gate.divide("main", 1 / 100)
      assert.deepStrictEqual([(yield* stateOf).cap, (yield* stateOf).limit], [1, 1], "never nothing")
    }).pipe(Effect.provide(gateOf({ workers: 8, share: 1 }))))

  it.effect("starts its part of the calls a second", () =>
    Effect.gen(function* () {
      const gate = yield* CallGate
      const started = yield* Ref.make(0)
      yield* gate.divide("main", 1 / 4)
      yield* Effect.forEach(
        Array.from({ length: 10 }),
        () => Effect.forkChild(gate.run("main", caller("normal"), Ref.update(started, (n) => n + 1))),
      )
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* Ref.get(started), 3, "one at once, and one every two seconds")
    }).pipe(Effect.provide(gateOf({ workers: 4, share: 1, callsPerSecond: 2 }))))

  /** Brings the limit to its cap. */
  const rise = Effect.gen(function* () {
    const gate = yield* CallGate
    const call = gate.run("main", { ...caller("bulk", "risen"), operation: "x/load" }, Effect.sleep("10 millis"))
    for (let n = 0; n < 200; n++) yield* Effect.forkChild(call)
    yield* TestClock.adjust("10 seconds")
    const { cap, limit } = yield* stateOf
    assert.strictEqual(limit, cap)
  })
  /** Bulk calls one after the other, counted by entity. */
  const busy = (entity: string, answered: Map<string, number>) =>
    Effect.flatMap(CallGate, (gate) =>
      Effect.forever(gate.run(
        "main",
        caller("bulk", entity),
        Effect.andThen(
          Effect.sync(() => answered.set(entity, (answered.get(entity) ?? 0) + 1)),
          Effect.sleep("100 millis"),
        ),
      )))
  const eight: GateDatabase = { workers: 8, share: 1 }

  it.effect("leaves an entity whose calls hang its part of the places while others wait", () =>
    Effect.gen(function* () {
      yield* rise
      const answered = new Map<string, number>()
      for (const entity of ["be02", "be03", "be04"]) {
        for (let n = 0; n < 8; n++) yield* Effect.forkChild(busy(entity, answered))
      }
      yield* TestClock.adjust("10 seconds")
      answered.clear()
      const stuck = yield* hanging(8, caller("bulk", "be01"))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* stuck, 2, "a quarter of eight places")
      for (const entity of ["be02", "be03", "be04"]) assert.approximately(answered.get(entity)!, 200, 10)
    }).pipe(Effect.provide(gateOf(eight))))

  it.effect("finds a place for a newcomer when all calls of the one entity that was at work hang", () =>
    Effect.gen(function* () {
      yield* rise
      const gate = yield* CallGate
      const stuck = yield* hanging(50, caller("critical"))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* stuck, 7)
      assert.strictEqual(yield* gate.run("main", caller("backfill", "be02"), Effect.succeed("through")), "through")
    }).pipe(Effect.provide(gateOf(eight))))

  it.effect("gives an entity all places when no other one called for a minute", () =>
    Effect.gen(function* () {
      yield* rise
      yield* TestClock.adjust("1 minute")
      const started = yield* hanging(50, caller("bulk"))
      assert.strictEqual(yield* started, 8)
    }).pipe(Effect.provide(gateOf(eight))))

  it.effect("divides among those who wait in the same lane or a more urgent one: lanes come first", () =>
    Effect.gen(function* () {
      yield* rise
      for (const entity of ["be02", "be03", "be04"]) {
        for (let n = 0; n < 8; n++) yield* Effect.forkChild(busy(entity, new Map()))
      }
      yield* TestClock.adjust("1 second")
      const bulk = yield* hanging(8, caller("bulk", "be01"))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* bulk, 2)
      const urgent = yield* hanging(8, caller("critical", "be05"))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* urgent, 6, "all that is left")
    }).pipe(Effect.provide(gateOf(eight))))

  it.effect("does not let late calls of one entity fill a limit that trouble has lowered", () =>
    Effect.gen(function* () {
      const gate = yield* CallGate
      for (let n = 0; n < 3; n++) {
        yield* Effect.exit(gate.run("main", caller("bulk", "be02"), contention))
        yield* TestClock.adjust("1 second")
      }
      assert.strictEqual((yield* stateOf).limit, 1)
      const stuck = yield* hanging(5, caller("bulk", "be01"))
      const other = yield* Effect.forkChild(gate.run("main", caller("bulk", "be02"), Effect.succeed("through")))
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual((yield* stateOf).waiting.bulk, 5)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(other), "through")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* stuck, 1, "its own next call waits for it")
    }).pipe(Effect.provide(gateOf(eight))))

  it.effect("gives an entity's less urgent calls their turns although its critical ones may have one place more", () =>
    Effect.gen(function* () {
      const gate = yield* CallGate
      // Of two places one is for the other entity, which called a moment ago.
      yield* gate.run("main", caller("bulk", "be02"), Effect.void)
      const answered = { critical: 0, normal: 0 }
      const calls = (lane: "critical" | "normal", millis: number) =>
        Effect.forever(gate.run(
          "main",
          caller(lane, "be01"),
          Effect.andThen(Effect.sync(() => answered[lane]++), Effect.sleep(millis)),
        ))
      // Never both at an end at once.
      for (const millis of [70, 110, 130, 170]) yield* Effect.forkChild(calls("critical", millis))
      yield* Effect.forkChild(calls("normal", 100))
      for (let n = 0; n < 1_000; n++) yield* TestClock.adjust("20 millis")
      assert.isAbove(answered.normal * 4, answered.critical, JSON.stringify(answered))
    }).pipe(Effect.provide(gateOf({ workers: 2, share: 1 }))))

  it.effect("refuses a caller when too many wait already", () =>
    Effect.gen(function* () {
      const gate = yield* CallGate
      for (let n = 0; n < 3; n++) {
        yield* Effect.forkChild(gate.run("main", caller("bulk"), Effect.never), { startImmediately: true })
      }
      const error = yield* Effect.flip(gate.run("main", caller("bulk"), Effect.void))
      assert.strictEqual(error.code, "ODOO-UNAVAILABLE")
      assert.include(error.message, "2 calls wait")
    }).pipe(Effect.provide(gateOf(one, 2))))

  it.effect("halves the limit on contention, once per round, and rises again while latency holds", () =>
    Effect.gen(function* () {
      const gate = yield* CallGate
      const round = (call: Effect.Effect<void, OdooError>, calls: number) =>
        Effect.gen(function* () {
          const fibers = yield* Effect.forEach(Array.from({ length: calls }), () =>
            Effect.forkChild(Effect.exit(gate.run("main", { ...caller("bulk"), operation: "x/load" }, call))))
          yield* TestClock.adjust("10 seconds")
          return yield* Effect.forEach(fibers, Fiber.join)
        })
      const answer = Effect.sleep("100 millis")
      yield* round(answer, 100)
      assert.strictEqual((yield* stateOf).limit, 16)
      const exits = yield* round(Effect.andThen(answer, contention), 16)
      assert.isTrue(exits.every(Exit.isFailure))
      assert.strictEqual((yield* stateOf).limit, 8)
      yield* round(answer, 200)
      assert.strictEqual((yield* stateOf).limit, 16)
    }).pipe(Effect.provide(gateOf({ workers: 16, share: 1 }))))
})

describe("AdaptiveLimit", () => {
  const feed = (limit: AdaptiveLimit, latency: number, times: number, from: number, kind = "x") => {
    for (let n = 0; n < times; n++) {
      limit.answered({ kind, startedAtMillis: from, endedAtMillis: from + latency, inFlight: limit.value })
    }
  }

  it("falls when calls of the same kind take three times as long, and comes back when they do not", () => {
    const limit = new AdaptiveLimit(16)
    feed(limit, 100, 100, 0)
    assert.strictEqual(limit.value, 16)
    feed(limit, 300, 15, 1000)
    assert.isBelow(limit.value, 8)
    feed(limit, 100, 100, 2000)
    assert.strictEqual(limit.value, 16)
  })

  it("takes a slow kind of call beside a fast one for normal", () => {
    const limit = new AdaptiveLimit(8)
    for (let n = 0; n < 50; n++) {
      feed(limit, 15, 1, n, "account.move/read 1")
      feed(limit, 3000, 1, n, "account.move/action_post 6")
    }
    assert.strictEqual(limit.value, 8)
  })

  it("does not rise on calls of a quiet hour", () => {
    const limit = new AdaptiveLimit(16)
    for (let n = 0; n < 100; n++) limit.answered({ kind: "x", startedAtMillis: n, endedAtMillis: n + 10, inFlight: 1 })
    assert.strictEqual(limit.value, 8)
  })

  it("never falls below one", () => {
    const limit = new AdaptiveLimit(4)
    for (let n = 0; n < 10; n++) limit.troubled(n, n)
    assert.strictEqual(limit.value, 1)
  })
})

describe("FairQueue", () => {
  const turns = (queue: FairQueue<{ readonly name: string }>, count: number) => {
    const counts: Record<string, number> = {}
    for (let n = 0; n < count; n++) {
      const { name } = queue.take()!
      counts[name] = (counts[name] ?? 0) + 1
    }
    return counts
  }

  it("gives an entity that closes its books four turns for one of another, in each lane, and none starves", () => {
    const queue = new FairQueue<{ readonly name: string }>()
    for (const entity of ["be01", "be02", "be03"]) {
      for (let n = 0; n < 100; n++) queue.add("normal", entity, { name: entity })
    }
    assert.deepStrictEqual(turns(queue, 30), { be01: 10, be02: 10, be03: 10 })
    queue.favour("be02", true)
    assert.deepStrictEqual(turns(queue, 60), { be01: 10, be02: 40, be03: 10 })
    queue.favour("be02", false)
    assert.deepStrictEqual(turns(queue, 30), { be01: 10, be02: 10, be03: 10 })
  })

  it("lets backfills step back while somebody closes the books, and does not leave them out", () => {
    const queue = new FairQueue<{ readonly name: string }>()
    for (const lane of ["critical", "bulk", "backfill"] as const) {
      for (let n = 0; n < 1_000; n++) queue.add(lane, "be01", { name: lane })
    }
    assert.deepStrictEqual(turns(queue, 110), { critical: 80, bulk: 20, backfill: 10 })
    queue.favour("be02", true)
    assert.deepStrictEqual(turns(queue, 810), { critical: 640, bulk: 160, backfill: 10 })
  })

  it("saves up no turns for an entity that was idle, and gives none to one that comes and goes", () => {
    const queue = new FairQueue<{ readonly name: string }>()
    for (let n = 0; n < 200; n++) queue.add("normal", "busy", { name: "busy" })
    turns(queue, 50)
    for (let n = 0; n < 50; n++) queue.add("normal", "idle", { name: "idle" })
    assert.deepStrictEqual(turns(queue, 20), { busy: 10, idle: 10 })
    const order = []
    for (let n = 0; n < 10; n++) {
      queue.add("normal", "one", { name: "one" })
      order.push(queue.take()!.name, queue.take()!.name, queue.take()!.name)
    }
    assert.strictEqual(order.filter((name) => name === "one").length, 10)
  })

  it("saves up no turns for a lane that was idle", () => {
    const queue = new FairQueue<{ readonly lane: Lane }>()
    for (let n = 0; n < 100; n++) queue.add("bulk", "be01", { lane: "bulk" })
    for (let n = 0; n < 50; n++) queue.take()
    for (let n = 0; n < 50; n++) queue.add("backfill", "be01", { lane: "backfill" })
    const next = Array.from({ length: 30 }, () => queue.take()!.lane)
    assert.strictEqual(next.filter((lane) => lane === "backfill").length, 10)
  })
})
