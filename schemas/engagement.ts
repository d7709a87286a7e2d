/**
 * Engagements: what a customer bought and how it is billed. Activation and amendment carry the whole agreement, so that it
 * does not matter which of them arrives: the one with the largest sequence stands.
 */
import { BigDecimal, Schema } from "effect"
import { BillingSchedule } from "./billing.ts"
import { BusinessKey, Day, EntityCode, Label, repeated, TaxCode } from "./ids.ts"
import { Currency, Decimal, PositiveDecimal } from "./money.ts"

/** Most lines, tasks or milestones of one engagement: one `load` call must stay well below a minute. */
export const ENGAGEMENT_MAX_LINES = 200

/**
 * When work becomes billable:
 * - `time-and-materials`: as timesheets come in
 * - `fixed-price`: at once, in fractions of the price
 * - `milestones`: as milestones are reached
 * - `retainer`: at once; hours are counted against it, an overrun is not billed
 * - `usage`: as periods of use are closed; the line carries the agreed price, each period gets a line of its own
 */
export const EngagementKind = Schema.Literals([
  "time-and-materials",
  "fixed-price",
  "milestones",
  "retainer",
  "usage",
]).annotate({ identifier: "EngagementKind" })
export type EngagementKind = typeof EngagementKind.Type

export const EngagementLine = Schema.Struct({
  key: BusinessKey.annotate({ description: "key of the line within the engagement", examples: ["senior"] }),
  description: Label,
  quantity: Decimal.check(Schema.isGreaterThanOrEqualToBigDecimal(BigDecimal.make(0n, 0))).annotate({
    description: "hours for time-and-materials and retainer, units otherwise; 0 when only the price is agreed",
    examples: [BigDecimal.make(160n, 0)],
  }),
  unitPrice: Decimal.annotate({
    description: "without tax, at most 2 decimals",
    examples: [BigDecimal.make(12550n, 2)],
  }),
  taxCode: TaxCode,
  kind: Schema.optionalKey(EngagementKind.annotate({ description: "when it differs from the engagement's" })),
}).annotate({ identifier: "EngagementLine" })
export type EngagementLine = typeof EngagementLine.Type

export const EngagementTask = Schema.Struct({
  key: BusinessKey.annotate({ description: "key of the task within the engagement", examples: ["design"] }),
  name: Label,
  line: Schema.optionalKey(BusinessKey.annotate({ description: "order line that its hours are delivered on" })),
}).annotate({ identifier: "EngagementTask" })

export const Milestone = Schema.Struct({
  key: BusinessKey.annotate({ description: "key of the milestone within the engagement", examples: ["go-live"] }),
  name: Label,
  line: BusinessKey.annotate({ description: "order line that it releases a part of" }),
  fraction: PositiveDecimal.check(Schema.isLessThanOrEqualToBigDecimal(BigDecimal.make(1n, 0))).annotate({
    description: "part of the line's quantity that is billable once it is reached, above 0 and up to 1",
    examples: [BigDecimal.make(4n, 1)],
  }),
  due: Schema.optionalKey(Day.annotate({ description: "day on which it is to be reached" })),
}).annotate({ identifier: "Milestone" })

const bounded = <S extends Schema.Constraint>(item: S) =>
  Schema.Array(item).check(Schema.isMaxLength(ENGAGEMENT_MAX_LINES))

/**
 * The whole agreement as of one version. What a later version leaves out stays as it is: Odoo cannot remove a line of a
 * confirmed order. A line that is dropped has the quantity 0.
 */
const agreement = {
  key: BusinessKey.annotate({ description: "engagement code", examples: ["ENG-0007"] }),
  customer: BusinessKey.annotate({ description: "customer number", examples: ["CUS-0042"] }),
  legalEntity: Schema.optionalKey(
    EntityCode.annotate({ description: "who the contract is with; must be the entity of the subject" }),
  ),
  contract: Schema.optionalKey(
    Label.annotate({
      description: "number of the signed contract, as the customer knows it",
      examples: ["SOW-2026-31"],
    }),
  ),
  name: Label.annotate({ examples: ["Fleet planning, phase 2"] }),
  kind: EngagementKind,
  currency: Currency,
  priceList: Schema.optionalKey(
    Label.annotate({ description: "exact name of Odoo's price list, where there are several in the currency" }),
  ),
  startDate: Day,
  endDate: Schema.optionalKey(Day),
  billing: Schema.optionalKey(BillingSchedule),
  lines: bounded(EngagementLine).check(Schema.isMinLength(1)),
  tasks: Schema.optionalKey(bounded(EngagementTask)),
  milestones: Schema.optionalKey(bounded(Milestone)),
} as const

