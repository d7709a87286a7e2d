/** One event on its way through its write plan: what the plan's steps read and what they have found out so far. */
import type { Mapping } from "../ledger/Ledger.ts"
import type { Company } from "../odoo/Company.ts"

export interface Write<D> {
  readonly data: D
  readonly key: string
  readonly company: Company
  /** What the event's own key maps to already; null when it is the first one of its key that is written. */
  readonly previous: Mapping | null
  /** Mappings of `references(data)`, in the same order. */
  readonly references: ReadonlyArray<Mapping>
  /** Mappings of `consults(data)`, in the same order; null for what is not there. Left out when it names none. */
  readonly consulted?: ReadonlyArray<Mapping | null>
  /** Database ids by step name, filled as the plan goes: `ids.order` is the sales order. */
  readonly ids: { [step: string]: number }
  /** Fields that steps read, by step name: `read.invoice.name`. */
  readonly read: { [step: string]: { readonly [field: string]: unknown } }
}

/**
 * The external id of a record that Weir writes: `weir_be01.timesheets_T-1`, or `weir_be01.engagements_E-1.line-1` for a
 * part. It is what makes a repeated write find its record again, so its form never changes.
 */
export const externalId = (entity: string, flow: string, key: string, part?: string): string =>
  `weir_${entity}.${flow}_${key}${part === undefined ? "" : `.${part}`}`
