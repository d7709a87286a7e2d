/** Who asks, and how often: the caller of each request, within its rate. */
import { Clock, Effect, Layer, Option, Redacted } from "effect"
import { HttpServerRequest } from "effect/http"
import { Authenticator } from "../identity/Authenticator.ts"
import { RateLimit } from "../identity/RateLimit.ts"
import { Caller } from "../operate/Caller.ts"
import { TooMany } from "../operate/Problem.ts"
import { Authentication } from "./middleware.ts"

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
      return Authentication.of({
        bearer: Effect.fnUntraced(function* (operation, { credential }) {
          const request = yield* HttpServerRequest.HttpServerRequest
          const address = Option.getOrElse(request.remoteAddress, () => "")
          const locked = failures.wait(address, yield* Clock.currentTimeMillis)
          if (locked > 0) return yield* tooMany(locked)
          const caller = yield* authenticator.identify(request, Redacted.value(credential)).pipe(
            Effect.tapErrorTag("Unauthenticated", () =>
              Effect.map(Clock.currentTimeMillis, (now) => failures.take(address, now))),
          )
          const wait = calls.take(caller.id, yield* Clock.currentTimeMillis)
          if (wait > 0) {
            return yield* tooMany(wait)
          }
          return yield* Effect.provideService(operation, Caller, caller)
        }),
      })
    }),
  )
