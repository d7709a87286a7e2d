/** What is to be proven. */
import { Schema } from "effect"
import type { Run } from "../ledger/Runs.ts"

export const Period = Schema.String.check(
  Schema.isPattern(/^\d{4}-(?:0[1-9]|1[0-2])$/u, { message: "must be a month, YYYY-MM" }),
).annotate({ identifier: "Period", description: "month", examples: ["2026-10"] })

export const ReconciliationRequest = Schema.Struct({
  period: Period,
  /** Names of flows; left out: all. */
  flows: Schema.optionalKey(Schema.NonEmptyArray(Schema.String)),
})
export type ReconciliationRequest = typeof ReconciliationRequest.Type

export const requestOf = (run: Run): ReconciliationRequest =>
  Schema.decodeUnknownSync(ReconciliationRequest)(run.request)

/** First and last day. */
export const daysOf = (period: string): { readonly first: string; readonly last: string } => {
  const [year, month] = period.split("-").map(Number) as [number, number]
  const last = new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10)
  return { first: `${period}-01`, last }
}

/** How long before a period's first day events of it may have been stored; earlier ones are not looked at. */
export const LEAD_MILLIS = 92 * 86_400_000
