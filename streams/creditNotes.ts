/**
 * A credit note cites the invoice that it takes back, as a whole or in part, after somebody else than its requester has
 * approved it.
 *
 *   credit-note.requested ─> approved ─> invoice, its lines, its other credit notes ─> account.move (out_refund, draft)
 *     ─> amounts compared ─> timesheets that stay billed set aside ─> posted, which reconciles it with the invoice
 *     ─> timesheets back on the invoice ─> credit-note.posted goes out
 *
 * Never Odoo's reversal wizard: repeated, it credits twice. Posting frees all timesheets of the credited order lines that
 * are on the invoice; those that stay billed are linked to the note meanwhile, so that whatever happens in between it can
 * be seen in Odoo which they are.
 */
import { BigDecimal } from "effect"
import { CreditNoteRequested } from "../schemas/creditNote.ts"
import { format, fromOdooFloat, scaleOf } from "../schemas/money.ts"
import { event, type Flow } from "../src/flow/Flow.ts"
import { check, compare, load, query, read, type Refusal, type Row, transition, update } from "../src/flow/Step.ts"
import { externalId, type Write } from "../src/flow/Write.ts"
import { approvalOf, obstacleIn } from "./approvals.ts"
import { currencyOf, id, isRefusal, journalLock, journalOf, taxOf } from "./codes.ts"
import { creditNoteFeed } from "./creditNoteFeed.ts"
import { tellsPosted } from "./documentFeed.ts"
import { exchangeRateOf } from "./exchange.ts"
import { fact, textOf } from "./facts.ts"
import { type Found, oneOf, recordsOf } from "./found.ts"
import { customerId, engagementIds, parent } from "./keys.ts"
import { maskOf } from "./ownership.ts"

const FLOW = "credit-notes"

/** Most lines of an invoice, credit notes of it, and timesheets on it. */
const MAX_LINES = 400
const MAX_NOTES = 50
const MAX_TIMESHEETS = 5000
/** Decimals that are read of prices and quantities. */
const FINE_SCALE = 6

type Note = Write<CreditNoteRequested>

const noteId = ({ company, data }: Note, part?: string): string => externalId(company.entity, FLOW, data.key, part)
/** References: customer, invoice, approval, engagement if there is one, timesheets that become billable again. */
const invoiceOf = ({ references }: Note): number => references[1]!.id
const freedBy = ({ data, references }: Note): ReadonlySet<number> =>
  new Set(references.slice(data.engagement === undefined ? 3 : 4).map((mapping) => mapping.id))

const exact = (value: unknown): string => BigDecimal.format(fromOdooFloat(Number(value), FINE_SCALE))
const idsOf = (value: unknown): ReadonlyArray<number> => Array.isArray(value) ? value as ReadonlyArray<number> : []

