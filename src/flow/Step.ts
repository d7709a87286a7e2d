/**
 * The vocabulary of write plans. Every step runs on a whole batch, is idempotent, and drops the events that fail out of
 * the batch while the rest goes on. One file per step in `src/odoo/plan/` says how.
 */
import type { BigDecimal } from "effect"
import type { OdooRecord } from "../odoo/CompanyCalls.ts"
import type { Reference } from "../ledger/Ledger.ts"
import type { PeriodKind } from "../odoo/Locks.ts"
import type { Json } from "../odoo/Odoo.ts"
import type { ReasonCode } from "../reason/Reason.ts"
import type { Write } from "./Write.ts"

/** `.id` columns (database ids) must be strings in Odoo's `load`; decimals travel as strings, never as floats. */
export type Cell = string | number | boolean

/** A record as `load` takes it: its external id, its columns, and rows of one x2many field below it. */
export interface Row {
  readonly externalId: string
  readonly values: { readonly [column: string]: Cell }
  /**
   * The key by which other events refer to this record, beside the event's own: `engagements` `ENG-7.line-senior`. What
   * follows the point is its role among the links of the event's key. The first row of a step has the step's name as well.
   */
  readonly as?: Reference
  readonly lines?: {
    /** x2many field, for example `order_line`. */
    readonly field: string
    readonly rows: ReadonlyArray<{ readonly externalId: string; readonly values: { readonly [column: string]: Cell } }>
  }
}

/** Says why one event cannot go on; the rest of its batch does. */
export interface Refusal {
  readonly code: ReasonCode
  readonly detail: string
  /** For a code with the disposition `wait`: what it waits for. */
  readonly waitFor?: Reference
}

export type Step<D> =
  | Check<D>
  | Enrich<D>
  | Find<D>
  | Resolve<D>
  | Read<D>
  | Query<D>
  | Load<D>
  | Update<D>
  | Unlink<D>
  | Invoke<D>
  | Transition<D>
  | Compare<D>
  | Reconcile<D>

/** A rule that needs no call: what the event, its references and earlier steps say. */
export interface Check<D> {
  readonly _tag: "Check"
  readonly name: string
  /** Why the event cannot go on; undefined when it can. */
  refuse(write: Write<D>): Refusal | undefined
}

/**
 * Asks a dependency beside Odoo (a price, a tax), into `read[name]`. While it does not work, only the events that have
 * something to ask wait (`DEPENDENCY-DOWN`) and go on by themselves. A plan that is run again asks again.
 */
export interface Enrich<D> {
  readonly _tag: "Enrich"
  readonly name: string
  /** Its name among `services` in `weir.json`, for example `tax`. */
  readonly dependency: string
  /** Null: this event has nothing to ask. */
  question(write: Write<D>): Json | null
  /** What later steps read of the answer, or why it cannot be taken. */
  accept(answer: Json, write: Write<D>): { readonly [field: string]: unknown } | Refusal
}

/**
 * Database ids of a record that Weir wrote, by its external id, into `ids[name]`; one call for the batch, and what is known
 * is remembered. Only for models that Odoo makes nothing of without values: it is asked by a `load` of the id alone.
 */
export interface Resolve<D> {
  readonly _tag: "Resolve"
  readonly name: string
  readonly model: string
  /** Full external id; null: nothing is asked. */
  externalId(write: Write<D>): string | null
  /** Said when Odoo has no such record. Default: `ODOO-RECORD-MISSING`. */
  missing?(write: Write<D>): Refusal
}

/** Reads records by their ids, into `read[name].records`; one call for the batch. What is gone is left out. */
export interface Read<D> {
  readonly _tag: "Read"
  readonly name: string
  readonly model: string
  /** Database ids; none: nothing is asked, there are no records. */
  records(write: Write<D>): ReadonlyArray<number>
  readonly fields: ReadonlyArray<string>
}

