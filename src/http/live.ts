/** Status and readiness of a service that runs actors, asked of them wherever the cluster has placed them. */
import { Effect, Layer } from "effect"
import type { EntityStatus } from "../actor/Board.ts"
import { LegalEntity } from "../actor/LegalEntity.ts"
import { addressOf } from "../actor/place.ts"
import { Roster } from "../actor/Roster.ts"
import { Broker } from "../broker/Broker.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { fromPorts } from "./readiness.ts"
import { StatusSource } from "./Status.ts"
import { statusRows } from "./statusRows.ts"

/** Longest wait for one actor; it then counts as not active. */
const ACTOR_TIMEOUT = "1 second"
/** Actors asked at the same time. */
const CONCURRENCY = 50

const makeStatuses = Effect.gen(function* () {
  const client = yield* LegalEntity.client
  const { entities } = yield* Roster
  return Effect.forEach(
    [...entities.values()],
    (settings) =>
      client(addressOf(settings)).Status().pipe(
        Effect.timeout(ACTOR_TIMEOUT),
        Effect.map((status): ReadonlyArray<EntityStatus> => [status]),
        Effect.orElseSucceed((): ReadonlyArray<EntityStatus> => []),
      ),
    { concurrency: CONCURRENCY },
  ).pipe(Effect.map((found) => new Map(found.flat().map((status) => [status.entity, status]))))
})

export const statusSource = Layer.effect(
  StatusSource,
  Effect.gen(function* () {
    const { entities, flows } = yield* Roster
    const statuses = yield* makeStatuses
    const ports = yield* Effect.context<Broker | Ledger>()
    const modes = new Map([...entities].map(([code, { mode }]) => [code, mode]))
    return {
      rows: statuses.pipe(
        Effect.flatMap((live) => statusRows({ entities: modes, flows, live })),
        Effect.provide(ports),
      ),
    }
  }),
)

/** Ready when broker and ledger answer and every configured entity is owned by an actor. */
export const health = Layer.unwrap(Effect.gen(function* () {
  const { entities } = yield* Roster
  const statuses = yield* makeStatuses
  return fromPorts(Effect.map(statuses, (live) => [...entities.keys()].filter((code) => !live.get(code)?.epoch)))
}))
