/**
 * What may be billed on an engagement's order lines, asked before anything is written. The rules are data: which kind of
 * line takes what.
 *
 *   line of the engagement ─> its order under way? ─> of a kind that takes it? ─> write
 */
import { many2one, type OdooRecord } from "../src/odoo/CompanyCalls.ts"
import { check, read, type Refusal, resolve, type Step } from "../src/flow/Step.ts"
import type { Write } from "../src/flow/Write.ts"
import { productOf } from "./products.ts"

/** What is brought onto an order line. */
export type Work = "time" | "usage"

/**
 * Which kinds of order lines take what. Time may stand on a fixed price too: it is what the price pays for, and Odoo shows
 * it there. Usage is only billed where the engagement agreed a price for it.
 */
const takes: Readonly<Record<Work, ReadonlyArray<keyof typeof productOf>>> = {
  time: ["time-and-materials", "retainer", "fixed-price", "milestones"],
  usage: ["usage"],
}

/** State of an order on which work may be billed. */
const UNDER_WAY = "sale"

/** Records that a read or query step of the plan has found. */
export const recordsIn = ({ read }: Write<unknown>, step: string): ReadonlyArray<OdooRecord> =>
  (read[step]?.["records"] ?? []) as ReadonlyArray<OdooRecord>

const kinds = Object.keys(productOf) as ReadonlyArray<keyof typeof productOf>
const steps = new Map(kinds.map((kind) => [kind, `product-${kind}`]))
const productStep = (kind: keyof typeof productOf): string => steps.get(kind)!

/** Resolves the products by which kinds of order lines are told apart. */
export const productSteps = <D>(of: typeof kinds = kinds): ReadonlyArray<Step<D>> =>
  of.map((kind) => resolve<D>({ name: productStep(kind), model: "product.product", externalId: () => productOf[kind] }))

/** The order line's kind by the products that `productSteps` resolved; undefined: a line of a person's. Needs `product_id`. */
const kindOf = (line: OdooRecord, { ids }: Write<unknown>): keyof typeof productOf | undefined => {
  const product = many2one(line["product_id"])
  return kinds.find((kind) => product !== undefined && ids[productStep(kind)] === product)
}

/** Whether hours on the line are billed as they come in, so that they are ready at once. */
export const isBilledByHour = (line: OdooRecord, write: Write<unknown>): boolean =>
  kindOf(line, write) === "time-and-materials"

const refusalOf = (write: Write<unknown>, line: number, work: Work): Refusal | undefined => {
  const [record] = recordsIn(write, "orderLine")
  if (record === undefined) return { code: "ODOO-RECORD-MISSING", detail: `sale.order.line ${line} is gone` }
  const about = `sale.order.line ${line}`
  if (record["state"] !== UNDER_WAY) {
    return { code: "NOT-BILLABLE", detail: `${about} is on an order that is ${String(record["state"])}` }
  }
  const kind = kindOf(record, write)
  // What a line with a product of their own takes is theirs to say who made it.
  return kind === undefined || takes[work].includes(kind)
    ? undefined
    : { code: "NOT-BILLABLE", detail: `${about} is billed by ${kind}, which takes no ${work}` }
}

/**
 * Steps that read the order line (`read.orderLine`) and refuse what cannot be billed on it. `lineOf` gives its database id;
 * undefined for what is not billed: then nothing is asked.
 */
export const billableSteps = <D>(
  work: Work,
  lineOf: (write: Write<D>) => number | undefined,
): ReadonlyArray<Step<D>> => [
  ...productSteps<D>(),
  read<D>({
    name: "orderLine",
    model: "sale.order.line",
    records: (write) => {
      const line = lineOf(write)
      return line === undefined ? [] : [line]
    },
    fields: ["state", "product_id"],
  }),
  check<D>({
    name: "billable",
    refuse: (write) => {
      const line = lineOf(write)
      return line === undefined ? undefined : refusalOf(write, line, work)
    },
  }),
]
