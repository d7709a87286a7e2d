/**
 * A closed engagement becomes what a project needs to be delivered and billed, and follows its agreement until it is closed.
 *
 *   engagement.activated ┬─> analytic account ─> project ─> sales order ─> lines ─> confirmed ─> milestones, tasks
 *   engagement.amended  ─┘   (made once)                    (by version)
 *   engagement.closed   ───> project archived, order locked
 *   engagement.reopened ───> project active, order open
 *
 * Activation and amendment carry the whole agreement: whichever arrives first makes the records, and by their sequence the
 * newest stands. Every record has an external id of ours. The order is confirmed before tasks and milestones are written,
 * because loading one that names a line of a draft order would confirm the order by the way.
 */
import { BigDecimal, type Schema } from "effect"
import { EngagementActivated, EngagementAmended } from "../schemas/engagement.ts"
import { event, type EventSpec, type Flow } from "../src/flow/Flow.ts"
import { check, load, type Refusal, type Row, type Step, transition } from "../src/flow/Step.ts"
import type { Write } from "../src/flow/Write.ts"
import { closed, closingOf, lateFor, reopened } from "./closing.ts"
import { id, isRefusal, taxOf } from "./codes.ts"
import { engagementGap, priceListColumn, pricingSteps } from "./completeness.ts"
import { fact, textOf } from "./facts.ts"
import { customerId, engagementIds, engagementPart, parent } from "./keys.ts"
import { productOf, productSeeds } from "./products.ts"
import { scheduleText } from "./schedule.ts"
import { maskOf } from "./ownership.ts"

/** What activation and amendment have in common. */
type Agreement = EngagementActivated

const idsOf = ({ company, data }: Write<{ readonly key: string }>) => engagementIds(company.entity, data.key)

/** What of the project follows the agreement. Both dates or none: Odoo shows a project's time only with both. */
const projectTerms = ({ billing, endDate, name, startDate }: Agreement) => ({
  name,
  date_start: endDate === undefined ? "" : startDate,
  date: endDate ?? "",
  description: billing === undefined ? "" : scheduleText(billing),
})

const lineRows = (write: Write<Agreement>): ReadonlyArray<Row> | Refusal => {
  const { company, data } = write
  const ids = idsOf(write)
  const rows: Array<Row> = []
  for (const line of data.lines) {
    const tax = taxOf(company, line.taxCode)
    if (isRefusal(tax)) return tax
    rows.push({
      externalId: ids.line(line.key),
      as: engagementPart(data.key, "line", line.key),
      values: {
        "order_id/id": ids.order,
        "product_id/id": productOf[line.kind ?? data.kind],
        name: line.description,
        // Never one without the other: Odoo would set the price back to the list's.
        product_uom_qty: BigDecimal.format(line.quantity),
        price_unit: BigDecimal.format(line.unitPrice),
        "tax_ids/.id": tax,
      },
    })
  }
  return rows
}

