/** Orders to a legal entity as a whole, and to one of its flows: modes, close, drain, resume, pauses. */
import { Clock, Context, DateTime, Effect, Layer, Schema } from "effect"
import { CloseStatus, type EntityStatus, OverrideStatus, State } from "../actor/Board.ts"
import { Roster } from "../actor/Roster.ts"
import { Actors, type Order } from "./Actors.ts"
import { Admission, type Particulars } from "./Admission.ts"
import type { CallerIdentity } from "./Caller.ts"
import type { OperationName } from "./Operations.ts"
import { type Conflict, type Forbidden, Invalid, NotFound, type Unavailable } from "./Problem.ts"

/** Why, for the audit trail and for whoever listens. */
export const Reason = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(500)).annotate({
  description: "Why, for the audit trail",
})
/** RFC 3339; left out: until it is lifted. */
const Until = Schema.optionalKey(
  Schema.DateTimeUtcFromString.annotate({ description: "When it ends by itself, RFC 3339" }),
)

export const ModeRequest = Schema.Struct({
  /** `auto` lifts what a person decided before. */
  mode: Schema.Literals(["full", "essential", "drafts", "hold", "shadow", "auto"]),
  reason: Reason,
  until: Until,
}).annotate({ identifier: "ModeRequest" })
export type ModeRequest = typeof ModeRequest.Type

export const CloseRequest = Schema.Struct({
  reason: Reason,
  until: Schema.NullOr(Schema.DateTimeUtcFromString).annotate({
    description:
      "When the books are closed, RFC 3339; null: what a person said before is over, the calendar counts alone",
  }),
}).annotate({ identifier: "CloseRequest" })
export type CloseRequest = typeof CloseRequest.Type

export const PauseRequest = Schema.Struct({ reason: Reason, until: Until }).annotate({ identifier: "PauseRequest" })
export type PauseRequest = typeof PauseRequest.Type

export const UnpauseRequest = Schema.Struct({ reason: Reason }).annotate({ identifier: "UnpauseRequest" })
export type UnpauseRequest = typeof UnpauseRequest.Type

/** How an entity stands after an order. */
const fields = {
  entity: Schema.String,
  state: State,
  mode: Schema.Literals(["full", "essential", "drafts", "hold", "shadow"]),
  /** Who decided the mode; null: Weir itself. */
  override: Schema.NullOr(OverrideStatus),
  /** It closes its books now; null: it does not. */
  close: Schema.NullOr(CloseStatus),
  /** Flows that are paused. */
  paused: Schema.Array(Schema.Struct({ flow: Schema.String, ...OverrideStatus.fields })),
}
/** In effect. */
export const OrderDone = Schema.Struct({ done: Schema.Literal(true), ...fields }).annotate({ identifier: "OrderDone" })
/** Accepted, and in effect once what is in flight is settled. */
export const OrderAccepted = Schema.Struct({ done: Schema.Literal(false), ...fields }).annotate({
  identifier: "OrderAccepted",
})
export type OrderAnswer = typeof OrderDone.Type | typeof OrderAccepted.Type

type Refused = Forbidden | NotFound | Conflict | Invalid | Unavailable
type Obeying = Effect.Effect<OrderAnswer, Refused>

export class Entities extends Context.Service<Entities, {
  readonly mode: (caller: CallerIdentity, entity: string, request: ModeRequest) => Obeying
  readonly close: (caller: CallerIdentity, entity: string, request: CloseRequest) => Obeying
  readonly drain: (caller: CallerIdentity, entity: string) => Obeying
  readonly resume: (caller: CallerIdentity, entity: string) => Obeying
  readonly pause: (caller: CallerIdentity, entity: string, flow: string, request: PauseRequest) => Obeying
  readonly unpause: (caller: CallerIdentity, entity: string, flow: string, request: UnpauseRequest) => Obeying
}>()("weir/operate/Entities") {}

const answerOf = ({ close, entity, flows, mode, override, state }: EntityStatus, done: boolean): OrderAnswer => {
  const paused = flows.flatMap(({ flow, paused }) => paused === null ? [] : [{ flow, ...paused }])
  return { done, entity, state, mode, override, close, paused }
}

const future = Effect.fnUntraced(function* (until: DateTime.Utc | undefined) {
  if (until === undefined) return null
  const millis = DateTime.toEpochMillis(until)
  return millis > (yield* Clock.currentTimeMillis) ? millis : yield* new Invalid({ detail: "until is in the past." })
})

export const layer = Layer.effect(
  Entities,
  Effect.gen(function* () {
    const actors = yield* Actors
    const admission = yield* Admission
    const { flows } = yield* Roster

    /** Lets the caller in, makes sense of what it asks for, and passes it on. */
    const give = Effect.fnUntraced(function* (
      caller: CallerIdentity,
      operation: OperationName,
      entity: string,
      particulars: Particulars,
      order: Effect.Effect<Order, Invalid | NotFound>,
    ) {
      yield* admission.enter(caller, operation, entity, particulars)
      const { done, status } = yield* actors.order(entity, yield* order, caller.name)
      return answerOf(status, done)
    })

    const known = (flow: string): Effect.Effect<string, NotFound> =>
      flows.some(({ name }) => name === flow) ? Effect.succeed(flow) : new NotFound({
        detail: `There is no flow ${flow}. There are: ${flows.map(({ name }) => name).join(", ")}.`,
      })

    return Entities.of({
      mode: (caller, entity, { mode, reason, until }) =>
        give(
          caller,
          "entity.mode",
          entity,
          { mode, reason },
          mode === "auto" && until !== undefined
            ? new Invalid({ detail: "auto lifts a person's mode at once: it takes no until." })
            : Effect.map(future(until), (untilMillis) => ({ _tag: "Mode", mode, reason, untilMillis })),
        ),
      close: (caller, entity, { reason, until }) =>
        give(
          caller,
          "entity.close",
          entity,
          { reason },
          Effect.map(future(until ?? undefined), (untilMillis) => ({ _tag: "Close", reason, untilMillis })),
        ),
      drain: (caller, entity) => give(caller, "entity.drain", entity, {}, Effect.succeed({ _tag: "Drain" })),
      resume: (caller, entity) => give(caller, "entity.resume", entity, {}, Effect.succeed({ _tag: "Resume" })),
      pause: (caller, entity, flow, { reason, until }) =>
        give(
          caller,
          "flow.pause",
          entity,
          { flow, reason },
          Effect.map(
            Effect.all([known(flow), future(until)]),
            ([flow, untilMillis]) => ({ _tag: "Pause", flow, reason, untilMillis }),
          ),
        ),
      unpause: (caller, entity, flow, { reason }) =>
        give(
          caller,
          "flow.resume",
          entity,
          { flow, reason },
          Effect.map(known(flow), (flow) => ({ _tag: "Unpause", flow, reason })),
        ),
    })
  }),
)
