/** What is told of payments: `data` of `erp-out.<entity>.payment.*`. */
import { Schema } from "effect"
import { accountingDate, amount, currency, day, nullable, number, statusVersion, text } from "./parts.ts"

const booked = { number, valueDate: day("day on which the money moved"), accountingDate } as const

/** `payment.reconciled` */
export const PaymentReconciled = Schema.Struct({
  payment: text("business key"),
  ...booked,
  currency,
  amount: amount("what arrived"),
  fee: Schema.optionalKey(amount("what bank or provider kept")),
  invoices: Schema.Array(Schema.String).annotate({ description: "business keys of the invoices it settles" }),
  open: Schema.Array(Schema.Struct({
    invoice: text("business key"),
    status: nullable("what the invoice is now"),
    statusVersion,
    residual: amount("what it has still open"),
  })),
}).annotate({ identifier: "PaymentReconciled", description: "A payment was posted and matched with its invoices" })

/** `payment.refunded` */
export const PaymentRefunded = Schema.Struct({
  refund: text("business key"),
  ...booked,
  currency,
  amount: amount("what was paid back"),
  creditNote: Schema.optionalKey(text("business key of the credit note that it pays out")),
  payment: Schema.optionalKey(text("business key of the payment that it gives back")),
}).annotate({ identifier: "PaymentRefunded", description: "Money was paid back" })

/** `payment.bounced` */
export const PaymentBounced = Schema.Struct({
  return: text("business key of the return"),
  payment: text("business key of the payment that bounced"),
  ...booked,
  reason: nullable("the bank's"),
}).annotate({ identifier: "PaymentBounced", description: "A payment came back; its invoices are open again" })

/** `payment.settled` */
export const PaymentSettled = Schema.Struct({
  payout: text("business key"),
  ...booked,
  currency,
  net: amount("what reached the bank"),
  fee: Schema.optionalKey(amount("what the provider kept")),
  payments: Schema.Array(Schema.String).annotate({ description: "business keys of the payments that it pays out" }),
}).annotate({ identifier: "PaymentSettled", description: "A provider paid out what it had collected" })

/** `payment.registered` and what follows, seen in Odoo. */
export const PaymentFact = Schema.Struct({
  payment: nullable("business key; null for one that a person entered"),
  paymentId: Schema.Int.annotate({ description: "database id in Odoo" }),
  number,
  direction: Schema.Literals(["inbound", "outbound"]),
  customerId: Schema.NullOr(Schema.Int).annotate({ description: "database id of the partner" }),
  date: nullable("day of the payment"),
  reference: nullable("what stands in its memo"),
  currency,
  amount: amount("of the payment"),
  status: nullable("what it is now"),
  statusVersion,
}).annotate({ identifier: "PaymentFact", description: "A customer's payment changed" })
