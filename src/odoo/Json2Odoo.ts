/**
 * The `Odoo` port over HTTP: Odoo 19's JSON-2 API (`addons/rpc/controllers/json2.py`; `POST /json/2/<model>/<method>`,
 * https://www.odoo.com/documentation/19.0/developer/reference/external_api.html).
 *
 * Odoo closes every connection after its answer, so there is nothing to pool; how many there are at once is the
 * `CallGate`'s concern. Nothing is retried here but a refused key, once, after the key has been read again.
 */
import { Duration, Effect, Layer, Redacted } from "effect"
import { HttpClient, HttpClientError, HttpClientRequest } from "effect/http"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { elapsedMillis } from "../telemetry/elapsed.ts"
import { classify, classifyTransport } from "./classify.ts"
import { type Json, Odoo, type OdooCall, OdooError } from "./Odoo.ts"

export interface Json2Database {
  /** Scheme, host and port of Odoo, for example `https://odoo.example.com`. A path in front of Odoo is kept. */
  readonly url: URL
  /** Odoo's own name of the database, sent as `X-Odoo-Database`. */
  readonly database: string
  /**
   * Reads the technical user's API key. Run at the first call, again whenever Odoo refuses the key it gave, and once a
   * minute while there are calls, so that a new key counts before the old one ends.
   */
  readonly key: Effect.Effect<Redacted.Redacted<string>, OdooError>
  /**
   * How long a call may take, from its first byte to the end of the answer. Longer than Odoo's `limit_time_real`
   * (default 120 s), because a call that is given up here may be committed there. Default 150 seconds; not zero.
   */
  readonly timeout?: Duration.Input
}

export interface Json2Options {
  /**
   * By the name that `weir.json` gives the database. Asked at every call: what it holds may change, and another object
   * is another Odoo from then on, or another key.
   */
  readonly databases: Pick<ReadonlyMap<string, Json2Database>, "get">
  /** Weir's version, for the User-Agent. */
  readonly version: string
}

export const DEFAULT_TIMEOUT: Duration.Input = "150 seconds"
/** How long a key counts before it is read again. */
const KEY_AGE_MILLIS = 60_000
/** How long a question for the version may take. */
const VERSION_TIMEOUT: Duration.Input = "10 seconds"

interface Key {
  readonly key: Redacted.Redacted<string>
  /** What it was read for. */
  readonly target: Json2Database
  readonly readAtMillis: number
}

