/**
 * Exceptions, as people work through them. A sibling port of `Ledger.ts` over the same held events: `PgDesk.ts`,
 * `memory/desk.ts`; both pass `test/ledger/Desk.suite.ts`. Nothing here is fenced: decisions are in line with the owner's
 * settlements by the lock on the lease.
 *
 * An exception's life, and what its history keeps of it (append-only; no statement that changes a held event can forget
 * it):
 *
 *                   ┌── retried, edited ──► (ready) ──┬──► resolved      applied, superseded
 *     raised ──► parked ◄── recurred, raised again ───┘
 *                   ├── assigned, noted, proposed, rejected
 *                   └── dismissed
 */
import { Context, type Effect } from "effect"
import type { Message } from "../broker/Broker.ts"
import type { ReasonCode } from "../reason/Reason.ts"
import type { EventState, LedgerError, Mapping, Reference } from "./Ledger.ts"

/** One held event in a list: an exception, or one that waits. */
export interface ExceptionRow {
  readonly entity: string
  readonly flow: string
  readonly eventId: string
  readonly type: string
  readonly key: string
  readonly streamSequence: number
  readonly state: "parked" | "waiting"
  readonly code: ReasonCode
  readonly detail: string
  /** Names the cause: the same for all exceptions that differ in numbers, names and ids only. Null while it waits. */
  readonly fingerprint: string | null
  readonly attempts: number
  readonly heldSinceMillis: number
  readonly assignee: string | null
  /** What it waits for, and until when. */
  readonly waitsFor: Reference | null
  readonly deadlineMillis: number | null
}

/** Where a list goes on: newest first, then by entity and event. */
export type ExceptionPlace = Pick<ExceptionRow, "heldSinceMillis" | "entity" | "eventId">

export interface ExceptionFilter {
  readonly state: ExceptionRow["state"]
  /** Null: all. */
  readonly entities: ReadonlyArray<string> | null
  readonly flow?: string
  readonly codes?: ReadonlyArray<ReasonCode>
  readonly fingerprint?: string
  readonly key?: string
  readonly assignee?: string
}

/** Exceptions that have entity, flow, code and cause in common. */
export interface ExceptionGroup {
  readonly entity: string
  readonly flow: string
  readonly code: ReasonCode
  readonly fingerprint: string
  /** The cause without what differs. */
  readonly cause: string
  readonly count: number
}

export type HistoryAction =
  | "raised"
  | "recurred"
  | "retried"
  | "edited"
  | "proposed"
  | "rejected"
  | "assigned"
  | "noted"
  | "resolved"
  | "dismissed"

export interface HistoryRow {
  /** In the order of what happened. */
  readonly position: number
  readonly atMillis: number
  /** A person, or `weir`. */
  readonly actor: string
  readonly action: HistoryAction
  readonly code: ReasonCode
  readonly fingerprint: string | null
  readonly detail: { readonly [name: string]: string | number | boolean | null }
}

/** Everything about one event that is, or was, an exception. */
export interface ExceptionFile {
  readonly row: Omit<ExceptionRow, "state"> & { readonly state: EventState }
  /** Null when it is held no more: the message is in the stream only. */
  readonly message: Message | null
  readonly version: number | null
  readonly storedAtMillis: number
  readonly payloadHash: string
  readonly correlationId: string | null
  /** The record of its business key, when an event of it was applied. */
  readonly mapping: Mapping | null
  /** Later events of its key that are held behind it. */
  readonly followers: { readonly count: number; readonly first: ReadonlyArray<string> }
}

/** How an exception ended, or did not: what recommendations are learned from. */
export interface Resolution {
  readonly entity: string
  readonly eventId: string
  readonly atMillis: number
  /** Who decided last before it ended. */
  readonly by: string
  /**
   * - `retried`, `edited`: it went through after that.
   * - `recurred`: the same failure after a retry or an edit.
   * - `dismissed`
   * - `itself`: nobody did anything: the stream brought what it needed, or it again.
   */
  readonly how: "retried" | "edited" | "recurred" | "dismissed" | "itself"
}

/** Who decides, and why. */
export interface Decision {
  readonly actor: string
  readonly reason: string
}

export class Desk extends Context.Service<Desk, {
  /** A page of held events, newest first, after a place. Its cost does not grow with their number. */
  readonly list: (
    filter: ExceptionFilter,
    page: { readonly after: ExceptionPlace | null; readonly limit: number },
  ) => Effect.Effect<ReadonlyArray<ExceptionRow>, LedgerError>
  /** Groups of exceptions, largest first, `limit` at most. Counted as they come and go: no exception is read. */
  readonly groups: (
    filter: Omit<ExceptionFilter, "state" | "key" | "assignee">,
    limit: number,
  ) => Effect.Effect<ReadonlyArray<ExceptionGroup>, LedgerError>
  /** Null: the ledger knows no such event, or it never was an exception. */
  readonly file: (entity: string, eventId: string) => Effect.Effect<ExceptionFile | null, LedgerError>
  /** Oldest first, the last `limit` rows. */
  readonly history: (
    entity: string,
    eventId: string,
    limit: number,
  ) => Effect.Effect<ReadonlyArray<HistoryRow>, LedgerError>
  /** How exceptions of this cause ended before, newest first. */
  readonly resolutions: (
    fingerprint: string,
    entities: ReadonlyArray<string> | null,
    limit: number,
  ) => Effect.Effect<ReadonlyArray<Resolution>, LedgerError>
  /** Gives exceptions to somebody, or back to nobody. Answers how many there were. */
  readonly assign: (
    entity: string,
    eventIds: ReadonlyArray<string>,
    assignee: string | null,
    actor: string,
  ) => Effect.Effect<number, LedgerError>
  /** A word for whoever looks next. False: it is no exception. */
  readonly note: (entity: string, eventId: string, actor: string, text: string) => Effect.Effect<boolean, LedgerError>
  /** `Ledger.retry`, by somebody. Answers how many changed. */
  readonly retry: (
    entity: string,
    eventIds: ReadonlyArray<string>,
    decision: Decision,
  ) => Effect.Effect<number, LedgerError>
  /** `Ledger.dismiss`, by somebody. Answers how many changed. */
  readonly dismiss: (
    entity: string,
    eventIds: ReadonlyArray<string>,
    decision: Decision,
  ) => Effect.Effect<number, LedgerError>
}>()("weir/ledger/Desk") {}
