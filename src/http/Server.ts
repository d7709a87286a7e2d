/**
 * The service's own HTTP endpoints, for orchestrators, Prometheus and the command line. They show no payloads; by
 * default they listen on this machine only. What changes something (`controlRoutes.ts`) is answered to this machine only,
 * wherever they listen.
 *
 *     GET /healthz   the process is alive
 *     GET /readyz    it can work: 200 or 503, with every check
 *     GET /metrics   Prometheus text format
 *     GET /status    one row per entity and flow
 *
 *     POST /entities/<code>/mode     a person's mode, or `auto`
 *     POST /entities/<code>/drain    stop in order
 *     POST /entities/<code>/resume   go on
 *
 * Errors are problem details (RFC 9457).
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { DateTime, Effect, Layer } from "effect"
import { HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import { PrometheusMetrics } from "effect/observability"
import { createServer } from "node:http"
import { VERSION } from "../config/version.ts"
import type { Control } from "./Control.ts"
import { controlRoutes } from "./controlRoutes.ts"
import { problem } from "./problem.ts"
import { Health, type ReadinessReport, type StatusReport, StatusSource } from "./Status.ts"

/** How long open connections may hold up a shutdown. */
const GRACEFUL_SHUTDOWN = "1 second"

const healthz = HttpRouter.add("GET", "/healthz", HttpServerResponse.jsonUnsafe({ alive: true, version: VERSION }))

const readyz = HttpRouter.use(Effect.fnUntraced(function* (router) {
  const health = yield* Health
  yield* router.add(
    "GET",
    "/readyz",
    Effect.map(health.checks, (checks) => {
      const report: ReadinessReport = { ready: checks.every(({ ok }) => ok), checks }
      return HttpServerResponse.jsonUnsafe(report, { status: report.ready ? 200 : 503 })
    }),
  )
}))

const status = HttpRouter.use(Effect.fnUntraced(function* (router) {
  const source = yield* StatusSource
  yield* router.add(
    "GET",
    "/status",
    Effect.gen(function* () {
      const rows = yield* source.rows
      const report: StatusReport = { version: VERSION, at: DateTime.formatIso(yield* DateTime.now), rows }
      return HttpServerResponse.jsonUnsafe(report)
    }).pipe(Effect.catch((error) => Effect.succeed(problem(503, "Status is not available", error.message)))),
  )
}))

/** The routes, for a server of one's own. */
export const routes: Layer.Layer<never, never, HttpRouter.HttpRouter | Health | StatusSource | Control> = Layer
  .mergeAll(
    healthz,
    readyz,
    status,
    controlRoutes,
    PrometheusMetrics.layerHttp({ path: "/metrics" }),
  )

/** Listens until the scope closes. Fails when the port is taken: configuration, `http.port`. */
export const layer = (options: { readonly host: string; readonly port: number }) =>
  HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provideMerge(NodeHttpServer.layer(createServer, { ...options, gracefulShutdownTimeout: GRACEFUL_SHUTDOWN })),
  )

/** Where the server listens: `http://127.0.0.1:8787`. */
export const address: Effect.Effect<string, never, HttpServer.HttpServer> = Effect.map(
  HttpServer.HttpServer,
  (server) => HttpServer.formatAddress(server.address),
)
