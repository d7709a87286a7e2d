/** The tables of what Odoo's states mean. A released table stays as it is: another meaning is another table at the end. */
import type { Open, StatusRow, StatusTable } from "../src/flow/Status.ts"

export type InvoiceStatus = "draft" | "cancelled" | "posted" | "partly-paid" | "paid" | "reversed"
export type CreditNoteStatus = "draft" | "cancelled" | "posted" | "partly-settled" | "settled"
export type PaymentStatus = "draft" | "cancelled" | "registered"

const row = <S extends string>(
  state: string,
  paymentState: string,
  open: Open | "*",
  status: S,
): StatusRow<S> => ({ state, paymentState, open, status })

/** `account.move` of a customer: `state`, `payment_state`, and how much of the total is open. */
export const invoiceStatuses: ReadonlyArray<StatusTable<InvoiceStatus>> = [{
  version: 1,
  rows: [
    row("draft", "*", "*", "draft"),
    row("cancel", "*", "*", "cancelled"),
    row("posted", "not_paid", "*", "posted"),
    row("posted", "partial", "*", "partly-paid"),
    row("posted", "in_payment", "*", "paid"),
    row("posted", "paid", "*", "paid"),
    row("posted", "reversed", "*", "reversed"),
    // A dispute marks an invoice whatever is paid of it (`disputes.ts`).
    row("posted", "blocked", "all", "posted"),
    row("posted", "blocked", "some", "partly-paid"),
    row("posted", "blocked", "none", "paid"),
  ],
}]

/** The same of a customer's credit note: it is settled by invoices that it is set off against, or paid out. */
export const creditNoteStatuses: ReadonlyArray<StatusTable<CreditNoteStatus>> = [{
  version: 1,
  rows: [
    row("draft", "*", "*", "draft"),
    row("cancel", "*", "*", "cancelled"),
    row("posted", "not_paid", "*", "posted"),
    row("posted", "partial", "*", "partly-settled"),
    row("posted", "in_payment", "*", "settled"),
    row("posted", "paid", "*", "settled"),
    row("posted", "reversed", "*", "settled"),
    row("posted", "blocked", "all", "posted"),
    row("posted", "blocked", "some", "partly-settled"),
    row("posted", "blocked", "none", "settled"),
  ],
}]

/** `account.payment`: by its `state` alone. That the bank has confirmed it (`paid`) changes nothing for others. */
export const paymentStatuses: ReadonlyArray<StatusTable<PaymentStatus>> = [{
  version: 1,
  rows: [
    row("draft", "*", "*", "draft"),
    row("canceled", "*", "*", "cancelled"),
    row("rejected", "*", "*", "cancelled"),
    row("in_process", "*", "*", "registered"),
    row("paid", "*", "*", "registered"),
  ],
}]
