/**
 * What people change in Odoo of the records that a flow writes, and what others are told of it. A declaration like the flow
 * that has it; the engine (`src/actor/feed/`) reads it.
 *
 * A record has aspects: each is what matters of it from one point of view, as canonical text. The ledger keeps the text that
 * others were told last, so that a change is told once, whoever tells it first, and nothing of Weir's own is told back.
 */
import type { OdooRecord } from "../odoo/CompanyCalls.ts"
import type { Json } from "../odoo/Odoo.ts"
import type { OutcomeEvent } from "./Flow.ts"
import type { StatusTable } from "./Status.ts"

/** A change of one aspect of a record. */
export interface Changed {
  readonly record: OdooRecord
  /** Business key of a record that Weir wrote, null for one of a person's. */
  readonly key: string | null
  /** What was told or noted before; null: nothing. */
  readonly before: string | null
  /** What it is now. */
  readonly after: string
  /**
   * The record was made since the feed looked last. One that is not, and of which nothing is known, had come to its end
   * before the feed began.
   */
  readonly isNew: boolean
}

export interface Aspect {
  /** Name in the ledger, with the feed's in front: `invoices.posting`. */
  readonly name: string
  /** What matters of the record, canonical; undefined: this Weir does not know such a state, and leaves it. */
  content(record: OdooRecord): string | undefined
  /** What others are told; undefined: it is noted and nothing goes out. */
  fact(changed: Changed): OutcomeEvent | undefined
  /** Flows tell of this aspect themselves: a record of Weir's that is new is left to them for a while. */
  readonly toldByFlow?: boolean
}

export interface Feed {
  readonly name: string
  readonly model: string
  /** What records it looks after, beside the company's: a domain of Odoo's. */
  readonly domain: ReadonlyArray<Json>
  /** Those of them that may still change without a person doing something unusual: what is noted when the feed begins. */
  readonly open: ReadonlyArray<Json>
  /** Fields that aspects read. */
  readonly fields: ReadonlyArray<string>
  readonly aspects: ReadonlyArray<Aspect>
  /** What Odoo's states mean, oldest table first. */
  readonly statuses?: ReadonlyArray<StatusTable<string>>
  /** Types of the facts, for the documents. */
  readonly facts: ReadonlyArray<{ readonly type: string; readonly when: string }>
}

/** What a flow tells itself, so that the feed knows. */
export interface Tells {
  /** Name of the aspect. */
  readonly aspect: string
  /** Database id. */
  readonly record: number
  readonly content: string
}
