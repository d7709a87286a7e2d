/** How long the actor goes on trying, and what it says meanwhile: one clear line when a trouble begins, not one a try. */
import { Duration, Effect, Schedule } from "effect"
import type { OdooError } from "../odoo/Odoo.ts"
import { dispositionOf } from "../reason/Reason.ts"

/** Waits between tries of the ledger: 50 ms doubling to 5 s. */
const ledgerBackoff = Schedule.min([Schedule.exponential("50 millis"), Schedule.spaced("5 seconds")]).pipe(
  Schedule.jittered,
)

interface Trouble {
  readonly message: string
  readonly isRetryable: boolean
}

/** Repeats a ledger or broker operation while its trouble is a passing one. Ends with success or a lasting failure. */
export const untilAvailable =
  (operation: string) => <A, E extends Trouble, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      let tries = 0
      return self.pipe(
        Effect.tapError((error) =>
          error.isRetryable && tries++ % 12 === 0
            ? Effect.logWarning(`${operation} waits for a dependency and goes on by itself: ${error.message}`)
            : Effect.void
        ),
        Effect.retry({ schedule: ledgerBackoff, while: (error) => error.isRetryable }),
        Effect.tap(() => tries > 0 ? Effect.logInfo(`${operation} goes on after ${tries} tries`) : Effect.void),
      )
    })

/** Waits between restarts of a crashed part: 200 ms doubling to 15 s. */
export const restartBackoff = Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("15 seconds")]).pipe(
  Schedule.jittered,
)

/** Shortest wait after Odoo refused the key: repeated refusals lock accounts. */
const HOLD = Duration.seconds(15)

/** Waits between tries of a write plan: 200 ms doubling to 15 s, longer while Odoo refuses the key. */
export const writeBackoff = Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("15 seconds")]).pipe(
  Schedule.jittered,
  Schedule.setInputType<OdooError>(),
  Schedule.modifyDelay(({ duration, input }) =>
    Effect.succeed(dispositionOf(input.code) === "hold" ? Duration.max(duration, HOLD) : duration)
  ),
)
