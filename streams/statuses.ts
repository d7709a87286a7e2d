/**
 * What states of records in Odoo mean for others. Each table has a version: what is published names it, and a meaning is
 * never changed but by a new version at the end, which counts from then on.
 */

/** Of the document's amount, what is still open. */
export type Open = "all" | "some" | "none"

export type InvoiceStatus = "draft" | "cancelled" | "posted" | "partly-paid" | "paid" | "reversed"

/** `*`: any. The first row that fits counts. */
export interface StatusRow<S extends string> {
  readonly state: string
  readonly paymentState: string
  readonly open: Open | "*"
  readonly status: S
}

export interface StatusTable<S extends string> {
  readonly version: number
  readonly rows: ReadonlyArray<StatusRow<S>>
}

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

/** The status by the newest table; undefined: it has no row for that. */
export const statusOf = <S extends string>(
  tables: ReadonlyArray<StatusTable<S>>,
  { open, paymentState, state }: { readonly state: string; readonly paymentState: string; readonly open: Open },
): { readonly status: S; readonly version: number } | undefined => {
  const table = tables.at(-1)
  const found = table?.rows.find((row) =>
    row.state === state && (row.paymentState === "*" || row.paymentState === paymentState) &&
    (row.open === "*" || row.open === open)
  )
  return table === undefined || found === undefined ? undefined : { status: found.status, version: table.version }
}
