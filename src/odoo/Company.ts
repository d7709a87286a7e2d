import type { Cutover } from "./Cutover.ts"
import type { LatePolicy } from "./Locks.ts"

/** A legal entity as Odoo knows it: its `res.company` with the database ids that its configuration's codes stand for. */
export interface Company {
  /** Code of the legal entity: `be01`. */
  readonly entity: string
  /** Name of the database in `weir.json`. */
  readonly database: string
  /** `res.company` id. */
  readonly id: number
  readonly currency: string
  /** `account.journal` ids by role: `sales`, `bank`. */
  readonly journals: Readonly<Record<string, number>>
  /** `account.tax` ids by the source's tax code: `S21`. */
  readonly taxes: Readonly<Record<string, number>>
  /** `account.account` ids by the source's code of an account and by role: `write-off`. Default none. */
  readonly accounts?: Readonly<Record<string, number>>
  /** Purchase taxes likewise. Default none. */
  readonly purchaseTaxes?: Readonly<Record<string, number>>
  /** By model, the field in which another system keeps its source's name of a record. Default: as the flows say. */
  readonly likeness?: ReadonlyMap<string, string>
  /** From which day on Weir writes what another system wrote before. Default: everything. */
  readonly cutover?: Cutover
  /** What is done with documents dated in a locked period. Default `exception`. */
  readonly latePolicy?: LatePolicy
}

/** Odoo's context for a call on behalf of one company. Codes and taxes resolve wrongly with more than one. */
export const contextOf = (company: Pick<Company, "id">): { readonly allowed_company_ids: ReadonlyArray<number> } => ({
  allowed_company_ids: [company.id],
})
