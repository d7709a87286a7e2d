/** What the simulation knows about an event it publishes, independently of what Weir makes of it. */
import type { Publication } from "../../../src/broker/Broker.ts"
import type { ReasonCode } from "../../../src/reason/Reason.ts"

/** What a flawless event must leave in Odoo. Amounts in minor units. */
export type Effect =
  | { readonly of: "customer"; readonly name: string }
  | { readonly of: "engagement"; readonly lines: number; readonly untaxed: number }
  | { readonly of: "timesheet"; readonly hours: string }
  | { readonly of: "invoice"; readonly total: number }
  | { readonly of: "payment"; readonly amount: number; readonly invoices: ReadonlyArray<string> }

export interface Fact {
  readonly entity: string
  /** Flow that takes it; of a stray message the flow under which it is parked. */
  readonly flow: string
  /** Identity in the ledger; null when it is made of the stream sequence, because the message cannot be understood. */
  readonly eventId: string | null
  readonly key: string | null
  readonly version: number | null
  /** Tells payloads of one identity apart. */
  readonly payload: string
  readonly references: ReadonlyArray<{ readonly flow: string; readonly key: string }>
  /** Odoo records that no two calls of one owner may touch at once. */
  readonly parents: ReadonlyArray<string>
  /** The exception that it must become when nothing else is in its way; null for a flawless one. */
  readonly flaw: ReasonCode | null
  readonly effect: Effect | null
}

/** A message on its way to the stream at a moment of the simulation, in milliseconds from its start. */
export interface Posting {
  readonly _tag: "Publish"
  readonly atMillis: number
  readonly publication: Publication
  readonly fact: Fact
}
