/**
 * What the ledger knows, for whoever is not the owner of an entity: it reads, and needs no fence. What it answers may be
 * outdated in the next moment. A sibling port of `Ledger.ts` over the same database: `PgRecall.ts`, `memory/recall.ts`;
 * both pass `test/ledger/Recall.suite.ts`.
 */
import { Context, type Effect } from "effect"
import type { Answer, EventRecord, EventState, LedgerError, Question } from "./Ledger.ts"

/** An event as the ledger has it. Of one that was archived and dropped only id, state, payload and message are known. */
export interface Recollection extends EventRecord {
  readonly state: EventState
  /** The rules of the owner that settled it; null: it did not say. */
  readonly rules: string | null
}

export class Recall extends Context.Service<Recall, {
  /** As `Ledger.admit` answers its owner, in the order asked. One statement. */
  readonly answers: (
    entity: string,
    flow: string,
    questions: ReadonlyArray<Question>,
  ) => Effect.Effect<ReadonlyArray<Answer>, LedgerError>
  /**
   * Events that the broker stored within a time, `fromMillis` inclusive, `toMillis` exclusive, in order of their ids after
   * `after` (empty: from the first). A page may take as long as reading all events of the entity.
   */
  readonly events: (range: {
    readonly entity: string
    readonly fromMillis: number
    readonly toMillis: number
    readonly after: string
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<Recollection>, LedgerError>
  /** Those of `eventIds` that the ledger has, in no order. */
  readonly byId: (
    entity: string,
    eventIds: ReadonlyArray<string>,
  ) => Effect.Effect<ReadonlyArray<Recollection>, LedgerError>
}>()("weir/ledger/Recall") {}
