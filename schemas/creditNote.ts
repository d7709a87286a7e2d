/** Credit notes and write-offs: both take something back from a posted invoice, and both need a second person. */
import { BigDecimal, Schema } from "effect"
import { Person } from "./approval.ts"
import { personal } from "./classification.ts"
import { AccountCode, BusinessKey, Day, JournalRole, Label, repeated, TaxCode } from "./ids.ts"
import { INVOICE_MAX_LINES, INVOICE_MAX_TIMESHEETS, InvoiceTotals } from "./invoice.ts"
import { Currency, Decimal, fits, PositiveDecimal } from "./money.ts"

const Reason = personal(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(500))).annotate({
  description: "why, as the customer may read it",
})

export const CreditNoteLine = Schema.Struct({
  key: BusinessKey.annotate({ description: "key of the line within the credit note", examples: ["1"] }),
  description: Label,
  quantity: PositiveDecimal.annotate({ description: "what is credited, at most 2 decimals" }),
  unitPrice: Decimal.annotate({ description: "without tax", examples: [BigDecimal.make(12550n, 2)] }),
  taxCode: TaxCode,
  engagementLine: Schema.optionalKey(
    BusinessKey.annotate({ description: "order line that the credited quantity is to be invoiced from again" }),
  ),
  timesheets: Schema.optionalKey(
    Schema.Array(BusinessKey).check(Schema.isMaxLength(INVOICE_MAX_TIMESHEETS)).annotate({
      description: "timesheet lines that become billable again; those that are not named stay billed",
    }),
  ),
}).annotate({ identifier: "CreditNoteLine" })
export type CreditNoteLine = typeof CreditNoteLine.Type

/**
 * `credit-note.requested`: credit an invoice, as a whole or in part. With `lines` exactly these; without, all that the
 * invoice has: its order lines and timesheets are then to be invoiced again, unless `rebill` is false.
 */
export const CreditNoteRequested = Schema.Struct({
  key: BusinessKey.annotate({ description: "number of the request", examples: ["CN-0007"] }),
  invoice: BusinessKey.annotate({
    description: "number of the invoice request that is credited",
    examples: ["INV-00123"],
  }),
  customer: BusinessKey.annotate({ description: "customer number", examples: ["CUS-0042"] }),
  engagement: Schema.optionalKey(BusinessKey.annotate({ description: "engagement code", examples: ["ENG-0007"] })),
  date: Day.annotate({ description: "date of the credit note" }),
  currency: Currency.annotate({ description: "the invoice's" }),
  lines: Schema.optionalKey(
    Schema.Array(CreditNoteLine).check(Schema.isMinLength(1), Schema.isMaxLength(INVOICE_MAX_LINES)).annotate({
      description: "what is credited; the whole invoice when left out",
    }),
  ),
  rebill: Schema.optionalKey(Schema.Boolean.annotate({
    description: "of a whole invoice: whether what it billed is to be invoiced again; true when left out",
  })),
  journal: Schema.optionalKey(
    JournalRole.annotate({ description: "role of the sales journal; `sales` when left out" }),
  ),
  totals: InvoiceTotals,
  requestedBy: Person.annotate({ description: "who asks for it; somebody else has to approve it" }),
  reason: Reason,
}).check(Schema.makeFilter((note) => {
  const { currency, engagement, lines = [], rebill, totals } = note
  const twice = repeated(lines.map((line) => line.key))
  if (twice !== undefined) return { path: ["lines"], issue: `has the key ${twice} twice` }
  if (engagement === undefined && lines.some((line) => line.engagementLine !== undefined)) {
    return { path: ["engagement"], issue: "must be there when a line names an engagementLine" }
  }
  if (lines.some((line) => line.timesheets !== undefined && line.engagementLine === undefined)) {
    return { path: ["lines"], issue: "must name the engagementLine that its timesheets are delivered on" }
  }
  if (rebill !== undefined && note.lines !== undefined) {
    return { path: ["rebill"], issue: "is for whole invoices; a line says it by its engagementLine" }
  }
  for (const [field, amount] of Object.entries(totals)) {
    if (!fits(amount, currency)) return { path: ["totals", field], issue: `has more decimals than ${currency}` }
  }
  return BigDecimal.equals(BigDecimal.sum(totals.untaxed, totals.tax), totals.total)
    ? undefined
    : { path: ["totals", "total"], issue: "must be untaxed plus tax" }
})).annotate({ identifier: "CreditNoteRequested", description: "Somebody asks for a credit note" })
export type CreditNoteRequested = typeof CreditNoteRequested.Type

/** `write-off.requested`: give up a part of what an invoice still has open, or all of it. */
export const WriteOffRequested = Schema.Struct({
  key: BusinessKey.annotate({ description: "number of the request", examples: ["WO-0002"] }),
  invoice: BusinessKey.annotate({ description: "number of the invoice request", examples: ["INV-00123"] }),
  customer: BusinessKey.annotate({ description: "customer number", examples: ["CUS-0042"] }),
  amount: PositiveDecimal.annotate({ description: "tax included, at most what is open" }),
  currency: Currency.annotate({ description: "the invoice's" }),
  date: Day.annotate({ description: "accounting date" }),
  account: Schema.optionalKey(AccountCode.annotate({
    description: "the source's code of the expense account; `write-off` when left out",
  })),
  requestedBy: Person.annotate({ description: "who asks for it; somebody else has to approve it" }),
  reason: Reason,
}).check(
  Schema.makeFilter(({ amount, currency }) =>
    fits(amount, currency) ? undefined : { path: ["amount"], issue: `has more decimals than ${currency}` }
  ),
).annotate({ identifier: "WriteOffRequested", description: "Somebody asks for a write-off" })
export type WriteOffRequested = typeof WriteOffRequested.Type