/** Reads records by a condition, into `read[name].records`. One call per event. */
export interface Query<D> {
  readonly _tag: "Query"
  readonly name: string
  readonly model: string
  /** Odoo's search domain; null: nothing is asked, there are no records. */
  domain(write: Write<D>): ReadonlyArray<Json> | null
  readonly fields: ReadonlyArray<string>
  /** Gives each record its external id as the field `external_id`, "" when it has none. One more call when there are any. */
  readonly externalIds?: boolean
  /** Odoo's order, for example `date, id`. Default: by id. */
  readonly order?: string
  /** Most records; an event for which there are more is refused. */
  readonly limit: number
}

/**
 * Sets fields of records that stand already to absolute values. Only what differs is written, so a repetition changes
 * nothing. Records that are gone are `ODOO-RECORD-MISSING`.
 */
export interface Update<D> {
  readonly _tag: "Update"
  readonly name: string
  readonly model: string
  /** Database ids; none: nothing is done. */
  records(write: Write<D>): ReadonlyArray<number>
  /** Field values as Odoo's `write` takes them. */
  values(write: Write<D>): { readonly [field: string]: Json } | Refusal
  /** Of the records, those that are still to be written; asked with `fields`. Default: those with other values. */
  only?(record: OdooRecord, write: Write<D>): boolean
  /** Fields read before and after, beside the written ones, into `read[name].records`. */
  readonly fields?: ReadonlyArray<string>
  /** It makes something binding: not done in mode `drafts`. */
  readonly posts?: boolean
}

/** Deletes records. What is gone is done. */
export interface Unlink<D> {
  readonly _tag: "Unlink"
  readonly name: string
  readonly model: string
  records(write: Write<D>): ReadonlyArray<number>
}

/** Calls a method whose repetition changes nothing in Odoo. Nothing else may be called like this. */
export interface Invoke<D> {
  readonly _tag: "Invoke"
  readonly name: string
  readonly model: string
  readonly method: string
  /** Database ids; none: nothing is called. */
  records(write: Write<D>): ReadonlyArray<number>
  args?(write: Write<D>): { readonly [name: string]: Json }
  /** It makes something binding: not done in mode `drafts`. */
  readonly posts?: boolean
}

/**
 * Odoo's `load`. `create`: create-or-skip by external id (context `mode: update, noupdate: true`), what stands is left
 * as it is. `upsert`: what stands is updated with the given columns.
 */
export interface Load<D> {
  readonly _tag: "Load"
  readonly name: string
  readonly model: string
  readonly mode: "create" | "upsert"
  /**
   * Several rows when one event makes several records of the model: `ids[name]` is the first one's, `ids["<name>.1"]` the
   * next one's; a transition moves them all. None: later transitions and comparisons leave the event out.
   */
  rows(write: Write<D>): Row | ReadonlyArray<Row> | Refusal
  /** Columns whose text Odoo brings into a form of its own (a VAT number): looked at, it is the same in any form. */
  readonly rewritten?: ReadonlyArray<string>
  /** How the record is taken back when a later step is refused for good. Default: it stands and the exception names it. */
  readonly compensate?: Compensation
}

/**
 * A state change that takes a record back. Only for reasons after which the event will not come through as it is: a
 * retry finds the record in `to` and needs a person to set it back.
 */
export interface Compensation {
  /** Reasons after which it is done. */
  readonly on: ReadonlyArray<ReasonCode>
  readonly method: string
  readonly field: string
  readonly from: ReadonlyArray<string>
  readonly to: ReadonlyArray<string>
}

/**
 * A state change by a named method, called only on records that are in one of `from`; records in `to` are done already.
 * Anything else is `ODOO-UNEXPECTED-STATE`.
 */
export interface Transition<D> {
  readonly _tag: "Transition"
  readonly name: string
  readonly model: string
  /** Step whose records move. */
  readonly of: string
  readonly method: string
  readonly field: string
  readonly from: ReadonlyArray<string>
  readonly to: ReadonlyArray<string>
  /** One call at a time per lock, beyond the event's parents: `journal:12`. */
  lock?(write: Write<D>): string
  /** It makes the record binding: not done in mode `drafts`. */
  readonly posts?: boolean
  /** Fields read after the change, into `read[name]`. */
  readonly fields?: ReadonlyArray<string>
  /** The change books something on a day: not into a locked period. */
  readonly period?: Period<D>
}

