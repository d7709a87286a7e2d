import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { backoffMillis } from "../../src/actor/patience.ts"
import { type End, type Perseverance, persevere, type Retry } from "../../src/actor/persevere.ts"
import { elapsedMillis } from "../../src/telemetry/elapsed.ts"
import { settableClock } from "./setClock.ts"
import { make as makeHealth, OdooHealth } from "../../src/odoo/Health.ts"
import { OdooError } from "../../src/odoo/Odoo.ts"
import type { ReasonCode } from "../../src/reason/Reason.ts"

const errorOf = (code: ReasonCode) => new OdooError({ code, operation: "account.move/action_post", message: code })

const setup = (given: Partial<Perseverance> = {}) => {
  const health = makeHealth()
  const told: Array<Retry | null> = []
  const options: Perseverance = {
    database: "main",
    line: "be01 invoices",
    events: 1,
    patience: Duration.minutes(10),
    before: null,
    answers: Effect.succeed(false),
    ready: Effect.void,
    retrying: (_, retry) => Effect.sync(() => void told.push(retry)),
    ...given,
  }
  const run = (attempt: Effect.Effect<void, OdooError>) =>
    persevere(attempt, options).pipe(Effect.provideService(OdooHealth, health), Effect.forkChild)
  /** Another batch goes through every so often. */
  const others = Effect.gen(function* () {
    const writer = Symbol("others")
    while (true) {
      yield* Effect.sleep("5 seconds")
      health.served("main", writer, yield* elapsedMillis)
    }
  }).pipe(Effect.forkChild)
  return { health, told, run, others }
}

const isRunning = <A, E>(fiber: Fiber.Fiber<A, E>): boolean => fiber.pollUnsafe() === undefined

const givenUp = (end: End) => end._tag === "GivenUp" ? end : assert.fail(end._tag)

describe("backoff", () => {
  it("is short for collisions, longer for an Odoo that is away, much longer for a key, and capped", () => {
    const waits = (code: ReasonCode) => [1, 2, 3, 20, 2_000].map((tries) => backoffMillis(code, tries))
    assert.deepStrictEqual(waits("ODOO-CONTENTION"), [200, 400, 800, 5_000, 5_000])
    assert.deepStrictEqual(waits("ODOO-UNAVAILABLE"), [500, 1_000, 2_000, 15_000, 15_000])
    assert.deepStrictEqual(waits("ODOO-NO-ANSWER"), [500, 1_000, 2_000, 15_000, 15_000])
    assert.deepStrictEqual(waits("ODOO-AUTH"), [15_000, 30_000, 60_000, 60_000, 60_000])
  })
})

