/** What steps have read, and the forms in which Odoo gives it. */
import type { Write } from "../src/flow/Write.ts"

export type Found = { readonly id: number; readonly [field: string]: unknown }

/** The id in a many2one as Odoo gives it, `[7, "Sales"]`; 0 when it is empty. */
export const oneOf = (value: unknown): number => Array.isArray(value) ? Number((value as ReadonlyArray<unknown>)[0]) : 0

/** What a query or read step found. */
export const recordsOf = (
  { read }: Pick<Write<unknown>, "read">,
  step: string,
): ReadonlyArray<Found> => (read[step]?.["records"] ?? []) as ReadonlyArray<Found>
