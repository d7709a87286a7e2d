/** Approved time: the main surge stream at month-end. */
import { BigDecimal, Schema } from "effect"
import { personal } from "./classification.ts"
import { BusinessKey, Day, Label } from "./ids.ts"
import { Decimal } from "./money.ts"

/** Work e-mail of an employee. */
const Consultant = personal(Schema.String.check(
  Schema.isMaxLength(254),
  Schema.isPattern(/^[^\s@]{1,64}@[^\s@]{1,189}$/u, { message: "must be a work e-mail address" }),
))

const line = {
  key: BusinessKey.annotate({ description: "id of the timesheet line", examples: ["T-0000123"] }),
  engagement: BusinessKey.annotate({ description: "engagement code", examples: ["ENG-0007"] }),
  line: BusinessKey.annotate({ description: "order line that the hours are delivered on", examples: ["senior"] }),
  task: Schema.optionalKey(BusinessKey.annotate({ description: "task of the engagement", examples: ["design"] })),
  consultant: Consultant.annotate({
    description: "work e-mail of the employee in Odoo",
    examples: ["c01@be01.example.test"],
  }),
  date: Day.annotate({ description: "day the work was done" }),
  hours: Decimal.check(
    Schema.isBetweenBigDecimal({ minimum: BigDecimal.make(-24n, 0), maximum: BigDecimal.make(24n, 0) }),
    Schema.makeFilter((hours: BigDecimal.BigDecimal) => !BigDecimal.isZero(hours) || "must not be zero"),
  ).annotate({ description: "hours, -24 to 24, negative for corrections", examples: [BigDecimal.make(75n, 1)] }),
  description: Label.annotate({ description: "what was done, as the customer may read it" }),
  billable: Schema.Boolean.annotate({ description: "false: counted as cost, on no order line" }),
}

const Reason = Schema.optionalKey(Label.annotate({ description: "why, for the people who ask later" }))

/**
 * `timesheet.approved`: one approved line of time. Sent once per line. The envelope's `sequence` counts what happens to the
 * line; with it, an approval that arrives after its correction is superseded.
 */
export const TimesheetApproved = Schema.Struct(line).annotate({
  identifier: "TimesheetApproved",
  description: "A line of time was approved",
})
export type TimesheetApproved = typeof TimesheetApproved.Type

/**
 * `timesheet.corrected`: the whole of the line as it should have been. Before it is invoiced the line is changed; what
 * stands on an invoice is taken back by a line of its own, and a further one says what is right.
 */
export const TimesheetCorrected = Schema.Struct({ ...line, reason: Reason }).annotate({
  identifier: "TimesheetCorrected",
  description: "A line of time was corrected",
})
export type TimesheetCorrected = typeof TimesheetCorrected.Type

/**
 * `timesheet.withdrawn`: the line should not be. For good: time that is approved after all is a line with a key of its
 * own.
 */
export const TimesheetWithdrawn = Schema.Struct({
  key: line.key,
  engagement: line.engagement,
  reason: Reason,
}).annotate({ identifier: "TimesheetWithdrawn", description: "A line of time was withdrawn" })
export type TimesheetWithdrawn = typeof TimesheetWithdrawn.Type