describe("persevere", () => {
  for (const code of ["ODOO-UNAVAILABLE", "ODOO-NO-ANSWER", "ODOO-CONTENTION", "ODOO-AUTH"] as const) {
    it.effect(`waits without end while nobody is served: ${code}`, () =>
      Effect.gen(function* () {
        const { run } = setup()
        const fiber = yield* run(Effect.fail(errorOf(code)))
        yield* TestClock.adjust("24 hours")
        assert.isTrue(isRunning(fiber))
        yield* Fiber.interrupt(fiber)
      }))
  }

  for (const code of ["ODOO-UNAVAILABLE", "ODOO-NO-ANSWER", "ODOO-CONTENTION", "ODOO-UNKNOWN-ANSWER"] as const) {
    it.effect(`gives up once it has failed for its patience while others were served: ${code}`, () =>
      Effect.gen(function* () {
        const { others, run } = setup()
        yield* others
        const fiber = yield* run(Effect.fail(errorOf(code)))
        yield* TestClock.adjust("9 minutes")
        assert.isTrue(isRunning(fiber))
        yield* TestClock.adjust("5 minutes")
        const end = givenUp(yield* Fiber.join(fiber))
        assert.strictEqual(end.error.code, code)
        assert.isAbove(end.history.tries, 30)
        assert.isAtLeast(end.history.countedMillis, 600_000)
      }))
  }

  it.effect("takes a clock that is set forward for no hour of failing", () =>
    Effect.gen(function* () {
      const { clock, set } = yield* settableClock
      yield* Effect.gen(function* () {
        const { others, run } = setup()
        yield* others
        const fiber = yield* run(Effect.fail(errorOf("ODOO-NO-ANSWER")))
        yield* TestClock.adjust("2 minutes")
        set(3_600_000)
        yield* TestClock.adjust("2 minutes")
        assert.isTrue(isRunning(fiber))
        set(-7_200_000)
        yield* TestClock.adjust("10 minutes")
        const { history } = givenUp(yield* Fiber.join(fiber))
        assert.isBelow(history.countedMillis, 700_000)
      }).pipe(Effect.provideService(Clock.Clock, clock))
    }))

  it.effect("never counts a refused key, whoever else is served", () =>
    Effect.gen(function* () {
      const { others, run } = setup({ answers: Effect.succeed(true) })
      yield* others
      const fiber = yield* run(Effect.fail(errorOf("ODOO-AUTH")))
      yield* TestClock.adjust("24 hours")
      assert.isTrue(isRunning(fiber))
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("asks Odoo when nothing else goes on, and believes its answer unless other lines fail too", () =>
    Effect.gen(function* () {
      const alone = setup({ answers: Effect.succeed(true) })
      const fiber = yield* alone.run(Effect.fail(errorOf("ODOO-NO-ANSWER")))
      yield* TestClock.adjust("12 minutes")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "GivenUp")

      const together = setup({ answers: Effect.succeed(true) })
      together.health.failed("main", Symbol("timesheets"), "be01 timesheets")
      const waiting = yield* together.run(Effect.fail(errorOf("ODOO-NO-ANSWER")))
      yield* TestClock.adjust("24 hours")
      assert.isTrue(isRunning(waiting))
      yield* Fiber.interrupt(waiting)
    }))

  it.effect("does not count the outage before others were served again", () =>
    Effect.gen(function* () {
      const { others, run } = setup()
      const fiber = yield* run(Effect.fail(errorOf("ODOO-NO-ANSWER")))
      yield* TestClock.adjust("3 hours")
      yield* others
      yield* TestClock.adjust("9 minutes")
      assert.isTrue(isRunning(fiber))
      yield* TestClock.adjust("3 minutes")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "GivenUp")
    }))

  it.effect("tells each failed try with its number and the next one's time, and that it is over", () =>
    Effect.gen(function* () {
      const { health, run, told } = setup()
      let left = 3
      const fiber = yield* run(
        Effect.suspend(() => left-- > 0 ? Effect.fail(errorOf("ODOO-CONTENTION")) : Effect.void),
      )
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* Fiber.join(fiber), { _tag: "Done", tries: 4 })
      assert.deepStrictEqual(told.map((retry) => retry?.attempts ?? null), [1, 2, 3, null])
      const pauses = told.flatMap((retry) => retry === null ? [] : [retry.nextTryMillis])
      assert.isTrue(pauses.every((next, n) => n === 0 || next > pauses[n - 1]!))
      assert.isTrue(health.servesSince("main", 0))
      assert.isFalse(health.failsElsewhere("main", "other"), "nothing of it is left")
    }))

  it.effect("leaves nothing behind when it is interrupted", () =>
    Effect.gen(function* () {
      const { health, run, told } = setup()
      const fiber = yield* run(Effect.fail(errorOf("ODOO-NO-ANSWER")))
      yield* TestClock.adjust("1 minute")
      assert.isTrue(health.failsElsewhere("main", "other"))
      yield* Fiber.interrupt(fiber)
      assert.isFalse(health.failsElsewhere("main", "other"))
      assert.isNull(told.at(-1))
    }))
})
