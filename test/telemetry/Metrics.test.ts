import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Metric } from "effect"
import { TestClock } from "effect/testing"
import { PrometheusMetrics } from "effect/observability"
import { OdooError } from "../../src/odoo/Odoo.ts"
import { all, flowMeter, gateGauges, timed, timedCall } from "../../src/telemetry/Metrics.ts"

/** A registry of its own for each test. */
const fresh = <A, E>(effect: Effect.Effect<A, E>) =>
  effect.pipe(Effect.provideService(Metric.MetricRegistry, new Map()))

describe("metrics", () => {
  it.effect("count a settlement per outcome and time each event", () =>
    fresh(Effect.gen(function* () {
      const meter = flowMeter("be01", "invoices")
      yield* meter.settled([["applied", 98], ["parked", 2]], [5, 40, 3_000])
      yield* meter.settled(new Map([["applied", 2]] as const), [])
      yield* meter.batch(100)
      yield* meter.inFlight(12)
      yield* meter.backlog(4_000)
      yield* meter.parked("TOTALS-MISMATCH", 2)
      yield* meter.retried("ODOO-CONTENTION", 1)
      yield* meter.restarted
      const text = yield* PrometheusMetrics.format()
      assert.include(text, `weir_events_total{entity="be01",flow="invoices",outcome="applied"} 100`)
      assert.include(text, `weir_events_total{entity="be01",flow="invoices",outcome="parked"} 2`)
      assert.include(text, `weir_event_latency_seconds_count{entity="be01",flow="invoices"} 3`)
      assert.include(text, `weir_event_latency_seconds_bucket{entity="be01",flow="invoices",le="0.01"} 1`)
      assert.include(text, `weir_events_in_flight{entity="be01",flow="invoices"} 12`)
      assert.include(text, `weir_events_backlog{entity="be01",flow="invoices"} 4000`)
      assert.include(text, `code="TOTALS-MISMATCH",kind="business"} 2`)
      assert.include(text, `weir_retries_total{entity="be01",flow="invoices",reason="ODOO-CONTENTION"} 1`)
      assert.include(text, `weir_restarts_total{entity="be01",flow="invoices"} 1`)
    })))

  it.effect("time calls to Odoo and statements of the ledger in seconds", () =>
    fresh(Effect.gen(function* () {
      const collision = new OdooError({ code: "ODOO-CONTENTION", operation: "res.partner/load", message: "" })
      const measured = yield* Effect.forkChild(
        Effect.all([
          Effect.sleep("250 millis").pipe(timedCall("main", "res.partner", "load")),
          Effect.fail(collision).pipe(timedCall("main", "res.partner", "load"), Effect.flip),
          Effect.sleep("4 millis").pipe(timed("settle")),
        ]),
        { startImmediately: true },
      )
      yield* TestClock.adjust("250 millis")
      yield* TestClock.adjust("4 millis")
      yield* Fiber.join(measured)
      yield* gateGauges("main", 2, 4)
      const text = yield* PrometheusMetrics.format()
      assert.include(
        text,
        `weir_odoo_call_seconds_sum{database="main",model="res.partner",method="load",outcome="ok"} 0.25`,
      )
      assert.include(text, `outcome="ODOO-CONTENTION"} 1`)
      assert.include(text, `weir_odoo_calls_running{database="main"} 2`)
      assert.include(text, `weir_odoo_calls_limit{database="main"} 4`)
      assert.include(text, `weir_ledger_statement_seconds_sum{statement="settle"} 0.004`)
    })))

  it("are all described and named in base units", () => {
    for (const metric of all) {
      assert.match(
        metric.id,
        /^weir_[a-z_]+(?:_total|_seconds|_events|_in_flight|_backlog|_running|_limit|_state|_mode|_open|_close|_mismatches|_overdue|_ending)$/u,
      )
      assert.isNotEmpty(metric.description)
    }
    assert.strictEqual(new Set(all.map(({ id }) => id)).size, all.length)
  })
})
