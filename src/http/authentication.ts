/** Who asks, and how often: the caller of each request, within its rate. */
import { Clock, Effect, Layer, Option, Redacted } from "effect"
import { HttpServerRequest } from "effect/http"
import { randomUUID } from "node:crypto"
import { Authenticator } from "../identity/Authenticator.ts"
import { RateLimit } from "../identity/RateLimit.ts"
import { Access, INSTALLATION } from "../ledger/Access.ts"
import { asked } from "../operate/asked.ts"
import { Caller } from "../operate/Caller.ts"
import { type OperationName, specOf } from "../operate/Operations.ts"
import { TooMany } from "../operate/Problem.ts"
import { Authentication } from "./middleware.ts"
import { operationOf } from "./operation.ts"

/** Callers whose rate is remembered. */
const CAPACITY = 10_000
/** Credentials that are not good, of one address, in a minute: enough for a mistake, too few to try keys. */
const FAILURES_PER_MINUTE = 30

const tooMany = (waitMillis: number) => {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMillis / 1_000))
  return new TooMany({ detail: `Wait for ${retryAfterSeconds} seconds, then ask again.`, retryAfterSeconds })
}

export const layer = ({ callsPerMinute }: { readonly callsPerMinute: number }) =>
  Layer.effect(
    Authentication,
    Effect.gen(function* () {
      const authenticator = yield* Authenticator
      const access = yield* Access
      const calls = new RateLimit({
        perMinute: callsPerMinute,
        burst: Math.max(1, Math.ceil(callsPerMinute / 10)),
        capacity: CAPACITY,
      })
      const failures = new RateLimit({
        perMinute: FAILURES_PER_MINUTE,
        burst: FAILURES_PER_MINUTE,
        capacity: CAPACITY,
      })
      /** Somebody unknown gave an order: it stands in the trail, as often as an address may fail. */
      const denied = (operation: OperationName | null, address: string) =>
        operation === null || !specOf(operation).changes ? Effect.void : access.record(INSTALLATION, {
          id: `operation/${randomUUID()}`,
          actor: "unknown",
          action: "operation.denied",
          detail: { operation, by: "none", address, reason: "no credential, or none that is good" },
        }).pipe(asked)

      return Authentication.of({
        bearer: Effect.fnUntraced(function* (operation, { credential, endpoint }) {
          const request = yield* HttpServerRequest.HttpServerRequest
          const address = Option.getOrElse(request.remoteAddress, () => "")
          const caller = yield* authenticator.identify(request, Redacted.value(credential)).pipe(
            Effect.catchTag("Unauthenticated", (refused) =>
              Effect.gen(function* () {
                // Whoever fails too often is told to wait; those with a good credential at the same address are not.
                const wait = failures.take(address, yield* Clock.currentTimeMillis)
                if (wait > 0) return yield* tooMany(wait)
                yield* denied(operationOf(endpoint.annotations), address)
                return yield* Effect.fail(refused)
              })),
          )
          const wait = calls.take(caller.id, yield* Clock.currentTimeMillis)
          if (wait > 0) return yield* tooMany(wait)
          return yield* Effect.provideService(operation, Caller, caller)
        }),
      })
    }),
  )
