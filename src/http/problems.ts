/** Requests that are not understood, as problems that say where; and answers that cannot be written, as our mistake. */
import { Effect, SchemaIssue } from "effect"
import { HttpApiMiddleware } from "effect/http-api"
import { Internal, Malformed } from "../operate/Problem.ts"
import { Problems } from "./middleware.ts"

const format = SchemaIssue.makeFormatterStandardSchemaV1()
/** Most places that an answer names. */
const MAX_ISSUES = 20
/** Longest text about one of them: an issue may quote what was sent. */
const MAX_MESSAGE = 200

const segment = (part: PropertyKey | { readonly key: PropertyKey }): string | number => {
  const key = typeof part === "object" ? part.key : part
  return typeof key === "number" ? key : String(key)
}

export const layer = HttpApiMiddleware.layerSchemaErrorTransform(Problems, (error, { endpoint }) => {
  if (error.kind === "Body" || error.kind === "ResponseHeaders") {
    return Effect.logError(`the answer of ${endpoint.identifier} has another shape than the API declares`, error.cause)
      .pipe(Effect.andThen(new Internal({ detail: "The answer could not be written. The log says more." })))
  }
  const slot = error.kind.toLowerCase()
  const errors = format(error.cause.issue).issues.slice(0, MAX_ISSUES).map(({ message, path = [] }) => ({
    path: [slot, ...path.map(segment)],
    message: message.slice(0, MAX_MESSAGE),
  }))
  const first = errors[0]
  return new Malformed({
    detail: first === undefined ? "The request is not understood." : `${first.path.join(".")}: ${first.message}`,
    errors,
  })
})
