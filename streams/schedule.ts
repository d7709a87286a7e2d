/**
 * The rules by which an agreement is billed, as data, and what a billing schedule lacks by them. Weir does not invoice by
 * the schedule: billing does, with `invoice.requested`.
 */
import { BigDecimal } from "effect"
import type { BillingSchedule } from "../schemas/billing.ts"
import type { EngagementKind } from "../schemas/engagement.ts"

/** What brings a line of each kind onto invoices. A line without it would be delivered and never billed. */
export const billedBy = {
  "time-and-materials": "rhythm",
  "fixed-price": "installments",
  "milestones": "milestones",
  "retainer": "rhythm",
  "usage": "rhythm",
} as const satisfies Record<EngagementKind, "rhythm" | "installments" | "milestones">

/** What is there to bill by: of an engagement, or of a subscription. */
export interface Billed {
  readonly kind: EngagementKind
  readonly billing?: BillingSchedule
  readonly lines: ReadonlyArray<{
    readonly key: string
    readonly kind?: EngagementKind
    readonly quantity: BigDecimal.BigDecimal
  }>
  readonly milestones?: ReadonlyArray<{ readonly line: string }>
}

const ONE = BigDecimal.make(1n, 0)

/** What `line` lacks, in words; undefined when it will be billed. */
const gapOf = ({ billing, kind, milestones = [] }: Billed, line: Billed["lines"][number]): string | undefined => {
  const own = line.kind ?? kind
  // A line that was dropped has nothing to bill; of one that is billed as delivered, 0 is only the estimate.
  if (BigDecimal.isZero(line.quantity) && billedBy[own] !== "rhythm") return undefined
  switch (billedBy[own]) {
    case "rhythm":
      return billing?.rhythm === undefined ? `line ${line.key} (${own}) needs a rhythm` : undefined
    case "installments": {
      const parts = billing?.installments?.filter((part) => part.line === line.key) ?? []
      const sum = BigDecimal.sumAll(parts.map((part) => part.fraction))
      return BigDecimal.equals(sum, ONE)
        ? undefined
        : `installments of line ${line.key} (${own}) add up to ${BigDecimal.format(sum)} instead of 1`
    }
    case "milestones":
      return milestones.some((part) => part.line === line.key)
        ? undefined
        : `line ${line.key} (${own}) needs a milestone`
  }
}

/** What the schedule lacks, one sentence a line of the agreement; none when every line will be billed. */
export const gapsIn = (billed: Billed): ReadonlyArray<string> =>
  billed.lines.flatMap((line) => gapOf(billed, line) ?? [])

/** The schedule for the people in Odoo, in one line. */
export const scheduleText = ({ installments = [], rhythm }: BillingSchedule): string =>
  [
    ...(rhythm === undefined ? [] : [`invoiced ${rhythm}`]),
    ...installments.map(({ date, fraction, key, line }) =>
      `${key}: ${BigDecimal.format(fraction)} of ${line} on ${date}`
    ),
  ].join("; ")
