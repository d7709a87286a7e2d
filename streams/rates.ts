/**
 * A rate becomes an order line of its own, on which the hours of its consultants are delivered and billed.
 *
 *   rate.assigned ─> approved, if not the rate card's ─> consultants known ─> sale.order.line (quantity 0)
 *
 * One line per role and version of the rate: Odoo has no effective dates, and its own map of employees to lines would move
 * hours that are not invoiced yet, and leave them billable twice. Timesheets name the line, so no later rate moves them.
 */
import { BigDecimal } from "effect"
import { RateAssigned } from "../schemas/rate.ts"
import { format, formatOdooFloat } from "../schemas/money.ts"
import { event, type Flow } from "../src/flow/Flow.ts"
import { check, load, query, read, type Refusal } from "../src/flow/Step.ts"
import type { Write } from "../src/flow/Write.ts"
import type { OdooRecord } from "../src/odoo/CompanyCalls.ts"
import { approvalOf, obstacleIn } from "./approvals.ts"
import { closingOf, lateFor } from "./closing.ts"

import { isRefusal, taxOf } from "./codes.ts"
import { fact } from "./facts.ts"
import { engagementIds, engagementPart, parent } from "./keys.ts"
import { productOf } from "./products.ts"
import { maskOf } from "./ownership.ts"

const FLOW = "rates"

/** How far from the rate card's price a rate may be without an approval, in the order's currency. */
const TOLERANCE = BigDecimal.make(0n, 0)

const isNonstandard = ({ standardPrice, unitPrice }: RateAssigned): boolean =>
  BigDecimal.isGreaterThan(BigDecimal.abs(BigDecimal.subtract(unitPrice, standardPrice)), TOLERANCE)

const recordsIn = (write: Write<RateAssigned>, step: string): ReadonlyArray<OdooRecord> =>
  (write.read[step]?.["records"] ?? []) as ReadonlyArray<OdooRecord>

/** What the event itself, the engagement and the decision say against it. */
const obstacle = ({ consulted, data, previous, references }: Write<RateAssigned>): Refusal | undefined => {
  const [engagement, approval] = references
  const late = lateFor(data.engagement, consulted?.[0])
  if (late !== undefined) return late
  if (previous === null && engagement?.links[`line-${data.key}`] !== undefined) {
    return {
      code: "RATE-CONFLICT",
      detail: `${data.engagement} has a line ${data.key} of its own; a rate needs a key that no line has`,
    }
  }
  return approval === undefined ? undefined : obstacleIn(approval, FLOW, data.key, data.requestedBy ?? "")
}

/** Prices in Odoo have two decimals. */
const PRICE = 2

/** What has been invoiced at a rate keeps its price: another price is another rate. */
const invoiced = (write: Write<RateAssigned>): Refusal | undefined => {
  const [line] = recordsIn(write, "standing")
  if (line === undefined || Number(line["qty_invoiced"]) === 0) return undefined
  const price = formatOdooFloat(Number(line["price_unit"]), PRICE)
  const { key, unitPrice } = write.data
  return price === format(unitPrice, PRICE) ? undefined : {
    code: "RATE-CONFLICT",
    detail: `hours are invoiced at rate ${key} for ${price}; another price is a rate with a key of its own`,
  }
}

const strangers = (write: Write<RateAssigned>): Refusal | undefined => {
  const known = new Set(recordsIn(write, "consultants").map((employee) => String(employee["work_email"])))
  const missing = write.data.consultants.filter((consultant) => !known.has(consultant))
  return missing.length === 0 ? undefined : {
    code: "MASTER-DATA-MISSING",
    detail: `Odoo has no hr.employee with work_email ${
      missing.map((each) => `"${each}"`).join(", ")
    } in company ${write.company.id}`,
  }
}

const assigned = event<RateAssigned>({
  type: "rate.assigned",
  version: 1,
  schema: RateAssigned,
  key: ({ key }) => key,
  parents: ({ engagement }) => [parent.engagement(engagement)],
  references: (rate) => [
    { flow: "engagements", key: rate.engagement },
    ...(isNonstandard(rate) ? [approvalOf(FLOW, rate.key)] : []),
  ],
  consults: ({ engagement }) => [closingOf(engagement)],
  versions: "gate",
  record: "line",
  plan: [
    check({ name: "allowed", refuse: obstacle }),
    query({
      name: "consultants",
      model: "hr.employee",
      domain: ({ data }) => [["work_email", "in", data.consultants]],
      fields: ["work_email"],
      limit: 1000,
    }),
    check({ name: "known", refuse: strangers }),
    read({
      name: "standing",
      model: "sale.order.line",
      records: ({ previous }) => previous === null ? [] : [previous.id],
      fields: ["price_unit", "qty_invoiced"],
    }),
    check({ name: "unbilled", refuse: invoiced }),
    load({
      name: "line",
      model: "sale.order.line",
      mode: "upsert",
      rows: ({ company, data }) => {
        const tax = taxOf(company, data.taxCode)
        if (isRefusal(tax)) return tax
        const ids = engagementIds(company.entity, data.engagement)
        return {
          externalId: ids.line(data.key),
          as: engagementPart(data.engagement, "line", data.key),
          values: {
            "order_id/id": ids.order,
            "product_id/id": productOf["time-and-materials"],
            name: data.role,
            product_uom_qty: "0",
            price_unit: BigDecimal.format(data.unitPrice),
            "tax_ids/.id": tax,
          },
        }
      },
    }),
  ],
  publishes: ["rate.effective"],
  outcomes: ({ data, ids, references }) => [
    fact("rate.effective", {
      rate: data.key,
      engagement: data.engagement,
      lineId: ids["line"] ?? null,
      consultants: data.consultants,
      unitPrice: BigDecimal.format(data.unitPrice),
      from: data.from,
      until: data.until ?? null,
      decision: references[1]?.externalId ?? null,
    }),
  ],
})

export const rates: Flow = {
  name: FLOW,
  domain: "rate",
  description: "Rates become order lines of their own; those that are not the rate card's wait for an approval",
  lane: "normal",
  batch: { size: 20, linger: "50 millis", concurrency: 2 },
  inFlight: 80,
  referenceDeadline: "14 days",
  mask: maskOf(FLOW),
  events: [assigned],
}
