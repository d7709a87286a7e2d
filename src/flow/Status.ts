/**
 * What states of records in Odoo mean for others, as tables: data, each with a version. What is published names the version,
 * and a meaning is never changed but by a new table at the end, which counts from then on.
 */

/** Of a document's amount, what is still open. */
export type Open = "all" | "some" | "none"

/** `*`: any. The first row that fits counts. */
export interface StatusRow<S extends string> {
  readonly state: string
  readonly paymentState: string
  readonly open: Open | "*"
  readonly status: S
}

export interface StatusTable<S extends string> {
  /** From 1, one more with each table. */
  readonly version: number
  readonly rows: ReadonlyArray<StatusRow<S>>
}

export interface Standing {
  readonly state: string
  readonly paymentState: string
  readonly open: Open
}

/** The status by the newest table; undefined: it has no row for that. */
export const statusOf = <S extends string>(
  tables: ReadonlyArray<StatusTable<S>>,
  { open, paymentState, state }: Standing,
): { readonly status: S; readonly version: number } | undefined => {
  const table = tables.at(-1)
  const found = table?.rows.find((row) =>
    row.state === state && (row.paymentState === "*" || row.paymentState === paymentState) &&
    (row.open === "*" || row.open === open)
  )
  return table === undefined || found === undefined ? undefined : { status: found.status, version: table.version }
}
