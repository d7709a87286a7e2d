/**
 * A closed engagement becomes what a project needs to be delivered and billed.
 *
 *   engagement.activated ─> analytic account ─> project ─> sales order with its lines ─> confirmed ─> milestones, tasks
 *
 * Every record has an external id of ours. The order is confirmed before tasks and milestones are written, because
 * loading one that names a line of a draft order would confirm the order by the way.
 */
import { BigDecimal } from "effect"
import { EngagementActivated } from "../schemas/engagement.ts"
import { event, type Flow } from "../src/flow/Flow.ts"
import type { Company } from "../src/odoo/Company.ts"
import { load, type Refusal, type Row, transition } from "../src/flow/Step.ts"
import { id, isRefusal, taxOf } from "./codes.ts"
import { customerId, engagementIds, parent } from "./keys.ts"
import { productOf, productSeeds } from "./products.ts"

/** Why an engagement cannot be written, asked before its first record is. */
const obstacle = (data: EngagementActivated, company: Company): Refusal | undefined => {
  // Odoo takes an order's currency from a price list and ignores any other; the order would silently be in the company's.
  if (data.currency !== company.currency) {
    return {
      code: "MAPPING-MISSING",
      detail:
        `entity ${company.entity} takes orders in ${company.currency} only, engagement ${data.key} is in ${data.currency}`,
    }
  }
  return data.lines.map((line) => taxOf(company, line.taxCode)).find(isRefusal)
}

const activated = event<EngagementActivated>({
  type: "engagement.activated",
  version: 1,
  schema: EngagementActivated,
  key: (engagement) => engagement.key,
  parents: (engagement) => [parent.customer(engagement.customer), parent.engagement(engagement.key)],
  references: (engagement) => [{ flow: "customers", key: engagement.customer }],
  versions: "once",
  record: "order",
  plan: [
    load({
      name: "analytic",
      model: "account.analytic.account",
      mode: "create",
      rows: ({ data, company }) =>
        obstacle(data, company) ?? {
          externalId: engagementIds(company.entity, data.key).analytic,
          values: {
            name: data.name,
            code: data.key,
            "plan_id/id": "analytic.analytic_plan_projects",
            "partner_id/id": customerId(company.entity, data.customer),
            "company_id/.id": id(company.id),
          },
        },
    }),
    load({
      name: "project",
      model: "project.project",
      mode: "create",
      rows: ({ data, company }) => ({
        externalId: engagementIds(company.entity, data.key).project,
        values: {
          name: data.name,
          "partner_id/id": customerId(company.entity, data.customer),
          "company_id/.id": id(company.id),
          "account_id/id": engagementIds(company.entity, data.key).analytic,
          allow_billable: true,
          allow_timesheets: true,
          allow_milestones: true,
          ...(data.endDate !== undefined && { date_start: data.startDate, date: data.endDate }),
        },
      }),
    }),
    load({
      name: "order",
      model: "sale.order",
      mode: "create",
      rows: ({ data, company }) => {
        const ids = engagementIds(company.entity, data.key)
        const rows: Array<Row> = []
        for (const line of data.lines) {
          const tax = taxOf(company, line.taxCode)
          if (isRefusal(tax)) return tax
          rows.push({
            externalId: ids.line(line.key),
            values: {
              "product_id/id": productOf[line.kind ?? data.kind],
              name: line.description,
              product_uom_qty: BigDecimal.format(line.quantity),
              price_unit: BigDecimal.format(line.unitPrice),
              "tax_ids/.id": tax,
            },
          })
        }
        return {
          externalId: ids.order,
          values: {
            "partner_id/id": customerId(company.entity, data.customer),
            "company_id/.id": id(company.id),
            "project_id/id": ids.project,
            client_order_ref: data.key,
          },
          lines: { field: "order_line", rows },
        }
      },
    }),
    transition({
      name: "confirm",
      model: "sale.order",
      of: "order",
      method: "action_confirm",
      field: "state",
      from: ["draft", "sent"],
      to: ["sale"],
      fields: ["name"],
    }),
    load({
      name: "milestones",
      model: "project.milestone",
      mode: "create",
      rows: ({ data, company }) => {
        const ids = engagementIds(company.entity, data.key)
        return (data.milestones ?? []).map((milestone) => ({
          externalId: ids.milestone(milestone.key),
          values: {
            name: milestone.name,
            "project_id/id": ids.project,
            "sale_line_id/id": ids.line(milestone.line),
            quantity_percentage: BigDecimal.format(milestone.fraction),
          },
        }))
      },
    }),
    load({
      name: "tasks",
      model: "project.task",
      mode: "create",
      rows: ({ data, company }) => {
        const ids = engagementIds(company.entity, data.key)
        return (data.tasks ?? []).map((task) => ({
          externalId: ids.task(task.key),
          values: {
            name: task.name,
            "project_id/id": ids.project,
            ...(task.line !== undefined && { "sale_line_id/id": ids.line(task.line) }),
          },
        }))
      },
    }),
  ],
  outcomes: ({ data, ids, read }) => [{
    type: "engagement.provisioned",
    data: {
      engagement: data.key,
      order: read["confirm"]?.["name"] ?? null,
      orderId: ids["order"] ?? null,
      projectId: ids["project"] ?? null,
    },
  }],
})

export const engagements: Flow = {
  name: "engagements",
  domain: "engagement",
  description: "Closed engagements become analytic account, project, confirmed sales order, milestones and tasks",
  lane: "normal",
  batch: { size: 20, linger: "50 millis", concurrency: 2 },
  inFlight: 80,
  referenceDeadline: "1 day",
  seeds: productSeeds,
  events: [activated],
}
