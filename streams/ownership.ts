/**
 * Who owns what, as data: the system of record of each object, and the columns of Odoo that its flow may write. What a flow
 * does not write belongs to Odoo's users and stays as they have it. The engine makes no call that writes anything else.
 */
import type { Mask } from "../src/flow/Mask.ts"

export interface Ownership {
  readonly flow: string
  /** The canonical object. */
  readonly object: string
  /** The system whose word counts. */
  readonly owner: string
  readonly writes: Mask
}

const orderLine = {
  always: "order_id/id product_id/id name product_uom_qty price_unit tax_ids/.id",
} as const

/** A line that is made once on an order that stands. */
const addedLine = "order_id/.id product_id/id name product_uom_qty price_unit discount tax_ids/.id"

const items = [
  "name",
  "account_id/.id",
  "partner_id/id",
  "debit",
  "credit",
  "currency_id/id",
  "amount_currency",
  "analytic_distribution",
].map((column) => `line_ids/${column}`).join(" ")

/** A journal entry of our own. In a locked period it is moved to an open day. */
const entry = { first: `move_type date ref journal_id/.id reversed_entry_id/id ${items}`, moved: "date ref" } as const

const documentLines = [
  "name",
  "quantity",
  "price_unit",
  "discount",
  "account_id/.id",
  "tax_ids/.id",
  "sale_line_ids/id",
  "sale_line_ids/.id",
].map((column) => `invoice_line_ids/${column}`).join(" ")

const documentHead = "move_type partner_id/id journal_id/.id currency_id/id invoice_date ref"

export const ownership: ReadonlyArray<Ownership> = [
  {
    flow: "customers",
    object: "customer account",
    owner: "CRM",
    writes: {
      "res.partner": {
        always:
          "name is_company ref company_id/.id country_id/id street city zip vat email phone parent_id/id type function active",
      },
      "base.partner.merge.automatic.wizard": { always: "partner_ids/.id dst_partner_id/.id state" },
    },
  },
  {
    flow: "engagements",
    object: "engagement, billing schedule",
    owner: "PSA",
    writes: {
      "account.analytic.account": { first: "name code plan_id/id partner_id/id company_id/.id" },
      "project.project": {
        always: "name date_start date description active",
        first: "partner_id/id company_id/.id account_id/id allow_billable allow_timesheets allow_milestones",
      },
      "sale.order": {
        always: "client_order_ref",
        first: "partner_id/id company_id/.id project_id/id origin pricelist_id/.id",
      },
      "sale.order.line": orderLine,
      "project.milestone": { always: "name project_id/id sale_line_id/id quantity_percentage deadline" },
      "project.task": { always: "name project_id/id sale_line_id/id" },
    },
  },
  { flow: "rates", object: "billing rate", owner: "PSA", writes: { "sale.order.line": orderLine } },
  {
    flow: "milestones",
    object: "milestone acceptance",
    owner: "PSA",
    writes: { "project.milestone": { always: "is_reached" } },
  },
  {
    flow: "subscriptions",
    object: "subscription",
    owner: "subscription billing",
    writes: {
      "sale.order": { first: "partner_id/id company_id/.id origin client_order_ref pricelist_id/.id" },
      "sale.order.line": orderLine,
    },
  },
  {
    flow: "timesheets",
    object: "approved work",
    owner: "time tracking",
    writes: {
      "account.analytic.line": {
        always: "date name unit_amount employee_id/.id project_id/.id task_id/.id so_line/.id is_so_line_edited",
        first: "ref",
        deletes: true,
      },
    },
  },
  {
    flow: "expenses",
    object: "expense",
    owner: "expense tool",
    writes: {
      "hr.expense": {
        first:
          "name employee_id/.id product_id/id total_amount_currency currency_id/id total_amount date payment_mode " +
          "company_id/.id account_id/.id tax_ids/.id analytic_distribution description",
        moved: "date description",
      },
      "account.move": {
        first: "move_type partner_id/.id journal_id/.id currency_id/id invoice_date date ref expense_ids/.id " +
          ["product_id/id", "name", "quantity", "price_unit", "account_id/.id", "tax_ids/.id", "expense_id/.id"]
            .map((column) => `invoice_line_ids/${column}`).join(" ") +
          " invoice_line_ids/analytic_distribution",
        moved: "date ref",
      },
      "sale.order.line": { first: addedLine },
    },
  },
  {
    flow: "usage",
    object: "metered use",
    owner: "metering",
    writes: { "sale.order.line": { always: "qty_delivered", first: addedLine } },
  },
  {
    flow: "invoices",
    object: "invoice request",
    owner: "billing; once posted, Odoo",
    writes: {
      "account.move": {
        first: `${documentHead} invoice_date_due payment_reference invoice_currency_rate timesheet_ids/id ` +
          `timesheet_ids/.id ${documentLines}`,
        moved: "date ref",
      },
    },
  },
  {
    flow: "credit-notes",
    object: "credit note",
    owner: "billing; once posted, Odoo",
    writes: {
      "account.move": {
        first: `${documentHead} narration reversed_entry_id/id invoice_currency_rate ${documentLines}`,
        moved: "date ref",
      },
      "account.analytic.line": { always: "timesheet_invoice_id" },
    },
  },
  { flow: "write-offs", object: "write-off", owner: "billing; once posted, Odoo", writes: { "account.move": entry } },
  {
    flow: "payments",
    object: "payment status",
    owner: "bank, payment provider; once posted, Odoo",
    writes: {
      "account.payment": {
        first: "payment_type partner_type partner_id/id partner_id/.id amount currency_id/id currency_id/.id date " +
          "journal_id/.id memo payment_reference",
        moved: "date memo",
      },
      "account.move": { ...entry, always: "payment_state" },
    },
  },
  {
    flow: "disputes",
    object: "dispute",
    owner: "customer service",
    writes: { "account.move": { always: "payment_state" } },
  },
  {
    flow: "journal-entries",
    object: "accrual, reclassification",
    owner: "close tool; once posted, Odoo",
    writes: { "account.move": entry },
  },
  {
    flow: "exchange-rates",
    object: "exchange rate",
    owner: "treasury",
    writes: {
      "res.currency": { always: "active" },
      "res.currency.rate": { always: "name currency_id/id company_id/.id company_rate" },
    },
  },
]

/** What a flow may write; a flow that is not in the table writes nothing. */
export const maskOf = (flow: string): Mask => ownership.find((one) => one.flow === flow)?.writes ?? {}
