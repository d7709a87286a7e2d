/**
 * Who owns what, as data: the system of record of each object, and the columns of Odoo that its flow may write. What a flow
 * does not write belongs to Odoo's users and stays as they have it. `always`: with each version of the source; `first`: when
 * the record is made, Odoo's from then on. A test holds what the flows write against it.
 */
export interface Ownership {
  readonly flow: string
  /** The canonical object. */
  readonly object: string
  /** The system whose word counts. */
  readonly owner: string
  readonly writes: Readonly<Record<string, { readonly always?: string; readonly first?: string }>>
}

const orderLine = {
  always: "order_id/id product_id/id name product_uom_qty price_unit tax_ids/.id",
} as const

export const ownership: ReadonlyArray<Ownership> = [
  {
    flow: "customers",
    object: "customer account",
    owner: "CRM",
    writes: {
      "res.partner": {
        always: "name is_company ref country_id/id street city zip vat email phone parent_id/id type function active",
        first: "company_id/.id",
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
        always: "name date_start date description",
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
]

/** Columns of `model` that `flow` may write; undefined when the table does not say. */
export const columnsOf = (flow: string, model: string): ReadonlySet<string> | undefined => {
  const own = ownership.find((one) => one.flow === flow)?.writes[model]
  if (own === undefined) return undefined
  return new Set(`${own.always ?? ""} ${own.first ?? ""}`.split(" ").filter((column) => column !== ""))
}
