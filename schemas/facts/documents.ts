/** What is told of invoices, credit notes, write-offs and journal entries: `data` of `erp-out.<entity>.<type>`. */
import { Schema } from "effect"
import { accountingDate, amount, currency, day, nullable, number, requestedBy, statusVersion, text } from "./parts.ts"

const amounts = { untaxed: amount("without tax"), tax: amount("tax"), total: amount("with tax") } as const

/** Only what was seen in Odoo has it. */
const seen = {
  reference: Schema.optionalKey(nullable("Odoo's reference")),
  residual: Schema.optionalKey(amount("what is still open")),
  status: Schema.optionalKey(nullable("what it is now")),
  statusVersion: Schema.optionalKey(statusVersion),
} as const

/** `invoice.posted` and what follows: by the flow that posted it, or seen in Odoo. */
export const InvoiceFact = Schema.Struct({
  invoice: nullable("business key; null for one that a person entered"),
  engagement: Schema.optionalKey(text("of one that the flow posted")),
  invoiceId: Schema.optionalKey(Schema.Int.annotate({ description: "database id in Odoo" })),
  number,
  invoiceDate: nullable("day of the document"),
  accountingDate,
  currency,
  ...amounts,
  ...seen,
}).annotate({ identifier: "InvoiceFact", description: "An invoice changed" })

/** `credit-note.posted` and what follows: by the flow that posted it, or seen in Odoo. */
export const CreditNoteFact = Schema.Struct({
  creditNote: nullable("business key; null for one that a person entered"),
  invoice: Schema.optionalKey(text("business key of the invoice that it cites; of one that the flow posted")),
  creditNoteId: Schema.optionalKey(Schema.Int.annotate({ description: "database id in Odoo" })),
  invoiceId: Schema.optionalKey(
    Schema.NullOr(Schema.Int).annotate({ description: "database id of the invoice that it cites; null: none" }),
  ),
  number,
  date: nullable("day of the document"),
  accountingDate,
  currency,
  ...amounts,
  ...seen,
  requestedBy: Schema.optionalKey(requestedBy),
}).annotate({ identifier: "CreditNoteFact", description: "A credit note changed" })

/** `write-off.posted` */
export const WriteOffPosted = Schema.Struct({
  writeOff: text("business key"),
  invoice: text("business key of the invoice"),
  number,
  accountingDate,
  currency,
  amount: amount("what is given up"),
  requestedBy,
}).annotate({ identifier: "WriteOffPosted", description: "What an invoice had open was given up" })

/** `journal-entry.posted` */
export const JournalEntryPosted = Schema.Struct({
  entry: text("business key"),
  number,
  accountingDate,
  reversal: nullable("Odoo's number of its reversal; null: it has none"),
  reversalDate: Schema.NullOr(day("day of the reversal")),
  currency,
  amount: amount("what is debited in all"),
}).annotate({ identifier: "JournalEntryPosted", description: "A journal entry was posted" })

/** `expense.posted` */
export const ExpensePosted = Schema.Struct({
  expense: text("business key"),
  engagement: nullable("engagement code"),
  paidBy: text("employee or company"),
  number,
  accountingDate,
  currency,
  tax: amount("tax"),
  total: amount("with tax"),
}).annotate({ identifier: "ExpensePosted", description: "An expense was booked" })
