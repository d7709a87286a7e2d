/**
 * What a flow may write in Odoo, by model: everything else belongs to Odoo's users and stays as they have it. A declaration
 * that is enforced: a call that would write anything else is not made (`src/odoo/plan/mask.ts`).
 *
 * Columns as `load` names them, separated by blanks; of lines below a record with the field in front: `line_ids/name`.
 */
export interface ModelMask {
  /** With each version of the source. */
  readonly always?: string
  /** When the record is made; Odoo's from then on. */
  readonly first?: string
  /** When it would be booked in a locked period and is moved to an open day. */
  readonly moved?: string
  /** Its own records may be deleted. */
  readonly deletes?: boolean
}

export type Mask = { readonly [model: string]: ModelMask }
