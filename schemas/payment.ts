/** Payments that the bank or the payment provider confirmed. */
import { BigDecimal, Schema } from "effect"
import { personal } from "./classification.ts"
import { AccountCode, BusinessKey, Day, repeated } from "./ids.ts"
import { Currency, fits, PositiveDecimal } from "./money.ts"

/** Most invoices that one payment settles. */
export const PAYMENT_MAX_INVOICES = 100

const Text = personal(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(140)))
const Memo = Text.annotate({ description: "remittance text" })

export const PaymentMethod = Schema.Literals(["transfer", "card", "direct-debit", "cheque", "cash"]).annotate({
  identifier: "PaymentMethod",
})

export const Allocation = Schema.Struct({
  invoice: BusinessKey.annotate({ description: "number of the invoice request" }),
  amount: PositiveDecimal.annotate({ description: "part of the payment that is for it" }),
}).annotate({ identifier: "Allocation" })

export const PaymentFee = Schema.Struct({
  amount: PositiveDecimal.annotate({
    description: "what bank or provider kept; it settles the invoices together with `amount`",
  }),
  account: Schema.optionalKey(AccountCode.annotate({
    description: "the source's code of the expense account; `payment-fee` when left out",
  })),
}).annotate({ identifier: "PaymentFee" })

/**
 * `payment.received`: money of a customer arrived. It settles `invoices` in the order given, each as far as the money
 * goes; what is left stays as the customer's credit. No invoices: a payment on account. Or it is divided as `allocations`
 * say; each part becomes a payment of its own in Odoo, which matches whole items only, and the rest one on account.
 */
export const PaymentReceived = Schema.Struct({
  key: BusinessKey.annotate({ description: "id of the payment at the bank or provider", examples: ["PAY-00077"] }),
  customer: BusinessKey.annotate({ description: "customer number", examples: ["CUS-0042"] }),
  amount: PositiveDecimal.annotate({ description: "what arrived" }),
  currency: Currency,
  date: Day.annotate({ description: "value date" }),
  invoices: Schema.Array(BusinessKey).check(Schema.isMaxLength(PAYMENT_MAX_INVOICES)).annotate({
    description: "numbers of the invoice requests that it settles, in this order",
    examples: [["INV-00123"]],
  }),
  allocations: Schema.optionalKey(
    Schema.Array(Allocation).check(Schema.isMinLength(1), Schema.isMaxLength(PAYMENT_MAX_INVOICES)).annotate({
      description: "how much is for which invoice, instead of `invoices`",
    }),
  ),
  fee: Schema.optionalKey(PaymentFee),
  method: PaymentMethod,
  memo: Schema.optionalKey(Memo),
}).check(Schema.makeFilter((payment) => {
  const { allocations, amount, currency, fee, invoices } = payment
  const twice = repeated(invoices)
  if (twice !== undefined) return { path: ["invoices"], issue: `has ${twice} twice` }
  for (const [field, money] of [["amount", amount], ["fee", fee?.amount]] as const) {
    if (money !== undefined && !fits(money, currency)) {
      return { path: [field], issue: `has more decimals than ${currency}` }
    }
  }
  if (allocations === undefined) return undefined
  if (invoices.length > 0) return { path: ["invoices"], issue: "must be empty when there are allocations" }
  if (fee !== undefined) return { path: ["fee"], issue: "must not be there when there are allocations" }
  const allocatedTwice = repeated(allocations.map(({ invoice }) => invoice))
  if (allocatedTwice !== undefined) return { path: ["allocations"], issue: `has ${allocatedTwice} twice` }
  if (allocations.some((part) => !fits(part.amount, currency))) {
    return { path: ["allocations"], issue: `have more decimals than ${currency}` }
  }
  return BigDecimal.isGreaterThan(BigDecimal.sumAll(allocations.map((part) => part.amount)), amount)
    ? { path: ["allocations"], issue: "come to more than the amount" }
    : undefined
})).annotate({ identifier: "PaymentReceived", description: "Money of a customer arrived" })
export type PaymentReceived = typeof PaymentReceived.Type

