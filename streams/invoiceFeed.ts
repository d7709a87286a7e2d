/** What others are told of customer invoices that change in Odoo. */
import type { FactData } from "../schemas/facts.ts"
import { documentFeed } from "./documentFeed.ts"
import { textOf } from "./facts.ts"
import { invoiceStatuses } from "./statuses.ts"

export const invoiceFeed = documentFeed<FactData<"invoice.posted">>({
  name: "invoices",
  moveType: "out_invoice",
  statuses: invoiceStatuses,
  fields: [],
  posted: "invoice.posted",
  withdrawn: "invoice.withdrawn",
  cancelled: "invoice.cancelled",
  settled: { "partly-paid": "invoice.partly-paid", paid: "invoice.paid", reversed: "invoice.reversed" },
  reopened: "invoice.reopened",
  data: ({ key, record }, common) => ({
    invoice: key,
    invoiceId: record.id,
    invoiceDate: textOf(record["invoice_date"]),
    ...common,
  }),
  facts: [
    { type: "invoice.posted", when: "a person posted it, or posted it again with another total" },
    { type: "invoice.withdrawn", when: "a posted one was set back to a draft" },
    { type: "invoice.cancelled", when: "it was cancelled" },
    { type: "invoice.partly-paid", when: "a part of it was paid or credited, or another part" },
    { type: "invoice.paid", when: "nothing of it is open any more" },
    { type: "invoice.reversed", when: "a credit note took it back as a whole" },
    { type: "invoice.reopened", when: "a payment was taken back: all of it is open again" },
  ],
})
