/** What operators tell the running service: modes, close, drain, resume. The bodies of `POST /entities/<code>/…`. */
import { Context, type Effect, Schema } from "effect"
import { CloseStatus, OverrideStatus, State } from "../actor/Board.ts"

const Actor = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(100)).annotate({
  description: "Who asks, as the audit trail shows it.",
})

/** Body of `POST /entities/<code>/mode`. */
export const ModeRequest = Schema.Struct({
  /** `auto` lifts what a person decided before. */
  mode: Schema.Literals(["full", "essential", "drafts", "hold", "auto"]),
  reason: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(500)),
  actor: Actor,
  /** RFC 3339; left out: until it is lifted. */
  until: Schema.optionalKey(Schema.DateTimeUtcFromString),
})
export type ModeRequest = typeof ModeRequest.Type

/** Body of `POST /entities/<code>/close`. */
export const CloseRequest = Schema.Struct({
  reason: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(500)),
  actor: Actor,
  /** RFC 3339; null: what a person said before is over. */
  until: Schema.NullOr(Schema.DateTimeUtcFromString),
})
export type CloseRequest = typeof CloseRequest.Type

/** Body of `POST /entities/<code>/drain` and `/resume`. */
export const CommandRequest = Schema.Struct({ actor: Actor })
export type CommandRequest = typeof CommandRequest.Type

/** Answer to all of them. */
export const ControlAnswer = Schema.Struct({
  entity: Schema.String,
  /** False: accepted, and in effect once what is in flight is settled. */
  done: Schema.Boolean,
  state: State,
  mode: Schema.Literals(["full", "essential", "drafts", "hold"]),
  override: Schema.NullOr(OverrideStatus),
  close: Schema.NullOr(CloseStatus),
})
export type ControlAnswer = typeof ControlAnswer.Type

/** Nothing was changed. `status` is the HTTP status: 404 no such entity, 409 not now, 503 nobody there to do it. */
export class ControlFailed extends Schema.TaggedError<ControlFailed>()("ControlFailed", {
  status: Schema.Literals([404, 409, 503]),
  message: Schema.String,
}) {}

export class Control extends Context.Service<Control, {
  readonly mode: (entity: string, request: ModeRequest) => Effect.Effect<ControlAnswer, ControlFailed>
  readonly close: (entity: string, request: CloseRequest) => Effect.Effect<ControlAnswer, ControlFailed>
  readonly drain: (entity: string, request: CommandRequest) => Effect.Effect<ControlAnswer, ControlFailed>
  readonly resume: (entity: string, request: CommandRequest) => Effect.Effect<ControlAnswer, ControlFailed>
}>()("weir/http/Control") {}