/** The code of the error that undici or Node raised, as deep in the causes as it lies. */
const codeIn = (error: unknown, depth = 4): string => {
  if (typeof error !== "object" || error === null || depth === 0) return ""
  const { cause, code } = error as { readonly code?: unknown; readonly cause?: unknown }
  return typeof code === "string" ? code : codeIn(cause, depth - 1)
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** One exchange, body included. */
const exchange = (
  client: HttpClient.HttpClient,
  operation: string,
  request: HttpClientRequest.HttpClientRequest,
  timeout: Duration.Input,
): Effect.Effect<Json, OdooError> =>
  client.execute(request).pipe(
    Effect.flatMap((response) =>
      Effect.map(response.text, (text) => ({
        status: response.status,
        contentType: response.headers["content-type"] ?? "",
        text,
      }))
    ),
    Effect.mapError((error: HttpClientError.HttpClientError) =>
      classifyTransport(operation, codeIn(error), "the connection failed before Odoo's answer was complete")
    ),
    Effect.flatMap(({ contentType, status, text }) => {
      const json = contentType.startsWith("application/json")
      const body = json ? parse(text) : text
      if (json && body === undefined) {
        return Effect.fail(
          new OdooError({ code: "ODOO-NO-ANSWER", operation, message: `Odoo's answer (${status}) is cut off` }),
        )
      }
      const result = classify(operation, { status, contentType, body })
      return result instanceof OdooError ? Effect.fail(result) : Effect.succeed(result)
    }),
    Effect.timeoutOrElse({
      duration: timeout,
      orElse: () =>
        Effect.fail(
          new OdooError({
            code: "ODOO-NO-ANSWER",
            operation,
            message: `no answer within ${Duration.format(Duration.fromInputUnsafe(timeout))}; Odoo may still commit it`,
          }),
        ),
    }),
  )

/** The request without its key. */
const requestOf = (version: string, target: Json2Database, call: OdooCall): HttpClientRequest.HttpClientRequest =>
  HttpClientRequest.post(`${target.url.href.replace(/\/+$/u, "")}/json/2/${call.model}/${call.method}`).pipe(
    HttpClientRequest.setHeaders({
      "x-odoo-database": target.database,
      "user-agent": `weir/${version}`,
      accept: "application/json",
    }),
    HttpClientRequest.bodyText(
      JSON.stringify({
        ...call.args,
        ...(call.ids === undefined ? {} : { ids: call.ids }),
        ...(call.context === undefined ? {} : { context: call.context }),
      }),
      "application/json",
    ),
  )

export const make = Effect.fnUntraced(function* ({ databases, version }: Json2Options) {
  // The gate and the plan make spans; the request carries `traceparent` of those and needs none of its own.
  const client = (yield* HttpClient.HttpClient).pipe(
    HttpClient.transformResponse(Effect.provideService(HttpClient.TracerDisabledWhen, () => true)),
  )
  const keys = new Map<string, Key>()

  const targetOf = (name: string, operation: string): Effect.Effect<Json2Database, OdooError> => {
    const target = databases.get(name)
    return target === undefined
      ? Effect.fail(
        new OdooError({
          code: "ODOO-REFUSED-CALL",
          operation,
          message: `weir.json names no Odoo database "${name}". Add it under databases.`,
        }),
      )
      : Effect.succeed(target)
  }

  const readKey = (name: string, target: Json2Database) =>
    Effect.gen(function* () {
      const key = yield* target.key
      keys.set(name, { key, target, readAtMillis: yield* elapsedMillis })
      return key
    })

  /** The key as it was read within the last minute. One that cannot be read any more counts until Odoo refuses it. */
  const keyOf = Effect.fnUntraced(function* (name: string, target: Json2Database) {
    const known = keys.get(name)
    if (known === undefined || known.target !== target) return yield* readKey(name, target)
    const nowMillis = yield* elapsedMillis
    if (nowMillis - known.readAtMillis < KEY_AGE_MILLIS) return known.key
    // Whoever calls meanwhile goes on with what is known.
    keys.set(name, { ...known, readAtMillis: nowMillis })
    return yield* readKey(name, target).pipe(
      Effect.tapError(({ message }) =>
        Effect.logWarning(`the key of ${name} cannot be read again, the one before counts: ${message}`)
      ),
      Effect.orElseSucceed(() => known.key),
    )
  })

  const call = Effect.fnUntraced(function* (call: OdooCall) {
    const operation = `${call.model}/${call.method}`
    const target = yield* targetOf(call.database, operation)
    const key = yield* keyOf(call.database, target)
    const request = requestOf(version, target, call)
    const send = (key: Redacted.Redacted<string>) =>
      exchange(
        client,
        operation,
        HttpClientRequest.setHeader(request, "authorization", `bearer ${Redacted.value(key)}`),
        target.timeout ?? DEFAULT_TIMEOUT,
      )
    return yield* Effect.catchIf(send(key), (error) => error.code === "ODOO-AUTH", (refused) =>
      Effect.flatMap(
        readKey(call.database, target),
        (fresh) => Redacted.value(fresh) === Redacted.value(key) ? Effect.fail(refused) : send(fresh),
      ))
  })

  return Odoo.of({
    call,
    version: Effect.fnUntraced(function* (name) {
      const operation = "web/version"
      const target = yield* targetOf(name, operation)
      const answer = yield* exchange(
        client,
        operation,
        HttpClientRequest.get(`${target.url.href.replace(/\/+$/u, "")}/web/version`).pipe(
          HttpClientRequest.setHeaders({ "user-agent": `weir/${version}`, accept: "application/json" }),
        ),
        VERSION_TIMEOUT,
      )
      if (typeof answer === "object" && answer !== null && "version" in answer && typeof answer.version === "string") {
        return answer.version
      }
      return yield* new OdooError({
        code: "ODOO-UNKNOWN-ANSWER",
        operation,
        message: "the url answers, but not with an Odoo version. Check the database's url in weir.json.",
      })
    }),
  })
})

/** `Odoo` over undici, with a connection pool of its own. Closing it cuts what is in flight. */
export const layer = (options: Json2Options): Layer.Layer<Odoo> =>
  Layer.effect(Odoo, make(options)).pipe(Layer.provide(NodeHttpClient.layerUndici))

/** The same over whatever `HttpClient` is in the context. */
export const layerNoClient = (options: Json2Options): Layer.Layer<Odoo, never, HttpClient.HttpClient> =>
  Layer.effect(Odoo, make(options))
