/**
 * A service beside Odoo over HTTP: pricing, tax. Weir posts one question and takes one answer, both JSON:
 *
 *     POST <url>  {"entity": "be01", "question": {…}}
 *       200  the answer
 *       422  {"detail": "…"}: it works and cannot answer this one (RFC 9457; `message` will do)
 *       anything else, no answer in time: it does not work, the question is asked again later
 *     GET <probe>   any answer below 500: it works
 *
 * A question may come again with the same content: an answer must not change anything at the service.
 */
import { Duration, Effect, Layer, Redacted } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Dependencies, type Dependency, DependencyDown, DependencyRefused } from "../actor/modes/Dependencies.ts"
import type { Json } from "../odoo/Odoo.ts"

export interface HttpServiceOptions {
  readonly url: string
  /** Asked whether it works. Default: `url`. */
  readonly probe?: string
  /** How long one answer may take; not zero. */
  readonly timeout: Duration.Duration
  /** Bearer token, read anew at every question. Left out: none. */
  readonly key?: Effect.Effect<Redacted.Redacted<string>, { readonly message: string }>
}

/** Longest answer, in characters. */
const MAX_ANSWER = 1_000_000
/** Longest text of a refusal that people get to see. */
const MAX_DETAIL = 500

const parse = (text: string): Json | undefined => {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

const detailOf = (body: Json | undefined): string => {
  if (typeof body !== "object" || body === null) return "no reason given"
  const said = "detail" in body ? body.detail : "message" in body ? body.message : undefined
  return typeof said === "string" ? said.slice(0, MAX_DETAIL) : "no reason given"
}

export const make = (name: string, options: HttpServiceOptions, client: HttpClient.HttpClient): Dependency => {
  const down = (message: string): DependencyDown => new DependencyDown({ dependency: name, message })
  const overdue = () => down(`no answer within ${Duration.format(options.timeout)}`)

  const authorized = (request: HttpClientRequest.HttpClientRequest) =>
    options.key === undefined ? Effect.succeed(request) : options.key.pipe(
      Effect.map((key) => HttpClientRequest.setHeader(request, "authorization", `Bearer ${Redacted.value(key)}`)),
      Effect.mapError(({ message }) => down(message)),
    )

  const exchange = (request: HttpClientRequest.HttpClientRequest) =>
    authorized(request).pipe(
      Effect.flatMap((request) =>
        client.execute(request).pipe(
          Effect.flatMap((response) => Effect.map(response.text, (text) => ({ status: response.status, text }))),
          Effect.mapError(() => down("the connection failed before the answer was complete")),
        )
      ),
      Effect.timeoutOrElse({ duration: options.timeout, orElse: () => Effect.fail(overdue()) }),
    )

  return {
    probe: () =>
      exchange(HttpClientRequest.get(options.probe ?? options.url)).pipe(
        Effect.flatMap(({ status }) => status < 500 ? Effect.void : Effect.fail(down(`it answers ${status}`))),
      ),
    ask: (entity, question) =>
      exchange(
        HttpClientRequest.post(options.url).pipe(
          HttpClientRequest.setHeader("accept", "application/json"),
          HttpClientRequest.bodyText(JSON.stringify({ entity, question }), "application/json"),
        ),
      ).pipe(
        Effect.flatMap(({ status, text }): Effect.Effect<Json, DependencyDown | DependencyRefused> => {
          if (text.length > MAX_ANSWER) return Effect.fail(down(`its answer is longer than ${MAX_ANSWER} characters`))
          const body = parse(text)
          if (status === 422) return Effect.fail(new DependencyRefused({ dependency: name, message: detailOf(body) }))
          if (status !== 200) return Effect.fail(down(`it answers ${status}`))
          return body === undefined ? Effect.fail(down("its answer is not JSON")) : Effect.succeed(body)
        }),
      ),
  }
}

/** All services by name, over undici with a connection pool of their own. */
export const layer = (services: ReadonlyMap<string, HttpServiceOptions>): Layer.Layer<never> =>
  Layer.effect(
    Dependencies,
    Effect.map(HttpClient.HttpClient, (client) =>
      new Map([...services].map(([name, options]) => [name, make(name, options, client)]))),
  ).pipe(Layer.provide(NodeHttpClient.layerUndici))
