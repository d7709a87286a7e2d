/**
 * Whether the entity is still this session's, asked before each call that a plan makes. The ledger refuses what a stale
 * owner settles; Odoo knows no owners, and a process that was frozen for longer than its locks last wakes up in the middle
 * of a plan, beside the one that took over. What it would write then may be older than what stands there.
 *
 *     call ──► heard of the ledger within `FRESH` ──► goes out
 *      │  ▲
 *      │  └── still the owner ──┐
 *      └────► asks the ledger ──┴── another one is: the call never goes out, the session ends
 *
 * What is left: a call that had gone out before, and that Odoo carries out later than the locks last.
 */
import { Clock, Deferred, Effect } from "effect"
import { type Claim, Ledger, type LedgerError } from "../ledger/Ledger.ts"
import { elapsedMillisOf } from "../telemetry/elapsed.ts"
import { untilAvailable } from "./patience.ts"

/** Less than the locks of a cluster last: within it nobody else can have taken the entity over. Milliseconds. */
const FRESH = 10_000

export interface Ownership {
  /** The same fenced verb of the ledger: answered, it says whose the entity was when it was asked. */
  readonly told: <A, E, R>(verb: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Ends when the entity is known to be this session's; never when it is another one's. */
  readonly sure: Effect.Effect<void>
  /** Fails when `sure` has found that it is another one's. */
  readonly lost: Effect.Effect<never, LedgerError>
}

export const makeOwnership = Effect.fnUntraced(function* (claim: Claim) {
  const ledger = yield* Ledger
  const clock = yield* Clock.Clock
  const lost = yield* Deferred.make<never, LedgerError>()
  // One of the clocks may stand still while the machine sleeps.
  const now = () => [elapsedMillisOf(clock), clock.currentTimeMillisUnsafe()] as const
  let heard: readonly [number, number] = [-Infinity, -Infinity]
  const isFresh = (): boolean => now().every((millis, n) => millis - heard[n]! < FRESH)

  const told: Ownership["told"] = (verb) =>
    Effect.suspend(() => {
      const asked = now()
      return Effect.tap(verb, () =>
        Effect.sync(() => {
          if (asked[0] > heard[0]) heard = asked
        }))
    })
  const ask = told(ledger.readyFlows(claim, [])).pipe(
    untilAvailable("ownership"),
    Effect.catch((error) => Effect.andThen(Deferred.fail(lost, error), Effect.never)),
  )
  const sure: Effect.Effect<void> = Effect.suspend(() => isFresh() ? Effect.void : Effect.andThen(ask, sure))

  const ownership: Ownership = { told, sure, lost: Deferred.await(lost) }
  return ownership
})
