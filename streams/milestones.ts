/**
 * A milestone that is reached releases its part of an order line for an invoice; one that is reopened takes it back.
 *
 *   milestone.completed ─> project.milestone reached     ─> milestone.billable goes out
 *   milestone.reopened  ─> project.milestone not reached ─> milestone.withdrawn goes out
 *
 * Odoo makes the line's delivered quantity of its reached milestones. A milestone that an amendment brings later is waited
 * for: it is a part of the engagement with a key of its own.
 */
import { MilestoneCompleted, MilestoneReopened } from "../schemas/milestone.ts"
import { formatOdooFloat } from "../schemas/money.ts"
import { event, type Flow, type Reference } from "../src/flow/Flow.ts"
import { read, type Step, update } from "../src/flow/Step.ts"
import type { Write } from "../src/flow/Write.ts"
import { many2one, type OdooRecord } from "../src/odoo/CompanyCalls.ts"
import { fact } from "./facts.ts"
import { engagementPart, parent } from "./keys.ts"
import { maskOf } from "./ownership.ts"

interface Milestone {
  readonly engagement: string
  readonly milestone: string
}

const referencesOf = ({ engagement, milestone }: Milestone): ReadonlyArray<Reference> => [
  { flow: "engagements", key: engagement },
  engagementPart(engagement, "milestone", milestone),
]

const recordsIn = (write: Write<Milestone>, step: string): ReadonlyArray<OdooRecord> =>
  (write.read[step]?.["records"] ?? []) as ReadonlyArray<OdooRecord>

const reach = (isReached: boolean): ReadonlyArray<Step<Milestone>> => [
  update({
    name: "milestone",
    model: "project.milestone",
    records: ({ references }) => [references[1]!.id],
    values: () => ({ is_reached: isReached }),
    fields: ["sale_line_id"],
  }),
  read({
    name: "line",
    model: "sale.order.line",
    records: (write) => recordsIn(write, "milestone").flatMap((one) => many2one(one["sale_line_id"]) ?? []),
    fields: ["qty_delivered", "qty_to_invoice"],
  }),
]

/** Decimals of a quantity in Odoo. */
const QUANTITY = 2

/** What of the order line can be billed now. Below zero: more is invoiced than is delivered, a credit note is due. */
const billable = (write: Write<Milestone>) => {
  const [line] = recordsIn(write, "line")
  const quantity = (field: string) => formatOdooFloat(Number(line?.[field]), QUANTITY)
  const { engagement, milestone } = write.data
  return {
    engagement,
    milestone,
    ...(line !== undefined && {
      lineId: line.id,
      delivered: quantity("qty_delivered"),
      toInvoice: quantity("qty_to_invoice"),
    }),
  }
}

const keyOf = ({ engagement, milestone }: Milestone): string => `${engagement}.${milestone}`

const completed = event<MilestoneCompleted>({
  type: "milestone.completed",
  version: 1,
  schema: MilestoneCompleted,
  key: keyOf,
  parents: ({ engagement }) => [parent.engagement(engagement)],
  references: referencesOf,
  versions: "gate",
  plan: reach(true),
  fact: ({ date }) => `completed on ${date}`,
  publishes: ["milestone.billable"],
  outcomes: (write) => [
    fact("milestone.billable", {
      ...billable(write),
      date: write.data.date,
      acceptedBy: write.data.acceptedBy ?? null,
    }),
  ],
})

const reopened = event<MilestoneReopened>({
  type: "milestone.reopened",
  version: 1,
  schema: MilestoneReopened,
  key: keyOf,
  parents: ({ engagement }) => [parent.engagement(engagement)],
  references: referencesOf,
  versions: "gate",
  plan: reach(false),
  fact: () => "reopened",
  publishes: ["milestone.withdrawn"],
  outcomes: (write) => [fact("milestone.withdrawn", { ...billable(write), reason: write.data.reason ?? null })],
})

export const milestones: Flow = {
  name: "milestones",
  domain: "milestone",
  description: "Milestones that are reached release their part of an order line for an invoice",
  lane: "normal",
  batch: { size: 50, linger: "50 millis", concurrency: 2 },
  inFlight: 200,
  referenceDeadline: "1 day",
  mask: maskOf("milestones"),
  events: [completed, reopened],
}