/** Lines as the event gives them. */
const givenLines = (write: Note): ReadonlyArray<Row> | Refusal => {
  const { company, data } = write
  const rows: Array<Row> = []
  for (const line of data.lines ?? []) {
    const tax = taxOf(company, line.taxCode)
    if (isRefusal(tax)) return tax
    rows.push({
      externalId: noteId(write, `line-${line.key}`),
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
  return rows
}

/** The invoice's own lines. */
const wholeLines = (write: Note): ReadonlyArray<Row> =>
  recordsOf(write, "invoiceLines").map((line: Found) => ({
    externalId: noteId(write, `line-${line.id}`),
    values: {
      name: String(line["name"]),
      quantity: exact(line["quantity"]),
      price_unit: exact(line["price_unit"]),
      discount: exact(line["discount"]),
      "account_id/.id": id(oneOf(line["account_id"])),
      "tax_ids/.id": idsOf(line["tax_ids"]).map(id).join(","),
      "sale_line_ids/.id": write.data.rebill === false ? "" : idsOf(line["sale_line_ids"]).map(id).join(","),
    },
  }))

const rowOf = (write: Note): Row | Refusal => {
  const { company, data } = write
  const journal = journalOf(company, data.journal ?? "sales")
  if (isRefusal(journal)) return journal
  const lines = data.lines === undefined ? wholeLines(write) : givenLines(write)
  if ("code" in lines) return lines
  return {
    externalId: noteId(write),
    values: {
      move_type: "out_refund",
      "partner_id/id": customerId(company.entity, data.customer),
      "journal_id/.id": journal,
      "currency_id/id": currencyOf(data.currency),
      invoice_date: data.date,
      ref: data.key,
      narration: data.reason,
      "reversed_entry_id/id": externalId(company.entity, "invoices", data.invoice),
    },
    lines: { field: "invoice_line_ids", rows: lines },
  }
}

/** Together with the credit notes that are posted already, no more than the invoice. */
const roomFor = (write: Note): Refusal | undefined => {
  const { data } = write
  const [invoice] = recordsOf(write, "invoice")
  if (invoice === undefined) return { code: "ODOO-RECORD-MISSING", detail: `account.move ${invoiceOf(write)} is gone` }
  if (invoice["state"] !== "posted") {
    return { code: "ODOO-UNEXPECTED-STATE", detail: `account.move ${invoice.id} is ${String(invoice["state"])}` }
  }
  const scale = scaleOf(data.currency)
  const amount = (move: Found): BigDecimal.BigDecimal => fromOdooFloat(Number(move["amount_total"]), scale)
  const others = recordsOf(write, "others").filter((move) => move["external_id"] !== noteId(write))
  const credited = BigDecimal.sumAll(others.map(amount))
  const say = (value: BigDecimal.BigDecimal): string => format(value, scale)
  return BigDecimal.isGreaterThan(BigDecimal.sum(credited, data.totals.total), amount(invoice))
    ? {
      code: "CREDIT-EXCEEDS-INVOICE",
      detail: `${data.invoice} comes to ${say(amount(invoice))}, its credit notes to ${say(credited)} and this one to ${
        say(data.totals.total)
      }`,
    }
    : undefined
}

/** Timesheets of the credited order lines that stay billed; of a whole invoice none do. */
const stayBilled = (write: Note): ReadonlyArray<number> => {
  if (write.data.lines === undefined) return []
  const freed = freedBy(write)
  return recordsOf(write, "timesheets").map((timesheet) => timesheet.id).filter((timesheet) => !freed.has(timesheet))
}

const requested = event<CreditNoteRequested>({
  type: "credit-note.requested",
  version: 1,
  schema: CreditNoteRequested,
  key: ({ key }) => key,
  parents: ({ customer, engagement, invoice }) => [
    parent.customer(customer),
    parent.invoice(invoice),
    ...(engagement === undefined ? [] : [parent.engagement(engagement)]),
  ],
  references: ({ customer, engagement, invoice, key, lines = [] }) => [
    { flow: "customers", key: customer },
    { flow: "invoices", key: invoice },
    approvalOf(FLOW, key),
    ...(engagement === undefined ? [] : [{ flow: "engagements", key: engagement }]),
    ...lines.flatMap((line) => line.timesheets ?? []).map((timesheet) => ({ flow: "timesheets", key: timesheet })),
  ],
  versions: "once",
  record: "note",
  alike: { field: "ref", value: ({ key }) => key, domain: [["move_type", "=", "out_refund"]] },
  plan: [
    check({
      name: "approval",
      refuse: ({ data, references }) => obstacleIn(references[2]!, FLOW, data.key, data.requestedBy),
    }),
    ...exchangeRateOf<CreditNoteRequested>(({ date }) => date),
    read({
      name: "invoice",
      model: "account.move",
      records: (write) => [invoiceOf(write)],
      fields: ["state", "amount_total"],
    }),
    query({
      name: "others",
      model: "account.move",
      domain: (write) => [
        ["reversed_entry_id", "=", invoiceOf(write)],
        ["move_type", "=", "out_refund"],
        ["state", "=", "posted"],
      ],
      fields: ["amount_total"],
      externalIds: true,
      limit: MAX_NOTES,
    }),
    check({ name: "room", refuse: roomFor }),
    query({
      name: "invoiceLines",
      model: "account.move.line",
      domain: (write) =>
        write.data.lines === undefined ? [["move_id", "=", invoiceOf(write)], ["display_type", "=", "product"]] : null,
      fields: ["name", "quantity", "price_unit", "discount", "tax_ids", "account_id", "sale_line_ids"],
      limit: MAX_LINES,
    }),
    load({ name: "note", model: "account.move", mode: "create", rows: rowOf }),
    compare({
      name: "totals",
      model: "account.move",
      of: "note",
      code: "TOTALS-MISMATCH",
      codes: { amount_tax: "TAX-MISMATCH" },
      currency: ({ data }) => data.currency,
      expect: ({ data }) => ({
        amount_untaxed: data.totals.untaxed,
        amount_tax: data.totals.tax,
        amount_total: data.totals.total,
      }),
    }),
    query({
      name: "credited",
      model: "account.move.line",
      domain: ({ data, ids }) =>
        data.lines === undefined
          ? null
          : [["move_id", "=", ids["note"]!], ["display_type", "=", "product"], ["sale_line_ids", "!=", false]],
      fields: ["sale_line_ids"],
      limit: MAX_LINES,
    }),
    query({
      name: "timesheets",
      model: "account.analytic.line",
      domain: (write) => {
        const sold = recordsOf(write, "credited").flatMap((line) => idsOf(line["sale_line_ids"]))
        return sold.length === 0
          ? null
          : [["timesheet_invoice_id", "in", [invoiceOf(write), write.ids["note"]!]], ["so_line", "in", sold]]
      },
      fields: ["timesheet_invoice_id"],
      limit: MAX_TIMESHEETS,
    }),
    read({
      name: "state",
      model: "account.move",
      records: ({ ids }) => [ids["note"]!],
      fields: ["state"],
    }),
    update({
      name: "aside",
      model: "account.analytic.line",
      records: (write) => recordsOf(write, "state")[0]?.["state"] === "draft" ? stayBilled(write) : [],
      values: ({ ids }) => ({ timesheet_invoice_id: ids["note"]! }),
      posts: true,
    }),
    transition({
      name: "post",
      model: "account.move",
      of: "note",
      method: "action_post",
      field: "state",
      from: ["draft"],
      to: ["posted"],
      posts: true,
      lock: ({ company, data }) => journalLock(company, data.journal ?? "sales"),
      period: { kind: "sale", field: "date", reference: "ref", date: ({ date }) => date },
      fields: ["name", "date"],
    }),
    update({
      name: "back",
      model: "account.analytic.line",
      records: stayBilled,
      values: (write) => ({ timesheet_invoice_id: invoiceOf(write) }),
      posts: true,
    }),
  ],
  publishes: ["credit-note.posted"],
  outcomes: ({ data, ids, read: found }) => {
    const posted = found["post"]
    if (posted === undefined) return []
    const amount = (value: BigDecimal.BigDecimal): string => format(value, scaleOf(data.currency))
    const note = ids["note"]
    const total = amount(data.totals.total)
    return [fact(
      "credit-note.posted",
      {
        creditNote: data.key,
        invoice: data.invoice,
        number: textOf(posted["name"]),
        date: data.date,
        accountingDate: textOf(posted["date"]),
        currency: data.currency,
        untaxed: amount(data.totals.untaxed),
        tax: amount(data.totals.tax),
        total,
        requestedBy: data.requestedBy,
      },
      note === undefined ? undefined : tellsPosted(FLOW, note, total),
    )]
  },
})

export const creditNotes: Flow = {
  name: FLOW,
  domain: "credit-note",
  description: "Approved credit notes take invoices back, as a whole or in part",
  lane: "critical",
  batch: { size: 25, linger: "50 millis", concurrency: 2 },
  inFlight: 100,
  // An approval is a reference: people get their time.
  referenceDeadline: "30 days",
  feed: creditNoteFeed,
  mask: maskOf(FLOW),
  events: [requested],
}
