/**
 * What others are told of customer invoices that change in Odoo, whoever changes them: a clerk who posts, cancels or takes
 * back, a payment that is entered, matched or bounces. Of what `invoices` posts it tells itself, with more detail.
 *
 *     posting    draft ─► invoice.posted ─► invoice.withdrawn (draft again), invoice.cancelled
 *     payment    unpaid ─► invoice.partly-paid ─► invoice.paid, invoice.reversed ─► invoice.reopened
 */
import { BigDecimal } from "effect"
import { type Currency, formatOdooFloat, scaleOf } from "../schemas/money.ts"
import type { Aspect, Changed, Feed, Tells } from "../src/flow/Feed.ts"
import type { OdooRecord } from "../src/odoo/CompanyCalls.ts"
import { type Open, statusOf } from "../src/flow/Status.ts"
import { invoiceStatuses } from "./statuses.ts"

const FEED = "invoices"
const POSTING = `${FEED}.posting`
const PAYMENT = `${FEED}.payment`

const currencyIn = (record: OdooRecord): Currency => (record["currency_id"] as readonly [number, Currency])[1]

const amountIn = (record: OdooRecord, field: string): string =>
  formatOdooFloat(Number(record[field]), scaleOf(currencyIn(record)))

const openOf = (record: OdooRecord): Open => {
  const [total, residual] = ["amount_total", "amount_residual"].map((field) =>
    BigDecimal.fromStringUnsafe(amountIn(record, field))
  )
  if (BigDecimal.isZero(residual!)) return "none"
  return BigDecimal.equals(total!, residual!) ? "all" : "some"
}

const standing = (record: OdooRecord) =>
  statusOf(invoiceStatuses, {
    state: String(record["state"]),
    paymentState: String(record["payment_state"]),
    open: openOf(record),
  })

const text = (value: unknown): string | null => typeof value === "string" ? value : null

/** What every fact of an invoice says. */
const told = (type: string, { key, record }: Changed) => ({
  type,
  data: {
    invoice: key,
    invoiceId: record.id,
    number: text(record["name"]),
    reference: text(record["ref"]),
    invoiceDate: text(record["invoice_date"]),
    accountingDate: text(record["date"]),
    currency: currencyIn(record),
    untaxed: amountIn(record, "amount_untaxed"),
    tax: amountIn(record, "amount_tax"),
    total: amountIn(record, "amount_total"),
    residual: amountIn(record, "amount_residual"),
    status: standing(record)?.status ?? null,
    statusVersion: standing(record)?.version ?? null,
  },
})

const postedAt = (total: string): string => `posted ${total}`

/** What `invoices` tells when it has posted one: the same that the feed would see. */
export const tellsPosted = (record: number, total: string): Tells => ({
  aspect: POSTING,
  record,
  content: postedAt(total),
})

const posting: Aspect = {
  name: POSTING,
  toldByFlow: true,
  content: (record) => {
    const status = standing(record)?.status
    if (status === undefined || status === "draft" || status === "cancelled") return status
    return postedAt(amountIn(record, "amount_total"))
  },
  fact: (changed) => {
    const { after, before, isNew } = changed
    if (after === "draft") return before?.startsWith("posted") === true ? told("invoice.withdrawn", changed) : undefined
    if (after === "cancelled") return before === null ? undefined : told("invoice.cancelled", changed)
    return before === null && !isNew ? undefined : told("invoice.posted", changed)
  },
}

const UNPAID = "unpaid"

const payment: Aspect = {
  name: PAYMENT,
  content: (record) => {
    const status = standing(record)?.status
    switch (status) {
      case undefined:
        return undefined
      case "partly-paid":
        return `${status} ${amountIn(record, "amount_residual")}`
      case "paid":
      case "reversed":
        return status
      default:
        return UNPAID
    }
  },
  fact: (changed) => {
    const { after, before, isNew, record } = changed
    // What is no document any more is told as that.
    if (record["state"] !== "posted") return undefined
    if (after === UNPAID) return before === null && isNew ? undefined : told("invoice.reopened", changed)
    if (after.startsWith("partly-paid")) return told("invoice.partly-paid", changed)
    return before === null && !isNew ? undefined : told(`invoice.${after}`, changed)
  },
}

export const invoiceFeed: Feed = {
  name: FEED,
  model: "account.move",
  domain: [["move_type", "=", "out_invoice"]],
  open: [
    "|",
    ["state", "=", "draft"],
    "&",
    ["state", "=", "posted"],
    ["payment_state", "in", ["not_paid", "partial", "in_payment", "blocked"]],
  ],
  fields: [
    "name",
    "state",
    "payment_state",
    "ref",
    "invoice_date",
    "date",
    "currency_id",
    "amount_untaxed",
    "amount_tax",
    "amount_total",
    "amount_residual",
  ],
  aspects: [posting, payment],
  statuses: invoiceStatuses,
  facts: [
    { type: "invoice.posted", when: "a person posted it, or posted it again with another total" },
    { type: "invoice.withdrawn", when: "a posted one was set back to a draft" },
    { type: "invoice.cancelled", when: "it was cancelled" },
    { type: "invoice.partly-paid", when: "a part of it was paid or credited, or another part" },
    { type: "invoice.paid", when: "nothing of it is open any more" },
    { type: "invoice.reversed", when: "a credit note took it back as a whole" },
    { type: "invoice.reopened", when: "a payment was taken back: all of it is open again" },
  ],
}
