/** What others are told of customer credit notes that change in Odoo. */
import type { FactData } from "../schemas/facts.ts"
import { many2one } from "../src/odoo/CompanyCalls.ts"
import { documentFeed } from "./documentFeed.ts"
import { textOf } from "./facts.ts"
import { creditNoteStatuses } from "./statuses.ts"

export const creditNoteFeed = documentFeed<FactData<"credit-note.posted">>({
  name: "credit-notes",
  moveType: "out_refund",
  statuses: creditNoteStatuses,
  fields: ["reversed_entry_id"],
  posted: "credit-note.posted",
  withdrawn: "credit-note.withdrawn",
  cancelled: "credit-note.cancelled",
  settled: { "partly-settled": "credit-note.partly-settled", settled: "credit-note.settled" },
  reopened: "credit-note.reopened",
  data: ({ key, record }, common) => ({
    creditNote: key,
    creditNoteId: record.id,
    invoiceId: many2one(record["reversed_entry_id"]) ?? null,
    date: textOf(record["invoice_date"]),
    ...common,
  }),
  facts: [
    { type: "credit-note.posted", when: "a person posted it, or posted it again with another total" },
    { type: "credit-note.withdrawn", when: "a posted one was set back to a draft" },
    { type: "credit-note.cancelled", when: "it was cancelled" },
    { type: "credit-note.partly-settled", when: "a part of it was set off or paid out, or another part" },
    { type: "credit-note.settled", when: "nothing of it is open any more" },
    { type: "credit-note.reopened", when: "what was set off was taken back: all of it is open again" },
  ],
})
