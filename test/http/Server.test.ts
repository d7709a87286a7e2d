import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Metric, References, Schema } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import { type Check, Health, ReadinessReport } from "../../src/http/Health.ts"
import { address, layer } from "../../src/http/Server.ts"
import { trusting } from "../../src/identity/Authenticator.ts"
import { Access } from "../../src/ledger/Access.ts"
import { Archiving } from "../../src/operate/Archiving.ts"
import { Audit } from "../../src/operate/Audit.ts"
import { Corrections } from "../../src/operate/Corrections.ts"
import { Entities } from "../../src/operate/Entities.ts"
import { Exceptions } from "../../src/operate/Exceptions.ts"
import { Incidents } from "../../src/operate/Incidents.ts"
import { Periods } from "../../src/operate/Periods.ts"
import { Rebuilding } from "../../src/operate/Rebuilding.ts"
import { Reconciliations } from "../../src/operate/Reconciliations.ts"
import { Reconfiguration } from "../../src/operate/Reconfiguration.ts"
import { Redriving } from "../../src/operate/Redriving.ts"
import { Replays } from "../../src/operate/Replays.ts"
import { Status } from "../../src/operate/Status.ts"
import { Tokens } from "../../src/operate/Tokens.ts"
import { flowMeter } from "../../src/telemetry/Metrics.ts"

/** Operations that break: nothing of that may be seen outside. */
const broken = Layer.mergeAll(
  Layer.mock(Archiving, {}),
  Layer.mock(Audit, {}),
  Layer.mock(Corrections, {}),
  Layer.mock(Exceptions, {}),
  Layer.mock(Redriving, {}),
  Layer.mock(Entities, {}),
  Layer.mock(Incidents, {}),
  Layer.mock(Periods, {}),
  Layer.mock(Reconfiguration, {}),
  Layer.mock(Replays, {}),
  Layer.mock(Reconciliations, {}),
  Layer.mock(Rebuilding, {}),
  Layer.succeed(Status, { show: () => Effect.die(new Error("postgres://weir:secret@10.0.0.7/weir")) }),
  Layer.mock(Tokens, {}),
)

/** What a server says to `GET path`. */
const get = (path: string, checks: ReadonlyArray<Check> = []) =>
  Effect.gen(function* () {
    const response = yield* HttpClient.get(`${yield* address}${path}`)
    return { status: response.status, type: response.headers["content-type"], body: yield* response.text }
  }).pipe(
    Effect.provide(
      layer({ host: "127.0.0.1", port: 0, callsPerMinute: 600 }).pipe(
        Layer.provide([Layer.succeed(Health, { checks: Effect.succeed(checks) }), broken, trusting("ada")]),
        Layer.provide(Layer.mock(Access, {})),
      ),
    ),
    Effect.provide(FetchHttpClient.layer),
  )

const readiness = Schema.decodeUnknownSync(Schema.fromJsonString(ReadinessReport))

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
      const ready = yield* get("/readyz", [broker])
      assert.strictEqual(ready.status, 200)
      assert.deepStrictEqual(readiness(ready.body), { ready: true, checks: [broker] })
      const ledger = { name: "ledger", ok: false, detail: "no answer" }
      const unready = yield* get("/readyz", [broker, ledger])
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

  it.live("answer to a mistake of ours with a problem that tells nothing of it", () =>
    Effect.gen(function* () {
      const { body, status, type } = yield* get("/v1/status")
      assert.strictEqual(status, 500)
      assert.include(type, "application/problem+json")
      assert.strictEqual(JSON.parse(body).type, "urn:weir:problem:internal")
      assert.notInclude(body, "secret")
    }).pipe(Effect.provideService(References.MinimumLogLevel, "None")))

  it.live("know nothing else, and say so with a problem", () =>
    Effect.gen(function* () {
      const { body, status, type } = yield* get("/events")
      assert.strictEqual(status, 404)
      assert.include(type, "application/problem+json")
      assert.strictEqual(JSON.parse(body).status, 404)
    }))

  it.live("publish the API as a document", () =>
    Effect.gen(function* () {
      const { body, status } = yield* get("/openapi.json")
      assert.strictEqual(status, 200)
      assert.containsAllKeys(JSON.parse(body).paths, ["/v1/status", "/v1/entities/{entity}/mode"])
    }))
})
