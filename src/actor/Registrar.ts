/** Keeps every configured legal entity active, wherever the cluster places it. One in the whole cluster. */
import { Duration, Effect, Schedule } from "effect"
import { Singleton } from "effect/cluster"
import { LegalEntity } from "./LegalEntity.ts"
import { addressOf } from "./place.ts"
import { Roster } from "./Roster.ts"

const EVERY = Duration.seconds(1)
/** Entities reminded at the same time. */
const CONCURRENCY = 50

export const Registrar = Singleton.make(
  "weir/registrar",
  Effect.gen(function* () {
    const roster = yield* Roster
    const client = yield* LegalEntity.client
    yield* Effect.suspend(() =>
      Effect.forEach(
        [...roster.entities.values()],
        (settings) =>
          client(addressOf(settings)).Ensure().pipe(
            Effect.timeout("5 seconds"),
            Effect.catch((error) =>
              Effect.logWarning(`${settings.code} cannot be reached, trying again: ${error.message}`)
            ),
          ),
        { concurrency: CONCURRENCY, discard: true },
      )
    ).pipe(Effect.repeat(Schedule.spaced(EVERY)))
  }),
)
