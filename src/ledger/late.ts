/** Events that add to a window which is closed for them: parked instead of applied. Both ledgers do so. */
import type { Outcome } from "./Ledger.ts"

/** `outcomes` with those of `late` event ids parked. */
export const parkLate = (outcomes: ReadonlyArray<Outcome>, late: ReadonlySet<string>): ReadonlyArray<Outcome> =>
  outcomes.map((outcome): Outcome => {
    if (outcome._tag !== "Applied" || outcome.adds === undefined || !late.has(outcome.event.eventId)) return outcome
    const { contribution: { period, series }, message } = outcome.adds
    return {
      _tag: "Parked",
      event: outcome.event,
      message,
      code: "USAGE-LATE",
      detail: `${series} ${period} is closed`,
    }
  })
