/** Orders of a service that runs actors, given to them wherever the cluster has placed them. */
import { DateTime, Effect, Layer } from "effect"
import type { EntityStatus } from "../actor/Board.ts"
import { ControlRefused, LegalEntity } from "../actor/LegalEntity.ts"
import { addressOf } from "../actor/place.ts"
import { Roster } from "../actor/Roster.ts"
import { Control, type ControlAnswer, ControlFailed } from "./Control.ts"

/** Longest wait until an order is in effect; it is carried out all the same, and the answer says so. */
const ANSWER_WITHIN = "10 seconds"
/** Longest wait for the status that such an answer shows. */
const STATUS_WITHIN = "1 second"

const answerOf = ({ close, entity, mode, override, state }: EntityStatus, done: boolean): ControlAnswer => ({
  close,
  entity,
  done,
  state,
  mode,
  override,
})

export const control = Layer.effect(
  Control,
  Effect.gen(function* () {
    const { entities } = yield* Roster
    const clientOf = yield* LegalEntity.client
    type Client = ReturnType<typeof clientOf>

    const unreachable = (code: string) =>
      new ControlFailed({
        status: 503,
        message: `No actor of ${code} answers. Look at weir status and at the service's log, then try again.`,
      })

    const give = <E>(code: string, order: (client: Client) => Effect.Effect<EntityStatus, E>) =>
      Effect.gen(function* () {
        const settings = entities.get(code)
        if (settings === undefined) {
          return yield* new ControlFailed({
            status: 404,
            message: `${code} is not in the configuration. There are: ${[...entities.keys()].join(", ")}.`,
          })
        }
        const client = clientOf(addressOf(settings))
        const done = yield* order(client).pipe(
          Effect.mapError((error) =>
            error instanceof ControlRefused
              ? new ControlFailed({ status: 409, message: error.message })
              : unreachable(code)
          ),
          Effect.timeoutOption(ANSWER_WITHIN),
        )
        if (done._tag === "Some") return answerOf(done.value, true)
        return yield* client.Status().pipe(
          Effect.timeout(STATUS_WITHIN),
          Effect.map((status) => answerOf(status, false)),
          Effect.mapError(() => unreachable(code)),
        )
      })

    return Control.of({
      mode: (code, { actor, mode, reason, until }) =>
        give(code, (client) =>
          client.SetMode({
            actor,
            mode,
            reason,
            untilMillis: until === undefined ? null : DateTime.toEpochMillis(until),
          })),
      close: (code, { actor, reason, until }) =>
        give(
          code,
          (client) =>
            client.Close({ actor, reason, untilMillis: until === null ? null : DateTime.toEpochMillis(until) }),
        ),
      drain: (code, { actor }) => give(code, (client) => client.Drain({ actor })),
      resume: (code, { actor }) => give(code, (client) => client.Resume({ actor })),
    })
  }),
)
