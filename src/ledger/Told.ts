/**
 * What others were told of records that people change in Odoo too: the last content of each, so that a change is told once
 * and our own are not told back (R8, R29); and how far a feed has looked.
 *
 *     a flow writes a record and tells it ──┐
 *                                           ├──► told: content, revision      (one transaction with what is sent)
 *     a feed sees another content ──────────┘
 */
import type { Publication } from "../broker/Broker.ts"

/** What a publication tells of a record. */
export interface Telling {
  /** Name of the feed that looks after such records: `invoices`. */
  readonly feed: string
  /** Database id in Odoo. */
  readonly record: number
  /** What matters of it, as canonical text. Told before: the publication is not sent. */
  readonly content: string
  /** Business key of a record that Weir wrote, null for one of a person's. */
  readonly key: string | null
  /** `messageId` of the publication. */
  readonly messageId: string
}

/** What was told last. */
export interface Told {
  readonly content: string
  /** How often something was told of the record. */
  readonly revision: number
  readonly key: string | null
  /** Of the event that wrote the record first. */
  readonly correlationId: string | null
  readonly causationId: string | null
}

/** A content that a feed has seen. */
export interface Change {
  readonly record: number
  readonly content: string
  /** What was known when it was compared: another revision since, and nothing happens. 0: nothing was told yet. */
  readonly revision: number
  readonly key: string | null
  /** Null: only noted. */
  readonly publication: Publication | null
}

export interface FeedStep {
  readonly feed: string
  /** How far the feed has looked, Odoo's time: `2026-11-22 05:51:47`. Never goes back. Null: as it was. */
  readonly watermark: string | null
  readonly changes: ReadonlyArray<Change>
}

export interface FeedState {
  /** Null before the first step. */
  readonly watermark: string | null
  /** By record; nothing was told of those that are missing. */
  readonly told: ReadonlyMap<number, Told>
}
