/** What the service tells about itself: `GET /status`, `GET /readyz`, and the `weir status` command that reads them. */
import { Context, type Effect, Schema } from "effect"
import { State } from "../actor/Board.ts"

/** One flow of one legal entity. */
export const StatusRow = Schema.Struct({
  entity: Schema.String,
  flow: Schema.String,
  /** As the actor says; `stopped` when no process runs it. */
  state: State,
  mode: Schema.Literals(["full", "essential", "drafts", "hold"]),
  /** Who decided the mode, why and until when; empty: Weir itself. */
  decided: Schema.String,
  /** The entity closes its books: who says so, until when and why; empty: it does not. */
  close: Schema.String,
  /** The worst circuit of what the flow needs: `closed`, or the dependency that it waits for. */
  circuit: Schema.String,
  /** Incidents of the entity that are not over. */
  incidents: Schema.Int,
  /** Consumers replaced because they had gone silent, since the session began. */
  rebuilds: Schema.Int,
  /** Events in the broker that were not delivered yet; null when the broker does not answer. */
  backlog: Schema.NullOr(Schema.Int),
  /** Events admitted and not settled. */
  inFlight: Schema.Int,
  /** Counted from the beginning. */
  applied: Schema.Int,
  superseded: Schema.Int,
  duplicate: Schema.Int,
  dismissed: Schema.Int,
  /** Held now. */
  waiting: Schema.Int,
  parked: Schema.Int,
  behind: Schema.Int,
  /** Events settled a second, mean over the last ten seconds. */
  ratePerSecond: Schema.Finite,
  /** Age of the oldest held event since the broker stored it; null when none is held. */
  oldestAgeSeconds: Schema.NullOr(Schema.Int),
  /** Activations of the entity so far; 0 before the first. */
  epoch: Schema.Int,
  /** Why it is troubled; empty otherwise. */
  trouble: Schema.String,
  /** Events whose last try did not go through and that are tried again. */
  retrying: Schema.Int,
  /** Most failed tries of one of them. */
  attempts: Schema.Int,
  /** When the next one of them is tried, RFC 3339; null when there is none. */
  nextTry: Schema.NullOr(Schema.String),
})
export type StatusRow = typeof StatusRow.Type

/** The body of `GET /status`. */
export const StatusReport = Schema.Struct({
  version: Schema.String,
  /** When it was taken, RFC 3339. */
  at: Schema.String,
  rows: Schema.Array(StatusRow),
})
export type StatusReport = typeof StatusReport.Type

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

/** The numbers cannot be had now. Retry; `message` says what is away. */
export class StatusUnavailable extends Schema.TaggedError<StatusUnavailable>()("StatusUnavailable", {
  message: Schema.String,
}) {}

/** Where the running service's rows come from: its actors, the ledger's tallies, the broker's backlog. */
export class StatusSource extends Context.Service<StatusSource, {
  readonly rows: Effect.Effect<ReadonlyArray<StatusRow>, StatusUnavailable>
}>()("weir/http/StatusSource") {}

/** Whether the service can work now. */
export class Health extends Context.Service<Health, {
  /** Each check is bounded in time and never fails: it says what is wrong. */
  readonly checks: Effect.Effect<ReadonlyArray<Check>>
}>()("weir/http/Health") {}
