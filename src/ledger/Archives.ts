/**
 * What may leave the ledger, what has left it, and the leaving itself. A sibling port of `Ledger.ts` over the same
 * database: `PgArchives.ts`, `memory/archives.ts`; both pass `test/ledger/Archives.suite.ts`. Nothing here is fenced:
 * what may leave never changes again, and leaving twice is leaving once.
 *
 *     row ──(its time is over)──► page ──► a file, written and verified ──► recorded ──► dropped
 *
 * | kind          | rows                                             | may leave when                                                    |
 * | ------------- | ------------------------------------------------ | ----------------------------------------------------------------- |
 * | `events`      | what became of events                            | applied, superseded or dismissed, and below the checkpoint         |
 * | `exceptions`  | the history of exceptions                        | the event is held no more                                         |
 * | `corrections` | corrections, with the payloads before and after  | decided, and the event is held no more                            |
 * | `audit`       | the trail of a legal entity, from its first on   | not the last record, nor the last act about a close or any after  |
 * | `runs`        | replays, proofs, rebuilds, archivings            | over                                                              |
 *
 * Never: what is held, which record a business key is, checkpoints, counters, windows, what others were told, incidents.
 *
 * An event that leaves is remembered: a row of some forty bytes says what became of it and of which payload, so that
 * the same event is a duplicate however much later it comes.
 */
import { Context, type Effect } from "effect"
import type { LedgerError } from "./Ledger.ts"
import type { RunJson } from "./Runs.ts"

export const archiveKinds = ["events", "exceptions", "corrections", "audit", "runs"] as const
export type ArchiveKind = typeof archiveKinds[number]

/** Rows of one kind. Times are epoch milliseconds: of storing for events, of happening for the others. */
export interface Leavers {
  readonly entity: string
  readonly kind: ArchiveKind
  /** Older than this; events also settled before. */
  readonly beforeMillis: number
}

/** One month of them: `fromMillis` inclusive, `toMillis` exclusive. */
export interface LeaversOfMonth extends Leavers {
  readonly fromMillis: number
  readonly toMillis: number
}

/** A row that may leave. */
export interface Leaver {
  /** Unique within entity and kind; of the trail its sequence. */
  readonly id: string
  readonly atMillis: number
  /** All of it. */
  readonly row: RunJson
}

/** A file that was written. */
export interface Archive {
  readonly entity: string
  readonly kind: ArchiveKind
  /** File name without its folder and suffix; unique within entity and kind. */
  readonly name: string
  readonly rows: number
  readonly bytes: number
  /** Hex SHA-256 of its content. */
  readonly sha256: string
  /** Time of the oldest and of the youngest row. */
  readonly fromMillis: number
  readonly toMillis: number
  readonly writtenAtMillis: number
  /** When the last of its rows had left the ledger; null: not all of them yet. */
  readonly droppedAtMillis: number | null
}

export type ArchivePlace = Pick<Archive, "writtenAtMillis" | "entity" | "kind" | "name">

/** `YYYY-MM` of UTC, and how many. */
export interface Month {
  readonly month: string
  readonly rows: number
}

export class Archives extends Context.Service<Archives, {
  /** How many rows may leave, by month, oldest first. Reads all rows of the entity and kind. */
  readonly months: (leavers: Leavers) => Effect.Effect<ReadonlyArray<Month>, LedgerError>
  /** Rows of a month in the order of their ids after one (empty: from the first). */
  readonly page: (
    leavers: LeaversOfMonth,
    after: string,
    limit: number,
  ) => Effect.Effect<ReadonlyArray<Leaver>, LedgerError>
  /** Those of `ids` that may leave, of kind `events`; in no order. */
  readonly byId: (
    leavers: LeaversOfMonth,
    ids: ReadonlyArray<string>,
  ) => Effect.Effect<ReadonlyArray<Leaver>, LedgerError>
  /** Enters a file. One of its name that is there already stays as it is. */
  readonly record: (archive: Omit<Archive, "writtenAtMillis" | "droppedAtMillis">) => Effect.Effect<void, LedgerError>
  /**
   * Lets rows go; what may not leave, or has left, is passed over. Answers how many went. Of the trail they must be its
   * first records without a gap: otherwise `Refused`, and all stay.
   */
  readonly drop: (entity: string, kind: ArchiveKind, ids: ReadonlyArray<string>) => Effect.Effect<number, LedgerError>
  /** All rows of the file have left. */
  readonly dropped: (archive: Pick<Archive, "entity" | "kind" | "name">) => Effect.Effect<void, LedgerError>
  /** Newest first, after a place. */
  readonly list: (filter: {
    readonly entity?: string
    /** Of these only. */
    readonly entities?: ReadonlyArray<string>
    readonly kind?: ArchiveKind
    /** Those of which not all rows have left. */
    readonly pending?: boolean
    readonly after?: ArchivePlace
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<Archive>, LedgerError>
}>()("weir/ledger/Archives") {}
