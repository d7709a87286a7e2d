/**
 * Why an operation was not carried out: problem details (RFC 9457), the words of both doors. `type` tells which it is, for
 * programs; `detail` what to do about it, for people. None repeats what a caller may not see.
 */
import { Schema } from "effect"
import { HttpApiError } from "effect/http-api"

const { Problem } = HttpApiError
const kind = <const Name extends string>(name: Name) => `urn:weir:problem:${name}` as const

/** No credential, or none that is good. */
export class Unauthenticated extends Problem<Unauthenticated>()("Unauthenticated", {
  type: kind("unauthenticated"),
  status: 401,
  title: "Who are you?",
}) {}

/** The caller may not do this, or not for this legal entity. */
export class Forbidden extends Problem<Forbidden>()("Forbidden", {
  type: kind("forbidden"),
  status: 403,
  title: "Not allowed",
}) {}

export class NotFound extends Problem<NotFound>()("NotFound", {
  type: kind("not-found"),
  status: 404,
  title: "No such thing",
}) {}

/** Not now: what stands does not allow it. Look again, then decide anew. */
export class Conflict extends Problem<Conflict>()("Conflict", {
  type: kind("conflict"),
  status: 409,
  title: "Not as things stand",
}) {}

/** The request is not understood. `errors` says where. */
export class Malformed extends Problem<Malformed>()("Malformed", {
  type: kind("malformed"),
  status: 400,
  title: "Wrong request",
}, { errors: Schema.optionalKey(Schema.Array(HttpApiError.ProblemIssue)) }) {}

/** The request is understood, and cannot be meant. */
export class Invalid extends Problem<Invalid>()("Invalid", {
  type: kind("invalid"),
  status: 422,
  title: "Cannot be meant",
}, { errors: Schema.optionalKey(Schema.Array(HttpApiError.ProblemIssue)) }) {}

export class TooMany extends Problem<TooMany>()("TooMany", {
  type: kind("too-many-requests"),
  status: 429,
  title: "Too many requests",
}, { retryAfterSeconds: Schema.Int }) {}

/** Something that is needed does not answer. Nothing was done; the same request may be sent again. */
export class Unavailable extends Problem<Unavailable>()("Unavailable", {
  type: kind("unavailable"),
  status: 503,
  title: "Not available",
}) {}

/** A mistake of Weir's. The log has it. */
export class Internal extends Problem<Internal>()("Internal", {
  type: kind("internal"),
  status: 500,
  title: "Weir made a mistake",
}) {}

/** All that an operation may say. */
export const problems = [
  Unauthenticated,
  Forbidden,
  NotFound,
  Conflict,
  Malformed,
  Invalid,
  TooMany,
  Unavailable,
  Internal,
] as const
export type Refusal = InstanceType<(typeof problems)[number]>

/** Something that keeps what an operation needs does not answer. */
export const unavailable = (what: string) => (error: { readonly message: string }): Unavailable =>
  new Unavailable({ detail: `${what} does not answer: ${error.message}` })
