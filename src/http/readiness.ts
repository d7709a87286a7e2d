/** Checks behind `GET /readyz`: broker and ledger answer, the actors are active. */
import { Effect, Layer } from "effect"
import { Roster } from "../actor/Roster.ts"
import { Broker } from "../broker/Broker.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { Actors } from "../operate/Actors.ts"
import { type Check, Health } from "./Health.ts"

/** Longest wait for one check, so that a probe always gets its answer. */
export const CHECK_TIMEOUT = "2 seconds"

const checked = <E extends { readonly message: string }, R>(
  name: string,
  probe: Effect.Effect<string, E, R>,
): Effect.Effect<Check, never, R> =>
  probe.pipe(
    Effect.map((detail): Check => ({ name, ok: true, detail })),
    Effect.timeoutOrElse({
      duration: CHECK_TIMEOUT,
      orElse: () => Effect.succeed<Check>({ name, ok: false, detail: `no answer in ${CHECK_TIMEOUT}` }),
    }),
    Effect.catch((error) => Effect.succeed<Check>({ name, ok: false, detail: error.message })),
  )

/**
 * Health of a service whose actors are active once `inactive` answers none of the configured entities. All checks run
 * at the same time.
 */
export const fromPorts = (
  inactive: Effect.Effect<ReadonlyArray<string>>,
): Layer.Layer<Health, never, Broker | Ledger> =>
  Layer.effect(
    Health,
    Effect.gen(function* () {
      const broker = yield* Broker
      const ledger = yield* Ledger
      const checks = Effect.all([
        checked("broker", Effect.map(broker.describe, ({ server, version }) => `${server}, version ${version}`)),
        checked("ledger", Effect.map(ledger.owners, (owners) => `${owners.length} entities owned`)),
        checked(
          "actors",
          Effect.flatMap(inactive, (entities) =>
            entities.length === 0
              ? Effect.succeed("all active")
              : Effect.fail({ message: `not active yet: ${entities.join(", ")}` })),
        ),
      ], { concurrency: 3 })
      return { checks }
    }),
  )

/** Ready when broker and ledger answer and every configured entity is owned by an actor. */
export const health = Layer.unwrap(Effect.gen(function* () {
  const roster = yield* Roster
  const { statuses } = yield* Actors
  return fromPorts(Effect.map(statuses, (live) => [...roster.entities.keys()].filter((code) => !live.get(code)?.epoch)))
}))