/**
 * `payment.refunded`: money went back to a customer. It settles a credit note, or what was left of a payment; neither: it
 * stands on the customer's account.
 */
export const PaymentRefunded = Schema.Struct({
  key: BusinessKey.annotate({ description: "id of the refund at the bank or provider", examples: ["REF-00012"] }),
  customer: BusinessKey.annotate({ description: "customer number", examples: ["CUS-0042"] }),
  amount: PositiveDecimal,
  currency: Currency,
  date: Day.annotate({ description: "value date" }),
  creditNote: Schema.optionalKey(BusinessKey.annotate({ description: "number of the credit note that it pays out" })),
  payment: Schema.optionalKey(BusinessKey.annotate({ description: "payment whose rest it pays back" })),
  method: PaymentMethod,
  memo: Schema.optionalKey(Memo),
}).check(Schema.makeFilter(({ amount, creditNote, currency, payment }) => {
  if (creditNote !== undefined && payment !== undefined) {
    return { path: ["payment"], issue: "must not be there beside creditNote" }
  }
  return fits(amount, currency) ? undefined : { path: ["amount"], issue: `has more decimals than ${currency}` }
})).annotate({ identifier: "PaymentRefunded", description: "Money went back to a customer" })
export type PaymentRefunded = typeof PaymentRefunded.Type

/** `payment.failed`: a payment that was received bounced; its invoices are open again. */
export const PaymentFailed = Schema.Struct({
  key: BusinessKey.annotate({ description: "id of the return at the bank or provider", examples: ["RET-00003"] }),
  payment: BusinessKey.annotate({ description: "payment that bounced, as a whole", examples: ["PAY-00077"] }),
  date: Day.annotate({ description: "value date of the return" }),
  reason: Schema.optionalKey(Text),
}).annotate({ identifier: "PaymentFailed", description: "A payment bounced" })
export type PaymentFailed = typeof PaymentFailed.Type

/** `payment.disputed` and `payment.dispute-closed`: a customer contests a payment at bank or provider, until that is decided. */
export const PaymentDisputed = Schema.Struct({
  key: BusinessKey.annotate({ description: "id of the dispute at the provider", examples: ["CB-00004"] }),
  payment: BusinessKey.annotate({ description: "payment that is contested" }),
  invoices: Schema.Array(BusinessKey).check(Schema.isMinLength(1), Schema.isMaxLength(PAYMENT_MAX_INVOICES)).annotate({
    description: "numbers of the invoice requests that it had paid",
  }),
  reason: Schema.optionalKey(Text),
}).annotate({ identifier: "PaymentDisputed", description: "A payment is contested" })
export type PaymentDisputed = typeof PaymentDisputed.Type

/** Most payments of one payout. */
export const SETTLEMENT_MAX_PAYMENTS = 500

/**
 * `payment.settled`: one movement at the bank stands for many payments, less what the provider kept. In the company's
 * currency.
 */
export const PaymentSettled = Schema.Struct({
  key: BusinessKey.annotate({ description: "id of the payout at the provider", examples: ["PO-00018"] }),
  date: Day.annotate({ description: "value date" }),
  currency: Currency,
  payments: Schema.Array(BusinessKey).check(Schema.isMinLength(1), Schema.isMaxLength(SETTLEMENT_MAX_PAYMENTS))
    .annotate({
      description: "payments and refunds in it",
    }),
  net: PositiveDecimal.annotate({ description: "what arrived at the bank" }),
  fee: Schema.optionalKey(PaymentFee),
}).check(Schema.makeFilter(({ currency, fee, net, payments }) => {
  const twice = repeated(payments)
  if (twice !== undefined) return { path: ["payments"], issue: `has ${twice} twice` }
  for (const [field, money] of [["net", net], ["fee", fee?.amount]] as const) {
    if (money !== undefined && !fits(money, currency)) {
      return { path: [field], issue: `has more decimals than ${currency}` }
    }
  }
  return undefined
})).annotate({ identifier: "PaymentSettled", description: "Payments arrived at the bank in one movement" })
export type PaymentSettled = typeof PaymentSettled.Type
