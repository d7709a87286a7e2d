/** Archivings that nobody asks for: one a day, and whether the last one failed. And what policies come to. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Latch, Metric } from "effect"
import { TestClock } from "effect/testing"
import { beforeMillis, monthOf, type Retention } from "../../src/archive/policy.ts"
import { dueAt, scheduleArchives } from "../../src/archive/schedule.ts"
import { check } from "../../src/config/load.ts"
import * as MemoryLedger from "../../src/ledger/MemoryLedger.ts"
import { Runs } from "../../src/ledger/Runs.ts"
import { archiveAge, archiveOverdue } from "../../src/telemetry/Metrics.ts"

const retention: Retention = {
  directory: "unused",
  hour: 4,
  events: Duration.days(62),
  exceptions: Duration.days(100),
  audit: Duration.zero,
  runs: Duration.days(400),
  unproven: "keep",
}
const at = (day: number, hour = 12) => Date.UTC(2026, 10, day, hour)

describe("retention", () => {
  it("counts in whole months, and zero is for ever", () => {
    // 62 days before 26 November is 25 September.
    assert.strictEqual(beforeMillis(retention, "events", at(26)), Date.UTC(2026, 8, 1))
    assert.strictEqual(beforeMillis(retention, "corrections", at(26)), Date.UTC(2026, 7, 1))
    assert.strictEqual(beforeMillis(retention, "audit", at(26)), null)
    assert.deepStrictEqual(monthOf("2026-12"), { fromMillis: Date.UTC(2026, 11, 1), toMillis: Date.UTC(2027, 0, 1) })
  })

  it.effect("is refused below two months, and taken with days", () =>
    Effect.gen(function* () {
      const loaded = (events: string) => check("test", { retention: { directory: "x", events } }, {})
      for (const wrong of ["30 days", "61 days", "2 hours", "1 day", "-70 days"]) {
        assert.include((yield* Effect.flip(loaded(wrong))).message, "62")
      }
      const { configuration } = yield* loaded("62 days")
      assert.deepStrictEqual(configuration.retention?.events, Duration.days(62))
      assert.deepStrictEqual(configuration.retention?.audit, Duration.days(1_100))
      assert.isTrue(Duration.isZero((yield* loaded("0 days")).configuration.retention!.events))
    }))

  it.effect("is carried out once a day, from its hour on, and shows a failure until one succeeds", () =>
    Effect.gen(function* () {
      const entities = Array.from({ length: 40 }, (_, n) => `en${n}`)
      const due = (millis: number) => entities.filter((entity) => dueAt(retention, entity, millis) !== null).length
      assert.deepStrictEqual([due(at(26, 4) - 1), due(at(26, 5))], [0, 40])
      assert.isBelow(Math.abs(due(at(26, 4) + 1_800_000) - 20), 15, "spread over an hour")
      assert.strictEqual(dueAt(retention, "be01", at(26, 5)), "archive-2026-11-26")
      const runs = yield* Runs
      const nudged = Latch.makeUnsafe(false)
      const ids = Effect.map(runs.runs({ entity: "be01", limit: 9 }), (found) => found.map(({ runId }) => runId))
      const value = (metric: typeof archiveAge) =>
        Effect.map(Metric.value(Metric.withAttributes(metric, { entity: "be01" })), ({ value }) => value)
      yield* TestClock.setTime(at(26, 3))
      yield* Effect.forkScoped(scheduleArchives("be01", retention, nudged))
      yield* TestClock.adjust("30 minutes")
      assert.deepStrictEqual(yield* ids, [])
      yield* TestClock.adjust("2 hours")
      assert.deepStrictEqual(yield* ids, ["archive-2026-11-26"])
      yield* nudged.await
      yield* runs.change("be01", "archive-2026-11-26", ["examining"], { state: "failed", trouble: "no space" })
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* value(archiveOverdue), 1)
      yield* TestClock.adjust("24 hours")
      assert.deepStrictEqual(yield* ids, ["archive-2026-11-27", "archive-2026-11-26"])
      yield* runs.change("be01", "archive-2026-11-27", ["examining"], { state: "done" })
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* value(archiveOverdue), 0)
      assert.isAtMost(yield* value(archiveAge), 600)
    }).pipe(Effect.provide(MemoryLedger.layer), Effect.scoped))
})
