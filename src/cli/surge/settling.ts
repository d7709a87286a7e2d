/** Waits for outcomes, as the ledger counts them. */
import { Clock, Effect } from "effect"
import type { LedgerError } from "../../ledger/Ledger.ts"
import type { CommandFailed } from "../Failure.ts"
import type { Target } from "./Target.ts"

const LOOK = "200 millis"

/** Events with an outcome that nothing but time, a person or another event will change. */
export const settledNow = ({ ledger }: Target): Effect.Effect<number, LedgerError> =>
  Effect.map(
    ledger.tallies(),
    (tallies) =>
      tallies.reduce(
        (sum, { applied, behind, duplicate, parked, superseded, waiting }) =>
          sum + applied + behind + duplicate + parked + superseded + waiting,
        0,
      ),
  )

export interface SettlingOptions {
  /** How many there must be, beyond `base`; may grow. */
  readonly wanted: () => number
  /** Settled before the surge. */
  readonly base: number
  /** Nothing has changed for so long: given up. Milliseconds; Infinity: never. */
  readonly patienceMillis: number
  /** Told after every look. */
  readonly progress: (settled: number) => void
}

/** False when nothing moves any more. Fails when what the lab has started ends by itself. */
export const untilSettled = Effect.fnUntraced(
  function* (target: Target, options: SettlingOptions): Effect.fn.Return<boolean, CommandFailed> {
    let last = 0
    let movedAt = yield* Clock.currentTimeMillis
    while (true) {
      yield* target.alive
      // A database that is away is one of the things that happen: it is asked again.
      const settled = yield* settledNow(target).pipe(
        Effect.map((all) => Math.max(0, all - options.base)),
        Effect.orElseSucceed(() => last),
      )
      const now = yield* Clock.currentTimeMillis
      if (settled !== last) movedAt = now
      last = settled
      options.progress(settled)
      if (settled >= options.wanted()) return true
      if (now - movedAt > options.patienceMillis) return false
      yield* Effect.sleep(LOOK)
    }
  },
)
