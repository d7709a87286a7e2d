/** Milestones of engagements: reaching one releases its part of an order line for an invoice. */
import { Schema } from "effect"
import { BusinessKey, Day, Label } from "./ids.ts"

const milestone = {
  engagement: BusinessKey.annotate({ description: "engagement code", examples: ["ENG-0007"] }),
  milestone: BusinessKey.annotate({ description: "key of the milestone within it", examples: ["go-live"] }),
} as const

/** `milestone.completed`: it is reached. The envelope's `sequence` counts what happens to one milestone. */
export const MilestoneCompleted = Schema.Struct({
  ...milestone,
  date: Day.annotate({
    description: "day on which it was accepted; told on, Odoo keeps the day on which it hears of it",
  }),
  acceptedBy: Schema.optionalKey(Label.annotate({ description: "who accepted it for the customer" })),
}).annotate({ identifier: "MilestoneCompleted", description: "A milestone is reached" })
export type MilestoneCompleted = typeof MilestoneCompleted.Type

/** `milestone.reopened`: it is not reached after all. */
export const MilestoneReopened = Schema.Struct({
  ...milestone,
  reason: Schema.optionalKey(Label),
}).annotate({ identifier: "MilestoneReopened", description: "A milestone is not reached after all" })
export type MilestoneReopened = typeof MilestoneReopened.Type
