/** Rates: at what price the work of which consultants is billed from when on. */
import { BigDecimal, Schema } from "effect"
import { Person } from "./approval.ts"
import { personal } from "./classification.ts"
import { BusinessKey, Day, Label, repeated, TaxCode } from "./ids.ts"
import { Decimal, PositiveDecimal } from "./money.ts"

/** Most consultants of one rate. */
export const RATE_MAX_CONSULTANTS = 200

const Consultant = personal(Schema.String.check(
  Schema.isMaxLength(254),
  Schema.isPattern(/^[^\s@]{1,64}@[^\s@]{1,189}$/u, { message: "must be a work e-mail address" }),
))

/**
 * `rate.assigned`: one version of the rate of a role in an engagement. It gets an order line of its own, which timesheets
 * name by `key`; another price from another day on is another rate with a key of its own. The envelope's `sequence` counts
 * the changes of one rate.
 */
export const RateAssigned = Schema.Struct({
  key: BusinessKey.annotate({ description: "key of the rate, and of its order line", examples: ["senior-2026"] }),
  engagement: BusinessKey.annotate({ description: "engagement code", examples: ["ENG-0007"] }),
  role: Label.annotate({ description: "as it stands on the invoice", examples: ["Senior consultant"] }),
  consultants: Schema.Array(Consultant).check(Schema.isMinLength(1), Schema.isMaxLength(RATE_MAX_CONSULTANTS)).annotate(
    {
      description: "work e-mails of the employees whose work it prices",
      examples: [["c01@be01.example.test"]],
    },
  ),
  unitPrice: PositiveDecimal.annotate({
    description: "per hour, without tax, at most 2 decimals, in the engagement's currency",
    examples: [BigDecimal.make(14500n, 2)],
  }),
  standardPrice: Decimal.annotate({
    description: "the rate card's price for the role; a rate that differs waits for an approval",
    examples: [BigDecimal.make(14500n, 2)],
  }),
  taxCode: TaxCode,
  from: Day.annotate({ description: "first day of work at this rate" }),
  until: Schema.optionalKey(Day.annotate({ description: "last day" })),
  requestedBy: Schema.optionalKey(Person.annotate({ description: "who asks for a rate that is not the rate card's" })),
}).check(Schema.makeFilter((rate) => {
  const twice = repeated(rate.consultants)
  if (twice !== undefined) return { path: ["consultants"], issue: `has ${twice} twice` }
  if (rate.until !== undefined && rate.until < rate.from) return { path: ["until"], issue: "must not be before from" }
  return !BigDecimal.equals(rate.unitPrice, rate.standardPrice) && rate.requestedBy === undefined
    ? { path: ["requestedBy"], issue: "must be there when unitPrice is not standardPrice" }
    : undefined
})).annotate({ identifier: "RateAssigned", description: "A rate of an engagement" })
export type RateAssigned = typeof RateAssigned.Type
