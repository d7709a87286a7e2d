/**
 * Billing schedules: when which part of an agreement is due for an invoice. Weir does not invoice by it; it sees that each
 * agreement has one, keeps it beside the project, and hands it on.
 */
import { BigDecimal, Schema } from "effect"
import { BusinessKey, Day } from "./ids.ts"
import { PositiveDecimal } from "./money.ts"

/** Most installments of one agreement. */
export const SCHEDULE_MAX_INSTALLMENTS = 200

/** How often what was delivered, or what a period costs, is invoiced. */
export const Rhythm = Schema.Literals(["weekly", "monthly", "quarterly", "yearly"]).annotate({ identifier: "Rhythm" })
export type Rhythm = typeof Rhythm.Type

export const Installment = Schema.Struct({
  key: BusinessKey.annotate({ description: "key of the installment within the agreement", examples: ["start"] }),
  line: BusinessKey.annotate({ description: "line that it bills a part of" }),
  date: Day.annotate({ description: "day on which it is due for an invoice" }),
  fraction: PositiveDecimal.check(Schema.isLessThanOrEqualToBigDecimal(BigDecimal.make(1n, 0))).annotate({
    description: "part of the line's quantity, above 0 and up to 1",
    examples: [BigDecimal.make(5n, 1)],
  }),
}).annotate({ identifier: "Installment" })
export type Installment = typeof Installment.Type

/** Which part a line needs depends on its kind: `streams/schedule.ts`. */
export const BillingSchedule = Schema.Struct({
  rhythm: Schema.optionalKey(Rhythm),
  installments: Schema.optionalKey(Schema.Array(Installment).check(Schema.isMaxLength(SCHEDULE_MAX_INSTALLMENTS))),
}).annotate({ identifier: "BillingSchedule", description: "when which part of an agreement is due for an invoice" })
export type BillingSchedule = typeof BillingSchedule.Type