const provisioning: ReadonlyArray<Step<Agreement>> = [
  check({
    name: "complete",
    refuse: ({ company, consulted, data }) => lateFor(data.key, consulted?.[0]) ?? engagementGap(data, company),
  }),
  ...pricingSteps<Agreement>(),
  load({
    name: "analytic",
    model: "account.analytic.account",
    mode: "create",
    rows: (write) => ({
      externalId: idsOf(write).analytic,
      values: {
        name: write.data.name,
        code: write.data.key,
        "plan_id/id": "analytic.analytic_plan_projects",
        "partner_id/id": customerId(write.company.entity, write.data.customer),
        "company_id/.id": id(write.company.id),
      },
    }),
  }),
  load({
    name: "project",
    model: "project.project",
    mode: "create",
    rows: (write) => ({
      externalId: idsOf(write).project,
      values: {
        "partner_id/id": customerId(write.company.entity, write.data.customer),
        "company_id/.id": id(write.company.id),
        "account_id/id": idsOf(write).analytic,
        allow_billable: true,
        allow_timesheets: true,
        allow_milestones: true,
        ...projectTerms(write.data),
      },
    }),
  }),
  load({
    name: "order",
    model: "sale.order",
    mode: "create",
    rows: (write) => {
      const { company, data } = write
      return {
        externalId: idsOf(write).order,
        values: {
          "partner_id/id": customerId(company.entity, data.customer),
          "company_id/.id": id(company.id),
          "project_id/id": idsOf(write).project,
          origin: data.key,
          client_order_ref: data.contract ?? data.key,
          ...priceListColumn(write),
        },
      }
    },
  }),
  // What stood before is brought to this version; what has just been made is there already.
  load({
    name: "projectTerms",
    model: "project.project",
    mode: "upsert",
    rows: (write) =>
      write.previous === null ? [] : { externalId: idsOf(write).project, values: projectTerms(write.data) },
  }),
  load({
    name: "orderTerms",
    model: "sale.order",
    mode: "upsert",
    rows: (write) =>
      write.previous === null ? [] : {
        externalId: idsOf(write).order,
        values: { client_order_ref: write.data.contract ?? write.data.key },
      },
  }),
  load({ name: "lines", model: "sale.order.line", mode: "upsert", rows: lineRows }),
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
    mode: "upsert",
    rows: (write) =>
      (write.data.milestones ?? []).map((milestone) => ({
        externalId: idsOf(write).milestone(milestone.key),
        as: engagementPart(write.data.key, "milestone", milestone.key),
        values: {
          name: milestone.name,
          "project_id/id": idsOf(write).project,
          "sale_line_id/id": idsOf(write).line(milestone.line),
          quantity_percentage: BigDecimal.format(milestone.fraction),
          deadline: milestone.due ?? "",
        },
      })),
  }),
  load({
    name: "tasks",
    model: "project.task",
    mode: "upsert",
    rows: (write) =>
      (write.data.tasks ?? []).map((task) => ({
        externalId: idsOf(write).task(task.key),
        as: engagementPart(write.data.key, "task", task.key),
        values: {
          name: task.name,
          "project_id/id": idsOf(write).project,
          "sale_line_id/id": task.line === undefined ? "" : idsOf(write).line(task.line),
        },
      })),
  }),
]

/** What is there now, for those who deliver and bill. */
const factsOf = ({ data, ids, read }: Write<Agreement>) => ({
  engagement: data.key,
  order: textOf(read["confirm"]?.["name"]),
  orderId: ids["order"] ?? null,
  projectId: ids["project"] ?? null,
})

const agreed = <D extends Agreement>(
  type: string,
  versions: EventSpec<D>["versions"],
  schema: Schema.Codec<D, unknown>,
  publishes: ReadonlyArray<string>,
  outcomes: NonNullable<EventSpec<D>["outcomes"]>,
): EventSpec<unknown> =>
  event<D>({
    type,
    version: 1,
    schema,
    key: (engagement) => engagement.key,
    parents: (engagement) => [parent.customer(engagement.customer), parent.engagement(engagement.key)],
    references: (engagement) => [{ flow: "customers", key: engagement.customer }],
    consults: (engagement) => [closingOf(engagement.key)],
    versions,
    record: "order",
    alike: {
      field: "client_order_ref",
      value: ({ contract, key }) => contract ?? key,
      domain: [],
      isPart: true,
    },
    plan: provisioning,
    publishes,
    outcomes,
  })

const PROVISIONED = "engagement.provisioned"

const activated = agreed("engagement.activated", "once", EngagementActivated, [PROVISIONED], (write) => [
  fact(PROVISIONED, factsOf(write)),
])

const amended = agreed(
  "engagement.amended",
  "gate",
  EngagementAmended,
  [PROVISIONED, "engagement.amended"],
  (write) => [
    // The first version that arrives makes the records, whichever it is.
    ...(write.previous === null ? [fact(PROVISIONED, factsOf(write))] : []),
    fact("engagement.amended", { ...factsOf(write), reason: write.data.reason ?? null }),
  ],
)

export const engagements: Flow = {
  name: "engagements",
  domain: "engagement",
  description:
    "Closed engagements become projects with confirmed orders, milestones and tasks, and follow their agreement",
  lane: "normal",
  batch: { size: 20, linger: "50 millis", concurrency: 2 },
  inFlight: 80,
  referenceDeadline: "1 day",
  seeds: productSeeds,
  mask: maskOf("engagements"),
  events: [activated, amended, closed, reopened],
}
