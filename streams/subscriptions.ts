/**
 * A subscription becomes one order per contract, with one line per version of its plan and one per proration.
 *
 *   subscription.started   ┐
 *   subscription.amended   ├─> sales order (made once) ─> open ─> lines (by version) ─> confirmed
 *   subscription.renewed   │
 *   subscription.cancelled ┘                                                          ─> locked
 *
 * Odoo Community has no subscriptions, and its recurring invoices are copies without external ids. Recurring invoices are
 * `invoice.requested` of billing that name the plan's line. The line's quantity is what is agreed in all, units times
 * periods, so what is left to invoice is what is left of the term. Prorations are taken as the source computed them.
 */
import { BigDecimal, type Schema } from "effect"
import {
  SubscriptionAmended,
  SubscriptionCancelled,
  SubscriptionRenewed,
  SubscriptionStarted,
} from "../schemas/subscription.ts"
import { event, type EventSpec, type Flow, type OutcomeEvent } from "../src/flow/Flow.ts"
import { check, invoke, load, type Refusal, type Row, type Step, transition } from "../src/flow/Step.ts"
import type { Write } from "../src/flow/Write.ts"
import { id, isRefusal, taxOf } from "./codes.ts"
import { priceListColumn, pricingSteps, subscriptionGap } from "./completeness.ts"
import { fact, textOf } from "./facts.ts"
import { customerId, parent, subscriptionIds, subscriptionPart } from "./keys.ts"
import { subscriptionProduct, subscriptionSeeds } from "./products.ts"
import { maskOf } from "./ownership.ts"

/** What all events of a contract have in common. */
type Contract = SubscriptionStarted

const idsOf = ({ company, data }: Write<Contract>) => subscriptionIds(company.entity, data.key)

const ONE = BigDecimal.make(1n, 0)

/** Plan versions and prorations alike: what stands on the order. */
const soldIn = ({ plans, prorations = [] }: Contract) => [
  ...plans.map(({ description, key, periods, quantity, taxCode, unitPrice }) => ({
    key,
    description,
    quantity: BigDecimal.multiply(quantity, BigDecimal.make(BigInt(periods), 0)),
    unitPrice,
    taxCode,
  })),
  ...prorations.map(({ amount, description, key, taxCode }) => ({
    key,
    description,
    quantity: ONE,
    unitPrice: amount,
    taxCode,
  })),
]

const lineRows = (write: Write<Contract>): ReadonlyArray<Row> | Refusal => {
  const rows: Array<Row> = []
  for (const line of soldIn(write.data)) {
    const tax = taxOf(write.company, line.taxCode)
    if (isRefusal(tax)) return tax
    rows.push({
      externalId: idsOf(write).line(line.key),
      as: subscriptionPart(write.data.key, line.key),
      values: {
        "order_id/id": idsOf(write).order,
        "product_id/id": subscriptionProduct,
        name: line.description,
        product_uom_qty: BigDecimal.format(line.quantity),
        price_unit: BigDecimal.format(line.unitPrice),
        "tax_ids/.id": tax,
      },
    })
  }
  return rows
}

const orderOf = ({ ids }: Write<Contract>): ReadonlyArray<number> => ids["order"] === undefined ? [] : [ids["order"]]

const provisioning: ReadonlyArray<Step<Contract>> = [
  check({ name: "complete", refuse: ({ company, data }) => subscriptionGap(data, company) }),
  ...pricingSteps<Contract>(),
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
          origin: data.key,
          client_order_ref: data.contract ?? data.key,
          ...priceListColumn(write),
        },
      }
    },
  }),
  // A cancelled contract is locked, also by an earlier try of this very event.
  invoke({ name: "open", model: "sale.order", method: "action_unlock", records: orderOf }),
  load({ name: "lines", model: "sale.order.line", mode: "upsert", rows: lineRows }),
  transition({
    name: "confirm",
    model: "sale.order",
    of: "order",
    method: "action_confirm",
    field: "state",
    from: ["draft", "sent"],
    to: ["sale"],
    fields: ["name", "date_order"],
  }),
]

/** What is there now, for those who deliver, bill and watch for late activations. */
const factsOf = ({ data, ids, read }: Write<Contract>) => ({
  subscription: data.key,
  order: textOf(read["confirm"]?.["name"]),
  orderId: ids["order"] ?? null,
  startDate: data.startDate,
  termEnd: data.termEnd,
})

/** Days between the start of the contract and its confirmation in Odoo; 0 when it was there in time. */
const delayOf = ({ data, read }: Write<Contract>): number => {
  const confirmed = Date.parse(`${String(read["confirm"]?.["date_order"]).slice(0, 10)}T00:00:00Z`)
  const days = Math.floor((confirmed - Date.parse(`${data.startDate}T00:00:00Z`)) / 86_400_000)
  return Number.isFinite(days) ? Math.max(0, days) : 0
}

const contracted = <D extends Contract>(
  type: string,
  versions: EventSpec<D>["versions"],
  schema: Schema.Codec<D, unknown>,
  plan: ReadonlyArray<Step<D>>,
  outcome?: (write: Write<D>) => OutcomeEvent,
): EventSpec<unknown> =>
  event<D>({
    type,
    version: 1,
    schema,
    key: ({ key }) => key,
    parents: ({ customer, key }) => [parent.customer(customer), parent.subscription(key)],
    references: ({ customer }) => [{ flow: "customers", key: customer }],
    versions,
    record: "order",
    plan,
    publishes: ["subscription.activated", ...(outcome === undefined ? [] : [type])],
    outcomes: (write) => [
      // The first version that arrives makes the records, whichever it is.
      ...(write.previous === null
        ? [fact("subscription.activated", { ...factsOf(write), delayDays: delayOf(write) })]
        : []),
      ...(outcome === undefined ? [] : [outcome(write)]),
    ],
  })

const started = contracted<SubscriptionStarted>("subscription.started", "once", SubscriptionStarted, provisioning)

const amended = contracted<SubscriptionAmended>(
  "subscription.amended",
  "gate",
  SubscriptionAmended,
  provisioning,
  (write) => fact("subscription.amended", { ...factsOf(write), effective: write.data.effective }),
)

const renewed = contracted<SubscriptionRenewed>(
  "subscription.renewed",
  "gate",
  SubscriptionRenewed,
  provisioning,
  (write) => fact("subscription.renewed", factsOf(write)),
)

const cancelled = contracted<SubscriptionCancelled>(
  "subscription.cancelled",
  "gate",
  SubscriptionCancelled,
  [...provisioning, invoke({ name: "lock", model: "sale.order", method: "action_lock", records: orderOf })],
  (write) =>
    fact("subscription.cancelled", {
      ...factsOf(write),
      effective: write.data.effective,
      reason: write.data.reason ?? null,
    }),
)

export const subscriptions: Flow = {
  name: "subscriptions",
  domain: "subscription",
  description:
    "Subscriptions become one order per contract, one line per version of the plan; the newest version stands",
  lane: "normal",
  batch: { size: 50, linger: "50 millis", concurrency: 2 },
  inFlight: 400,
  referenceDeadline: "1 day",
  seeds: subscriptionSeeds,
  mask: maskOf("subscriptions"),
  events: [started, amended, renewed, cancelled],
}
