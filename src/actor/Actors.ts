/** Everything that acts: the legal entities, who keeps them active, who looks for stray subjects, orderly shutdown. */
import { Duration, Effect, Layer } from "effect"
import { LegalEntityLive } from "./LegalEntity.ts"
import { Registrar } from "./Registrar.ts"
import { Shutdown } from "./Shutdown.ts"
import { Unrouted } from "./Unrouted.ts"

/** When the layer closes, every actor first settles what it has in flight, for at most `grace`. */
export const layer = (grace: Duration.Input) =>
  Layer.effectDiscard(Effect.gen(function* () {
    const shutdown = yield* Shutdown
    yield* Effect.addFinalizer(() =>
      Effect.gen(function* () {
        const late = yield* shutdown.drainAll(grace)
        yield* late.length === 0
          ? Effect.logInfo("everything in flight is settled")
          : Effect.logWarning(`not settled within the grace, delivered again at the next start: ${late.join(", ")}`)
      })
    )
  })).pipe(
    Layer.provideMerge(Layer.mergeAll(LegalEntityLive, Registrar, Unrouted)),
    Layer.provide(Shutdown.layer),
  )
