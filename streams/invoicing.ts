/**
 * What requests for given lines and for what is ready have in common: the document's columns, the comparison before it is
 * posted, the wait of a held one, the posting.
 */
import { BigDecimal, Schema } from "effect"
import type { InvoiceReadyRequested, InvoiceRequested } from "../schemas/invoice.ts"
import { formatOdooFloat, scaleOf } from "../schemas/money.ts"
import type { Control, OutcomeEvent, Rebill, Reference } from "../src/flow/Flow.ts"
import { check, compare, type Refusal, type Row, type Step, transition } from "../src/flow/Step.ts"
import { externalId, type Write } from "../src/flow/Write.ts"
import { currencyOf, isRefusal, journalLock, journalOf } from "./codes.ts"
import { tellsPosted } from "./documentFeed.ts"
import { fact, textOf } from "./facts.ts"
import { customerId, parent } from "./keys.ts"

export const FLOW = "invoices"

export type Invoice = InvoiceRequested | InvoiceReadyRequested

/** What a held invoice waits for. `#` is in no business key. */
export const releaseOf = (key: string): Reference => ({ flow: FLOW, key: `${key}#release` })

export const invoiceId = (entity: string, key: string, part?: string): string => externalId(entity, FLOW, key, part)

/** Columns of the document itself, or why it cannot be written. */
export const headOf = ({ company, data }: Write<Invoice>): Row["values"] | Refusal => {
  const journal = journalOf(company, data.journal ?? "sales")
  if (isRefusal(journal)) return journal
  return {
    move_type: "out_invoice",
    "partner_id/id": customerId(company.entity, data.customer),
    "journal_id/.id": journal,
    "currency_id/id": currencyOf(data.currency),
    invoice_date: data.invoiceDate,
    ...(data.dueDate !== undefined && { invoice_date_due: data.dueDate }),
    ref: data.key,
    payment_reference: data.key,
    ...(data.exchangeRate !== undefined && { invoice_currency_rate: BigDecimal.format(data.exchangeRate) }),
  }
}

export const isRefused = (values: Row["values"] | Refusal): values is Refusal =>
  typeof values["code"] === "string" && typeof values["detail"] === "string"

/** Odoo adds the unrounded lines up and rounds once. */
export const untaxedOf = (amounts: ReadonlyArray<BigDecimal.BigDecimal>, currency: string): BigDecimal.BigDecimal =>
  BigDecimal.round(BigDecimal.sumAll(amounts), { scale: scaleOf(currency), mode: "half-from-zero" })

/** What was promised, or else what the lines and the quoted tax come to. */
export const promised = (
  totals: Invoice["totals"],
  untaxed: () => BigDecimal.BigDecimal,
  tax: BigDecimal.BigDecimal | undefined,
): { readonly [field: string]: BigDecimal.BigDecimal } =>
  totals === undefined
    ? { amount_untaxed: untaxed(), ...(tax !== undefined && { amount_tax: tax }) }
    : { amount_untaxed: totals.untaxed, amount_tax: totals.tax, amount_total: totals.total }

/** From the draft to the posted invoice: the same for both kinds of request. */
export const posting = <D extends Invoice>(
  expect: (write: Write<D>) => { readonly [field: string]: BigDecimal.BigDecimal },
): ReadonlyArray<Step<D>> => [
  compare({
    name: "totals",
    model: "account.move",
    of: "invoice",
    code: "TOTALS-MISMATCH",
    codes: { amount_tax: "TAX-MISMATCH" },
    currency: ({ data }) => data.currency,
    expect,
  }),
  check({
    name: "release",
    refuse: ({ consulted, data }) =>
      data.hold === true && consulted?.[0] == null
        ? {
          code: "INVOICE-HELD",
          detail: `the draft of ${data.key} waits for invoice.released`,
          waitFor: releaseOf(data.key),
        }
        : undefined,
  }),
  transition({
    name: "post",
    model: "account.move",
    of: "invoice",
    method: "action_post",
    field: "state",
    from: ["draft"],
    to: ["posted"],
    posts: true,
    lock: ({ company, data }) => journalLock(company, data.journal ?? "sales"),
    period: { kind: "sale", field: "date", reference: "ref", date: ({ invoiceDate }) => invoiceDate },
    fields: ["name", "date", "amount_untaxed", "amount_tax", "amount_total"],
  }),
]

