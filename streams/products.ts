/**
 * The service products behind order lines, one per kind of billing. Odoo decides by them when a line is ready to
 * invoice (`sale_timesheet`, `product.template`: `invoice_policy` and `service_type` make the service policy).
 * `service_tracking: no`: projects and tasks are ours, with external ids, never made by a confirmation.
 */
import type { EngagementKind } from "../schemas/engagement.ts"
import type { Seed } from "../src/flow/Flow.ts"

const service = (
  name: string,
  externalId: string,
  invoicePolicy: "order" | "delivery",
  serviceType: "manual" | "timesheet" | "milestones",
  unit: "hour" | "unit",
): Seed => ({
  model: "product.product",
  externalId,
  values: {
    name,
    type: "service",
    invoice_policy: invoicePolicy,
    service_type: serviceType,
    service_tracking: "no",
    expense_policy: "no",
    "uom_id/id": `uom.product_uom_${unit}`,
    list_price: "0",
  },
})

/** External id of the product of each kind. */
export const productOf = {
  "time-and-materials": "weir.product_time",
  "fixed-price": "weir.product_fixed",
  "milestones": "weir.product_milestones",
  "retainer": "weir.product_retainer",
  "usage": "weir.product_usage",
} as const satisfies Record<EngagementKind, string>

/** External id of the product of costs, which is also the one of the lines on which they are charged. */
export const expenseProduct = "weir.product_expense"

/**
 * `expense_policy` is `no`: Odoo would charge a cost by itself, at its own price, to whatever order the analytic account
 * belongs to. What is charged is a line of ours.
 */
export const expenseSeeds: ReadonlyArray<Seed> = [service("Expenses", expenseProduct, "order", "manual", "unit")]

export const productSeeds: ReadonlyArray<Seed> = [
  service("Time and materials", productOf["time-and-materials"], "delivery", "timesheet", "hour"),
  service("Fixed price", productOf["fixed-price"], "order", "manual", "unit"),
  service("Milestones", productOf["milestones"], "delivery", "milestones", "unit"),
  service("Retainer", productOf["retainer"], "order", "timesheet", "hour"),
  service("Usage", productOf.usage, "delivery", "manual", "unit"),
]

/** External id of the product of subscription lines: billed by what is agreed, whatever is used. */
export const subscriptionProduct = "weir.product_subscription"

export const subscriptionSeeds: ReadonlyArray<Seed> = [
  service("Subscription", subscriptionProduct, "order", "manual", "unit"),
]
