/**
 * Rows as Odoo's `load` takes them: a header and a matrix of strings. An empty cell clears its field, so a column that a
 * row does not have must not be in its call: rows are grouped by their columns, one matrix a group.
 *
 *   id          partner_id/id   order_line/id        order_line/product_uom_qty
 *   weir…_E-1   weir…_C-1       weir…_E-1.line-1     10
 *                               weir…_E-1.line-2     5          continuation row: the parent's cells are empty
 *
 * All cells are strings. Odoo's converters (`odoo/addons/base/models/ir_fields.py`) take those everywhere, while a number
 * in an x2many's `.id` column and a JSON boolean are Python errors.
 */
import type { Cell, Row } from "../../flow/Step.ts"

/** One record to load, and whose it is. */
export interface Unit {
  /** Position of its event in the batch. */
  readonly index: number
  readonly row: Row
  /** Its place among the event's records of this step, from 0; the id of the first one is the step's. */
  readonly at: number
}

/** Records with the same columns. */
export interface Group {
  readonly columns: ReadonlyArray<string>
  readonly field: string | undefined
  readonly lineColumns: ReadonlyArray<string>
  readonly units: Array<Unit>
}

const NO_COLUMNS: ReadonlyArray<string> = []

const sameColumns = (columns: ReadonlyArray<string>, values: Row["values"]): boolean => {
  let count = 0
  for (const column in values) if (columns[count++] !== column) return false
  return count === columns.length
}

/**
 * Columns of a record's lines. They share the record's call, so a column that only some of its lines have is there for
 * all, empty on the others.
 */
const lineColumnsOf = (lines: NonNullable<Row["lines"]>): ReadonlyArray<string> => {
  const first = lines.rows[0]
  if (first === undefined) return NO_COLUMNS
  const columns = Object.keys(first.values)
  if (lines.rows.every(({ values }) => sameColumns(columns, values))) return columns
  return [...new Set(lines.rows.flatMap(({ values }) => Object.keys(values)))]
}

const linesMatch = (group: Group, { lines }: Row): boolean => {
  if (lines === undefined || lines.rows.length === 0) return group.field === undefined
  return group.field === lines.field && lines.rows.every(({ values }) => sameColumns(group.lineColumns, values))
}

/** The header that a record needs. */
export const columnsOf = ({ lines, values }: Row): Pick<Group, "columns" | "field" | "lineColumns"> =>
  lines === undefined || lines.rows.length === 0
    ? { columns: Object.keys(values), field: undefined, lineColumns: NO_COLUMNS }
    : { columns: Object.keys(values), field: lines.field, lineColumns: lineColumnsOf(lines) }

/** Groups in order of their first record; records within a group in order. */
export class Groups {
  readonly all: Array<Group> = []
  readonly #bySignature = new Map<string, Group>()
  #last: Group | undefined

  add(unit: Unit): void {
    const { row } = unit
    const last = this.#last
    if (last !== undefined && sameColumns(last.columns, row.values) && linesMatch(last, row)) {
      last.units.push(unit)
      return
    }
    const header = columnsOf(row)
    const signature = JSON.stringify([header.columns, header.field, header.lineColumns])
    let group = this.#bySignature.get(signature)
    if (group === undefined) {
      group = { ...header, units: [] }
      this.#bySignature.set(signature, group)
      this.all.push(group)
    }
    group.units.push(unit)
    this.#last = group
  }
}

const text = (cell: Cell | undefined): string => {
  if (typeof cell === "string") return cell
  if (cell === undefined) return ""
  return typeof cell === "boolean" ? (cell ? "1" : "0") : String(cell)
}

/** Rows of the matrix that a record takes. */
export const heightOf = ({ lines }: Row): number => lines === undefined ? 1 : Math.max(1, lines.rows.length)

export interface Matrix {
  readonly fields: ReadonlyArray<string>
  readonly data: ReadonlyArray<ReadonlyArray<string>>
  /** Row of the matrix at which each record begins, ascending. */
  readonly starts: ReadonlyArray<number>
}

/** The header and the cells of records of one group. */
export const matrixOf = (group: Pick<Group, "columns" | "field" | "lineColumns">, rows: ReadonlyArray<Row>): Matrix => {
  const { columns, field, lineColumns } = group
  const fields = ["id", ...columns]
  if (field !== undefined) fields.push(`${field}/id`, ...lineColumns.map((column) => `${field}/${column}`))
  const data: Array<Array<string>> = []
  const starts: Array<number> = []
  const addLine = (cells: Array<string>, line: NonNullable<Row["lines"]>["rows"][number] | undefined) => {
    if (line === undefined) return
    cells.push(line.externalId)
    for (const column of lineColumns) cells.push(text(line.values[column]))
  }
  for (const row of rows) {
    starts.push(data.length)
    const cells = [row.externalId]
    for (const column of columns) cells.push(text(row.values[column]))
    data.push(cells)
    if (field === undefined) continue
    const lines = row.lines!.rows
    addLine(cells, lines[0])
    for (let n = 1; n < lines.length; n++) {
      const continuation = new Array<string>(columns.length + 1).fill("")
      addLine(continuation, lines[n])
      data.push(continuation)
    }
  }
  return { fields, data, starts }
}

/** The record that owns a row of the matrix. */
export const recordAt = ({ starts }: Matrix, row: number): number => {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (starts[middle]! <= row) low = middle
    else high = middle - 1
  }
  return low
}
