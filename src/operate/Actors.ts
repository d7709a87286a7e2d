/**
 * The actors of the legal entities, as operations give them orders: wherever the cluster has placed them
 * (`live`), or nowhere, because no service runs here (`absent`).
 */
import { Context, Effect, Layer } from "effect"
import type { EntityStatus } from "../actor/Board.ts"
import { ControlRefused, LegalEntity } from "../actor/LegalEntity.ts"
import { addressOf } from "../actor/place.ts"
import { Roster } from "../actor/Roster.ts"
import type { Mode } from "../ledger/Ledger.ts"
import { Conflict, Unavailable } from "./Problem.ts"

export type Order =
  | {
    readonly _tag: "Mode"
    readonly mode: Mode | "auto"
    readonly reason: string
    readonly untilMillis: number | null
  }
  | { readonly _tag: "Close"; readonly reason: string; readonly untilMillis: number | null }
  | { readonly _tag: "Drain" }
  | { readonly _tag: "Resume" }
  | { readonly _tag: "Pause"; readonly flow: string; readonly reason: string; readonly untilMillis: number | null }
  | { readonly _tag: "Unpause"; readonly flow: string; readonly reason: string }

export interface Obeyed {
  /** False: accepted, and in effect once what is in flight is settled. */
  readonly done: boolean
  readonly status: EntityStatus
}

export class Actors extends Context.Service<Actors, {
  /** Whether a service runs here. */
  readonly running: boolean
  /** What they say of themselves, by entity. Who does not answer in time is left out. Never fails. */
  readonly statuses: Effect.Effect<ReadonlyMap<string, EntityStatus>>
  /** Tells an entity that somebody else made events of it ready. Never fails: it looks by itself now and then. */
  readonly released: (entity: string) => Effect.Effect<void>
  /** Has the runner of an entity read its configuration again. Why it did not; empty when it did. Never fails. */
  readonly reconfigure: (entity: string) => Effect.Effect<string>
  /** An order in the name of `actor`. `Conflict`: not as the entity stands; `Unavailable`: nobody there to obey. */
  /** Runs of the entity were changed: they are taken up now. `Unavailable`: nobody there, and none will be. */
  readonly takeUp: (entity: string) => Effect.Effect<void, Unavailable>
  readonly order: (entity: string, order: Order, actor: string) => Effect.Effect<Obeyed, Conflict | Unavailable>
}>()("weir/operate/Actors") {}

/** Longest wait for one actor's status. */
const STATUS_WITHIN = "1 second"
/** Actors asked at the same time. */
const CONCURRENCY = 50
/** Longest wait until an order is in effect; it is carried out all the same, and the answer says so. */
const ANSWER_WITHIN = "10 seconds"

const unreachable = (entity: string) =>
  new Unavailable({
    detail: `No actor of ${entity} answers. Look at weir status and at the service's log, then try again.`,
  })

/** Orders go to a service that runs. */
export const nobody = new Unavailable({
  detail: "No weir runs. Start it with weir run: orders go to the running service.",
})

/** On the cluster that this process is part of. */
export const live = Layer.effect(
  Actors,
  Effect.gen(function* () {
    const roster = yield* Roster
    const client = yield* LegalEntity.client
    const clientOf = (code: string) => {
      const settings = roster.entities.get(code)
      return client(settings === undefined ? code : addressOf(settings))
    }

    const send = (entity: string, order: Order, actor: string) => {
      const client = clientOf(entity)
      switch (order._tag) {
        case "Mode":
          return client.SetMode({ actor, mode: order.mode, reason: order.reason, untilMillis: order.untilMillis })
        case "Close":
          return client.Close({ actor, reason: order.reason, untilMillis: order.untilMillis })
        case "Drain":
          return client.Drain({ actor })
        case "Resume":
          return client.Resume({ actor })
        case "Pause":
          return client.Pause({ actor, flow: order.flow, reason: order.reason, untilMillis: order.untilMillis })
        case "Unpause":
          return client.Unpause({ actor, flow: order.flow, reason: order.reason })
      }
    }

    return Actors.of({
      running: true,

      statuses: Effect.suspend(() =>
        Effect.forEach(
          [...roster.entities.keys()],
          (code) =>
            clientOf(code).Status().pipe(
              Effect.timeout(STATUS_WITHIN),
              Effect.map((status): ReadonlyArray<EntityStatus> => [status]),
              Effect.orElseSucceed((): ReadonlyArray<EntityStatus> => []),
            ),
          { concurrency: CONCURRENCY },
        )
      ).pipe(Effect.map((found) => new Map(found.flat().map((status) => [status.entity, status])))),

      // Who is not reached looks by itself in a few seconds.
      takeUp: (entity) => clientOf(entity).TakeUp().pipe(Effect.timeout(STATUS_WITHIN), Effect.ignore),

      released: (entity) =>
        roster.entities.has(entity)
          ? clientOf(entity).Released().pipe(Effect.timeout(STATUS_WITHIN), Effect.ignore({ log: "Debug" }))
          : Effect.void,

      reconfigure: (entity) =>
        clientOf(entity).Reconfigure().pipe(
          Effect.as(""),
          Effect.timeout(STATUS_WITHIN),
          Effect.catch((error) =>
            Effect.succeed(error instanceof ControlRefused ? error.message : unreachable(entity).detail ?? "")
          ),
        ),

      order: Effect.fnUntraced(function* (entity, order, actor) {
        const done = yield* send(entity, order, actor).pipe(
          Effect.mapError((error) =>
            error instanceof ControlRefused ? new Conflict({ detail: error.message }) : unreachable(entity)
          ),
          Effect.timeoutOption(ANSWER_WITHIN),
        )
        if (done._tag === "Some") return { done: true, status: done.value }
        const status = yield* clientOf(entity).Status().pipe(
          Effect.timeout(STATUS_WITHIN),
          Effect.mapError(() => unreachable(entity)),
        )
        return { done: false, status }
      }),
    })
  }),
)

/** Where no service runs: nobody says anything of itself, and nobody obeys. */
export const absent = Layer.succeed(Actors, {
  running: false,
  statuses: Effect.succeed(new Map()),
  takeUp: () => Effect.fail(nobody),
  released: () => Effect.void,
  reconfigure: () => Effect.succeed(""),
  order: () => Effect.fail(nobody),
})
