/**
 * Corrections of events that became exceptions: what a person changes in the payload before it is tried again. A sibling
 * port of `Desk.ts`; `PgAmendments.ts` and `memory/amendments.ts` pass `test/ledger/Amendments.suite.ts`.
 *
 *     proposed ──(moves no money, or a second person)──► applied: the exception is ready with the new message
 *         ├──► rejected
 *         └──► outdated   the exception is gone, its message another one, or a newer proposal took its place
 *
 * The message as it came is kept with the amendment.
 */
import { Context, type Effect } from "effect"
import type { LedgerError } from "./Ledger.ts"

export type AmendmentState = "proposed" | "applied" | "rejected" | "outdated"

export type JsonValue = null | boolean | number | string | ReadonlyArray<JsonValue> | {
  readonly [key: string]: JsonValue
}

/** One field that is another one afterwards; undefined where it is absent. */
export interface FieldChange {
  /** `totals.total`, `lines.0.unitPrice` */
  readonly path: string
  readonly from?: JsonValue
  readonly to?: JsonValue
  readonly classification: "personal" | "financial" | "secret" | null
}

export interface Amendment {
  readonly id: number
  readonly entity: string
  readonly eventId: string
  readonly state: AmendmentState
  readonly changes: ReadonlyArray<FieldChange>
  /** It moves money: whoever proposed it must not approve it. */
  readonly financial: boolean
  readonly reason: string
  readonly proposedBy: string
  readonly proposedAtMillis: number
  readonly decidedBy: string | null
  readonly decidedAtMillis: number | null
  readonly decidedReason: string | null
}

export interface Proposal {
  readonly entity: string
  readonly eventId: string
  /** Hex SHA-256 of the message's data that was corrected. */
  readonly baseHash: string
  readonly data: Uint8Array
  /** Business key of the corrected event: another one only where the key could not be read before. */
  readonly key: string
  readonly changes: ReadonlyArray<FieldChange>
  readonly financial: boolean
  readonly reason: string
  readonly by: string
}

/** `NoException`: there is none of that id (any more). `Changed`: its message is another one by now. */
export type Proposed =
  | { readonly _tag: "Proposed"; readonly id: number; readonly applied: boolean }
  | { readonly _tag: "NoException" }
  | { readonly _tag: "Changed" }

/**
 * - `none`: no such amendment. `decided`: it was decided before.
 * - `same-person`: it moves money, and who decides is who proposed it.
 * - `gone`, `changed`: it is outdated; the exception is none any more, or has another message.
 */
export type Verdict = "applied" | "rejected" | "none" | "decided" | "same-person" | "gone" | "changed"

export class Amendments extends Context.Service<Amendments, {
  /** Applies it at once when it moves no money. Takes the place of an open one of the same exception. */
  readonly propose: (proposal: Proposal) => Effect.Effect<Proposed, LedgerError>
  readonly decide: (
    id: number,
    decision: { readonly apply: boolean; readonly by: string; readonly reason: string },
  ) => Effect.Effect<Verdict, LedgerError>
  readonly one: (id: number) => Effect.Effect<Amendment | null, LedgerError>
  /** Newest first, before an id (null: from the newest). */
  readonly list: (
    filter: {
      readonly entities: ReadonlyArray<string> | null
      readonly state?: AmendmentState
      readonly before: number | null
      readonly limit: number
    },
  ) => Effect.Effect<ReadonlyArray<Amendment>, LedgerError>
}>()("weir/ledger/Amendments") {}
