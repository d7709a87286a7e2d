/** What a source says about a whole period, so that it can be proven that everything arrived. */
import { BigDecimal, Schema } from "effect"
import { Currency, Decimal } from "./money.ts"

const Month = Schema.String.check(
  Schema.isPattern(/^\d{4}-(?:0[1-9]|1[0-2])$/u, { message: "must be a month, YYYY-MM" }),
)

/**
 * `period.totals`: the source's control totals of one kind of events in one month. Sent again with a larger sequence, the
 * newest stands.
 */
export const PeriodTotals = Schema.Struct({
  period: Month.annotate({ description: "month of the events' own dates", examples: ["2026-10"] }),
  flow: Schema.String.check(
    Schema.isPattern(/^[a-z][a-z-]{0,31}$/u, { message: "must be the name of a flow" }),
  ).annotate({ description: "flow of the events", examples: ["invoices"] }),
  events: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).annotate({ description: "how many were published" }),
  totals: Schema.Array(Schema.Struct({
    field: Schema.String.check(Schema.isPattern(/^[a-z][a-z_]{0,63}$/u)).annotate({
      description: "Odoo's name of the amount",
      examples: ["amount_total"],
    }),
    currency: Schema.optionalKey(Currency),
    amount: Decimal.annotate({ examples: [BigDecimal.make(1250050n, 2)] }),
  })).check(Schema.isMaxLength(100)),
}).annotate({ identifier: "PeriodTotals", description: "The source's control totals of a month" })
export type PeriodTotals = typeof PeriodTotals.Type
