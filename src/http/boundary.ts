/**
 * The outermost layer of the server: whatever happens inside, what goes out is an answer. No route is a problem, a mistake
 * of ours is a problem that says nothing of itself, and no answer is kept by anybody on the way.
 */
import { ByteSize, Cause, Effect, type Types } from "effect"
import { HttpRouter, HttpServerError, HttpServerRequest, HttpServerResponse } from "effect/http"
import { problem } from "./problem.ts"

/** Largest body of a request. An event may have 900 000 bytes (docs/events.md), and its correction as many. */
const MAX_BODY = ByteSize.fromInputUnsafe("2 MB")

const headers = { "cache-control": "no-store", "x-content-type-options": "nosniff" }

const isNoRoute = (error: unknown): boolean =>
  HttpServerError.isHttpServerError(error) && error.reason._tag === "RouteNotFound"

const answered = (cause: Cause.Cause<unknown>) => {
  if (Cause.hasInterrupts(cause)) return Effect.interrupt
  const failure = cause.reasons.find(Cause.isFailReason)
  if (failure !== undefined && isNoRoute(failure.error)) {
    return Effect.succeed(problem(404, "not-found", "No such thing", "There is nothing at this address."))
  }
  if (failure !== undefined && HttpServerError.isHttpServerError(failure.error)) {
    return Effect.succeed(problem(400, "malformed", "Wrong request", "The request cannot be read."))
  }
  return Effect.as(
    Effect.logError("a request could not be answered", cause),
    problem(500, "internal", "Weir made a mistake", "The log says more."),
  )
}

export const boundary = HttpRouter.middleware(
  // The type says that errors may come out, because it cannot know that none does.
  (handler): Effect.Effect<HttpServerResponse.HttpServerResponse, Types.unhandled> =>
    handler.pipe(
      Effect.provideService(HttpServerRequest.MaxBodySize, MAX_BODY),
      Effect.catchCause(answered),
      Effect.map(HttpServerResponse.setHeaders(headers)),
    ),
  { global: true },
)
