/** A clock whose time of day can be set, as an administrator or NTP does it. How long something lasts stays true. */
import { Clock, Effect } from "effect"

export interface SettableClock {
  readonly clock: Clock.Clock
  /** Forward, or back when negative. */
  readonly set: (byMillis: number) => void
}

/** On top of the clock that is there. */
export const settableClock: Effect.Effect<SettableClock> = Effect.clockWith((clock) =>
  Effect.sync(() => {
    let offset = 0
    const millis = (): number => clock.currentTimeMillisUnsafe() + offset
    const nanos = (): bigint => clock.currentTimeNanosUnsafe() + BigInt(offset) * 1_000_000n
    return {
      clock: {
        ...clock,
        currentTimeMillisUnsafe: millis,
        currentTimeMillis: Effect.sync(millis),
        currentTimeNanosUnsafe: nanos,
        currentTimeNanos: Effect.sync(nanos),
      },
      set: (byMillis) => void (offset += byMillis),
    }
  })
)
