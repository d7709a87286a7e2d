/**
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): an order that is sent again under the same key is carried
 * out once, and answered as it was the first time. Keys are kept in the ledger, so that it holds over restarts and nodes.
 *
 *     unseen ──► reserved ──(it worked)──► answered ──(EXPIRY)──► unseen
 *                   └──(refused, nothing was done)──► unseen
 *
 * Reading needs no key: what is not an order passes.
 */
import { Clock, Duration, Effect, Layer } from "effect"
import { HttpMethod, HttpServerRequest, HttpServerResponse } from "effect/http"
import { createHash } from "node:crypto"
import { Access, type StoredAnswer } from "../ledger/Access.ts"
import { asked } from "../operate/asked.ts"
import { Caller } from "../operate/Caller.ts"
import type { OperationName } from "../operate/Operations.ts"
import { Conflict, Invalid, Malformed, TooMany } from "../operate/Problem.ts"
import { Idempotency } from "./middleware.ts"
import { operationOf } from "./operation.ts"
import { problem } from "./problem.ts"

export const KEY_HEADER = "idempotency-key"
/** Told of an answer that is an earlier one. */
export const REPLAYED_HEADER = "idempotency-replayed"

/** A string of the header field (RFC 9651) or a bare one, as clients send both. */
const KEY = /^"?([\x21\x23-\x7e]{1,200})"?$/u
const EXPIRY = Duration.toMillis(Duration.hours(24))
/** Longer than any order waits before it answers. */
const ABANDONED = Duration.toMillis(Duration.minutes(2))
/** Keys of one caller. */
const LIMIT = 10_000
/** A larger answer is not kept: the key then tells only that it was carried out. */
const MAX_ANSWER = 65_536

/** Orders are JSON: a browser asks first before it sends JSON for a foreign page, and gets no permission. */
const isJson = (type: string | undefined): boolean =>
  type?.split(";", 1)[0]?.trim().toLowerCase() === "application/json"

/** Answers that must not be kept. */
const answersWithSecret = new Set<OperationName>(["tokens.create"])

const answerOf = (response: HttpServerResponse.HttpServerResponse): StoredAnswer => {
  const { body, status } = response
  return body._tag === "Uint8Array" && body.body.length <= MAX_ANSWER
    ? { status, contentType: body.contentType, body: body.body }
    : { status, contentType: "application/json", body: new Uint8Array() }
}

const replayed = ({ body, contentType, status }: StoredAnswer): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.uint8Array(body, { status, contentType, headers: { [REPLAYED_HEADER]: "true" } })

export const layer = Layer.effect(
  Idempotency,
  Effect.gen(function* () {
    const access = yield* Access
    return Idempotency.of(Effect.fnUntraced(function* (operation, { endpoint }) {
      const request = yield* HttpServerRequest.HttpServerRequest
      if (request.method === "GET" || request.method === "HEAD" || request.method === "OPTIONS") {
        return yield* operation
      }
      if (HttpMethod.hasBody(request.method) && !isJson(request.headers["content-type"])) {
        return problem(415, "not-json", "Not JSON", "Send the body with content-type application/json.")
      }
      const text = yield* request.text.pipe(
        Effect.mapError(() => new Malformed({ detail: "The body cannot be read." })),
      )
      const given = request.headers[KEY_HEADER]
      if (given === undefined) return yield* operation
      const name = operationOf(endpoint.annotations)
      if (name !== null && answersWithSecret.has(name)) {
        return yield* new Malformed({
          detail: "This takes no Idempotency-Key: its answer holds a secret and is not kept.",
        })
      }
      const key = KEY.exec(given)?.[1]
      if (key === undefined) {
        return yield* new Malformed({ detail: "Idempotency-Key must be 1 to 200 printable characters without blanks." })
      }

      const caller = yield* Caller
      const nowMillis = yield* Clock.currentTimeMillis
      const reserved = yield* access.reserve({
        caller: caller.id,
        key,
        fingerprint: createHash("sha256").update(`${request.method} ${request.url}\n${text}`).digest("hex"),
        nowMillis,
        expiresAtMillis: nowMillis + EXPIRY,
        abandonedAtMillis: nowMillis + ABANDONED,
        limit: LIMIT,
      }).pipe(asked)
      switch (reserved._tag) {
        case "Done":
          return replayed(reserved.answer)
        case "Busy":
          return yield* new Conflict({
            detail: "The order under this Idempotency-Key is being carried out. Ask again.",
          })
        case "Other":
          return yield* new Invalid({ detail: "This Idempotency-Key was used for another order. Take a new one." })
        case "Full":
          return yield* new TooMany({
            detail: `More than ${LIMIT} keys in a day. Send orders without one, or fewer.`,
            retryAfterSeconds: 3_600,
          })
      }
      const release = access.abandon(caller.id, key).pipe(Effect.ignore({ log: "Warn" }))
      return yield* operation.pipe(
        Effect.tap((response) =>
          response.status < 300
            // It was carried out: an answer that cannot be kept must not make it look as if it was not.
            ? access.complete(caller.id, key, answerOf(response)).pipe(Effect.ignore({ log: "Warn" }))
            : release
        ),
        Effect.onError(() => release),
      )
    }))
  }),
)
