/**
 * The command line's door to the operations: it is a client of the API, of the service that runs, or, when none does, of
 * the same API in this process over the ledger. Whoever can open the ledger needs no token for it.
 *
 *     weir exceptions list ──► Api client ──┬── HTTP ──► the running service
 *                                           └── here ──► routes ──► operations ──► ledger (no actors: no orders)
 */
import { type Duration, Effect, Layer, Option, Schema } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest, HttpRouter, HttpServer } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import * as Vault from "../archive/Vault.ts"
import { catalog } from "../../streams/catalog.ts"
import type { Settings } from "../config/Configuration.ts"
import { Environment } from "../config/Secret.ts"
import { Api } from "../http/Api.ts"
import { apiRoutes } from "../http/routes.ts"
import { ACTOR_HEADER, trusting } from "../identity/Authenticator.ts"
import { gate, inForce, odoo, roster } from "../main.ts"
import { absent } from "../operate/Actors.ts"
import * as Operations from "../operate/layer.ts"
import type { Refusal } from "../operate/Problem.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"
import { lazyBroker, ledgerPorts, unanswered } from "./ports.ts"
import { loaded, root } from "./root.ts"
import { userName } from "./user.ts"

/** Longest wait for a sign of life; then nobody is there. */
const ALIVE_WITHIN = "3 seconds"
/** Longer than the service waits before it answers that an order is under way. */
const ANSWER_WITHIN = "60 seconds"
/** Nobody but the caller itself asks in its own process. */
const UNLIMITED = 1_000_000

/** Where the service of this configuration listens, as seen from this machine. */
export const serviceUrl = ({ http }: Pick<Settings, "http">): string => {
  const host = http.host === "0.0.0.0" ? "127.0.0.1" : http.host === "::" ? "[::1]" : http.host
  return `http://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${http.port}`
}

const isAlive = (url: string): Effect.Effect<boolean> =>
  HttpClient.get(`${url}/healthz`).pipe(
    Effect.map(({ status }) => status === 200),
    Effect.timeout(ALIVE_WITHIN),
    Effect.orElseSucceed(() => false),
    Effect.provide(FetchHttpClient.layer),
  )

interface Credentials {
  readonly token: string | undefined
  readonly actor: string
}

const clientOf = (url: string, { actor, token }: Credentials) =>
  HttpApiClient.make(Api, {
    baseUrl: url,
    transformClient: (client) =>
      client.pipe(
        HttpClient.mapRequest((request) =>
          (token === undefined ? request : HttpClientRequest.bearerToken(request, token)).pipe(
            HttpClientRequest.setHeader(ACTOR_HEADER, encodeURIComponent(actor)),
          )
        ),
      ),
  })

export type Client = Effect.Success<ReturnType<typeof clientOf>>

const remote = (url: string, credentials: Credentials) =>
  clientOf(url, credentials).pipe(Effect.provide(FetchHttpClient.layer))

/** The same API, answered in this process. */
const here = Effect.fnUntraced(function* (configuration: Settings, credentials: Credentials) {
  const ports = Layer.mergeAll(
    lazyBroker(configuration),
    yield* ledgerPorts(configuration),
    Layer.provideMerge(gate, odoo(configuration)),
    roster(catalog),
    absent,
    Vault.layer(configuration.retention?.directory),
  ).pipe(Layer.provideMerge(inForce(configuration)))
  const context = yield* Layer.build(ports).pipe(Effect.mapError(unanswered))
  const app = apiRoutes({ callsPerMinute: UNLIMITED }).pipe(
    Layer.provide([Operations.layer, trusting(credentials.actor)]),
    Layer.provide(Layer.succeedContext(context)),
    Layer.provide(HttpServer.layerServices),
  )
  const { handler } = yield* Effect.acquireRelease(
    Effect.sync(() => HttpRouter.toWebHandler(app, { disableLogger: true })),
    ({ dispose }) => Effect.promise(dispose),
  )
  const fetch: typeof globalThis.fetch = (input, init) => handler(new Request(input, init))
  return yield* clientOf("http://localhost", { ...credentials, token: undefined }).pipe(
    Effect.provide(FetchHttpClient.layer),
    Effect.provideService(FetchHttpClient.Fetch, fetch),
  )
})

export interface Door {
  readonly api: Client
  /** A service answers; else the answers come from the ledger. */
  readonly live: boolean
}

/**
 * Opens it for the scope. With `--url` (or `WEIR_URL`) it is that service and no other; else the one of the configuration,
 * or nobody's.
 */
export const door = Effect.gen(function* () {
  const { by, url } = yield* root
  const { WEIR_TOKEN: token, WEIR_URL } = yield* Environment
  const credentials = { token, actor: Option.getOrElse(by, () => userName()) }
  const named = Option.getOrElse(url, () => WEIR_URL ?? "").replace(/\/+$/u, "")
  if (named !== "") {
    if (!(yield* isAlive(named))) {
      return yield* new CommandFailed({ exit: exitCodes.unreachable, message: `No weir answers on ${named}.` })
    }
    return { api: yield* remote(named, credentials), live: true }
  }
  const { configuration } = yield* loaded
  const own = serviceUrl(configuration)
  return (yield* isAlive(own))
    ? { api: yield* remote(own, credentials), live: true }
    : { api: yield* here(configuration, credentials), live: false }
})

const exitOf = (status: number): CommandFailed["exit"] =>
  status === 400 || status === 404 || status === 422
    ? exitCodes.usage
    : status === 503
    ? exitCodes.unreachable
    : exitCodes.failure

const isProblem = (error: unknown): error is Refusal =>
  typeof error === "object" && error !== null && "status" in error && typeof error.status === "number" &&
  "title" in error

/** What a command says when it was refused, or when nobody or somebody else answered. */
const failureOf = (error: unknown): CommandFailed => {
  if (error instanceof CommandFailed) return error
  if (isProblem(error)) {
    return new CommandFailed({ exit: exitOf(error.status), message: error.detail ?? error.title })
  }
  return Schema.isSchemaError(error)
    ? new CommandFailed({ exit: exitCodes.failure, message: "The service answered something else: another version?" })
    : new CommandFailed({
      exit: exitCodes.unreachable,
      message: `The service's answer was lost: ${error instanceof Error ? error.message : String(error)}`,
    })
}

/** Asks through the door, and closes it. `within` null: however long the answer is. */
export const ask = <A, E, R>(
  question: (door: Door) => Effect.Effect<A, E, R>,
  within: Duration.Input | null = ANSWER_WITHIN,
) =>
  Effect.scoped(Effect.gen(function* () {
    const opened = yield* door
    const answer = question(opened).pipe(Effect.mapError(failureOf))
    return yield* within === null ? answer : answer.pipe(
      Effect.timeoutOrElse({
        duration: within,
        orElse: () =>
          Effect.fail(
            new CommandFailed({ exit: exitCodes.unreachable, message: `No answer within ${ANSWER_WITHIN}.` }),
          ),
      }),
    )
  }))