interface Agreement {
  readonly startDate: string
  readonly endDate?: string
  readonly billing?: BillingSchedule
  readonly lines: ReadonlyArray<{ readonly key: string }>
  readonly tasks?: ReadonlyArray<{ readonly key: string; readonly line?: string }>
  readonly milestones?: ReadonlyArray<{
    readonly key: string
    readonly line: string
    readonly fraction: BigDecimal.BigDecimal
  }>
}

/** Within one agreement every key is there once, parts name lines that it has, and no line is billed more than once. */
const coherent = (agreement: Agreement) => {
  const lines = agreement.lines.map((line) => line.key)
  const tasks = agreement.tasks ?? []
  const milestones = agreement.milestones ?? []
  const installments = agreement.billing?.installments ?? []
  for (const [field, parts] of Object.entries({ lines: agreement.lines, tasks, milestones, billing: installments })) {
    const twice = repeated(parts.map((part) => part.key))
    if (twice !== undefined) return { path: [field], issue: `has the key ${twice} twice` }
  }
  for (const [field, parts] of Object.entries({ tasks, milestones, billing: installments })) {
    const stray = parts.find((part) => part.line !== undefined && !lines.includes(part.line))
    if (stray !== undefined) return { path: [field], issue: `${stray.key} names ${stray.line}, which is no line` }
  }
  for (const line of lines) {
    for (const [field, parts] of Object.entries({ milestones, billing: installments })) {
      const sum = BigDecimal.sumAll(parts.filter((part) => part.line === line).map((part) => part.fraction))
      if (BigDecimal.isGreaterThan(sum, BigDecimal.make(1n, 0))) {
        return { path: [field], issue: `of ${line} add up to more than 1` }
      }
    }
  }
  return agreement.endDate !== undefined && agreement.endDate < agreement.startDate
    ? { path: ["endDate"], issue: "must not be before startDate" }
    : undefined
}

/** `engagement.activated`: a closed engagement starts. The envelope's `sequence` counts the versions of the agreement. */
export const EngagementActivated = Schema.Struct(agreement).check(Schema.makeFilter(coherent)).annotate({
  identifier: "EngagementActivated",
  description: "A closed engagement starts",
})
export type EngagementActivated = typeof EngagementActivated.Type

/** `engagement.amended`: the whole agreement after a change. */
export const EngagementAmended = Schema.Struct({
  ...agreement,
  reason: Schema.optionalKey(Label.annotate({ description: "why, for the people in Odoo" })),
}).check(Schema.makeFilter(coherent)).annotate({
  identifier: "EngagementAmended",
  description: "An engagement was changed",
})
export type EngagementAmended = typeof EngagementAmended.Type

/**
 * `engagement.closed`: delivery has ended. Work up to `date` may still come in and be billed; later work and amendments are
 * exceptions. The envelope's `sequence` counts closing and reopening.
 */
export const EngagementClosed = Schema.Struct({
  key: agreement.key,
  date: Day.annotate({ description: "last day of work" }),
  reason: Schema.optionalKey(Label),
}).annotate({ identifier: "EngagementClosed", description: "Delivery of an engagement has ended" })
export type EngagementClosed = typeof EngagementClosed.Type

/** `engagement.reopened`: delivery goes on after all. */
export const EngagementReopened = Schema.Struct({
  key: agreement.key,
  endDate: Schema.optionalKey(Day.annotate({ description: "the new last day; the old one stays when left out" })),
}).annotate({ identifier: "EngagementReopened", description: "Delivery of an engagement goes on after all" })
export type EngagementReopened = typeof EngagementReopened.Type
