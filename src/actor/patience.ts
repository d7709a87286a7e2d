/** How long the actor goes on trying, and what it says meanwhile: one clear line when a trouble begins, not one a try. */
import { Duration, Effect, Random, Schedule } from "effect"
import type { OdooError } from "../odoo/Odoo.ts"
import { dispositionOf, type ReasonCode } from "../reason/Reason.ts"
import { elapsedMillis } from "../telemetry/elapsed.ts"

/** What ran for so long before it failed has a new trouble: the waits, and what is said of them, begin anew. */
const WELL = Duration.toMillis(Duration.minutes(1))

/** Waits that double from `first` to `longest` milliseconds, jittered. */
const doubling = (first: number, longest: number) =>
  Schedule.fromStepWithMetadata(Effect.sync(() => {
    let wait = 0
    return ({ elapsedSincePrevious }: Schedule.InputMetadata<unknown>) => {
      const ran = elapsedSincePrevious - wait
      wait = wait === 0 || ran >= WELL ? first : Math.min(longest, wait * 2)
      const pause = Duration.millis(wait)
      return Effect.succeed<[Duration.Duration, Duration.Duration]>([pause, pause])
    }
  })).pipe(Schedule.jittered)

/** Waits between tries of the ledger and the broker. */
const backoffOfPorts = doubling(50, 5_000)

interface Trouble {
  readonly message: string
  readonly isRetryable: boolean
}

/** Repeats a ledger or broker operation while its trouble is a passing one. Ends with success or a lasting failure. */
export const untilAvailable =
  (operation: string) => <A, E extends Trouble, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      let tries = 0
      let begun = 0
      const failed = (error: E, now: number): Effect.Effect<void> => {
        if (!error.isRetryable) return Effect.void
        if (now - begun >= WELL) tries = 0
        return tries++ % 12 === 0
          ? Effect.logWarning(`${operation} waits for a dependency and goes on by itself: ${error.message}`)
          : Effect.void
      }
      return Effect.map(elapsedMillis, (now) => begun = now).pipe(
        Effect.andThen(self),
        Effect.tapError((error) => Effect.flatMap(elapsedMillis, (now) => failed(error, now))),
        Effect.retry({ schedule: backoffOfPorts, while: (error) => error.isRetryable }),
        Effect.tap(() => tries > 0 ? Effect.logInfo(`${operation} goes on after ${tries} tries`) : Effect.void),
      )
    })

/** Waits between restarts of a crashed part. */
export const restartBackoff = doubling(200, 15_000)

/** The first wait after a failed call to Odoo and the longest one, in milliseconds; it doubles in between. */
interface Backoff {
  readonly first: number
  readonly cap: number
}

/** Somebody else wrote to the same records and is done soon. */
const CONTENTION: Backoff = { first: 200, cap: 5_000 }
/** The outcome is unknown: the call may still be running in Odoo, and the same one beside it would wait for it. */
const UNKNOWN: Backoff = { first: 500, cap: 15_000 }
/** Odoo is away: it comes back when it does. */
const AWAY: Backoff = { first: 500, cap: 15_000 }
/** Odoo refuses the key: a person has to act, and repeated refusals lock accounts. */
const KEY: Backoff = { first: 15_000, cap: 60_000 }

const backoffOf = (code: ReasonCode): Backoff => {
  switch (dispositionOf(code)) {
    case "hold":
      return KEY
    case "readback":
      return UNKNOWN
    default:
      return code === "ODOO-CONTENTION" ? CONTENTION : AWAY
  }
}

/** The wait after the `tries`-th failure in a row, from 1, without jitter. Pure. */
export const backoffMillis = (code: ReasonCode, tries: number): number => {
  const { cap, first } = backoffOf(code)
  return Math.min(cap, first * 2 ** Math.min(30, tries - 1))
}

/** Of the wait, so much less or more, so that those who failed together do not come back together. */
const JITTER = 0.2

/** The same with its jitter. */
export const backoff = (code: ReasonCode, tries: number): Effect.Effect<number> =>
  Effect.map(
    Random.next,
    (random) => Math.round(backoffMillis(code, tries) * (1 - JITTER + 2 * JITTER * random)),
  )

/** Waits between looks at Odoo by reason, as long as it takes. */
export const odooBackoff = Schedule.forever.pipe(
  Schedule.setInputType<OdooError>(),
  Schedule.modifyDelay(({ attempt, input }) => Effect.map(backoff(input.code, attempt), Duration.millis)),
)
