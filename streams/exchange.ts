/**
 * Exchange rates that documents in foreign currencies need. Odoo books with the latest rate that is not after the day, with
 * the first one before that, and without any silently with 1: so a document whose rate is not there is refused.
 */
import type { Step } from "../src/flow/Step.ts"
import { check, query } from "../src/flow/Step.ts"
import type { Write } from "../src/flow/Write.ts"
import { recordsOf } from "./found.ts"

/** Oldest rate that a document may be booked with. */
const MAX_AGE_DAYS = 31
/** Most rates of that time: one a day. */
const MAX_RATES = 62

interface Valued {
  readonly currency: string
  readonly exchangeRate?: unknown
}

const daysBefore = (day: string, days: number): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) - days * 86_400_000).toISOString().slice(0, 10)

const isForeign = <D extends Valued>({ company, data }: Write<D>): boolean =>
  data.currency !== company.currency && data.exchangeRate === undefined

/** Two steps: looks for a rate of the document's day, and refuses the document when there is none. */
export const exchangeRateOf = <D extends Valued>(dayOf: (data: D) => string): ReadonlyArray<Step<D>> => [
  query({
    name: "exchangeRates",
    model: "res.currency.rate",
    domain: (write) =>
      isForeign(write)
        ? [
          ["currency_id.name", "=", write.data.currency],
          ["company_id", "=", write.company.id],
          ["name", "<=", dayOf(write.data)],
          ["name", ">=", daysBefore(dayOf(write.data), MAX_AGE_DAYS)],
        ]
        : null,
    fields: ["name"],
    limit: MAX_RATES,
  }),
  check({
    name: "exchangeRate",
    refuse: (write) =>
      isForeign(write) && recordsOf(write, "exchangeRates").length === 0
        ? {
          code: "EXCHANGE-RATE-MISSING",
          detail:
            `Odoo has no rate of ${write.data.currency} for ${write.company.entity} within ${MAX_AGE_DAYS} days ` +
            `before ${dayOf(write.data)}`,
        }
        : undefined,
  }),
]
