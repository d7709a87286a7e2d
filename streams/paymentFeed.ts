/**
 * What others are told of payments of customers that change in Odoo: a clerk registers one, takes it back, or cancels it.
 * What a payment settles is told of the invoice. Those that Weir posts their flow tells itself (`payment.reconciled` …).
 *
 *     draft ─► payment.registered ─► payment.withdrawn (draft again), payment.cancelled
 */
import type { FactType } from "../schemas/facts.ts"
import { type Currency, formatOdooFloat, scaleOf } from "../schemas/money.ts"
import type { Changed, Feed } from "../src/flow/Feed.ts"
import { statusOf } from "../src/flow/Status.ts"
import { many2one, type OdooRecord } from "../src/odoo/CompanyCalls.ts"
import { fact, textOf } from "./facts.ts"
import { paymentStatuses } from "./statuses.ts"

const FEED = "payments"

const currencyIn = (record: OdooRecord): Currency => (record["currency_id"] as readonly [number, Currency])[1]
const amountIn = (record: OdooRecord): string => formatOdooFloat(Number(record["amount"]), scaleOf(currencyIn(record)))
/** A payment has no amount that is open: its matching is the invoices' affair. */
const standing = (record: OdooRecord) =>
  statusOf(paymentStatuses, { state: String(record["state"]), paymentState: "", open: "none" })

const told = (
  type: FactType & ("payment.registered" | "payment.withdrawn" | "payment.cancelled"),
  changed: Changed,
) => {
  const { key, record } = changed
  return fact(type, {
    payment: key,
    paymentId: record.id,
    number: textOf(record["name"]),
    direction: record["payment_type"] === "outbound" ? "outbound" : "inbound",
    customerId: many2one(record["partner_id"]) ?? null,
    date: textOf(record["date"]),
    reference: textOf(record["memo"]),
    currency: currencyIn(record),
    amount: amountIn(record),
    status: standing(record)?.status ?? null,
    statusVersion: standing(record)?.version ?? null,
  })
}

export const paymentFeed: Feed = {
  name: FEED,
  model: "account.payment",
  domain: [["partner_type", "=", "customer"]],
  open: [["state", "in", ["draft", "in_process"]]],
  fields: ["name", "state", "payment_type", "partner_id", "date", "memo", "currency_id", "amount"],
  aspects: [{
    name: `${FEED}.posting`,
    content: (record) => {
      const status = standing(record)?.status
      return status === "registered" ? `${status} ${amountIn(record)}` : status
    },
    fact: (changed) => {
      const { after, before, isNew, key } = changed
      if (after === "draft") return before === null ? undefined : told("payment.withdrawn", changed)
      if (after === "cancelled") return before === null ? undefined : told("payment.cancelled", changed)
      // The first time, one of Weir's is told by its flow.
      return before === null && (key !== null || !isNew) ? undefined : told("payment.registered", changed)
    },
  }],
  statuses: paymentStatuses,
  facts: [
    { type: "payment.registered", when: "a person posted it, or posted it again" },
    { type: "payment.withdrawn", when: "a posted one was set back to a draft" },
    { type: "payment.cancelled", when: "it was cancelled, or the bank rejected it" },
  ],
}
