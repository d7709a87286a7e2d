/** Whether the service can work now: `GET /readyz`. */
import { Context, type Effect, Schema } from "effect"

/** One precondition of working. */
export const Check = Schema.Struct({
  name: Schema.String,
  ok: Schema.Boolean,
  /** What it found, or what to do. */
  detail: Schema.String,
})
export type Check = typeof Check.Type

/** The body of `GET /readyz`. */
export const ReadinessReport = Schema.Struct({ ready: Schema.Boolean, checks: Schema.Array(Check) })
export type ReadinessReport = typeof ReadinessReport.Type

export class Health extends Context.Service<Health, {
  /** Each check is bounded in time and never fails: it says what is wrong. */
  readonly checks: Effect.Effect<ReadonlyArray<Check>>
}>()("weir/http/Health") {}
