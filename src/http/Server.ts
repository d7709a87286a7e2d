/**
 * What the service serves over HTTP: for orchestrators, Prometheus, the command line and whoever operates it.
 *
 *     GET /healthz        the process is alive
 *     GET /readyz         it can work: 200 or 503, with every check
 *     GET /metrics        Prometheus text format
 *     GET /openapi.json   the API, as a document
 *     /v1/…               the API (Api.ts)
 *
 * The first four show no payloads and ask for no credential.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import { PrometheusMetrics } from "effect/observability"
import { createServer } from "node:http"
import { VERSION } from "../config/version.ts"
import { Health, type ReadinessReport } from "./Health.ts"
import { apiRoutes } from "./routes.ts"

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

export interface Options {
  readonly host: string
  readonly port: number
  /** Most calls of one caller in a minute. */
  readonly callsPerMinute: number
}

/** The routes, for a server of one's own. */
export const routes = (options: Pick<Options, "callsPerMinute">) =>
  Layer.mergeAll(
    healthz,
    readyz,
    PrometheusMetrics.layerHttp({ path: "/metrics" }),
    apiRoutes(options),
  )

/** Listens until the scope closes. Fails when the port is taken: configuration, `http.port`. */
export const layer = ({ host, port, ...options }: Options) =>
  HttpRouter.serve(routes(options), { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provideMerge(
      NodeHttpServer.layer(createServer, { host, port, gracefulShutdownTimeout: GRACEFUL_SHUTDOWN }),
    ),
  )

/** Where the server listens: `http://127.0.0.1:8787`. */
export const address: Effect.Effect<string, never, HttpServer.HttpServer> = Effect.map(
  HttpServer.HttpServer,
  (server) => HttpServer.formatAddress(server.address),
)
