/**
 * Runs: work over many events that a person asked for and that outlives a process, one row per run and legal entity with
 * its findings. A sibling port of `Ledger.ts` over the same database: `PgRuns.ts`, `memory/runs.ts`; both pass
 * `test/ledger/Runs.suite.ts`. Nothing here is fenced: what a run does to events goes through `Ledger`, which is.
 *
 *     gathering ─► examining ─► examined ─(a person applies)─► applying ◄──► paused
 *         │            │            │                             │  │          │
 *         └────────────┴────────────┴──────────► cancelled ◄──────┼──┴──────────┘
 *                      └────────────► failed ◄────────────────────┴─► done
 */
import { Context, type Effect } from "effect"
import type { Message } from "../broker/Broker.ts"
import type { LedgerError } from "./Ledger.ts"

export const runStates = [
  "gathering",
  "examining",
  "examined",
  "applying",
  "paused",
  "done",
  "cancelled",
  "failed",
] as const
/**
 * `gathering`: events are still being handed in. `examining`: read only. `examined`: its findings stand, nothing was
 * written. `applying`: findings are being acted on. The last three are final.
 */
export type RunState = typeof runStates[number]

/** Runs in these states are the entity's owner's to go on with. */
export const openStates: ReadonlyArray<RunState> = ["examining", "applying"]

export type RunKind = "replay" | "reconciliation" | "rebuild" | "archive"

type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }
export type RunJson = { readonly [name: string]: Json }

export interface Run {
  readonly entity: string
  /** Shared by the runs of one request over several entities. */
  readonly runId: string
  readonly kind: RunKind
  readonly state: RunState
  /** What was asked for, as its kind has it. */
  readonly request: RunJson
  readonly requestedBy: string
  readonly reason: string
  /** Who let it act on its findings; empty: nobody. */
  readonly appliedBy: string
  readonly createdAtMillis: number
  readonly changedAtMillis: number
  /** How far it is, by name. */
  readonly progress: RunJson
  /** What it found, by name. */
  readonly totals: RunJson
  /** Its report, when its kind has one. */
  readonly result: RunJson | null
  /** Why it failed, or why it does not go on; empty when all is well. */
  readonly trouble: string
}

export type NewRun = Pick<Run, "entity" | "runId" | "kind" | "state" | "request" | "requestedBy" | "reason">

export interface RunChange {
  readonly state?: RunState
  readonly progress?: RunJson
  readonly totals?: RunJson
  readonly result?: RunJson
  readonly trouble?: string
  readonly appliedBy?: string
}

/** One event of a run and what was found about it. */
export interface RunEvent {
  /** Position in the run, from 1, with gaps. */
  readonly ordinal: number
  readonly eventId: string
  readonly type: string
  readonly flow: string
  readonly key: string
  /** 0: it did not come from the stream. */
  readonly streamSequence: number
  readonly storedAtMillis: number
  /** The finding's class, as its kind has it; empty: not looked at yet. */
  readonly finding: string
  /** What else was found, as its kind has it. */
  readonly detail: RunJson
  /** Kept while it may be acted on. */
  readonly message: Message | null
  /** What became of it when it was acted on; null: nothing yet. */
  readonly outcome: string | null
}

export interface Conclusion {
  readonly ordinal: number
  readonly outcome: string
  /** Replaces what was found, when given. */
  readonly detail?: RunJson
}

export class Runs extends Context.Service<Runs, {
  /** Keeps a new run. False: one of that entity and id is there already, and stays as it is. */
  readonly open: (run: NewRun) => Effect.Effect<boolean, LedgerError>
  readonly run: (entity: string, runId: string) => Effect.Effect<Run | null, LedgerError>
  /** Newest first; `before`: those created before a run of the page before. */
  readonly runs: (filter: {
    readonly entity?: string
    /** Of these only. */
    readonly entities?: ReadonlyArray<string>
    readonly runId?: string
    readonly kind?: RunKind
    readonly states?: ReadonlyArray<RunState>
    readonly before?: Pick<Run, "createdAtMillis" | "runId" | "entity">
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<Run>, LedgerError>
  /** Changes a run that is in one of `from`, and answers it as it is then; null when it is not. Atomic. */
  readonly change: (
    entity: string,
    runId: string,
    from: ReadonlyArray<RunState>,
    change: RunChange,
  ) => Effect.Effect<Run | null, LedgerError>
  /** Keeps events of a run; those of the same ordinals are replaced. */
  readonly keep: (entity: string, runId: string, events: ReadonlyArray<RunEvent>) => Effect.Effect<void, LedgerError>
  /** Events in their order after an ordinal; `pending`: those with a message that nothing became of yet. */
  readonly events: (filter: {
    readonly entity: string
    readonly runId: string
    readonly after: number
    readonly findings?: ReadonlyArray<string>
    readonly pending?: boolean
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<RunEvent>, LedgerError>
  /** Notes what became of events and lets go of their messages. */
  readonly conclude: (
    entity: string,
    runId: string,
    conclusions: ReadonlyArray<Conclusion>,
  ) => Effect.Effect<void, LedgerError>
  /** Forgets final runs that were changed last before a time, with their events, at most `limit`. Answers how many. */
  readonly forget: (beforeMillis: number, limit: number) => Effect.Effect<number, LedgerError>
}>()("weir/ledger/Runs") {}
