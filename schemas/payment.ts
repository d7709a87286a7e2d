/** Payments that the bank or the payment provider confirmed. */
import { Schema } from "effect"
import { financial, personal } from "./classification.ts"
import { BusinessKey, Day, repeated } from "./ids.ts"
import { Currency, fits, PositiveDecimal } from "./money.ts"

/** Most invoices that one payment settles. */
export const PAYMENT_MAX_INVOICES = 100

/**
 * `payment.received`: money of a customer arrived. It settles `invoices` in the order given, each as far as the money
 * goes; what is left stays as the customer's credit. No invoices: a payment on account.
 */
export const PaymentReceived = Schema.Struct({
  key: BusinessKey.annotate({ description: "id of the payment at the bank or provider", examples: ["PAY-00077"] }),
  customer: BusinessKey.annotate({ description: "customer number", examples: ["CUS-0042"] }),
  amount: financial(PositiveDecimal),
  currency: Currency,
  date: Day.annotate({ description: "value date" }),
  invoices: Schema.Array(BusinessKey).check(Schema.isMaxLength(PAYMENT_MAX_INVOICES)).annotate({
    description: "numbers of the invoice requests that it settles, in this order",
    examples: [["INV-00123"]],
  }),
  method: Schema.Literals(["transfer", "card", "direct-debit", "cheque", "cash"]),
  memo: Schema.optionalKey(personal(
    Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(140)).annotate({ description: "remittance text" }),
  )),
}).check(Schema.makeFilter((payment) => {
  const twice = repeated(payment.invoices)
  if (twice !== undefined) return { path: ["invoices"], issue: `has ${twice} twice` }
  return fits(payment.amount, payment.currency)
    ? undefined
    : { path: ["amount"], issue: `has more decimals than ${payment.currency}` }
})).annotate({ identifier: "PaymentReceived", description: "Money of a customer arrived" })
export type PaymentReceived = typeof PaymentReceived.Type
