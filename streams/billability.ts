/**
 * What may be billed on an engagement's order lines, asked before anything is written. The rules are data: which kind of
 * line takes what.
 *
 *   line of the engagement ─> in Odoo? ─> its order under way? ─> of a kind that takes it? ─> write
 */
import { many2one, type OdooRecord } from "../src/odoo/CompanyCalls.ts"
import { check, read, type Refusal, resolve, type Step } from "../src/flow/Step.ts"
import type { Write } from "../src/flow/Write.ts"
import { engagementIds } from "./keys.ts"
import { productOf } from "./products.ts"

/** What is brought onto an order line. */
export type Work = "time" | "usage"

/**
 * Which products of order lines take what. Time may stand on a fixed price too: it is what the price pays for, and Odoo
 * shows it there. Usage is only billed where the engagement agreed a price for it.
 */
const takes: Readonly<Record<Work, ReadonlyArray<keyof typeof productOf>>> = {
  time: ["time-and-materials", "retainer", "fixed-price", "milestones"],
  usage: ["usage"],
}

/** States of an order on which work may be billed. */
const UNDER_WAY = "sale"

/** Where the work belongs, as events name it. */
export interface Place {
  readonly engagement: string
  readonly line: string
}

export const recordsIn = (write: Write<unknown>, step: string): ReadonlyArray<OdooRecord> =>
  (write.read[step]?.["records"] ?? []) as ReadonlyArray<OdooRecord>

const kinds = Object.keys(productOf) as ReadonlyArray<keyof typeof productOf>
const productStep = (kind: string): string => `product-${kind}`

/** Resolves the products by which kinds of order lines are told apart. */
export const productSteps = <D>(of: typeof kinds = kinds): ReadonlyArray<Step<D>> =>
  of.map((kind) => resolve<D>({ name: productStep(kind), model: "product.product", externalId: () => productOf[kind] }))

/** The order line's product among those that `productSteps` resolved; undefined: none of them. Needs `product_id`. */
const kindOf = (line: OdooRecord, { ids }: Write<unknown>): keyof typeof productOf | undefined => {
  const product = many2one(line["product_id"])
  return kinds.find((kind) => product !== undefined && ids[productStep(kind)] === product)
}

/** Whether hours on the line are billed as they come in, so that they are ready at once. */
export const isBilledByHour = (line: OdooRecord, write: Write<unknown>): boolean =>
  kindOf(line, write) === "time-and-materials"

const refusalOf = (write: Write<unknown>, { engagement, line }: Place, work: Work): Refusal | undefined => {
  const [record] = recordsIn(write, "orderLine")
  const about = `line ${line} of engagement ${engagement}`
  if (record === undefined) {
    return { code: "ODOO-RECORD-MISSING", detail: `${about}: sale.order.line ${write.ids["line"]} is gone` }
  }
  if (record["state"] !== UNDER_WAY) {
    return { code: "NOT-BILLABLE", detail: `${about} is on an order that is ${String(record["state"])}` }
  }
  const kind = kindOf(record, write)
  // A line that a person added has a product of theirs: what it takes is theirs to say.
  return kind === undefined || takes[work].includes(kind)
    ? undefined
    : { code: "NOT-BILLABLE", detail: `${about} is ${kind}, which takes no ${work}` }
}

/**
 * The steps that find the order line (`ids.line`, `read.orderLine`) and refuse what cannot be billed on it. `placeOf`
 * gives null for what is not billed: then nothing is asked.
 */
export const placeSteps = <D>(work: Work, placeOf: (data: D) => Place | null): ReadonlyArray<Step<D>> => [
  resolve<D>({
    name: "line",
    model: "sale.order.line",
    externalId: ({ company, data }) => {
      const place = placeOf(data)
      return place === null ? null : engagementIds(company.entity, place.engagement).line(place.line)
    },
    missing: ({ data }) => {
      const place = placeOf(data)
      return {
        code: "ENGAGEMENT-PART-MISSING",
        detail: `engagement ${place?.engagement} has no line ${place?.line}`,
      }
    },
  }),
  ...productSteps<D>(),
  read<D>({
    name: "orderLine",
    model: "sale.order.line",
    records: ({ ids }) => ids["line"] === undefined ? [] : [ids["line"]],
    fields: ["state", "product_id"],
  }),
  check<D>({
    name: "billable",
    refuse: (write) => {
      const place = placeOf(write.data)
      return place === null ? undefined : refusalOf(write, place, work)
    },
  }),
]
