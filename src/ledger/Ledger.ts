/**
 * The port to the durable memory of what became of every event: PostgreSQL (`PgLedger.ts`) or memory
 * (`MemoryLedger.ts`). Both pass `test/ledger/Ledger.suite.ts`.
 *
 * An event's life in the ledger:
 *
 *            admit: unseen ──► (in flight, not in the ledger) ──settle──► applied | superseded | dismissed (final)
 *                                         │
 *                                         ├──settle──► waiting ──reference applied──► ready ─┐
 *                                         ├──settle──► parked  ──retried by a person──► ready ┤ delivered again
 *                                         └──settle──► behind  ──its key is free────► ready ──┘
 *
 * `waiting`, `parked`, `behind` and `ready` keep the message itself in the ledger: they hold no broker slot and do not
 * depend on the stream's retention. Every statement is fenced by the owner's epoch.
 */
import { Cause, Context, type Effect, Schema } from "effect"
import type { Message, Publication } from "../broker/Broker.ts"
import type { ReasonCode } from "../reason/Reason.ts"
import type {
  Act,
  AuditRange,
  AuditRecord,
  ChainEnd,
  FlowPause,
  Incident,
  IncidentFilter,
  Mode,
  Standing,
} from "./Governance.ts"
import type { FeedState, FeedStep, Telling } from "./Told.ts"
import type { Closing, Contribution, Window } from "./Windows.ts"

export type { Mode } from "./Governance.ts"

/** Proof of ownership: `epoch` counts the activations of `entity`; a smaller one is stale. */
export interface Fence {
  readonly entity: string
  readonly epoch: number
}

/** A business key of a flow, as other events refer to it. */
export interface Reference {
  readonly flow: string
  readonly key: string
}

/** A key that is applied with another one: a part of its record, or a bare fact. */
export interface Mark extends Reference {
  readonly record?: Pick<Mapping, "model" | "id" | "externalId">
}

export interface Claim extends Fence {
  readonly mode: Mode
  /** Per flow: every event at or below this stream sequence has a durable outcome. */
  readonly checkpoints: ReadonlyMap<string, number>
}

/** Which Odoo record a business key became. */
export interface Mapping {
  readonly model: string
  readonly id: number
  readonly externalId: string
  /** The source's sequence of the last applied event of this key; null when the source counts none. */
  readonly version: number | null
  /** Further records of the same key by role: `{"project": 12, "analytic": 7}`. */
  readonly links: Readonly<Record<string, number>>
}

export interface Question {
  readonly eventId: string
  readonly key: string
  readonly references: ReadonlyArray<Reference>
}

export interface Answer {
  /** What became of this very event before, null when unseen. */
  readonly seen: { readonly state: EventState; readonly payloadHash: string } | null
  /** The record of the event's own key. */
  readonly mapping: Mapping | null
  /**
   * Something of this key is held. Of an event that is held itself: something earlier, so that it has to stay behind.
   */
  readonly blocked: boolean
  /** The references that are applied, in the order asked; null where missing. */
  readonly references: ReadonlyArray<Mapping | null>
}

export type EventState = "applied" | "superseded" | "dismissed" | "waiting" | "parked" | "behind" | "ready"

/** What the ledger keeps of every event. */
export interface EventRecord {
  readonly eventId: string
  readonly type: string
  readonly flow: string
  readonly key: string
  /** The source's sequence, null when it counts none. */
  readonly version: number | null
  readonly streamSequence: number
  readonly storedAtMillis: number
  /** Hex SHA-256 of the canonical payload, cut to 32 digits. */
  readonly payloadHash: string
  readonly correlationId: string | null
  /** Tries so far, 1 when it went through at once. */
  readonly attempts: number
}

export type Outcome =
  | {
    readonly _tag: "Applied"
    readonly event: EventRecord
    readonly mapping: Mapping
    /** Further keys that are applied with it: whoever waits for them is released. */
    readonly marks?: ReadonlyArray<Mark>
    readonly outbox: ReadonlyArray<Publication>
    /** What publications of `outbox` tell of records in Odoo: what was told before is not sent. */
    readonly tells?: ReadonlyArray<Telling>
    /** What it adds to a window. `message`: kept if the window turns out to be closed for it. */
    readonly adds?: { readonly contribution: Contribution; readonly message: Message }
  }
  | { readonly _tag: "Superseded"; readonly event: EventRecord }
  /**
   * Seen before: counted, nothing else changes. Not even counted when it is a redelivery: the same stream sequence as
   * the event itself, or as a duplicate that is counted already.
   */
  | { readonly _tag: "Duplicate"; readonly event: EventRecord }
  | {
    readonly _tag: "Waiting"
    readonly event: EventRecord
    readonly message: Message
    readonly on: Reference
    readonly deadlineMillis: number
    /** A reason with the disposition `wait`. Default `REFERENCE-MISSING`. */
    readonly code?: ReasonCode
    readonly detail: string
  }
  | {
    readonly _tag: "Parked"
    readonly event: EventRecord
    readonly message: Message
    readonly code: ReasonCode
    readonly detail: string
  }
  | { readonly _tag: "Behind"; readonly event: EventRecord; readonly message: Message }

