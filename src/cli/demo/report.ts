/** What the demo shows at its end: per entity and flow, what became of the events and what stands in Odoo. */
import { agrees, type Figure } from "../../../fixtures/scenario.ts"
import { type Column, type Paint, table } from "../table.ts"

interface Row {
  readonly entity: string
  readonly flow: string
  readonly published: number
  readonly figures: ReadonlyMap<string, Figure>
}

const rowsOf = (figures: ReadonlyArray<Figure>, published: ReadonlyMap<string, number>): ReadonlyArray<Row> => {
  const rows = new Map<string, Map<string, Figure>>()
  for (const figure of figures) {
    const name = `${figure.entity}/${figure.flow}`
    const known = rows.get(name) ?? new Map<string, Figure>()
    rows.set(name, known.set(figure.what, figure))
  }
  return [...rows].map(([name, own]) => {
    const [entity = "", flow = ""] = name.split("/")
    return { entity, flow, published: published.get(name) ?? 0, figures: own }
  })
}

const sums = ["odoo untaxed", "odoo tax", "odoo total", "odoo residual", "odoo amount", "odoo hours"] as const

const differs = ({ figures }: Row): boolean => ![...figures.values()].every(agrees)
const text = ({ figures }: Row, ...what: ReadonlyArray<string>): string =>
  String(what.reduce((sum, name) => sum + Number(figures.get(name)?.actual ?? 0), 0))

const columns: ReadonlyArray<Column<Row>> = [
  { title: "entity", cell: ({ entity }) => entity },
  { title: "flow", cell: ({ flow }) => flow || "(no flow)" },
  { title: "published", align: "right", cell: ({ published }) => String(published) },
  { title: "applied", align: "right", cell: (row) => text(row, "applied") },
  { title: "duplicate", align: "right", cell: (row) => text(row, "duplicate") },
  { title: "superseded", align: "right", cell: (row) => text(row, "superseded") },
  { title: "waiting", align: "right", cell: (row) => text(row, "waiting") },
  { title: "exception", align: "right", cell: (row) => text(row, "parked", "behind") },
  { title: "in Odoo", align: "right", cell: ({ figures }) => String(figures.get("odoo records")?.actual ?? "") },
  {
    title: "sums in Odoo",
    cell: ({ figures }) =>
      sums.flatMap((name) => {
        const figure = figures.get(name)
        return figure === undefined ? [] : [`${name.slice(5)} ${figure.actual}`]
      }).join(", "),
  },
  { title: "as expected", cell: (row) => differs(row) ? "NO" : "yes", colour: (row) => differs(row) ? "red" : "green" },
]

export const render = (
  figures: ReadonlyArray<Figure>,
  published: ReadonlyMap<string, number>,
  paint: Paint,
): string => {
  const wrong = figures.filter((figure) => !agrees(figure))
  return [
    table(columns, rowsOf(figures, published), paint),
    ...wrong.map(({ actual, entity, expected, flow, what }) =>
      paint(`${entity} ${flow} ${what}: ${actual}, expected ${expected}`, "red")
    ),
  ].join("\n")
}
