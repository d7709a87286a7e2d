import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Metric, Schema } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import { Control } from "../../src/http/Control.ts"
import { address, layer } from "../../src/http/Server.ts"
import {
  type Check,
  Health,
  ReadinessReport,
  StatusReport,
  type StatusRow,
  StatusSource,
  StatusUnavailable,
} from "../../src/http/Status.ts"
import { flowMeter } from "../../src/telemetry/Metrics.ts"

const row: StatusRow = {
  entity: "be01",
  flow: "invoices",
  state: "running",
  mode: "full",
  decided: "",
  close: "",
  circuit: "closed",
  incidents: 0,
  rebuilds: 0,
  backlog: 3,
  inFlight: 2,
  applied: 10,
  superseded: 0,
  dismissed: 0,
  duplicate: 1,
  waiting: 0,
  parked: 1,
  behind: 0,
  ratePerSecond: 1.5,
  oldestAgeSeconds: 60,
  epoch: 4,
  trouble: "",
  retrying: 0,
  attempts: 0,
  nextTry: null,
}

interface Given {
  readonly checks?: ReadonlyArray<Check>
  readonly rows?: Effect.Effect<ReadonlyArray<StatusRow>, StatusUnavailable>
}

/** What a server with these answers says to `GET path`. */
const get = (path: string, { checks = [], rows = Effect.succeed([row]) }: Given = {}) =>
  Effect.gen(function* () {
    const response = yield* HttpClient.get(`${yield* address}${path}`)
    return { status: response.status, type: response.headers["content-type"], body: yield* response.text }
  }).pipe(
    Effect.provide(
      layer({ host: "127.0.0.1", port: 0 }).pipe(
        Layer.provide([
          Layer.succeed(Health, { checks: Effect.succeed(checks) }),
          Layer.succeed(StatusSource, { rows }),
          Layer.mock(Control, {}),
        ]),
      ),
    ),
    Effect.provide(FetchHttpClient.layer),
  )

const readiness = Schema.decodeUnknownSync(Schema.fromJsonString(ReadinessReport))
const report = Schema.decodeUnknownSync(Schema.fromJsonString(StatusReport))

describe("the HTTP endpoints", () => {
  it.live("say that the process is alive", () =>
    Effect.gen(function* () {
      const { body, status } = yield* get("/healthz")
      assert.strictEqual(status, 200)
      assert.include(body, `"alive":true`)
    }))

  it.live("are ready only when every check is", () =>
    Effect.gen(function* () {
      const broker = { name: "broker", ok: true, detail: "nats, version 2.12.1" }
      const ready = yield* get("/readyz", { checks: [broker] })
      assert.strictEqual(ready.status, 200)
      assert.deepStrictEqual(readiness(ready.body), { ready: true, checks: [broker] })
      const ledger = { name: "ledger", ok: false, detail: "no answer" }
      const unready = yield* get("/readyz", { checks: [broker, ledger] })
      assert.strictEqual(unready.status, 503)
      assert.deepStrictEqual(readiness(unready.body), { ready: false, checks: [broker, ledger] })
    }))

  it.live("show the metrics in Prometheus' text format", () =>
    Effect.gen(function* () {
      yield* flowMeter("be01", "invoices").settled([["applied", 3]], [])
      const { body, type } = yield* get("/metrics")
      assert.include(type, "text/plain; version=0.0.4")
      assert.include(body, "# TYPE weir_events_total counter")
      assert.include(body, `weir_events_total{entity="be01",flow="invoices",outcome="applied"} 3`)
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  it.live("show the status in the published shape", () =>
    Effect.gen(function* () {
      const { body, status } = yield* get("/status")
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(report(body).rows, [row])
    }))

  it.live("answer with problem details when the status cannot be had", () =>
    Effect.gen(function* () {
      const rows = Effect.fail(new StatusUnavailable({ message: "the ledger does not answer" }))
      const { body, status, type } = yield* get("/status", { rows })
      assert.strictEqual(status, 503)
      assert.include(type, "application/problem+json")
      assert.include(body, "the ledger does not answer")
    }))

  it.live("know nothing else", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* get("/events")).status, 404)
    }))
})
