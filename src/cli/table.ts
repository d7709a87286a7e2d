/** Plain, aligned tables for terminals and for `grep`. */

/** `text` in an ANSI colour. */
export type Paint = (text: string, colour: Colour) => string
export type Colour = "red" | "yellow" | "green" | "dim"

const codes: Readonly<Record<Colour, number>> = { red: 31, yellow: 33, green: 32, dim: 2 }

export const painted: Paint = (text, colour) => `\u001b[${codes[colour]}m${text}\u001b[0m`
export const plain: Paint = (text) => text

/** Colours on a terminal only, and not when `NO_COLOR` is set (https://no-color.org). */
export const paintFor = (terminal: boolean, noColor: string | undefined): Paint =>
  terminal && (noColor ?? "") === "" ? painted : plain

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => string
  /** Numbers stand right. Default left. */
  readonly align?: "left" | "right"
  readonly colour?: (row: Row) => Colour | undefined
}

/** One line per row below a line of titles; two spaces between columns, none at the end of a line. */
export const table = <Row>(columns: ReadonlyArray<Column<Row>>, rows: ReadonlyArray<Row>, paint: Paint): string => {
  const cells = rows.map((row) => columns.map((column) => column.cell(row)))
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((line) => line[index]?.length ?? 0))
  )
  const pad = (text: string, index: number): string => {
    const width = widths[index] ?? 0
    return columns[index]?.align === "right" ? text.padStart(width) : text.padEnd(width)
  }
  const trimmed = (line: string): string => line.trimEnd()
  const head = paint(trimmed(columns.map(({ title }, index) => pad(title, index)).join("  ")), "dim")
  const body = rows.map((row, line) =>
    trimmed(
      columns.map((column, index) => {
        const text = cells[line]?.[index] ?? ""
        const colour = column.colour?.(row)
        // Padding stays outside of the colour, so that the end of a line can be trimmed.
        return colour === undefined || text === ""
          ? pad(text, index)
          : pad(text, index).replace(text, () => paint(text, colour))
      }).join("  "),
    )
  )
  return [head, ...body].join("\n")
}
