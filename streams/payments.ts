/**
 * Money that arrived becomes a posted payment, matched with the invoices it settles.
 *
 *   payment.received ─> account.payment (draft) ─> posted ─> fee as an entry ─> reconciled ─> payment.reconciled goes out
 *
 * Never Odoo's payment wizard: repeated, it pays twice. What else happens to payments: `refunds.ts`, `bounces.ts`,
 * `chargebacks.ts`, `settlements.ts`.
 */
import { BigDecimal } from "effect"
import { PaymentReceived } from "../schemas/payment.ts"
import { format, formatOdooFloat, scaleOf } from "../schemas/money.ts"
import { statusOf } from "../src/flow/Status.ts"
import { event, type Flow, type OutcomeEvent } from "../src/flow/Flow.ts"
import { load, query, reconcile, type ReconcileSet, type Refusal, type Row } from "../src/flow/Step.ts"
import { externalId, type Write } from "../src/flow/Write.ts"
import { failed } from "./bounces.ts"
import { chargebacks } from "./chargebacks.ts"
import { accountOf, isRefusal } from "./codes.ts"
import { entryRow, postEntry } from "./entries.ts"
import { exchangeRateOf } from "./exchange.ts"
import { fact, textOf } from "./facts.ts"
import { oneOf, recordsOf } from "./found.ts"
import { customerId, parent } from "./keys.ts"
import { paymentFeed } from "./paymentFeed.ts"
import { FLOW, partOf, paymentRow, postPayment } from "./paymentRow.ts"
import { refunded } from "./refunds.ts"
import { settled } from "./settlements.ts"
import { maskOf } from "./ownership.ts"
import { invoiceStatuses } from "./statuses.ts"

/** The invoices it settles, in order. */
const settledBy = ({ allocations, invoices }: PaymentReceived): ReadonlyArray<string> =>
  allocations?.map(({ invoice }) => invoice) ?? invoices

/** One payment; with allocations one for each, and one for the rest, because Odoo matches whole items only. */
const rowsOf = (write: Write<PaymentReceived>): ReadonlyArray<Row> | Refusal => {
  const { company, data } = write
  const { allocations, amount, key, method } = data
  const base = { data, memo: data.memo ?? `${method} ${key}`, type: "inbound" } as const
  if (allocations === undefined) {
    const row = paymentRow(company, { ...base, amount, externalId: externalId(company.entity, FLOW, key) })
    return "code" in row ? row : [row]
  }
  const rest = BigDecimal.subtract(amount, BigDecimal.sumAll(allocations.map((part) => part.amount)))
  const parts = [
    ...allocations.map((part) => ({ role: `for-${part.invoice}`, amount: part.amount })),
    ...(BigDecimal.isZero(rest) ? [] : [{ role: "rest", amount: rest }]),
  ]
  const rows: Array<Row> = []
  for (const part of parts) {
    const row = paymentRow(company, {
      ...base,
      amount: part.amount,
      externalId: externalId(company.entity, FLOW, key, part.role),
    })
    if ("code" in row) return row
    rows.push({ ...row, as: partOf(key, part.role) })
  }
  return rows
}

/** What bank or provider kept is our expense, and settles the invoices together with what arrived. */
const feeRow = (write: Write<PaymentReceived>): Row | ReadonlyArray<Row> | Refusal => {
  const { company, data } = write
  if (data.fee === undefined) return []
  const account = accountOf(company, data.fee.account ?? "payment-fee")
  if (isRefusal(account)) return account
  const [item] = recordsOf(write, "receivable")
  const receivable = oneOf(item?.["account_id"])
  if (receivable === 0) {
    return { code: "ODOO-UNEXPECTED-STATE", detail: `the payment ${data.key} has no receivable item` }
  }
  const name = `fee of ${data.key}`
  return entryRow(write, {
    externalId: externalId(company.entity, FLOW, data.key, "fee"),
    date: data.date,
    ref: name,
    currency: data.currency,
    items: [
      { key: "expense", name, account, amount: data.fee.amount },
      {
        key: "receivable",
        name,
        account: String(receivable),
        amount: BigDecimal.negate(data.fee.amount),
        partner: customerId(company.entity, data.customer),
      },
    ],
  })
}