const posted = ({ data, ids, read }: Write<Invoice>): ReadonlyArray<OutcomeEvent> => {
  const move = read["post"]
  if (move === undefined) return []
  const scale = scaleOf(data.currency)
  const amount = (field: string): string => formatOdooFloat(Number(move[field]), scale)
  const invoice = ids["invoice"]
  return [fact(
    "invoice.posted",
    {
      invoice: data.key,
      ...(data.engagement !== undefined && { engagement: data.engagement }),
      number: textOf(move["name"]),
      invoiceDate: data.invoiceDate,
      accountingDate: textOf(move["date"]),
      currency: data.currency,
      untaxed: amount("amount_untaxed"),
      tax: amount("amount_tax"),
      total: amount("amount_total"),
    },
    invoice === undefined ? undefined : tellsPosted(FLOW, invoice, amount("amount_total")),
  )]
}

/** A whole credit note of it, which the person who lets it through approves; then the request anew, under a key of its own. */
export const rebillOf = <D extends Invoice>(type: string, schema: Schema.Codec<D, unknown>): Rebill<D> => ({
  fields: ["amount_untaxed", "amount_tax", "amount_total"],
  events: ({ approvedBy, credit, data, day, document, reason, renewal, requestedBy }) => {
    const amount = (field: string): string => formatOdooFloat(Number(document[field]), scaleOf(data.currency))
    const { currency, customer, engagement, journal } = data
    return [[{
      type: "credit-note.requested",
      key: credit,
      data: {
        key: credit,
        invoice: data.key,
        customer,
        ...(engagement !== undefined && { engagement }),
        ...(journal !== undefined && { journal }),
        date: day,
        currency,
        totals: { untaxed: amount("amount_untaxed"), tax: amount("amount_tax"), total: amount("amount_total") },
        requestedBy,
        reason,
      },
    }, {
      type: "approval.granted",
      key: credit,
      data: { flow: "credit-notes", key: credit, by: approvedBy },
    }], [{
      type,
      key: renewal,
      data: Schema.encodeSync(schema)({ ...data, key: renewal }) as { readonly [name: string]: unknown },
    }]]
  },
})

/** What both kinds of request have in common. */
export const shared = {
  version: 1,
  key: ({ key }: Invoice) => key,
  parents: ({ customer, engagement, key }: Invoice) => [
    parent.customer(customer),
    parent.invoice(key),
    ...(engagement === undefined ? [] : [parent.engagement(engagement)]),
  ],
  // While something of the engagement is disputed, nothing more of it is billed.
  holds: ({ engagement }: Invoice) => engagement === undefined ? [] : [{ flow: "disputes", key: engagement }],
  consults: ({ hold, key }: Invoice) => hold === true ? [releaseOf(key)] : [],
  versions: "once",
  record: "invoice",
  alike: { field: "ref", value: ({ key }: Invoice) => key, domain: [["move_type", "=", "out_invoice"]] },
  control: ({ currency, invoiceDate, totals }: Invoice): Control => ({
    day: invoiceDate,
    amounts: totals === undefined
      ? {}
      : { amount_untaxed: totals.untaxed, amount_tax: totals.tax, amount_total: totals.total },
    currency,
  }),
  publishes: ["invoice.posted"],
  outcomes: posted,
} as const

/** A draft that Odoo will never post would count as invoiced on its order. One with other totals stays to be looked at. */
export const draft = {
  name: "invoice",
  model: "account.move",
  mode: "create",
  compensate: { on: ["ODOO-VALIDATION"], method: "button_cancel", field: "state", from: ["draft"], to: ["cancel"] },
} as const