export interface Settlement {
  readonly outcomes: ReadonlyArray<Outcome>
  /** New checkpoints per flow. */
  readonly checkpoints: ReadonlyMap<string, number>
}

export interface Settled {
  /** Held events that this settlement made `ready`. */
  readonly released: number
}

/** A held event that is ready to go through the flow again. */
export interface HeldEvent {
  readonly eventId: string
  readonly flow: string
  readonly key: string
  readonly streamSequence: number
  readonly storedAtMillis: number
  readonly attempts: number
  readonly message: Message
}

/** An event held for people, as the exception desk lists it. */
export interface ExceptionRecord {
  readonly entity: string
  readonly flow: string
  readonly eventId: string
  readonly type: string
  readonly key: string
  readonly streamSequence: number
  readonly state: "waiting" | "parked" | "behind" | "ready"
  readonly code: ReasonCode
  readonly detail: string
  readonly attempts: number
  readonly heldSinceMillis: number
  readonly message: Message
}

/** Counters per entity and flow, kept in the same transactions as the outcomes. */
export interface Tally {
  readonly entity: string
  readonly flow: string
  readonly applied: number
  readonly superseded: number
  readonly duplicate: number
  /** Exceptions that a person gave up for good. */
  readonly dismissed: number
  /** Held now, by state. */
  readonly waiting: number
  readonly parked: number
  readonly behind: number
  readonly ready: number
  readonly checkpoint: number
  /** Stored time of the oldest held event, epoch milliseconds; null when none is held. */
  readonly oldestHeldMillis: number | null
}

export interface Ownership {
  readonly entity: string
  readonly epoch: number
  readonly owner: string
  readonly mode: Mode
  readonly claimedAtMillis: number
}

export interface OutboxRow {
  readonly id: number
  readonly publication: Publication
}

/**
 * - `Fenced`: somebody else owns the entity now. Give up the session, claim again after a pause. Never retried as it is.
 * - `Unavailable`: the database is away or gave up on the transaction: retry. A settlement may or may not have been
 *   committed; settling the same again is safe.
 * - `Refused`: the database says no (permissions, missing migration): configuration, stop and say so.
 */
export class LedgerError extends Schema.TaggedError<LedgerError>()("LedgerError", {
  reason: Schema.Literals(["Fenced", "Unavailable", "Refused"]),
  operation: Schema.String,
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect()),
}) {
  get isRetryable(): boolean {
    return this.reason === "Unavailable"
  }
}

/** Whether somebody else owning the entity is what ended it. */
export const isFenced = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some((reason) =>
    Cause.isFailReason(reason) && reason.error instanceof LedgerError && reason.error.reason === "Fenced"
  )

