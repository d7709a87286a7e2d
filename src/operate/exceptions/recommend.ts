/**
 * What to do about an exception, learned from how others of the same cause ended. Counting, nothing else: the same history
 * gives the same advice, and the advice shows what it counted. A person accepts it, or does not.
 */
import { Schema } from "effect"
import type { Resolution } from "../../ledger/Desk.ts"
import { type ReasonCode, reasons } from "../../reason/Reason.ts"

/** Endings that are looked at, newest first. */
export const MAX_EVIDENCE = 200
/** Fewer endings say nothing. */
const ENOUGH = 3
/** A retry is advised when so many of those that were tried again went through. */
const MOSTLY = 0.6
const EXAMPLES = 3

export const Recommendation = Schema.Struct({
  /** `mend`: nothing of what people did so far helped; what stands behind it has to be mended first. */
  action: Schema.Literals(["retry", "edit", "dismiss", "mend"]),
  /** Whether it is learned; else it is what the code is documented with. */
  learned: Schema.Boolean,
  text: Schema.String,
  /** How the others ended. */
  evidence: Schema.Struct({
    looked: Schema.Int,
    retried: Schema.Int,
    edited: Schema.Int,
    dismissed: Schema.Int,
    /** Tried again, and failed for the same cause. */
    recurred: Schema.Int,
    /** The newest of those that speak for it. */
    examples: Schema.Array(Schema.Struct({
      entity: Schema.String,
      eventId: Schema.String,
      atMillis: Schema.Int,
      by: Schema.String,
      how: Schema.Literals(["retried", "edited", "recurred", "dismissed", "itself"]),
    })),
  }),
}).annotate({ identifier: "Recommendation" })
export type Recommendation = typeof Recommendation.Type

/** Codes after which a retry alone never helps: the event itself is wrong. */
const ownFault = new Set<ReasonCode>(["EVENT-INVALID", "EVENT-CHANGED", "EVENT-NOT-JSON", "EVENT-NOT-CLOUDEVENT"])

export const recommend = (code: ReasonCode, endings: ReadonlyArray<Resolution>): Recommendation => {
  const looked = endings.slice(0, MAX_EVIDENCE)
  const count = (how: Resolution["how"]): number => looked.filter((one) => one.how === how).length
  const [retried, edited, dismissed, recurred] = [
    count("retried"),
    count("edited"),
    count("dismissed"),
    count("recurred"),
  ]
  const advice = (
    action: Recommendation["action"],
    learned: boolean,
    text: string,
    speaking: ReadonlyArray<Resolution["how"]>,
  ): Recommendation => ({
    action,
    learned,
    text,
    evidence: {
      looked: looked.length,
      retried,
      edited,
      dismissed,
      recurred,
      examples: looked.filter(({ how }) => speaking.includes(how)).slice(0, EXAMPLES),
    },
  })
  const ended = retried + edited + dismissed
  if (ended + recurred < ENOUGH) {
    const documented = reasons[code].action
    return advice(ownFault.has(code) ? "edit" : "mend", false, documented, [])
  }
  const most = Math.max(retried, edited, dismissed)
  if (retried === most && retried / (retried + recurred) >= MOSTLY) {
    return advice("retry", true, `${retried} of ${retried + recurred} went through when they were tried again.`, [
      "retried",
    ])
  }
  if (edited === most && edited > 0) {
    return advice("edit", true, `${edited} of ${ended} were corrected and went through.`, ["edited"])
  }
  if (dismissed === most && dismissed > 0) {
    return advice("dismiss", true, `${dismissed} of ${ended} were dismissed.`, ["dismissed"])
  }
  const tried = retried + recurred
  return advice(
    "mend",
    true,
    `A retry alone did not help: ${recurred} of ${tried} failed again. ${reasons[code].action}`,
    ["recurred"],
  )
}