/** The first reference is the customer, the others are the invoices in the order in which they are paid. */
const setsOf = ({ data, ids, references }: Write<PaymentReceived>): ReadonlyArray<ReconcileSet> => {
  const invoices = references.slice(1).map(({ id }) => id)
  const payment = ids["payment"]!
  if (data.allocations !== undefined) {
    return invoices.map((invoice, at) => ({ payments: [at === 0 ? payment : ids[`payment.${at}`]!], owed: [invoice] }))
  }
  const fee = ids["fee"]
  return [{ payments: [payment], ...(fee !== undefined && { entries: [fee] }), owed: invoices }]
}

interface Left {
  readonly [field: string]: unknown
}

/** What is left of an invoice that was posted when it was paid. */
const openOf = (invoice: string, left: Left | undefined, scale: number) => {
  const residual = formatOdooFloat(Number(left?.["amount_residual"] ?? 0), scale)
  const standing = statusOf(invoiceStatuses, {
    state: "posted",
    paymentState: String(left?.["payment_state"]),
    open: Number(residual) === 0 ? "none" : "some",
  })
  return { invoice, status: standing?.status ?? null, statusVersion: standing?.version ?? null, residual }
}

const outcomes = ({ data, read }: Write<PaymentReceived>): ReadonlyArray<OutcomeEvent> => {
  const posted = read["post"]
  if (posted === undefined) return []
  const scale = scaleOf(data.currency)
  const owed = (read["reconcile"]?.["owed"] ?? []) as ReadonlyArray<Left | undefined>
  return [fact("payment.reconciled", {
    payment: data.key,
    number: textOf(posted["name"]),
    valueDate: data.date,
    accountingDate: textOf(posted["date"]),
    currency: data.currency,
    amount: format(data.amount, scale),
    ...(data.fee !== undefined && { fee: format(data.fee.amount, scale) }),
    invoices: settledBy(data),
    open: settledBy(data).map((invoice, at) => openOf(invoice, owed[at], scale)),
  })]
}

const received = event<PaymentReceived>({
  type: "payment.received",
  version: 1,
  schema: PaymentReceived,
  key: (payment) => payment.key,
  parents: (payment) => [parent.customer(payment.customer), ...settledBy(payment).map(parent.invoice)],
  references: (payment) => [
    { flow: "customers", key: payment.customer },
    ...settledBy(payment).map((key) => ({ flow: "invoices", key })),
  ],
  versions: "once",
  record: "payment",
  alike: { field: "memo", value: ({ key, memo }) => memo ?? key, domain: [["payment_type", "=", "inbound"]] },
  plan: [
    ...exchangeRateOf<PaymentReceived>(({ date }) => date),
    load({ name: "payment", model: "account.payment", mode: "create", rows: rowsOf }),
    postPayment("post", "payment"),
    query({
      name: "receivable",
      model: "account.move.line",
      domain: ({ data, ids }) =>
        data.fee === undefined
          ? null
          : [["payment_id", "=", ids["payment"]!], ["account_type", "=", "asset_receivable"]],
      fields: ["account_id"],
      limit: 1,
    }),
    load({ name: "fee", model: "account.move", mode: "create", rows: feeRow }),
    postEntry("postFee", "fee", ({ date }) => date),
    reconcile({ name: "reconcile", sets: setsOf }),
  ],
  control: ({ amount, currency, date }) => ({ day: date, amounts: { amount }, currency }),
  population: {
    model: "account.payment",
    domain: [
      ["payment_type", "=", "inbound"],
      ["partner_type", "=", "customer"],
      ["state", "in", ["in_process", "paid"]],
    ],
    day: "date",
  },
  publishes: ["payment.reconciled"],
  outcomes,
})

export const payments: Flow = {
  name: FLOW,
  domain: "payment",
  description:
    "Payments that arrived are posted and matched with the invoices they settle; refunds, returns and payouts",
  lane: "critical",
  batch: { size: 50, linger: "50 millis", concurrency: 2 },
  inFlight: 200,
  referenceDeadline: "1 day",
  feed: paymentFeed,
  mask: maskOf(FLOW),
  events: [received, refunded, failed, ...chargebacks, settled],
}
