/**
 * Takes up the runs of one legal entity that write nothing to Odoo: dry runs of replays, reconciliations, rebuilds,
 * archivings. In the entity's actor, and beside its session: an entity that is drained or held can be looked at.
 */
import { Cause, Duration, Effect, Latch } from "effect"
import type { EntitySettings } from "../actor/Roster.ts"
import { untilAvailable } from "../actor/patience.ts"
import { type Run, Runs } from "../ledger/Runs.ts"

/** How often runs are looked for without being told that there are some. */
const POLL = Duration.seconds(5)
/** Most runs of one entity that wait for their turn and are looked through for the oldest. */
const WAITING = 100

export interface Attendance<E extends { readonly message: string }, R> {
  readonly settings: EntitySettings
  /** Opened when somebody has changed a run. */
  readonly nudged: Latch.Latch
  readonly carryOut: (run: Run) => Effect.Effect<void, E, R>
}

/** Why a run ended, from whatever ended it. */
export const troubleOf = (cause: Cause.Cause<{ readonly message: string }>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message : String(error)
}

/** One after the other, the oldest first, for ever. A run that fails says why and is over. */
export const attend = Effect.fnUntraced(function* <E extends { readonly message: string }, R>(
  { carryOut, nudged, settings }: Attendance<E, R>,
) {
  const runs = yield* Runs
  const entity = settings.code
  const end = (run: Run, trouble: string) =>
    runs.change(entity, run.runId, ["examining"], { state: "failed", trouble }).pipe(untilAvailable("runs"))
  const carriedOut = (run: Run) =>
    Effect.suspend(() => carryOut(run)).pipe(
      Effect.catchCause((cause) =>
        Cause.hasInterrupts(cause) ? Effect.interrupt : Effect.andThen(
          Effect.logWarning(`run ${run.runId} of ${entity} failed`, cause),
          end(run, troubleOf(cause)),
        )
      ),
      Effect.annotateLogs({ run: run.runId }),
    )
  while (true) {
    const waiting = yield* runs.runs({ entity, states: ["examining"], limit: WAITING }).pipe(untilAvailable("runs"))
    const run = waiting.at(-1)
    if (run !== undefined) yield* carriedOut(run)
    else {
      yield* nudged.await.pipe(Effect.timeoutOption(POLL))
      Latch.closeUnsafe(nudged)
    }
  }
})
