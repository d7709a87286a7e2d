/**
 * An invoice of what is ready of an engagement.
 *
 *   invoice.ready-requested ─> its own draft of an earlier try? ─> order lines, products, timesheets ─> account.move
 *
 * The timesheets are linked in the very call that makes the invoice, so that a repetition neither widens nor loses them.
 */
import { BigDecimal } from "effect"
import { InvoiceReadyRequested } from "../schemas/invoice.ts"
import { event } from "../src/flow/Flow.ts"
import { load, query, type Refusal, type Row } from "../src/flow/Step.ts"
import type { Write } from "../src/flow/Write.ts"
import { id } from "./codes.ts"
import { exchangeRateOf } from "./exchange.ts"
import { recordsOf } from "./found.ts"
import { draft, headOf, invoiceId, isRefused, posting, promised, rebillOf, shared, untaxedOf } from "./invoicing.ts"
import { type Ready, readyOf } from "./ready.ts"

/** Most lines of an order that are looked at, and most timesheets of it that are on no invoice. */
const MAX_ORDER_LINES = 400
const MAX_TIMESHEETS = 5000

/** The draft that an earlier try of this very request has made. */
const ownIn = (write: Write<InvoiceReadyRequested>) =>
  recordsOf(write, "own").find((move) => move["external_id"] === invoiceId(write.company.entity, write.data.key))

const readyIn = (write: Write<InvoiceReadyRequested>): ReadonlyArray<Ready> | Refusal =>
  readyOf({
    data: write.data,
    entity: write.company.entity,
    lines: recordsOf(write, "lines"),
    products: recordsOf(write, "products"),
    timesheets: recordsOf(write, "timesheets"),
  })

const readyRow = (write: Write<InvoiceReadyRequested>): Row | Refusal => {
  const { company, data } = write
  const head = headOf(write)
  if (isRefused(head)) return head
  const own = invoiceId(company.entity, data.key)
  // What stands is left as it is, whatever has become ready since.
  if (ownIn(write) !== undefined) return { externalId: own, values: head }
  const ready = readyIn(write)
  if ("code" in ready) return ready
  const timesheets = ready.flatMap((line) => line.timesheets)
  return {
    externalId: own,
    values: { ...head, ...(timesheets.length > 0 && { "timesheet_ids/.id": timesheets.map(id).join(",") }) },
    lines: {
      field: "invoice_line_ids",
      rows: ready.map((line) => ({
        externalId: `${own}.line-${line.line}`,
        values: {
          name: line.description,
          quantity: BigDecimal.format(line.quantity),
          price_unit: BigDecimal.format(line.unitPrice),
          discount: BigDecimal.format(line.discount),
          "tax_ids/.id": line.taxes.map(id).join(","),
          "sale_line_ids/.id": id(line.line),
        },
      })),
    },
  }
}

const HUNDRED = BigDecimal.make(100n, 0)
const withoutDiscount = ({ discount, quantity, unitPrice }: Ready): BigDecimal.BigDecimal =>
  BigDecimal.multiply(
    BigDecimal.multiply(quantity, unitPrice),
    BigDecimal.divideUnsafe(BigDecimal.subtract(HUNDRED, discount), HUNDRED),
  )

/** The order that the engagement's key maps to is the second reference. */
const orderOf = ({ references }: Write<InvoiceReadyRequested>): number => references[1]!.id

export const readyRequested = event<InvoiceReadyRequested>({
  ...shared,
  type: "invoice.ready-requested",
  schema: InvoiceReadyRequested,
  rebill: rebillOf("invoice.ready-requested", InvoiceReadyRequested),
  references: ({ customer, engagement }) => [
    { flow: "customers", key: customer },
    { flow: "engagements", key: engagement },
  ],
  plan: [
    query({
      name: "own",
      model: "account.move",
      domain: ({ data }) => [["payment_reference", "=", data.key], ["move_type", "=", "out_invoice"]],
      fields: ["state"],
      externalIds: true,
      limit: 20,
    }),
    query({
      name: "lines",
      model: "sale.order.line",
      domain: (write) => ownIn(write) === undefined ? [["order_id", "=", orderOf(write)]] : null,
      fields: ["name", "product_id", "product_uom_qty", "qty_to_invoice", "price_unit", "discount", "tax_ids"],
      order: "sequence, id",
      externalIds: true,
      limit: MAX_ORDER_LINES,
    }),
    query({
      name: "products",
      model: "product.product",
      domain: (write) => {
        const products = recordsOf(write, "lines").flatMap(({ product_id }) =>
          Array.isArray(product_id) ? [Number(product_id[0])] : []
        )
        return products.length === 0 ? null : [["id", "in", [...new Set(products)]]]
      },
      fields: ["invoice_policy", "service_type"],
      externalIds: true,
      limit: MAX_ORDER_LINES,
    }),
    query({
      name: "timesheets",
      model: "account.analytic.line",
      domain: (write) =>
        ownIn(write) !== undefined ? null : [
          ["so_line.order_id", "=", orderOf(write)],
          ["project_id", "!=", false],
          "|",
          ["timesheet_invoice_id", "=", false],
          ["timesheet_invoice_id.state", "=", "cancel"],
        ],
      fields: ["so_line", "date", "unit_amount"],
      order: "date, id",
      limit: MAX_TIMESHEETS,
    }),
    ...exchangeRateOf<InvoiceReadyRequested>(({ invoiceDate }) => invoiceDate),
    load({ ...draft, rows: readyRow }),
    ...posting<InvoiceReadyRequested>((write) => {
      const { currency, totals } = write.data
      const ready = ownIn(write) === undefined ? readyIn(write) : []
      // Of a draft that stood before it is known only what the source promised.
      if (totals === undefined && ("code" in ready || ready.length === 0)) return {}
      return promised(totals, () => untaxedOf("code" in ready ? [] : ready.map(withoutDiscount), currency), undefined)
    }),
  ],
})
