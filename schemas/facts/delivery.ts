/** What is told of customers, engagements and what becomes ready to bill: `data` of `erp-out.<entity>.<type>`. */
import { Schema } from "effect"
import { day, engagement, nullable, nullableId, number, quantity, text } from "./parts.ts"

/** `customer.merged` */
export const CustomerMerged = Schema.Struct({
  customer: text("customer number that ended"),
  into: text("customer number that remains"),
  partnerId: nullableId("partner that remains"),
}).annotate({ identifier: "CustomerMergedFact", description: "Two customer numbers are one customer" })

const provisioned = {
  engagement,
  order: number,
  orderId: nullableId("order"),
  projectId: nullableId("project"),
} as const

/** `engagement.provisioned` */
export const EngagementProvisioned = Schema.Struct(provisioned).annotate({
  identifier: "EngagementProvisioned",
  description: "An engagement has its project and its confirmed order",
})

/** `engagement.amended` */
export const EngagementAmended = Schema.Struct({ ...provisioned, reason: nullable("the source's") }).annotate({
  identifier: "EngagementAmendedFact",
  description: "Project and order are those of the newer agreement",
})

/** `engagement.closed` */
export const EngagementClosed = Schema.Struct({
  engagement,
  date: day("last day"),
  reason: nullable("the source's"),
}).annotate({ identifier: "EngagementClosedFact", description: "An engagement takes no more time and costs" })

/** `engagement.reopened` */
export const EngagementReopened = Schema.Struct({ engagement }).annotate({
  identifier: "EngagementReopenedFact",
  description: "A closed engagement goes on",
})

/** `engagement.billing-held`, `engagement.billing-released` */
export const BillingHeld = Schema.Struct({ engagement, dispute: text("business key of the dispute") }).annotate({
  identifier: "BillingHeld",
  description: "Nothing more of the engagement is billed while the dispute lasts, or it is again",
})

/** `engagement.billing-ready` */
export const BillingReady = Schema.Struct({
  engagement: nullable("engagement code"),
  source: Schema.Struct({ flow: text("flow"), key: text("business key") }),
  lineId: nullableId("order line"),
  toInvoice: quantity("what the line has to be invoiced"),
  unitPrice: quantity("of the line"),
}).annotate({ identifier: "BillingReady", description: "A line of the engagement's order can be invoiced" })

/** `rate.effective` */
export const RateEffective = Schema.Struct({
  rate: text("business key"),
  engagement,
  lineId: nullableId("order line"),
  consultants: Schema.Array(Schema.String),
  unitPrice: quantity("per hour"),
  from: day("first day"),
  until: Schema.NullOr(day("last day")),
  decision: nullable("who decided it; null: it is the rate card's"),
}).annotate({ identifier: "RateEffective", description: "A rate has an order line" })

const milestone = {
  engagement,
  milestone: text("key of the milestone in its engagement"),
  lineId: Schema.optionalKey(Schema.Int.annotate({ description: "order line, database id in Odoo" })),
  delivered: Schema.optionalKey(quantity("what the line has delivered")),
  toInvoice: Schema.optionalKey(quantity("what the line has to be invoiced")),
} as const

/** `milestone.billable` */
export const MilestoneBillable = Schema.Struct({
  ...milestone,
  date: day("day on which it was reached"),
  acceptedBy: nullable("who accepted it"),
}).annotate({ identifier: "MilestoneBillable", description: "A milestone's part of its line can be invoiced" })

/** `milestone.withdrawn` */
export const MilestoneWithdrawn = Schema.Struct({ ...milestone, reason: nullable("the source's") }).annotate({
  identifier: "MilestoneWithdrawn",
  description: "A milestone is not reached after all",
})

const subscription = {
  subscription: text("business key"),
  order: number,
  orderId: nullableId("order"),
  startDate: day("first day"),
  termEnd: day("last day of the term"),
} as const

/** `subscription.activated` */
export const SubscriptionActivated = Schema.Struct({
  ...subscription,
  delayDays: Schema.Int.annotate({ description: "days between the start and its confirmation in Odoo" }),
}).annotate({ identifier: "SubscriptionActivated", description: "A subscription has its order" })

/** `subscription.amended` */
export const SubscriptionAmended = Schema.Struct({ ...subscription, effective: day("from when it counts") }).annotate({
  identifier: "SubscriptionAmendedFact",
  description: "The order is that of the newer plan",
})

/** `subscription.renewed` */
export const SubscriptionRenewed = Schema.Struct(subscription).annotate({
  identifier: "SubscriptionRenewedFact",
  description: "A subscription has another term",
})

/** `subscription.cancelled` */
export const SubscriptionCancelled = Schema.Struct({
  ...subscription,
  effective: day("from when it counts"),
  reason: nullable("the source's"),
}).annotate({ identifier: "SubscriptionCancelledFact", description: "A subscription ended" })

const line = Schema.NullOr(Schema.Struct({
  lineId: Schema.Int.annotate({ description: "order line, database id in Odoo" }),
  delivered: quantity("hours that the line has delivered"),
  toInvoice: quantity("hours that the line has to be invoiced"),
}))

/** `timesheet.ready` */
export const TimesheetReady = Schema.Struct({
  timesheet: text("business key"),
  engagement,
  line: nullable("key of the engagement's line; null: not billed any more"),
  hours: quantity("of the time line"),
  ready: line.annotate({ description: "the order line of the time; null: none that is billed by the hour" }),
  released: line.annotate({ description: "the order line that it was on before; null: the same, or none" }),
}).annotate({ identifier: "TimesheetReady", description: "Time is ready to be billed, or not any more" })
