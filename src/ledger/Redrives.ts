/**
 * Groups of exceptions that are tried again in growing steps: one first, and the next ones only when it went through. A
 * sibling port of `Desk.ts`; `PgRedrives.ts` and `memory/redrives.ts` pass `test/ledger/Redrives.suite.ts`.
 *
 *     running ──step──► 1 ──► 2 ──► 5 ──► 20 … ──► finished   none is left
 *        │                └── the same failure came again, or nothing of a step went through ──► stopped
 *        └── a person ──► cancelled
 *
 * A run is a row, not a fiber: whoever steps it next goes on where it stands. It covers what was an exception when it
 * began; what comes up meanwhile, or comes up again, it leaves alone.
 */
import { Context, type Effect } from "effect"
import type { ReasonCode } from "../reason/Reason.ts"
import type { LedgerError } from "./Ledger.ts"

export type RedriveState = "running" | "finished" | "stopped" | "cancelled"

/** What of an entity is tried again: all that fits. */
export interface RedriveScope {
  readonly entity: string
  readonly flow: string | null
  readonly code: ReasonCode | null
  readonly fingerprint: string | null
}

export interface Redrive extends RedriveScope {
  readonly id: number
  readonly state: RedriveState
  /** Why it ended; empty while it runs. */
  readonly said: string
  readonly reason: string
  readonly startedBy: string
  readonly startedAtMillis: number
  readonly endedAtMillis: number | null
  /** Steps so far, and how many exceptions the last one had. */
  readonly step: number
  readonly stepSize: number
  readonly retried: number
  /** Of the retried ones: on their way now. */
  readonly pending: number
  /** Exceptions again, with the same cause. */
  readonly recurred: number
  /** Not through for another cause: exceptions again, or waiting for a reference or behind another event. */
  readonly otherwise: number
}

/** `pending`: something of the last step is on its way. `stepped`: the next step began. */
export type Stepped = "pending" | "stepped" | RedriveState

export class Redrives extends Context.Service<Redrives, {
  readonly start: (scope: RedriveScope, by: string, reason: string) => Effect.Effect<number, LedgerError>
  /**
   * The next step of a run, when the last one has ended. `sizes`: exceptions of the first, second … step; the last one
   * counts for all further ones. Safe to be called by many at the same time.
   */
  readonly step: (id: number, sizes: ReadonlyArray<number>) => Effect.Effect<Stepped, LedgerError>
  /** No further step. False: it does not run (any more). What is on its way goes on. */
  readonly cancel: (id: number, by: string) => Effect.Effect<boolean, LedgerError>
  readonly one: (id: number) => Effect.Effect<Redrive | null, LedgerError>
  /** Newest first, before an id (null: from the newest). */
  readonly list: (
    filter: {
      readonly entities: ReadonlyArray<string> | null
      readonly state?: RedriveState
      readonly before: number | null
      readonly limit: number
    },
  ) => Effect.Effect<ReadonlyArray<Redrive>, LedgerError>
}>()("weir/ledger/Redrives") {}
