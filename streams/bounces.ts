/**
 * A payment that bounced: its invoices are open again, and what came in and went back stand against each other.
 *
 *   payment.failed ─> outbound payments like the original ones ─> posted ─> the original's matchings with invoices removed
 *                  ─> both reconciled ─> payment.bounced goes out
 *
 * Only the payment's own items are unmatched (`remove_move_reconcile`): an invoice's item would lose all its payments.
 */
import { PaymentFailed } from "../schemas/payment.ts"
import { formatOdooFloat, scaleOf } from "../schemas/money.ts"
import { event } from "../src/flow/Flow.ts"
import { invoke, load, query, read, reconcile, type Row } from "../src/flow/Step.ts"
import { externalId, type Write } from "../src/flow/Write.ts"
import { id } from "./codes.ts"
import { fact, textOf } from "./facts.ts"
import { type Found, oneOf, recordsOf } from "./found.ts"
import { FLOW, idsOf, postPayment } from "./paymentRow.ts"

/** Most invoices that a payment is matched with, and most items of a payment's parts. */
const MAX_MATCHINGS = 400

type Failed = Write<PaymentFailed>

/** The payments that bounced, in order. */
const originals = (write: Failed) => {
  const found = new Map(recordsOf(write, "original").map((payment) => [payment.id, payment]))
  return idsOf(write.references[0]!).flatMap((payment) => found.get(payment) ?? [])
}

/** As Odoo says it, in the decimals of its currency. */
const amountOf = ({ amount, currency_id }: Found): string => {
  const scale = scaleOf(String((currency_id as readonly [number, string])[1]))
  return formatOdooFloat(Number(amount), scale)
}

const rowsOf = (write: Failed): ReadonlyArray<Row> =>
  originals(write).map((payment, at) => ({
    externalId: externalId(write.company.entity, FLOW, write.data.key, at === 0 ? undefined : `part-${at}`),
    values: {
      payment_type: "outbound",
      partner_type: "customer",
      "partner_id/.id": id(oneOf(payment["partner_id"])),
      amount: amountOf(payment),
      "currency_id/.id": id(oneOf(payment["currency_id"])),
      date: write.data.date,
      "journal_id/.id": id(oneOf(payment["journal_id"])),
      memo: write.data.reason ?? `return of ${write.data.payment}`,
      payment_reference: write.data.key,
    },
  }))

export const failed = event<PaymentFailed>({
  type: "payment.failed",
  version: 1,
  schema: PaymentFailed,
  key: ({ key }) => key,
  parents: ({ payment }) => [`payment:${payment}`],
  references: ({ payment }) => [{ flow: FLOW, key: payment }],
  versions: "once",
  record: "bounce",
  plan: [
    read({
      name: "original",
      model: "account.payment",
      records: ({ references }) => idsOf(references[0]!),
      fields: ["amount", "currency_id", "partner_id", "journal_id", "move_id", "name"],
    }),
    load({
      name: "bounce",
      model: "account.payment",
      mode: "create",
      rows: (write) => {
        const rows = rowsOf(write)
        return rows.length > 0
          ? rows
          : { code: "ODOO-RECORD-MISSING", detail: `the payment ${write.data.payment} is gone from Odoo` }
      },
    }),
    postPayment("post", "bounce"),
    query({
      name: "items",
      model: "account.move.line",
      domain: (write) => [
        ["move_id", "in", originals(write).map((payment) => oneOf(payment["move_id"]))],
        ["account_type", "=", "asset_receivable"],
        ["parent_state", "=", "posted"],
      ],
      fields: ["move_id"],
      limit: MAX_MATCHINGS,
    }),
    query({
      name: "matchings",
      model: "account.partial.reconcile",
      domain: (write) => [
        ["credit_move_id", "in", recordsOf(write, "items").map((item) => item.id)],
        // What was matched with the way back by an earlier try stays.
        ["debit_move_id.move_type", "!=", "entry"],
      ],
      fields: ["credit_move_id"],
      limit: MAX_MATCHINGS,
    }),
    invoke({
      name: "unmatch",
      model: "account.move.line",
      method: "remove_move_reconcile",
      records: (write) => [...new Set(recordsOf(write, "matchings").map((one) => oneOf(one["credit_move_id"])))],
      posts: true,
    }),
    reconcile({
      name: "reconcile",
      sets: (write) =>
        originals(write).map((payment, at) => ({
          payments: [write.ids[at === 0 ? "bounce" : `bounce.${at}`]!],
          owed: [oneOf(payment["move_id"])],
        })),
    }),
  ],
  publishes: ["payment.bounced"],
  outcomes: ({ data, read }) => {
    const posted = read["post"]
    if (posted === undefined) return []
    return [fact("payment.bounced", {
      return: data.key,
      payment: data.payment,
      number: textOf(posted["name"]),
      valueDate: data.date,
      accountingDate: textOf(posted["date"]),
      reason: data.reason ?? null,
    })]
  },
})
