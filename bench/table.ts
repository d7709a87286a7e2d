/** Numbers of several rounds and how they are shown. */

export const median = (numbers: ReadonlyArray<number>): number => {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/** The value that the fraction `q` of them do not exceed (nearest rank). */
export const percentile = (numbers: ReadonlyArray<number>, q: number): number =>
  numbers.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(numbers.length * q) - 1)] ?? 0

/** `8 215 (7 900 to 8 400)`: median, smallest and largest. */
export const spread = (numbers: ReadonlyArray<number>, digits = 0): string =>
  `${format(median(numbers), digits)} (${format(Math.min(...numbers), digits)} to ${
    format(Math.max(...numbers), digits)
  })`

export const format = (value: number, digits = 0): string =>
  value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replaceAll(",", " ")

/** Columns as wide as their widest cell, the first one to the left, the others to the right. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row.map((cell, column) => column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)).join("  ")
  ).join("\n")
}

/** The same as one line of JSON: a record a row, by the head. Cells stay as they are shown. */
const records = ([head = [], ...rows]: ReadonlyArray<ReadonlyArray<string>>): string =>
  JSON.stringify(rows.map((row) => Object.fromEntries(row.map((cell, n) => [head[n] || "case", cell]))))

/** Table for people, then JSON for programs. */
export const both = (rows: ReadonlyArray<ReadonlyArray<string>>): string => `${table(rows)}\n\n${records(rows)}`

/** The number after `--name` on the command line. */
export const option = (args: ReadonlyArray<string>, name: string, fallback: number): number => {
  const at = args.indexOf(`--${name}`)
  if (at < 0) return fallback
  const value = Number(args[at + 1])
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a whole number above 0`)
  return value
}
