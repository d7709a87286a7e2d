/** Approved time: the main surge stream at month-end. */
import { BigDecimal, Schema } from "effect"
import { financial, personal } from "./classification.ts"
import { BusinessKey, Day, Label } from "./ids.ts"
import { Decimal } from "./money.ts"

/**
 * `timesheet.approved`: one approved line of time. Sent once; a correction after invoicing is a line of its own with
 * negative hours and a key of its own.
 */
export const TimesheetApproved = Schema.Struct({
  key: BusinessKey.annotate({ description: "id of the timesheet line", examples: ["T-0000123"] }),
  engagement: BusinessKey.annotate({ description: "engagement code", examples: ["ENG-0007"] }),
  line: BusinessKey.annotate({ description: "order line that the hours are delivered on", examples: ["senior"] }),
  task: Schema.optionalKey(BusinessKey.annotate({ description: "task of the engagement", examples: ["design"] })),
  consultant: personal(
    Schema.String.check(
      Schema.isMaxLength(254),
      Schema.isPattern(/^[^\s@]{1,64}@[^\s@]{1,189}$/u, { message: "must be a work e-mail address" }),
    ).annotate({ description: "work e-mail of the employee in Odoo", examples: ["c01@be01.example.test"] }),
  ),
  date: Day.annotate({ description: "day the work was done" }),
  hours: financial(
    Decimal.check(
      Schema.isBetweenBigDecimal({ minimum: BigDecimal.make(-24n, 0), maximum: BigDecimal.make(24n, 0) }),
      Schema.makeFilter((hours: BigDecimal.BigDecimal) => !BigDecimal.isZero(hours) || "must not be zero"),
    ).annotate({ description: "hours, -24 to 24, negative for corrections", examples: [BigDecimal.make(75n, 1)] }),
  ),
  description: personal(Label.annotate({ description: "what was done, as the customer may read it" })),
  billable: Schema.Boolean.annotate({ description: "false: counted as cost, on no order line" }),
}).annotate({ identifier: "TimesheetApproved", description: "A line of time was approved" })
export type TimesheetApproved = typeof TimesheetApproved.Type
