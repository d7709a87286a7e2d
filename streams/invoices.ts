/**
 * An invoice request becomes a posted customer invoice.
 *
 *   invoice.requested ─> account.move (draft) ─> totals compared ─> posted ─> invoice.posted goes out
 *
 * Never Odoo's invoicing wizard: repeated, it invoices twice. What each line bills is said by `sale_line_ids`.
 */
import { BigDecimal } from "effect"
import { InvoiceRequested } from "../schemas/invoice.ts"
import { format, scaleOf } from "../schemas/money.ts"
import { event, type Flow } from "../src/flow/Flow.ts"
import { compare, load, type Row, transition } from "../src/flow/Step.ts"
import { externalId } from "../src/flow/Write.ts"
import { currencyOf, isRefusal, journalLock, journalOf, taxOf } from "./codes.ts"
import { customerId, engagementIds, parent } from "./keys.ts"

const requested = event<InvoiceRequested>({
  type: "invoice.requested",
  version: 1,
  schema: InvoiceRequested,
  key: (invoice) => invoice.key,
  parents: (invoice) => [
    parent.customer(invoice.customer),
    parent.invoice(invoice.key),
    ...(invoice.engagement === undefined ? [] : [parent.engagement(invoice.engagement)]),
  ],
  references: (invoice) => [
    { flow: "customers", key: invoice.customer },
    ...(invoice.engagement === undefined ? [] : [{ flow: "engagements", key: invoice.engagement }]),
  ],
  versions: "once",
  record: "invoice",
  plan: [
    load({
      name: "invoice",
      model: "account.move",
      mode: "create",
      // A draft that Odoo will never post would count as invoiced on its order. One with other totals stays to be looked at.
      compensate: { on: ["ODOO-VALIDATION"], method: "button_cancel", field: "state", from: ["draft"], to: ["cancel"] },
      rows: ({ data, company }) => {
        const own = (part?: string): string => externalId(company.entity, "invoices", data.key, part)
        const journal = journalOf(company, "sales")
        if (isRefusal(journal)) return journal
        const rows: Array<Row> = []
        for (const line of data.lines) {
          const tax = taxOf(company, line.taxCode)
          if (isRefusal(tax)) return tax
          rows.push({
            externalId: own(`line-${line.key}`),
            values: {
              name: line.description,
              quantity: BigDecimal.format(line.quantity),
              price_unit: BigDecimal.format(line.unitPrice),
              "tax_ids/.id": tax,
              ...(data.engagement !== undefined && line.engagementLine !== undefined && {
                "sale_line_ids/id": engagementIds(company.entity, data.engagement).line(line.engagementLine),
              }),
            },
          })
        }
        return {
          externalId: own(),
          values: {
            move_type: "out_invoice",
            "partner_id/id": customerId(company.entity, data.customer),
            "journal_id/.id": journal,
            "currency_id/id": currencyOf(data.currency),
            invoice_date: data.invoiceDate,
            ...(data.dueDate !== undefined && { invoice_date_due: data.dueDate }),
            ref: data.key,
            payment_reference: data.key,
          },
          lines: { field: "invoice_line_ids", rows },
        }
      },
    }),
    compare({
      name: "totals",
      model: "account.move",
      of: "invoice",
      code: "TOTALS-MISMATCH",
      expect: ({ data }) => ({
        amount_untaxed: data.totals.untaxed,
        amount_tax: data.totals.tax,
        amount_total: data.totals.total,
      }),
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
      lock: ({ company }) => journalLock(company, "sales"),
      period: { kind: "sale", field: "date", reference: "ref", date: ({ invoiceDate }) => invoiceDate },
      fields: ["name", "date"],
    }),
  ],
  control: ({ currency, invoiceDate, totals }) => ({
    day: invoiceDate,
    amounts: { amount_untaxed: totals.untaxed, amount_tax: totals.tax, amount_total: totals.total },
    currency,
  }),
  population: {
    model: "account.move",
    domain: [["move_type", "=", "out_invoice"], ["state", "=", "posted"]],
    day: "invoice_date",
  },
  outcomes: ({ data, read }) => {
    const posted = read["post"]
    if (posted === undefined) return []
    const amount = (decimal: BigDecimal.BigDecimal): string => format(decimal, scaleOf(data.currency))
    return [{
      type: "invoice.posted",
      data: {
        invoice: data.key,
        number: posted["name"],
        invoiceDate: data.invoiceDate,
        accountingDate: posted["date"] ?? null,
        currency: data.currency,
        untaxed: amount(data.totals.untaxed),
        tax: amount(data.totals.tax),
        total: amount(data.totals.total),
      },
    }]
  },
})

export const invoices: Flow = {
  name: "invoices",
  domain: "invoice",
  description: "Invoice requests become posted customer invoices whose totals are the promised ones",
  lane: "critical",
  batch: { size: 25, linger: "50 millis", concurrency: 2 },
  inFlight: 100,
  referenceDeadline: "1 day",
  events: [requested],
}
