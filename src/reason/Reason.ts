/**
 * The closed list of reasons why an event is not (yet) in Odoo. Each has one disposition; every decision of the
 * pipeline reads that, never a message text. `docs/exceptions.md` is generated from this table.
 */

/**
 * What the pipeline does about a reason:
 * - `retry`: transient. Repeat in process with capped, jittered backoff; the event stays in flight.
 * - `readback`: the outcome of a call is unknown. Run the idempotent plan again from its start: it reads what stands.
 * - `wait`: a reference or an approval is missing. The event waits in the ledger until it arrives or a deadline passes.
 * - `park`: an exception. The event and later events of its business key stay in the ledger until a person acts.
 * - `hold`: nothing can go through for this entity (bad key). Stop its intake, probe, resume by itself.
 */
export type Disposition = "retry" | "readback" | "wait" | "park" | "hold"

export interface Reason {
  /** Technical: the operator or an engineer mends it. Business: the source or finance mends it. */
  readonly kind: "technical" | "business"
  readonly disposition: Disposition
  readonly title: string
  /** What the operator does next. */
  readonly action: string
  /** A detail as an exception of this code carries it. */
  readonly example: string
}

const technical = (disposition: Disposition, title: string, action: string, example: string): Reason => ({
  kind: "technical",
  disposition,
  title,
  action,
  example,
})
const business = (disposition: Disposition, title: string, action: string, example: string): Reason => ({
  kind: "business",
  disposition,
  title,
  action,
  example,
})

