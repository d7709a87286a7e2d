/** What a plan would find and do, seen without doing it. */
import type { Refusal } from "../../../flow/Step.ts"
import type { Mark } from "../../../ledger/Ledger.ts"

/** A record that the plan would create. */
export interface Missing {
  readonly model: string
  readonly externalId: string
}

/** A value in Odoo that is not what the event says. */
export interface Difference {
  readonly model: string
  readonly id: number
  /** `invoice_line_ids/price_unit` of a line. */
  readonly field: string
  /** What the event says, as text; empty: nothing. */
  readonly event: string
  /** What stands in Odoo, as text; empty: nothing. */
  readonly odoo: string
}

/** A step that is not done on a record that stands. */
export interface Pending {
  readonly step: string
  readonly model: string
  readonly id: number
  /** What the plan would still do, in a few words: `state: draft, action_post makes it posted`. */
  readonly detail: string
  /** It only brings records together, and changes no value of any of them. */
  readonly harmless: boolean
}

/** The accounting date lies in a period that is locked. */
export interface Locked {
  readonly day: string
  readonly until: string
  readonly lock: string
}

/** One event, as it stands in Odoo. Nothing missing, different or pending: it is all there. */
export interface Sight {
  readonly missing: ReadonlyArray<Missing>
  readonly differences: ReadonlyArray<Difference>
  readonly pending: ReadonlyArray<Pending>
  /** Database id of the record that the business key maps to; null when it does not stand, or the event has none. */
  readonly record: { readonly model: string; readonly id: number; readonly externalId: string } | null
  /** `record` is another system's: it has no external id of Weir's yet. */
  readonly foreign: boolean
  /** Database ids of the records of the other load steps, by step, and of the parts, by role. */
  readonly links: Readonly<Record<string, number>>
  /** The records that others refer to by keys of their own. */
  readonly parts: ReadonlyArray<Required<Mark>>
  /** A method would be called whose repetition changes nothing; whether it was called before cannot be read. */
  readonly invokes: boolean
  /** It is a draft still: nothing that the plan makes binding has been made so. */
  readonly draft: boolean
  /** Why the plan would not get through. */
  readonly refusal: Refusal | null
  /** A rule that an event which was applied would not pass today; it was looked at all the same. */
  readonly objection: Refusal | null
  readonly locked: Locked | null
}
