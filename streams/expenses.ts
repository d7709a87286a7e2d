/**
 * Approved expenses become costs, and where the customer pays for them a line of the engagement's order.
 *
 *   expense.approved ─> hr.expense ─> totals compared ─> submitted ─> approved ─┐
 *      ┌────────────────────────────────────────────────────────────────────────┘
 *      ├─ paid by the company:  posted by Odoo (`action_post`: an entry of the bank)  ─┐
 *      └─ paid by the employee: a purchase receipt of ours, totals compared, posted   ─┴─> charged? a line of the order
 *
 * Never Odoo's wizard for what employees paid: repeated, it posts a second receipt. Odoo keeps a second expense of the same
 * employee, day, product and amount from being approved where the employee has an approver: it stays submitted, and is an
 * exception until a person has approved it in Odoo.
 */
import { BigDecimal } from "effect"
import { ExpenseApproved } from "../schemas/expense.ts"
import { fromOdooFloat, scaleOf } from "../schemas/money.ts"
import { event, type Flow } from "../src/flow/Flow.ts"
import { check, compare, find, load, read, transition } from "../src/flow/Step.ts"
import { many2one } from "../src/odoo/CompanyCalls.ts"
import type { Json } from "../src/odoo/Odoo.ts"
import { recordsIn } from "./billability.ts"
import { closingOf } from "./closing.ts"
import { journalLock } from "./codes.ts"
import {
  companyAmount,
  expenseRow,
  isAdvanced,
  money,
  obstacle,
  promise,
  rebillRow,
  receiptRow,
} from "./expenseRows.ts"
import { fact, textOf } from "./facts.ts"
import { parent } from "./keys.ts"
import { expenseSeeds } from "./products.ts"
import { maskOf } from "./ownership.ts"

const approved = event<ExpenseApproved>({
  type: "expense.approved",
  version: 1,
  schema: ExpenseApproved,
  key: (expense) => expense.key,
  parents: ({ engagement }) => engagement === undefined ? [] : [parent.engagement(engagement)],
  references: ({ engagement }) => engagement === undefined ? [] : [{ flow: "engagements", key: engagement }],
  consults: ({ engagement }) => engagement === undefined ? [] : [closingOf(engagement)],
  versions: "once",
  record: "expense",
  plan: [
    check({ name: "bookable", refuse: obstacle }),
    find({ name: "employee", model: "hr.employee", field: "work_email", value: ({ data }) => data.consultant }),
    read({
      name: "order",
      model: "sale.order",
      records: ({ data, references }) => data.rebill === undefined ? [] : [references[0]!.id],
      fields: ["state"],
    }),
    check({
      name: "billable",
      refuse: (write) => {
        const [order] = recordsIn(write, "order")
        return write.data.rebill === undefined || order?.["state"] === "sale" ? undefined : {
          code: "NOT-BILLABLE",
          detail: `the order of engagement ${write.data.engagement} is ${String(order?.["state"] ?? "gone")}`,
        }
      },
    }),
    read({
      name: "employeeContact",
      model: "hr.employee",
      records: (write) => isAdvanced(write) ? [write.ids["employee"]!] : [],
      fields: ["work_contact_id"],
    }),
    load({ name: "expense", model: "hr.expense", mode: "create", rows: expenseRow }),
    compare({
      name: "totals",
      model: "hr.expense",
      of: "expense",
      code: "TOTALS-MISMATCH",
      codes: { tax_amount: "TAX-MISMATCH" },
      expect: promise,
    }),
    transition({
      name: "submit",
      model: "hr.expense",
      of: "expense",
      method: "action_submit",
      field: "state",
      from: ["draft"],
      to: ["submitted", "approved", "posted", "in_payment", "paid"],
    }),
    transition({
      name: "approve",
      model: "hr.expense",
      of: "expense",
      method: "action_approve",
      field: "state",
      from: ["submitted"],
      to: ["approved", "posted", "in_payment", "paid"],
    }),
    // From here on what an employee paid is `posted`: its entry is the receipt.
    load({ name: "receipt", model: "account.move", mode: "create", rows: receiptRow }),
    compare({
      name: "receiptTotals",
      model: "account.move",
      of: "receipt",
      code: "TOTALS-MISMATCH",
      expect: (write) => ({ amount_total: companyAmount(write) }),
    }),
    transition({
      name: "post",
      model: "hr.expense",
      of: "expense",
      method: "action_post",
      field: "state",
      from: ["approved"],
      to: ["posted", "in_payment", "paid"],
      posts: true,
      lock: ({ company }) => journalLock(company, "bank"),
      period: {
        kind: "expense",
        field: "date",
        entry: "account_move_id",
        reference: "description",
        date: ({ date }) => date,
      },
      fields: ["account_move_id", "tax_amount"],
    }),
    transition({
      name: "postReceipt",
      model: "account.move",
      of: "receipt",
      method: "action_post",
      field: "state",
      from: ["draft"],
      to: ["posted"],
      posts: true,
      lock: ({ company }) => journalLock(company, "purchase"),
      period: { kind: "purchase", field: "date", reference: "ref", date: ({ date }) => date },
    }),
    load({ name: "rebilled", model: "sale.order.line", mode: "create", rows: rebillRow }),
    read({
      name: "entry",
      model: "account.move",
      records: (write) => {
        const entry = many2one(write.read["post"]?.["account_move_id"] as Json)
        return entry === undefined ? [] : [entry]
      },
      fields: ["name", "date"],
    }),
  ],
  publishes: ["expense.posted", "engagement.billing-ready"],
  outcomes: (write) => {
    const { company, data, ids, read } = write
    const [entry] = recordsIn(write, "entry")
    if (entry === undefined) return []
    const { engagement = null, key: expense, paidBy, rebill } = data
    const tax = fromOdooFloat(Number(read["post"]?.["tax_amount"] ?? 0), scaleOf(company.currency))
    return [
      fact("expense.posted", {
        expense,
        engagement,
        paidBy,
        number: textOf(entry["name"]),
        accountingDate: textOf(entry["date"]),
        currency: company.currency,
        tax: money(write, tax),
        total: money(write, companyAmount(write)),
      }),
      ...(rebill === undefined ? [] : [fact("engagement.billing-ready", {
        engagement,
        source: { flow: "expenses", key: expense },
        lineId: ids["rebilled"] ?? null,
        toInvoice: "1.00",
        unitPrice: BigDecimal.format(rebill.price),
      })]),
    ]
  },
})

export const expenses: Flow = {
  name: "expenses",
  domain: "expense",
  description: "Approved expenses become booked costs, and lines of the engagement's order where they are charged",
  lane: "bulk",
  batch: { size: 50, linger: "50 millis", concurrency: 2 },
  inFlight: 200,
  referenceDeadline: "1 day",
  seeds: expenseSeeds,
  mask: maskOf("expenses"),
  events: [approved],
}