/**
 * The accounting date that a transition binds. When it lies in a locked period, the entity's `latePolicy` decides: the
 * draft stands and the event becomes an exception or waits for approval, or the date is moved to the first open day, on
 * purpose. What is bound already is left alone.
 */
export interface Period<D> {
  /** Which of the company's lock dates hold. */
  readonly kind: PeriodKind
  /** Field with the accounting date. It is the record's that counts: a person may have moved it to an open day. */
  readonly field: string
  /** Many2one to the journal entry that the change makes, whose `date` Odoo would move; left out: the record itself. */
  readonly entry?: string
  /** Text field that keeps the event's own date when another one is set. */
  readonly reference: string
  /** The event's own date. Its month is what an approval names. */
  date(data: D): string
}

/** Reads fields and compares them with what the event promises, before anything binding happens. */
export interface Compare<D> {
  readonly _tag: "Compare"
  readonly name: string
  readonly model: string
  readonly of: string
  readonly code: ReasonCode
  /** By field: another code for when it is the first that differs, all before it being right. */
  readonly codes?: { readonly [field: string]: ReasonCode }
  /** Amounts are compared exactly at the currency's scale. */
  expect(write: Write<D>): { readonly [field: string]: BigDecimal.BigDecimal }
  /** Currency of the amounts. Default: the company's. */
  currency?(write: Write<D>): string
}

/** Finds a record that Odoo owns (an employee) by a field's exact value; cached per entity. None: `MASTER-DATA-MISSING`. */
export interface Find<D> {
  readonly _tag: "Find"
  readonly name: string
  readonly model: string
  readonly field: string
  value(write: Write<D>): string
}

/**
 * Matches the open items of posted documents (`account.move.line/reconcile`): of those that pay with those that are owed,
 * each as far as it goes.
 */
export interface Reconcile<D> {
  readonly _tag: "Reconcile"
  readonly name: string
  /** One call or more each, in this order; none: nothing is matched. */
  sets(write: Write<D>): ReadonlyArray<ReconcileSet>
}

/** What is matched together. */
export interface ReconcileSet {
  /** `account.payment` ids on the paying side. */
  readonly payments?: ReadonlyArray<number>
  /** `account.move` ids on the paying side: credit notes, entries for fees and write-offs. */
  readonly entries?: ReadonlyArray<number>
  /** `account.move` ids of what is paid, in the order in which it is. */
  readonly owed: ReadonlyArray<number>
  /** `account.account` id of the items. Default: receivable accounts. */
  readonly account?: number
}

export const check = <D>(step: Omit<Check<D>, "_tag">): Check<D> => ({ _tag: "Check", ...step })
export const enrich = <D>(step: Omit<Enrich<D>, "_tag">): Enrich<D> => ({ _tag: "Enrich", ...step })
export const query = <D>(step: Omit<Query<D>, "_tag">): Query<D> => ({ _tag: "Query", ...step })
export const resolve = <D>(step: Omit<Resolve<D>, "_tag">): Resolve<D> => ({ _tag: "Resolve", ...step })
export const read = <D>(step: Omit<Read<D>, "_tag">): Read<D> => ({ _tag: "Read", ...step })
export const update = <D>(step: Omit<Update<D>, "_tag">): Update<D> => ({ _tag: "Update", ...step })
export const unlink = <D>(step: Omit<Unlink<D>, "_tag">): Unlink<D> => ({ _tag: "Unlink", ...step })
export const invoke = <D>(step: Omit<Invoke<D>, "_tag">): Invoke<D> => ({ _tag: "Invoke", ...step })
export const load = <D>(step: Omit<Load<D>, "_tag">): Load<D> => ({ _tag: "Load", ...step })
export const transition = <D>(step: Omit<Transition<D>, "_tag">): Transition<D> => ({ _tag: "Transition", ...step })
export const compare = <D>(step: Omit<Compare<D>, "_tag">): Compare<D> => ({ _tag: "Compare", ...step })
export const find = <D>(step: Omit<Find<D>, "_tag">): Find<D> => ({ _tag: "Find", ...step })
export const reconcile = <D>(step: Omit<Reconcile<D>, "_tag">): Reconcile<D> => ({ _tag: "Reconcile", ...step })
