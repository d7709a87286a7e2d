/** Invoice requests: what billing wants invoiced, with the totals it promised to the customer. */
import { BigDecimal, Schema } from "effect"
import { financial, personal } from "./classification.ts"
import { BusinessKey, Day, Label, repeated, TaxCode } from "./ids.ts"
import { Currency, Decimal, fits, scaleOf } from "./money.ts"

/** Most lines of one invoice: Odoo writes about 50 lines a second and a call must end well within a minute. */
export const INVOICE_MAX_LINES = 200

export const InvoiceLine = Schema.Struct({
  key: BusinessKey.annotate({ description: "key of the line within the invoice", examples: ["1"] }),
  description: personal(Label),
  quantity: financial(
    Decimal.annotate({ description: "at most 2 decimals", examples: [BigDecimal.make(75n, 1)] }),
  ),
  unitPrice: financial(Decimal.annotate({
    description: "without tax, at most 2 decimals",
    examples: [BigDecimal.make(12550n, 2)],
  })),
  taxCode: TaxCode,
  engagementLine: Schema.optionalKey(
    BusinessKey.annotate({ description: "order line of the invoice's engagement that this invoices" }),
  ),
}).annotate({ identifier: "InvoiceLine" })
export type InvoiceLine = typeof InvoiceLine.Type

export const InvoiceTotals = Schema.Struct({
  untaxed: financial(Decimal),
  tax: financial(Decimal),
  total: financial(Decimal),
}).annotate({ identifier: "InvoiceTotals", description: "what Odoo must compute, in the invoice's currency" })

/** Half a minor unit per line and one for the sum: sources round per line or once, and both are right. */
const roundingOf = (lines: number, scale: number) => BigDecimal.make(5n * BigInt(lines + 1), scale + 1)

/**
 * `invoice.requested`: make and post this invoice. Sent once; a correction is a credit note, an event of its own. Before
 * it is posted, Odoo's totals are compared with `totals`, to the cent.
 */
export const InvoiceRequested = Schema.Struct({
  key: BusinessKey.annotate({ description: "number of the request", examples: ["INV-00123"] }),
  customer: BusinessKey.annotate({ description: "customer number", examples: ["CUS-0042"] }),
  engagement: Schema.optionalKey(BusinessKey.annotate({ description: "engagement code", examples: ["ENG-0007"] })),
  invoiceDate: Day,
  dueDate: Schema.optionalKey(Day.annotate({ description: "the customer's payment terms when left out" })),
  currency: Currency,
  lines: Schema.Array(InvoiceLine).check(Schema.isMinLength(1), Schema.isMaxLength(INVOICE_MAX_LINES)),
  totals: InvoiceTotals,
}).check(Schema.makeFilter((invoice) => {
  const { currency, engagement, lines, totals } = invoice
  const twice = repeated(lines.map((line) => line.key))
  if (twice !== undefined) return { path: ["lines"], issue: `has the key ${twice} twice` }
  if (engagement === undefined && lines.some((line) => line.engagementLine !== undefined)) {
    return { path: ["engagement"], issue: "must be there when a line names an engagementLine" }
  }
  if (invoice.dueDate !== undefined && invoice.dueDate < invoice.invoiceDate) {
    return { path: ["dueDate"], issue: "must not be before invoiceDate" }
  }
  for (const [field, amount] of Object.entries(totals)) {
    if (!fits(amount, currency)) return { path: ["totals", field], issue: `has more decimals than ${currency}` }
  }
  if (!BigDecimal.equals(BigDecimal.sum(totals.untaxed, totals.tax), totals.total)) {
    return { path: ["totals", "total"], issue: "must be untaxed plus tax" }
  }
  const sum = BigDecimal.sumAll(lines.map((line) => BigDecimal.multiply(line.quantity, line.unitPrice)))
  const off = BigDecimal.abs(BigDecimal.subtract(sum, totals.untaxed))
  return BigDecimal.isGreaterThan(off, roundingOf(lines.length, scaleOf(currency)))
    ? { path: ["totals", "untaxed"], issue: "is not what the lines add up to" }
    : undefined
})).annotate({ identifier: "InvoiceRequested", description: "Billing asks for an invoice" })
export type InvoiceRequested = typeof InvoiceRequested.Type
