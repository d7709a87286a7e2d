/** Three quarters of the time are others': what archives is in no hurry, and settles nothing that anybody waits for. */
import { Clock, Effect } from "effect"

/** Rests three times as long as `self` took. */
export const resting = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const start = yield* Clock.currentTimeMillis
    const answer = yield* self
    const tookMillis = (yield* Clock.currentTimeMillis) - start
    // A clock that was set back or far forward says nothing of how long it took.
    yield* tookMillis > 0 ? Effect.sleep(Math.min(RESTS * tookMillis, LONGEST_MILLIS)) : Effect.yieldNow
    return answer
  })

const RESTS = 3
const LONGEST_MILLIS = 1_000
