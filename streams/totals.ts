/**
 * Control totals of sources, for the completeness proof: facts of the ledger.
 *
 *   period.totals ─> fact, compared by every reconciliation of the month
 */
import { BigDecimal } from "effect"
import { PeriodTotals } from "../schemas/period.ts"
import { event, type Flow } from "../src/flow/Flow.ts"
import { PERIOD_TOTALS, textOf } from "../src/reconcile/sourceTotals.ts"

const told = event<PeriodTotals>({
  type: "period.totals",
  version: 1,
  schema: PeriodTotals,
  key: ({ flow, period }) => `${period}-${flow}`,
  parents: () => [],
  references: () => [],
  versions: "gate",
  plan: [],
  fact: ({ events, totals }) =>
    textOf({
      events,
      amounts: Object.fromEntries(totals.map(({ amount, currency, field }) => [
        currency === undefined ? field : `${currency} ${field}`,
        BigDecimal.format(amount),
      ])),
    }),
})

export const totals: Flow = {
  name: PERIOD_TOTALS,
  domain: "period",
  description: "What sources say that a month comes to, for the completeness proof",
  lane: "normal",
  batch: { size: 50, linger: "50 millis", concurrency: 1 },
  inFlight: 200,
  referenceDeadline: "1 day",
  events: [told],
}
