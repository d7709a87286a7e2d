/**
 * Money that went back to a customer becomes a posted outbound payment, matched with the credit note that it pays out or
 * with the payment whose rest it pays back.
 *
 *   payment.refunded ─> account.payment (outbound) ─> posted ─> reconciled ─> payment.refunded goes out
 */
import { PaymentRefunded } from "../schemas/payment.ts"
import { format, scaleOf } from "../schemas/money.ts"
import { event } from "../src/flow/Flow.ts"
import { load, read, reconcile } from "../src/flow/Step.ts"
import { externalId } from "../src/flow/Write.ts"
import { exchangeRateOf } from "./exchange.ts"
import { fact, textOf } from "./facts.ts"
import { oneOf, recordsOf } from "./found.ts"
import { parent } from "./keys.ts"
import { FLOW, idsOf, paymentRow, postPayment } from "./paymentRow.ts"

export const refunded = event<PaymentRefunded>({
  type: "payment.refunded",
  version: 1,
  schema: PaymentRefunded,
  key: ({ key }) => key,
  parents: ({ customer }) => [parent.customer(customer)],
  references: ({ creditNote, customer, payment }) => [
    { flow: "customers", key: customer },
    ...(creditNote === undefined ? [] : [{ flow: "credit-notes", key: creditNote }]),
    ...(payment === undefined ? [] : [{ flow: FLOW, key: payment }]),
  ],
  versions: "once",
  record: "payment",
  plan: [
    ...exchangeRateOf<PaymentRefunded>(({ date }) => date),
    load({
      name: "payment",
      model: "account.payment",
      mode: "create",
      rows: ({ company, data }) =>
        paymentRow(company, {
          externalId: externalId(company.entity, FLOW, data.key),
          type: "outbound",
          amount: data.amount,
          memo: data.memo ?? `refund ${data.key}`,
          data,
        }),
    }),
    postPayment("post", "payment"),
    read({
      name: "original",
      model: "account.payment",
      records: ({ data, references }) => data.payment === undefined ? [] : idsOf(references[1]!),
      fields: ["move_id"],
    }),
    reconcile({
      name: "reconcile",
      sets: (write) => {
        const { data, ids, references } = write
        const owed = data.creditNote !== undefined
          ? [references[1]!.id]
          : recordsOf(write, "original").map((payment) => oneOf(payment["move_id"]))
        return owed.length === 0 ? [] : [{ payments: [ids["payment"]!], owed }]
      },
    }),
  ],
  publishes: ["payment.refunded"],
  outcomes: ({ data, read }) => {
    const posted = read["post"]
    if (posted === undefined) return []
    return [fact("payment.refunded", {
      refund: data.key,
      number: textOf(posted["name"]),
      valueDate: data.date,
      accountingDate: textOf(posted["date"]),
      currency: data.currency,
      amount: format(data.amount, scaleOf(data.currency)),
      ...(data.creditNote !== undefined && { creditNote: data.creditNote }),
      ...(data.payment !== undefined && { payment: data.payment }),
    })]
  },
})
