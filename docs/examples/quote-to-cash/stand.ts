/** What Odoo holds of one engagement, as tables for people. Nothing in them depends on the database: no ids, no numbers. */
import { Effect } from "effect"
import type { Place } from "../../../fixtures/replay/Place.ts"
import { type Found, youngerThan } from "../../../fixtures/replay/standing.ts"
import { format, fromOdooFloat } from "../../../schemas/money.ts"
import type { Json } from "../../../src/odoo/Odoo.ts"

export interface Table {
  readonly title: string
  /** The first row is the head. */
  readonly rows: ReadonlyArray<ReadonlyArray<string>>
}

/** Fields by model that the tables show. */
const fields = {
  "sale.order": ["state", "locked"],
  "project.project": ["active"],
  "sale.order.line": ["product_uom_qty", "price_unit", "qty_delivered", "qty_invoiced", "qty_to_invoice"],
  "account.analytic.line": ["date", "unit_amount", "timesheet_invoice_id"],
  "account.move": [
    "move_type",
    "state",
    "payment_state",
    "amount_untaxed",
    "amount_tax",
    "amount_total",
    "amount_residual",
  ],
  "account.payment": ["state", "amount", "is_reconciled"],
} as const
type Model = keyof typeof fields

export const models = Object.keys(fields) as ReadonlyArray<Model>

const kinds: Readonly<Record<string, string>> = {
  out_invoice: "invoice",
  out_refund: "credit note",
  in_receipt: "receipt of an expense",
}

/** Amounts, prices and quantities alike: two decimals in this story. */
const SCALE = 2
const decimal = (value: Json | undefined): string => format(fromOdooFloat(Number(value), SCALE), SCALE)
const word = (value: Json | undefined): string => String(value).replaceAll("_", " ")
const yes = (value: Json | undefined): string => value === true ? "yes" : "no"

/** The tables that have a row, of the records that are younger than `before` says by model. */
export const tables = Effect.fnUntraced(function* (place: Place, before: ReadonlyMap<string, number>) {
  const prefix = `weir_${place.entity}.`
  const records = new Map<Model, ReadonlyArray<Found>>()
  for (const model of models) {
    const found = yield* youngerThan(place, model, fields[model], before.get(model) ?? 0)
    const own = found.filter(({ name }) => name.startsWith(prefix))
    records.set(model, own.sort((a, b) => a.name < b.name ? -1 : 1))
  }
  /** The business key: the external id without its prefix and flow. */
  const keyOf = ({ name }: Found): string => name.slice(name.indexOf("_", prefix.length) + 1)
  const documents = new Map(records.get("account.move")!.map((found) => [found.id, keyOf(found)]))
  const rowsOf = (model: Model, cells: (fields: Found["fields"]) => ReadonlyArray<string>) =>
    records.get(model)!.map((found) => [keyOf(found), ...cells(found.fields)])

  const shown: ReadonlyArray<Table> = [
    {
      title: "The order and its project",
      rows: [
        ["record", "state"],
        ...rowsOf("sale.order", ({ locked, state }) => [locked === true ? `${word(state)}, locked` : word(state)]),
        ...rowsOf("project.project", ({ active }) => [active === true ? "active" : "archived"]),
      ],
    },
    {
      title: "Lines of the order",
      rows: [
        ["line", "ordered", "price", "delivered", "invoiced", "to invoice"],
        ...rowsOf("sale.order.line", (line) => fields["sale.order.line"].map((field) => decimal(line[field]))),
      ],
    },
    {
      title: "Time",
      rows: [
        ["timesheet", "day", "hours", "billed by"],
        ...rowsOf("account.analytic.line", ({ date, timesheet_invoice_id: by, unit_amount }) => [
          String(date),
          decimal(unit_amount),
          Array.isArray(by) ? documents.get(Number(by[0])) ?? "somebody else's invoice" : "",
        ]),
      ],
    },
    {
      title: "Documents",
      rows: [
        ["document", "kind", "state", "payment", "untaxed", "tax", "total", "open"],
        ...rowsOf("account.move", (move) => [
          kinds[String(move["move_type"])] ?? word(move["move_type"]),
          word(move["state"]),
          word(move["payment_state"]),
          ...["amount_untaxed", "amount_tax", "amount_total", "amount_residual"].map((field) => decimal(move[field])),
        ]),
      ],
    },
    {
      title: "Payments",
      rows: [
        ["payment", "state", "amount", "matched"],
        ...rowsOf("account.payment", ({ amount, is_reconciled: matched, state }) => [
          word(state),
          decimal(amount),
          yes(matched),
        ]),
      ],
    },
  ]
  return shown.filter(({ rows }) => rows.length > 1)
})
