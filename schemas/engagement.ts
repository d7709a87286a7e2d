/** Engagements: what a customer bought and how it is billed. */
import { BigDecimal, Schema } from "effect"
import { financial, personal } from "./classification.ts"
import { BusinessKey, Day, Label, repeated, TaxCode } from "./ids.ts"
import { Currency, Decimal, PositiveDecimal } from "./money.ts"

/** Most lines, tasks or milestones of one engagement: one `load` call must stay well below a minute. */
export const ENGAGEMENT_MAX_LINES = 200

/**
 * When work becomes billable:
 * - `time-and-materials`: as timesheets come in
 * - `fixed-price`: at once, in fractions of the price
 * - `milestones`: as milestones are reached
 * - `retainer`: at once; hours are counted against it, an overrun is not billed
 */
export const EngagementKind = Schema.Literals(["time-and-materials", "fixed-price", "milestones", "retainer"]).annotate(
  {
    identifier: "EngagementKind",
  },
)
export type EngagementKind = typeof EngagementKind.Type

export const EngagementLine = Schema.Struct({
  key: BusinessKey.annotate({ description: "key of the line within the engagement", examples: ["senior"] }),
  description: personal(Label),
  quantity: financial(
    Decimal.check(Schema.isGreaterThanOrEqualToBigDecimal(BigDecimal.make(0n, 0))).annotate({
      description: "hours for time-and-materials and retainer, units otherwise; 0 when only the price is agreed",
      examples: [BigDecimal.make(160n, 0)],
    }),
  ),
  unitPrice: financial(Decimal.annotate({
    description: "without tax, at most 2 decimals",
    examples: [BigDecimal.make(12550n, 2)],
  })),
  taxCode: TaxCode,
  kind: Schema.optionalKey(EngagementKind.annotate({ description: "when it differs from the engagement's" })),
}).annotate({ identifier: "EngagementLine" })
export type EngagementLine = typeof EngagementLine.Type

export const EngagementTask = Schema.Struct({
  key: BusinessKey.annotate({ description: "key of the task within the engagement", examples: ["design"] }),
  name: personal(Label),
  line: Schema.optionalKey(BusinessKey.annotate({ description: "order line that its hours are delivered on" })),
}).annotate({ identifier: "EngagementTask" })

export const Milestone = Schema.Struct({
  key: BusinessKey.annotate({ description: "key of the milestone within the engagement", examples: ["go-live"] }),
  name: personal(Label),
  line: BusinessKey.annotate({ description: "order line that it releases a part of" }),
  fraction: financial(
    PositiveDecimal.check(Schema.isLessThanOrEqualToBigDecimal(BigDecimal.make(1n, 0))).annotate({
      description: "part of the line's quantity that is billable once it is reached, above 0 and up to 1",
      examples: [BigDecimal.make(4n, 1)],
    }),
  ),
}).annotate({ identifier: "Milestone" })

const bounded = <S extends Schema.Constraint>(item: S) =>
  Schema.Array(item).check(Schema.isMaxLength(ENGAGEMENT_MAX_LINES))

/** `engagement.activated`: a closed engagement starts. Sent once; amendments are events of their own. */
export const EngagementActivated = Schema.Struct({
  key: BusinessKey.annotate({ description: "engagement code", examples: ["ENG-0007"] }),
  customer: BusinessKey.annotate({ description: "customer number", examples: ["CUS-0042"] }),
  name: personal(Label.annotate({ examples: ["Fleet planning, phase 2"] })),
  kind: EngagementKind,
  currency: Currency,
  startDate: Day,
  endDate: Schema.optionalKey(Day),
  lines: bounded(EngagementLine).check(Schema.isMinLength(1)),
  tasks: Schema.optionalKey(bounded(EngagementTask)),
  milestones: Schema.optionalKey(bounded(Milestone)),
}).check(Schema.makeFilter((engagement) => {
  const lines = engagement.lines.map((line) => line.key)
  const tasks = engagement.tasks ?? []
  const milestones = engagement.milestones ?? []
  for (const [field, parts] of Object.entries({ lines: engagement.lines, tasks, milestones })) {
    const twice = repeated(parts.map((part) => part.key))
    if (twice !== undefined) return { path: [field], issue: `has the key ${twice} twice` }
  }
  for (const [field, parts] of Object.entries({ tasks, milestones })) {
    const stray = parts.find((part) => part.line !== undefined && !lines.includes(part.line))
    if (stray !== undefined) return { path: [field], issue: `${stray.key} names ${stray.line}, which is no line` }
  }
  for (const line of lines) {
    const sum = BigDecimal.sumAll(milestones.filter((part) => part.line === line).map((part) => part.fraction))
    if (BigDecimal.isGreaterThan(sum, BigDecimal.make(1n, 0))) {
      return { path: ["milestones"], issue: `of ${line} add up to more than 1` }
    }
  }
  return engagement.endDate !== undefined && engagement.endDate < engagement.startDate
    ? { path: ["endDate"], issue: "must not be before startDate" }
    : undefined
})).annotate({ identifier: "EngagementActivated", description: "A closed engagement starts" })
export type EngagementActivated = typeof EngagementActivated.Type
