/** Proofs that nobody asks for: which are due when, one of each, and when a month is overdue. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Latch, Metric } from "effect"
import { TestClock } from "effect/testing"
import * as MemoryLedger from "../../src/ledger/MemoryLedger.ts"
import { type RunJson, Runs } from "../../src/ledger/Runs.ts"
import { dueAt, isOverdue, scheduleProofs } from "../../src/reconcile/schedule.ts"
import { proofOverdue } from "../../src/telemetry/Metrics.ts"

const schedule = { hour: 3, deadlineDays: 5 }
const at = (day: number, hour = 12) => Date.UTC(2026, 10, day, hour)

const all = Effect.map(
  Runs.use((runs) => runs.runs({ entity: "be01", kind: "reconciliation", limit: 50 })),
  (found) => found.map(({ runId, state }) => `${runId} ${state}`).toSorted(),
)

/** What the actor would make of it. */
const carriedOut = (runId: string, period: string, mismatches: number) =>
  Runs.use((runs) =>
    runs.change("be01", runId, ["examining"], {
      state: "done",
      result: {
        entity: "be01",
        period,
        at: "",
        scanned: { from: "", lastSequence: 0, messages: 0 },
        complete: mismatches === 0,
        mismatches,
        flows: [],
      } satisfies RunJson,
    })
  )

const overdue = Effect.map(
  Metric.value(Metric.withAttributes(proofOverdue, { entity: "be01" })),
  ({ value }) => value,
)

describe("the schedule of proofs", () => {
  it.effect("proves every day the current month, and the one before until it is complete, one of each", () =>
    Effect.gen(function* () {
      const nudged = Latch.makeUnsafe(false)
      yield* TestClock.setTime(at(2, 2))
      // Two owners for a while: whoever comes second finds that it is there.
      yield* Effect.forkScoped(scheduleProofs("be01", schedule, nudged))
      yield* Effect.forkScoped(scheduleProofs("be01", schedule, Latch.makeUnsafe(false)))
      yield* TestClock.adjust("30 minutes")
      assert.deepStrictEqual(yield* all, [], "before the hour")
      yield* TestClock.adjust("40 minutes")
      assert.deepStrictEqual(yield* all, ["daily-2026-11-02-2026-10 examining", "daily-2026-11-02-2026-11 examining"])
      assert.isTrue(Latch.isOpen(nudged))
      yield* carriedOut("daily-2026-11-02-2026-10", "2026-10", 3)
      yield* TestClock.adjust("1 day")
      const second = (yield* all).filter((line) => line.includes("2026-11-03"))
      assert.deepStrictEqual(second, ["daily-2026-11-03-2026-10 examining", "daily-2026-11-03-2026-11 examining"])
      yield* TestClock.setTime(at(6, 2))
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* overdue, 1, "October has three mismatches five days after its end")
      yield* carriedOut("daily-2026-11-03-2026-10", "2026-10", 0)
      yield* TestClock.adjust("2 hours")
      assert.strictEqual(yield* overdue, 0)
      const last = (yield* all).filter((line) => line.includes("2026-11-06"))
      assert.deepStrictEqual(last, ["daily-2026-11-06-2026-11 examining"], "October is proven")
    }).pipe(Effect.scoped, Effect.provide(MemoryLedger.layer)))

  it("knows the month before January, and the day after which it is overdue", () => {
    const january = (day: number) => Date.UTC(2026, 0, day, 12)
    assert.deepStrictEqual(dueAt(schedule, january(2), false).map(({ period }) => period), ["2025-12", "2026-01"])
    assert.deepStrictEqual([5, 6].map((day) => isOverdue(schedule, january(day), false)), [false, true])
    assert.isFalse(isOverdue(schedule, january(6), true))
  })
})
