/** Work that nobody waits for leaves time to the others: it rests after each step, the longer the longer that took. */
import { Clock, Effect } from "effect"

export interface Rest {
  /** So many times what the step took. */
  readonly times: number
  readonly longestMillis: number
}

export const resting =
  ({ longestMillis, times }: Rest) => <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.gen(function* () {
      const start = yield* Clock.currentTimeMillis
      const answer = yield* self
      const tookMillis = (yield* Clock.currentTimeMillis) - start
      // A clock that was set back or far forward says nothing of how long it took.
      yield* tookMillis > 0 ? Effect.sleep(Math.min(times * tookMillis, longestMillis)) : Effect.yieldNow
      return answer
    })

/** Messages looked at together: live events wait for one such call of Odoo, and for what Weir's own thread does with it. */
export const CHUNK = 100
/** Forty seconds more for a hundred thousand events, so that live traffic feels little of them (`bench/replay.ts`). */
export const besideLive = resting({ times: 3, longestMillis: 100 })
