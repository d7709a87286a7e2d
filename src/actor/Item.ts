/**
 * An event in the hands of the actor, from intake to settle.
 *
 *     intake ─► decode ─► admit ─► schedule ─► write ─► settle
 *               Item      verdict  (one per    Outcome
 *                                   key)
 */
import type { Delivery, Message } from "../broker/Broker.ts"
import type { EventSpec } from "../flow/Flow.ts"
import type { EventRecord, Mapping, Outcome, Reference } from "../ledger/Ledger.ts"
import type { ReasonCode } from "../reason/Reason.ts"

/** What is to be done with an event, as far as the ledger knew when it was asked. */
export type Verdict =
  | {
    readonly _tag: "Write"
    readonly references: ReadonlyArray<Mapping>
    /** What the plan wants to know of; null for what is not there. Left out when it is nothing. */
    readonly consulted?: ReadonlyArray<Mapping | null>
    /** What the event's own key maps to already. */
    readonly previous: Mapping | null
    /** It was applied before: the ledger has its last word, and holds nothing of it. */
    readonly again?: boolean
  }
  | { readonly _tag: "Duplicate" }
  | { readonly _tag: "Superseded" }
  | { readonly _tag: "Wait"; readonly on: Reference; readonly code: "REFERENCE-MISSING" | "ON-HOLD" }
  | {
    readonly _tag: "Park"
    readonly code: ReasonCode
    readonly detail: string
    /** Another payload has its identity: it is kept under an identity of its own. */
    readonly apart?: boolean
  }
  | { readonly _tag: "Behind" }

/** Of an event that a replay brings again, and that may have been applied before. */
export interface Replayed {
  /** Its main record is not in Odoo, whatever the ledger says. */
  readonly gone: boolean
  /** Something of it is not in Odoo or not done: its plan has to be run although the ledger has it as applied. */
  readonly undone: boolean
  /** What stands of it is a draft and gets the event's values. */
  readonly amend: boolean
  /** Its outcome is durable. */
  readonly settled: (outcome: Outcome) => void
  /** Nothing became of it here: its flow stopped. */
  readonly abandoned: () => void
}

export interface Item {
  readonly event: EventRecord
  readonly message: Message
  /** The broker's delivery; null for a held event that the ledger hands out again. */
  readonly delivery: Delivery | null
  /** The payload and how to write it; null when the message could not be understood (then `rejection` says why). */
  readonly payload: Payload | null
  readonly rejection: { readonly code: ReasonCode; readonly detail: string } | null
  /** W3C `traceparent` of the event, for the spans. */
  readonly traceparent: string | null
  readonly replay?: Replayed
  verdict: Verdict
  /** Tries of the write plan so far. */
  attempts: number
  /** The verdict is older than the last settlement of the same key: ask the ledger again before writing. */
  stale: boolean
}

export interface Payload {
  readonly spec: EventSpec<unknown>
  readonly data: unknown
  readonly references: ReadonlyArray<Reference>
  /** Keys that hold the event back while a hold on them stands. */
  readonly holds: ReadonlyArray<Reference>
  /** What the plan wants to know of if it is there. */
  readonly consults: ReadonlyArray<Reference>
  readonly parents: ReadonlyArray<string>
}
