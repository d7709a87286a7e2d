/**
 * What of an engagement is ready to be invoiced up to a day, from what Odoo says of its order:
 *
 *   by timesheets            what Odoo has to invoice, without the hours after the day; they are linked to the invoice
 *   by fractions             fixed prices and retainers: the given part of the ordered quantity, as far as it is left
 *   all other lines          what Odoo has to invoice: reached milestones, usage, charged expenses
 *
 * Pure. What does not fit together is refused, not guessed: hours that are in no timesheet, or more than is left.
 */
import { BigDecimal } from "effect"
import type { InvoiceReadyRequested } from "../schemas/invoice.ts"
import { fromOdooFloat } from "../schemas/money.ts"
import type { Refusal } from "../src/flow/Step.ts"
import { type Found, oneOf } from "./found.ts"
import { engagementIds } from "./keys.ts"
import { productOf } from "./products.ts"

export interface ReadyInput {
  readonly data: InvoiceReadyRequested
  readonly entity: string
  /** `sale.order.line` with their external ids. */
  readonly lines: ReadonlyArray<Found>
  /** `product.product` of the lines with their external ids. */
  readonly products: ReadonlyArray<Found>
  /** Timesheets of the order that are on no invoice, whatever their day. */
  readonly timesheets: ReadonlyArray<Found>
}

/** One line of the invoice. */
export interface Ready {
  /** `sale.order.line` id. */
  readonly line: number
  readonly description: string
  readonly quantity: BigDecimal.BigDecimal
  readonly unitPrice: BigDecimal.BigDecimal
  readonly discount: BigDecimal.BigDecimal
  /** `account.tax` ids. */
  readonly taxes: ReadonlyArray<number>
  /** `account.analytic.line` ids. */
  readonly timesheets: ReadonlyArray<number>
}

/** Decimals of quantities in Odoo. */
const QUANTITY_SCALE = 2
/** Decimals that are read of prices and hours. */
const FINE_SCALE = 6
/** Hours are rounded as a whole when they are delivered and each time they are billed. */
const ROUNDING = BigDecimal.make(1n, QUANTITY_SCALE)
const ZERO = BigDecimal.make(0n, 0)

const fractional = new Set<string>([productOf["fixed-price"], productOf.retainer])

const decimal = (value: unknown, scale: number): BigDecimal.BigDecimal =>
  typeof value === "number" ? fromOdooFloat(value, scale) : ZERO
const quantityOf = (value: unknown) => decimal(value, QUANTITY_SCALE)
const say = (value: BigDecimal.BigDecimal): string => BigDecimal.format(value)

const sumOf = (timesheets: ReadonlyArray<Found>) =>
  BigDecimal.sumAll(timesheets.map(({ unit_amount }) => decimal(unit_amount, FINE_SCALE)))

/** The lines of the invoice, or why it cannot be made. */
export const readyOf = (input: ReadyInput): ReadonlyArray<Ready> | Refusal => {
  const { data, entity, lines, products } = input
  const key = (line: Found): string => {
    const prefix = engagementIds(entity, data.engagement).line("")
    const name = String(line["external_id"] ?? "")
    return name.startsWith(prefix) ? name.slice(prefix.length) : ""
  }
  const known = new Set(lines.map(key))
  const stray = data.fractions?.find(({ line }) => !known.has(line))
  if (stray !== undefined) return mismatch(data, `the order has no line ${stray.line}`)
  const productById = new Map(products.map((product) => [product.id, product]))
  const ready: Array<Ready> = []
  for (const line of lines) {
    const product = productById.get(oneOf(line["product_id"]))
    if (product === undefined) continue
    const fraction = data.fractions?.find((part) => part.line === key(line))?.fraction
    const part = fractional.has(String(product["external_id"]))
      ? byFraction(data, line, fraction)
      : fraction !== undefined
      ? mismatch(data, `line ${key(line)} is not billed by fractions`)
      : product["service_type"] === "timesheet" && product["invoice_policy"] === "delivery"
      ? byTimesheets(input, line)
      : { quantity: quantityOf(line["qty_to_invoice"]), timesheets: [] }
    if ("code" in part) return part
    if (BigDecimal.isZero(part.quantity) && part.timesheets.length === 0) continue
    ready.push({
      line: line.id,
      description: String(line["name"]),
      unitPrice: decimal(line["price_unit"], FINE_SCALE),
      discount: decimal(line["discount"], FINE_SCALE),
      taxes: Array.isArray(line["tax_ids"]) ? line["tax_ids"] as ReadonlyArray<number> : [],
      ...part,
    })
  }
  const amount = BigDecimal.sumAll(ready.map(({ quantity, unitPrice }) => BigDecimal.multiply(quantity, unitPrice)))
  if (BigDecimal.isGreaterThan(amount, ZERO)) return ready
  return {
    code: "NOTHING-READY",
    detail: ready.length === 0
      ? `nothing of ${data.engagement} is ready to be invoiced up to ${data.until}`
      : `what is ready of ${data.engagement} up to ${data.until} comes to ${say(amount)}: that is no invoice`,
  }
}

interface Part {
  readonly quantity: BigDecimal.BigDecimal
  readonly timesheets: ReadonlyArray<number>
}

const byFraction = (
  data: InvoiceReadyRequested,
  line: Found,
  fraction: BigDecimal.BigDecimal | undefined,
): Part | Refusal => {
  if (fraction === undefined) return { quantity: ZERO, timesheets: [] }
  const quantity = BigDecimal.round(BigDecimal.multiply(quantityOf(line["product_uom_qty"]), fraction), {
    scale: QUANTITY_SCALE,
    mode: "half-from-zero",
  })
  const left = quantityOf(line["qty_to_invoice"])
  return BigDecimal.isGreaterThan(quantity, left)
    ? mismatch(
      data,
      `${say(quantity)} of "${String(line["name"])}" are asked for, ${say(left)} are left to be invoiced`,
    )
    : { quantity, timesheets: [] }
}

const byTimesheets = ({ data, timesheets }: ReadyInput, line: Found): Part | Refusal => {
  const own = timesheets.filter((timesheet) => oneOf(timesheet["so_line"]) === line.id)
  const billed = own.filter((timesheet) => String(timesheet["date"]) <= data.until)
  const later = sumOf(own.filter((timesheet) => String(timesheet["date"]) > data.until))
  const quantity = BigDecimal.round(BigDecimal.subtract(quantityOf(line["qty_to_invoice"]), later), {
    scale: QUANTITY_SCALE,
    mode: "half-from-zero",
  })
  const hours = sumOf(billed)
  return BigDecimal.isGreaterThan(BigDecimal.abs(BigDecimal.subtract(hours, quantity)), ROUNDING)
    ? mismatch(
      data,
      `"${String(line["name"])}" has ${
        say(quantity)
      } to be invoiced up to ${data.until}, its timesheets on no invoice ` +
        `come to ${say(hours)}`,
    )
    : { quantity, timesheets: billed.map(({ id }) => id) }
}

const mismatch = ({ engagement }: InvoiceReadyRequested, what: string): Refusal => ({
  code: "READY-MISMATCH",
  detail: `${engagement}: ${what}`,
})
