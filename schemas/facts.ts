/** The schema of everything that Weir publishes, by type. */
import { Schema } from "effect"
import {
  BillingHeld,
  BillingReady,
  CustomerMerged,
  EngagementAmended,
  EngagementClosed,
  EngagementProvisioned,
  EngagementReopened,
  MilestoneBillable,
  MilestoneWithdrawn,
  RateEffective,
  SubscriptionActivated,
  SubscriptionAmended,
  SubscriptionCancelled,
  SubscriptionRenewed,
  TimesheetReady,
} from "./facts/delivery.ts"
import { CreditNoteFact, ExpensePosted, InvoiceFact, JournalEntryPosted, WriteOffPosted } from "./facts/documents.ts"
import { PaymentBounced, PaymentFact, PaymentReconciled, PaymentRefunded, PaymentSettled } from "./facts/payments.ts"
import { ExceptionRaised, ExceptionResolved, ModeChanged } from "./facts/weir.ts"

export const factSchemas = {
  "credit-note.cancelled": CreditNoteFact,
  "credit-note.partly-settled": CreditNoteFact,
  "credit-note.posted": CreditNoteFact,
  "credit-note.reopened": CreditNoteFact,
  "credit-note.settled": CreditNoteFact,
  "credit-note.withdrawn": CreditNoteFact,
  "customer.merged": CustomerMerged,
  "engagement.amended": EngagementAmended,
  "engagement.billing-held": BillingHeld,
  "engagement.billing-ready": BillingReady,
  "engagement.billing-released": BillingHeld,
  "engagement.closed": EngagementClosed,
  "engagement.provisioned": EngagementProvisioned,
  "engagement.reopened": EngagementReopened,
  "exception.raised": ExceptionRaised,
  "exception.resolved": ExceptionResolved,
  "expense.posted": ExpensePosted,
  "invoice.cancelled": InvoiceFact,
  "invoice.paid": InvoiceFact,
  "invoice.partly-paid": InvoiceFact,
  "invoice.posted": InvoiceFact,
  "invoice.reopened": InvoiceFact,
  "invoice.reversed": InvoiceFact,
  "invoice.withdrawn": InvoiceFact,
  "journal-entry.posted": JournalEntryPosted,
  "milestone.billable": MilestoneBillable,
  "milestone.withdrawn": MilestoneWithdrawn,
  "mode.changed": ModeChanged,
  "payment.bounced": PaymentBounced,
  "payment.cancelled": PaymentFact,
  "payment.reconciled": PaymentReconciled,
  "payment.refunded": PaymentRefunded,
  "payment.registered": PaymentFact,
  "payment.settled": PaymentSettled,
  "payment.withdrawn": PaymentFact,
  "rate.effective": RateEffective,
  "subscription.activated": SubscriptionActivated,
  "subscription.amended": SubscriptionAmended,
  "subscription.cancelled": SubscriptionCancelled,
  "subscription.renewed": SubscriptionRenewed,
  "timesheet.ready": TimesheetReady,
  "write-off.posted": WriteOffPosted,
} as const satisfies { readonly [type: string]: Schema.Codec<unknown, unknown> }

export type FactType = keyof typeof factSchemas
/** `data` of a fact as it is published. */
export type FactData<T extends FactType> = (typeof factSchemas)[T]["Encoded"]

/**
 * Throws when a fact has not what its schema says, to the last field. For tests: what Weir's own flows publish is checked by
 * the compiler. A type that is not here is a flow's from outside.
 */
export const checkFact = (type: string, data: unknown): void => {
  const schema = (factSchemas as { readonly [type: string]: Schema.Codec<unknown, unknown> | undefined })[type]
  if (schema !== undefined) Schema.decodeUnknownSync(schema)(data, { onExcessProperty: "error" })
}