export class Ledger extends Context.Service<Ledger, {
  /**
   * Becomes the owner of `entity` under the next epoch. Every smaller epoch is refused from then on. `rules`: by which it writes
   * (`src/flow/rules.ts`); kept with every event that it settles.
   */
  readonly claim: (entity: string, owner: string, rules?: string) => Effect.Effect<Claim, LedgerError>
  /** What the ledger knows about events that just arrived, in the order asked. Reads only. One statement. */
  readonly admit: (
    fence: Fence,
    flow: string,
    questions: ReadonlyArray<Question>,
  ) => Effect.Effect<ReadonlyArray<Answer>, LedgerError>
  /**
   * Makes outcomes, mappings, held messages, outbox rows, counters and checkpoints durable in one transaction, all or
   * nothing. Releases what waited for the applied keys, and the first follower of each key that is free again.
   * Idempotent: the same settlement twice counts once. An event that adds to a window which is closed, and may not count in
   * a later one, is parked instead (`USAGE-LATE`).
   */
  readonly settle: (fence: Fence, settlement: Settlement) => Effect.Effect<Settled, LedgerError>
  /** Ready events of `flow`, oldest stream sequence first within a key, without `except` (those in flight already). */
  readonly ready: (
    fence: Fence,
    flow: string,
    limit: number,
    except: ReadonlyArray<string>,
  ) => Effect.Effect<ReadonlyArray<HeldEvent>, LedgerError>
  /** Those of `flows` that have ready events, in flight or not: one question for all flows of an entity that is idle. */
  readonly readyFlows: (
    fence: Fence,
    flows: ReadonlyArray<string>,
  ) => Effect.Effect<ReadonlyArray<string>, LedgerError>
  /** Turns waiting events past their deadline into exceptions (`REFERENCE-OVERDUE`); answers how many. */
  readonly expire: (fence: Fence, nowMillis: number) => Effect.Effect<number, LedgerError>
  /**
   * Makes ready whoever waits for `reference` now, and nobody who does later: for what comes and goes, like a dependency
   * beside Odoo. Answers how many.
   */
  readonly release: (fence: Fence, reference: Reference) => Effect.Effect<number, LedgerError>
  /**
   * Makes an act durable in one transaction: mode, pauses, audit trail, incidents, outbox. Idempotent by the ids of its
   * entries.
   * A mode that posts (`full`, `essential`) also makes ready what waits for the flow `mode`: drafts not yet posted.
   */
  readonly govern: (fence: Fence, act: Act) => Effect.Effect<void, LedgerError>
  /** Mode and override of an entity; null when nobody ever claimed it. */
  readonly standing: (entity: string) => Effect.Effect<Standing | null, LedgerError>
  /** Flows of an entity that people paused, by name. */
  readonly pauses: (entity: string) => Effect.Effect<ReadonlyArray<FlowPause>, LedgerError>
  /** The audit trail of an entity, oldest first unless said otherwise, beyond a position (null: from its end). */
  readonly audit: (range: AuditRange) => Effect.Effect<ReadonlyArray<AuditRecord>, LedgerError>
  /** Where the trail in the ledger begins: the last record that was archived and forgotten. */
  readonly auditAnchor: (entity: string) => Effect.Effect<ChainEnd, LedgerError>
  /** The newest record of an entity's trail that has one of these actions; null when there is none. */
  readonly lastAct: (entity: string, actions: ReadonlyArray<string>) => Effect.Effect<AuditRecord | null, LedgerError>
  /** Incidents, newest first. */
  readonly incidents: (filter: IncidentFilter) => Effect.Effect<ReadonlyArray<Incident>, LedgerError>
  /** Open windows of `flow` that may close: `closesAtMillis` is over, and nothing was counted since `quietSinceMillis`. */
  readonly dueWindows: (
    fence: Fence,
    due: {
      readonly flow: string
      readonly nowMillis: number
      readonly quietSinceMillis: number
      readonly limit: number
    },
  ) => Effect.Effect<ReadonlyArray<Window>, LedgerError>
  /** Closes windows for good and sends what they came to, all that still count as many events. Answers how many. */
  readonly closeWindows: (fence: Fence, closings: ReadonlyArray<Closing>) => Effect.Effect<number, LedgerError>
  /** How far a feed has looked, and what was told of these records. */
  readonly feed: (
    fence: Fence,
    feed: string,
    records: ReadonlyArray<number>,
  ) => Effect.Effect<FeedState, LedgerError>
  /** Moves a feed on: new contents and what is sent of them, each if nobody told of the record meanwhile. How many. */
  readonly advance: (fence: Fence, step: FeedStep) => Effect.Effect<number, LedgerError>
  /** Outbox rows not yet published, oldest first. */
  readonly outbox: (fence: Fence, limit: number) => Effect.Effect<ReadonlyArray<OutboxRow>, LedgerError>
  /** Forgets outbox rows that the broker confirmed. */
  readonly published: (fence: Fence, ids: ReadonlyArray<number>) => Effect.Effect<void, LedgerError>
  /** Counters of all entities, or of one. */
  readonly tallies: (entity?: string) => Effect.Effect<ReadonlyArray<Tally>, LedgerError>
  readonly owners: Effect.Effect<ReadonlyArray<Ownership>, LedgerError>
  /** Held events, newest first. */
  readonly exceptions: (
    filter: {
      readonly entity?: string
      readonly flow?: string
      readonly state?: ExceptionRecord["state"]
      readonly limit: number
    },
  ) => Effect.Effect<ReadonlyArray<ExceptionRecord>, LedgerError>
  /** A person's decision: `ready` (try again) or gone for good. Frees the key's followers. Answers how many changed. */
  readonly retry: (entity: string, eventIds: ReadonlyArray<string>) => Effect.Effect<number, LedgerError>
  /**
   * A person's approval of something that no event brings: whatever waits for `reference` becomes ready, now and in future.
   * `by` says who. Not fenced, in line with the owner's settlements. Idempotent. Answers how many became ready.
   */
  readonly approve: (entity: string, reference: Reference, by: string) => Effect.Effect<number, LedgerError>
  /** The same, for good. Not what is `ready`: it may be on its way into Odoo at this moment. */
  readonly dismiss: (
    entity: string,
    eventIds: ReadonlyArray<string>,
    reason: string,
  ) => Effect.Effect<number, LedgerError>
}>()("weir/ledger/Ledger") {}
