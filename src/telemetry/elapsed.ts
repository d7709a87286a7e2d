/**
 * For measuring how long something lasts: the wall clock may be set back or forward meanwhile (a correction of an hour
 * must not be an hour of patience), this one never is. Its zero means nothing, so it is never kept or shown.
 */
import { Clock, Effect } from "effect"

export const elapsedMillisOf = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)

export const elapsedMillis: Effect.Effect<number> = Effect.clockWith((clock) => Effect.succeed(elapsedMillisOf(clock)))

/** A clock for what is made to go by the wall clock and must not: it tells the time that this one measures. */
export const steadyClockOf = (clock: Clock.Clock): Clock.Clock => {
  const nanos = () => clock.monotonicTimeNanosUnsafe()
  return {
    currentTimeMillisUnsafe: () => elapsedMillisOf(clock),
    currentTimeMillis: Effect.sync(() => elapsedMillisOf(clock)),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) => clock.sleep(duration),
  }
}
