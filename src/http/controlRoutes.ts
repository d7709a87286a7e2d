/**
 * The endpoints that change something. They take orders from this machine only, wherever the service listens: there are
 * no credentials. A browser cannot be made to send them by a foreign page, because the body must be called JSON, for
 * which browsers ask first and get no permission.
 */
import { Clock, DateTime, Effect, Option } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import type { Schema } from "effect"
import {
  CloseRequest,
  CommandRequest,
  Control,
  type ControlAnswer,
  type ControlFailed,
  ModeRequest,
} from "./Control.ts"
import { problem } from "./problem.ts"

const isLoopback = (address: string): boolean => /^(?:::ffff:)?127\.|^::1$/u.test(address)

/** The answer when a request may not be looked at. */
const refusal = (request: HttpServerRequest.HttpServerRequest): HttpServerResponse.HttpServerResponse | null => {
  if (!Option.exists(request.remoteAddress, isLoopback)) {
    return problem(403, "Not from here", "Orders are taken from the machine that the service runs on only.")
  }
  const type = request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase()
  return type === "application/json"
    ? null
    : problem(415, "Not JSON", "Send the body with content-type application/json.")
}

const answered = (answer: ControlAnswer): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe(answer, { status: answer.done ? 200 : 202 })

/** One endpoint: checks the request, decodes its body, gives the order. */
const order = <S extends Schema.Codec<unknown, unknown>>(
  body: S,
  give: (entity: string, request: S["Type"]) => Effect.Effect<ControlAnswer, ControlFailed>,
  check: (request: S["Type"]) => Effect.Effect<string | null> = () => Effect.succeed(null),
) =>
  Effect.gen(function* () {
    const refused = refusal(yield* HttpServerRequest.HttpServerRequest)
    if (refused !== null) return refused
    const { code = "" } = yield* HttpRouter.params
    const request = yield* HttpServerRequest.schemaBodyJson(body)
    const wrong = yield* check(request)
    if (wrong !== null) return problem(400, "Wrong request", wrong)
    return yield* give(code, request).pipe(
      Effect.map(answered),
      Effect.catch(({ message, status }) =>
        Effect.succeed(problem(status, status === 404 ? "No such entity" : "Not done", message))
      ),
    )
  }).pipe(
    Effect.catchTag("SchemaError", ({ message }) => Effect.succeed(problem(400, "Wrong request", message))),
    Effect.catchTag("HttpServerError", () => Effect.succeed(problem(400, "Wrong request", "The body is not JSON."))),
  )

const checkMode = ({ mode, until }: ModeRequest) =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    if (until === undefined) return null
    if (mode === "auto") return "auto lifts a person's mode at once: it takes no until."
    return DateTime.toEpochMillis(until) > now ? null : "until is in the past."
  })

const checkClose = ({ until }: CloseRequest) =>
  Effect.map(
    Clock.currentTimeMillis,
    (now) => until === null || DateTime.toEpochMillis(until) > now ? null : "until is in the past.",
  )

export const controlRoutes = HttpRouter.use(Effect.fnUntraced(function* (router) {
  const control = yield* Control
  yield* router.add("POST", "/entities/:code/mode", order(ModeRequest, control.mode, checkMode))
  yield* router.add("POST", "/entities/:code/close", order(CloseRequest, control.close, checkClose))
  yield* router.add("POST", "/entities/:code/drain", order(CommandRequest, control.drain))
  yield* router.add("POST", "/entities/:code/resume", order(CommandRequest, control.resume))
}))