export const reasons = {
  // The message itself
  "EVENT-NOT-JSON": technical(
    "park",
    "The message is not JSON",
    "Mend the publisher, publish the event again, dismiss this one.",
    "Unexpected token 'o', \"not json\" is not valid JSON",
  ),
  "EVENT-TOO-LARGE": technical(
    "park",
    "The message is larger than an event may be",
    "Find out what publishes on this subject; dismiss.",
    "1000000 bytes; an event may have 900000",
  ),
  "EVENT-NOT-CLOUDEVENT": technical(
    "park",
    "The JSON is not a CloudEvent 1.0",
    "Mend the publisher's envelope, publish again, dismiss this one.",
    "specversion: Missing key; id: Missing key",
  ),
  "EVENT-UNKNOWN-TYPE": technical(
    "park",
    "No flow knows this event type",
    "Correct the type or the subject, or add a flow; then retry.",
    "invoice.cancelled; flow invoices knows invoice.requested",
  ),
  "EVENT-FUTURE-VERSION": technical(
    "park",
    "The event's major version is newer than this Weir knows",
    "Upgrade Weir, then retry.",
    "invoice.requested version 2; this Weir knows versions up to 1",
  ),
  "EVENT-SUBJECT-MISMATCH": technical(
    "park",
    "The subject and the event type name different things",
    "Mend the publisher; publish again on the right subject; dismiss.",
    "the subject says invoice.cancelled, the event type says invoice.requested",
  ),
  "EVENT-UNKNOWN-ENTITY": technical(
    "park",
    "No configured legal entity has this code",
    "Add the entity to weir.json or correct the subject; then retry.",
    "subject erp.zz99.customer.upserted: no legal entity zz99 in the configuration",
  ),
  "EVENT-INVALID": business(
    "park",
    "The payload does not match the event's schema",
    "Correct the payload at the source and publish it again with a new id.",
    "totals.total: must be untaxed plus tax",
  ),
  "EVENT-CHANGED": business(
    "park",
    "An event with this identity came before with another payload",
    "Compare both; publish a correction with an id of its own; dismiss.",
    "INV-00123 was written before by another event (record account.move 96)",
  ),
  // What it needs
  "REFERENCE-MISSING": business(
    "wait",
    "A record that the event refers to is not in Odoo yet",
    "Nothing while it waits. When overdue: publish the missing event.",
    "waits for engagements ENG-0007",
  ),
  "REFERENCE-OVERDUE": business(
    "park",
    "A reference did not arrive before the deadline",
    "Publish the missing event, then retry.",
    "waits for engagements ENG-0007",
  ),
  "ON-HOLD": business(
    "wait",
    "Something that the event belongs to is on hold, for example by a dispute",
    "Nothing while it is: lifting the hold releases the event. When overdue: find out why the hold still stands.",
    "held back by disputes ENG-0007",
  ),
  "APPROVAL-REJECTED": business(
    "park",
    "The approval was refused",
    "Dismiss; or have it approved after all, then retry.",
    "credit-notes CN-7: rejected by jane@example.test",
  ),
  "APPROVAL-SAME-PERSON": business(
    "park",
    "Whoever asked for it approved it",
    "Have another person approve it, then retry.",
    "credit-notes CN-7 was requested and approved by jane@example.test",
  ),
  "MASTER-DATA-MISSING": business(
    "park",
    "Odoo has no such employee, journal, tax or account",
    "Create it in Odoo or correct the mapping, then retry.",
    'Odoo has no hr.employee with work_email "c01@be01.example.test" in company 3',
  ),
  "MAPPING-MISSING": business(
    "park",
    "The entity's configuration maps no such code",
    "Add the code to the entity in weir.json, then retry.",
    "entity be01 maps no tax code S12: add it to entities.be01.taxes in weir.json",
  ),
  // What the agreement says
  "AGREEMENT-INCOMPLETE": business(
    "park",
    "The agreement lacks something without which it cannot be delivered or billed",
    "Complete it at the source and publish it again with a larger sequence; dismiss this one.",
    "ENG-0007: has no contract number; line senior has no price",
  ),
  "BILLING-SCHEDULE-MISSING": business(
    "park",
    "The agreement has no complete billing schedule: something would be delivered and never billed",
    "Complete the schedule at the source and publish the agreement again with a larger sequence; dismiss this one.",
    "ENG-0007: line senior (time-and-materials) needs a rhythm",
  ),
  "CUTOVER-MISSING": business(
    "park",
    "It is dated before the cut-over, so that another system has to write it, and has not",
    "Let the other system write it, then retry; or dismiss it; or set an earlier day in cutover of the entity, then retry.",
    "INV-00123 is dated 2026-11-28, invoices are Weir's from 2026-12-01 on: no account.move of the other system is like it",
  ),
  "CUTOVER-DIFFERS": business(
    "park",
    "It is dated before the cut-over, and what the other system has made of it says something else",
    "Find out which is right. Correct the record in Odoo, then retry; or dismiss it.",
    "account.move 17 is not what INV-00123 says: amount_total 303.71, not 302.50",
  ),
  "SHADOW-AMBIGUOUS": business(
    "park",
    "Several records of another system are like what the event is about",
    "Merge them in Odoo, or name another field in shadow.fields of the entity; then look again.",
    "account.move 17, 31 are all like INV-00123",
  ),
  "LEGAL-ENTITY-MISMATCH": business(
    "park",
    "The event, or the contract in it, is of another legal entity than the subject names",
    "Find out which is right; publish again on the right subject; dismiss.",
    "ENG-0007 is a contract of us01, the subject says be01",
  ),
  "PRICE-LIST-MISSING": business(
    "park",
    "Odoo has no price list in the agreement's currency, or several",
    "Make the price list in Odoo, or name the one that is meant in the event; then retry.",
    "ENG-0007 is in USD: Odoo has no price list in USD for be01",
  ),
  "NOT-BILLABLE": business(
    "park",
    "Nothing can be billed on this line: of its kind, or because the engagement is not under way",
    "Correct the line at the source, send the time as not billable, or set the order right in Odoo; then retry.",
    "line senior of engagement ENG-0007 is on an order that is cancel",
  ),
  "USAGE-LATE": business(
    "park",
    "The period that the usage belongs to is closed, and late usage is not counted in the next one",
    "Send a true-up of the period with what was really used (usage.trued-up); dismiss this one.",
    "ENG-0007.tokens 2026-10 is closed",
  ),
  "ENGAGEMENT-CLOSED": business(
    "park",
    "The engagement is closed and takes no more changes or work of later days",
    "Reopen the engagement with engagement.reopened, then retry; or dismiss.",
    "ENG-0007 was closed on 2026-10-31, this is of 2026-11-03",
  ),
  "RATE-CONFLICT": business(
    "park",
    "The rate would change a line that is not its own, or one that is invoiced",
    "Publish it as a rate with a key of its own; dismiss this one.",
    "hours are invoiced at rate senior-2026 for 145.00; another price is a rate with a key of its own",
  ),
  "CUSTOMER-DUPLICATE": business(
    "park",
    "Odoo has a partner with the same VAT number or reference already: no second one is made",
    "Say in the event which partner it is (odooPartner), or that it is another one (distinct), and publish it with a larger sequence; or merge the two at the source (customer.merged); dismiss this one.",
    'the VAT number BE0477472701 is that of res.partner 14 "Delft Marine" (weir_be01.customers_CUS-0041)',
  ),
  "CUSTOMER-MERGED": business(
    "park",
    "The customer was merged into another one",
    "Publish the change under the number of the customer that remains; dismiss this one.",
    "CUS-0043 was merged into CUS-0042",
  ),
  "DEPENDENCY-DOWN": technical(
    "wait",
    "A service beside Odoo that the event needs does not answer",
    "Nothing: it is asked again, and the event goes on by itself. If it lasts, look at the service.",
    "tax does not answer: no answer within 5s",
  ),
  "DEPENDENCY-REFUSED": business(
    "park",
    "A service beside Odoo cannot answer for this event",
    "Correct the event at the source or the service's data, then retry.",
    "tax: no rate for country ZZ",
  ),
  "BEHIND-EXCEPTION": business(
    "park",
    "An earlier event of the same business key is not done yet",
    "Nothing while the earlier one is under way. If it is an exception: resolve it; this one follows by itself.",
    "an earlier event of invoices/INV-00123 is not done yet",
  ),
  // What Odoo says
  "TOTALS-MISMATCH": business(
    "park",
    "Odoo computes other totals than the event promises",
    "Correct prices or the tax mapping; the draft stands in Odoo unposted.",
    "account.move 96: amount_tax: promised 191.54, Odoo computes 191.55. Already in Odoo: account.move 96 (weir_be01.invoices_INV-00123).",
  ),
  "EXCHANGE-RATE-MISSING": business(
    "park",
    "Odoo has no exchange rate for the document's day",
    "Publish exchange-rate.published or enter the rate in Odoo, then retry. Odoo would have booked it one to one.",
    "Odoo has no rate of USD for be01 within 31 days before 2026-10-31",
  ),
  "INVOICE-HELD": business(
    "wait",
    "The invoice was requested with hold, and nobody has released it",
    "Nothing; look at the draft and have it released: invoice.released. When overdue: ask who should.",
    "the draft of INV-00123 waits for invoice.released. Already in Odoo: account.move 96 (weir_be01.invoices_INV-00123).",
  ),
  "NOTHING-READY": business(
    "park",
    "Nothing of the engagement is ready to be invoiced up to that day",
    "Dismiss; or find what is missing (timesheets, a reached milestone), then retry.",
    "nothing of ENG-0007 is ready to be invoiced up to 2026-10-31",
  ),
  "READY-MISMATCH": business(
    "park",
    "What Odoo has to invoice does not fit what was asked for, or its timesheets",
    "Look at the order in Odoo: hours that were invoiced by hand without their timesheets, or fractions that are billed already. Then retry or request the lines one by one.",
    'ENG-0007: "Senior consultant" has 12.5 to be invoiced up to 2026-10-31, its timesheets on no invoice come to 14',
  ),
  "CREDIT-EXCEEDS-INVOICE": business(
    "park",
    "The credit notes of an invoice would come to more than the invoice",
    "Find out which of them is wrong; dismiss it, or pay the rest back with payment.refunded.",
    "INV-00123 comes to 1103.65, its credit notes to 900.00 and this one to 300.00",
  ),
  "WRITE-OFF-EXCEEDS-OPEN": business(
    "park",
    "More is to be written off than the invoice has open",
    "Request what is open, dismiss this one.",
    "INV-00123 has 2.55 open, 3.00 are to be written off",
  ),
  "SETTLEMENT-MISMATCH": business(
    "park",
    "A payout does not come to what its payments do, or one of them was paid out before",
    "Compare the provider's statement with the payments in Odoo; publish what is missing, then retry, or dismiss.",
    "PO-00018: net and fee come to 150.50, its payments to 100.00",
  ),
  "TAX-MISMATCH": business(
    "park",
    "Odoo computes another tax than was quoted",
    "Correct the tax code at the source or its mapping in weir.json; the draft stands in Odoo unposted. Set it right there or cancel it, then retry.",
    "account.move 96: amount_tax: promised 191.54, Odoo computes 54.73; amount_total: promised 1103.65, Odoo computes 966.84. Already in Odoo: account.move 96 (weir_be01.invoices_INV-00123).",
  ),
  "ODOO-VALIDATION": business(
    "park",
    "Odoo refuses the record",
    "Read Odoo's message; correct the data at the source or in Odoo, then retry. A draft that was taken back is set to draft again in Odoo first.",
    "account.move/action_post: A line of this move is using a archived account, you cannot post it. Already in Odoo: account.move 96 (weir_be01.invoices_INV-00123); account.move 96 taken back by button_cancel, it is cancel now.",
  ),
  "ODOO-RECORD-MISSING": business(
    "park",
    "A record that Weir wrote was deleted in Odoo",
    "Find out who deleted it; restore it or dismiss.",
    "account.move 96 is gone",
  ),
  "ODOO-UNEXPECTED-STATE": business(
    "park",
    "The record is in a state from which the plan cannot go on",
    "Look at the record in Odoo (cancelled by a person?); then retry or dismiss.",
    "account.move 96 is cancel; action_post takes draft to posted. Already in Odoo: account.move 96 (weir_be01.invoices_INV-00123).",
  ),
  "ODOO-TOO-MANY": business(
    "park",
    "Odoo has more records for this event than one write may touch",
    "Split the event at the source, for example into shorter periods; dismiss this one.",
    "more than 2000 records of account.analytic.line (hours)",
  ),
  "ODOO-LOCKED-PERIOD": business(
    "park",
    "The document is dated in a period that is locked in Odoo",
    "Open the period in Odoo or set another accounting date in the draft, then retry; or dismiss.",
    "account.move 96 is dated 2026-10-31, in a period locked up to 2026-10-31 (sale_lock_date). It is a draft, nothing is booked. Already in Odoo: account.move 96 (weir_be01.invoices_INV-00123).",
  ),
  "ODOO-PERIOD-MOVED": business(
    "park",
    "A period was locked while its document was posted, and Odoo booked it on a later day",
    "Check the accounting date of the posted document; then retry, which accepts it.",
    "account.move 96 was to be booked on 2026-10-31; a lock came in between and Odoo booked it on 2026-11-22. Already in Odoo: account.move 96 (weir_be01.invoices_INV-00123, posted).",
  ),
  "PERIOD-APPROVAL-MISSING": business(
    "wait",
    "The document is dated in a locked period, and finance has not approved late documents of that month",
    "Approve the month: weir period approve <entity> <yyyy-mm>. The document is then booked on the first open day.",
    "account.move 96 is dated 2026-10-31, in a period locked up to 2026-10-31 (sale_lock_date). The draft waits for: weir period approve be01 2026-10. Already in Odoo: account.move 96 (weir_be01.invoices_INV-00123).",
  ),
  "ODOO-ACCESS": technical(
    "park",
    "The technical user may not do this",
    "Give the user the right or the company, then retry.",
    "account.move/action_post: You are not allowed to modify 'Journal Entry' (account.move) records.",
  ),
  "ODOO-REFUSED-CALL": technical(
    "park",
    "Odoo does not understand the call",
    "A defect of Weir or a missing module: report it with the code and the operation.",
    "account.move/load: Unknown error during import: <class 'TypeError'>",
  ),
  "ODOO-AUTH": technical(
    "hold",
    "Odoo refuses the API key",
    "Put a new key where the configuration points; the entity resumes by itself.",
    "Invalid apikey",
  ),
  "ODOO-CONTENTION": technical(
    "retry",
    "Odoo gave up on concurrent updates",
    "Nothing: retried. If it lasts, lower the workers' share or find what else writes. As an exception: find what holds this record, then retry.",
    "project.task/load: could not serialize access due to concurrent update. Given up after 16m, in which Odoo served others.",
  ),
  "ODOO-UNAVAILABLE": technical(
    "retry",
    "Odoo or its database is away",
    "Nothing: retried. If it lasts, look at Odoo. As an exception: this event alone breaks it, find out why, then retry.",
    "res.partner/load: Odoo serves no such database, or PostgreSQL is down. Check the database's name in weir.json, then Odoo's log.",
  ),
  "ODOO-NO-ANSWER": technical(
    "readback",
    "The connection broke or timed out before the answer",
    "Nothing: read back and resumed. As an exception: this event alone takes too long; look for slow automations, then retry.",
    "account.move/action_post: no answer within 2m 30s; Odoo may still commit it. Given up after 16m, in which Odoo served others. Reached in Odoo: account.move 96.",
  ),
  "ODOO-UNKNOWN-ANSWER": technical(
    "readback",
    "Odoo answered something nobody has seen yet",
    "Report it; it is treated as an unknown outcome.",
    "res.partner/load: load of 2 records gave other ids",
  ),
  // Ourselves
  "DEFECT": technical(
    "park",
    "Weir itself failed on this event twice",
    "Report it with the log lines of this event's id; then retry after an upgrade.",
    "Error: the plan uses ids.order before a step of that name has found it",
  ),
} as const satisfies Record<string, Reason>

/** Code of a reason, stable for ever: it stands in ledgers, alerts and runbooks. */
export type ReasonCode = keyof typeof reasons

export const dispositionOf = (code: ReasonCode): Disposition => reasons[code].disposition
