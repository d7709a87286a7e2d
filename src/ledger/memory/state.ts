/** What the ledger in memory keeps, entity by entity, and how held events move. The twin of `../sql/`. */
import { holding, type KeyMapping } from "../batch.ts"
import type { Held } from "../batch.ts"
import type { EventRecord, EventState, ExceptionRecord, Mapping, Mode, OutboxRow, Reference } from "../Ledger.ts"
import type { ModeOverride } from "../Governance.ts"
import { printable, printableOrNull } from "../text.ts"
import type { Told } from "../Told.ts"
import type { Remembered } from "./archives.ts"
import { emptyGovernance, type GovernanceState } from "./governance.ts"
import { arrive, type HistoryEntry, move } from "./history.ts"
import type { WindowState } from "./windows.ts"

export interface Lease {
  epoch: number
  owner: string
  mode: Mode
  claimedAtMillis: number
  rules: string | null
  override: ModeOverride | null
}

/** `held`: its state stands in `held`. */
export interface Known {
  readonly record: EventRecord
  state: "applied" | "superseded" | "dismissed" | "held"
  reason: string | null
  /** Of the owner that settled it. */
  rules: string | null
}

export interface HeldEntry {
  /** As it was when it was held first; a correction may name its key. */
  record: EventRecord
  message: ExceptionRecord["message"]
  readonly heldSinceMillis: number
  state: ExceptionRecord["state"]
  code: ExceptionRecord["code"]
  detail: string
  on: Reference | null
  deadlineMillis: number | null
  attempts: number
  /** Of its last cause; null: it never was an exception. */
  fingerprint: string | null
  /** When it became an exception first. */
  parkedAtMillis: number | null
  assignee: string | null
  /** What a person did last to make it go on. */
  decision: "retried" | "edited" | null
  decidedBy: string | null
  /** It is an exception again, for the cause for which it was tried again. */
  recurred: boolean
  /** The ramped retry that it was part of last. */
  redrive: number | null
}

export interface Counters {
  applied: number
  superseded: number
  duplicate: number
  dismissed: number
}

export interface EntityState {
  readonly entity: string
  lease: Lease | null
  readonly checkpoints: Map<string, number>
  readonly events: Map<string, Known>
  /** When events became final, epoch milliseconds. */
  readonly settledAt: Map<string, number>
  /** Events that were archived and dropped. */
  readonly remembered: Map<string, Remembered>
  readonly mappings: Map<string, KeyMapping>
  readonly held: Map<string, HeldEntry>
  readonly counters: Map<string, Counters>
  readonly duplicates: Set<string>
  outbox: Array<OutboxRow>
  readonly governance: GovernanceState
  history: Array<HistoryEntry>
  /** Counts what happened, and what is to be sent, over all entities. */
  readonly positions: { last: number; outbox: number }
  readonly windows: Map<string, WindowState>
  readonly told: Map<string, Told>
  /** Watermark by feed. */
  readonly feeds: Map<string, string | null>
}

export const emptyState = (entity: string, positions = { last: 0, outbox: 0 }): EntityState => ({
  entity,
  lease: null,
  checkpoints: new Map(),
  events: new Map(),
  settledAt: new Map(),
  remembered: new Map(),
  mappings: new Map(),
  held: new Map(),
  counters: new Map(),
  duplicates: new Set(),
  outbox: [],
  governance: emptyGovernance(),
  history: [],
  positions,
  windows: new Map(),
  told: new Map(),
  feeds: new Map(),
})

export const nameOf = (flow: string, key: string): string => printable(`${flow}\n${key}`)

export const mappingOf = (state: EntityState, reference: Reference): Mapping | null =>
  state.mappings.get(nameOf(reference.flow, reference.key))?.mapping ?? null

/** Of an event, with the way in which it is held. */
export const stateOf = (state: EntityState, { record, state: known }: Known): EventState =>
  known === "held" ? state.held.get(record.eventId)?.state ?? "parked" : known

export const noCounters: Readonly<Counters> = { applied: 0, superseded: 0, duplicate: 0, dismissed: 0 }

/** The counters of a flow, which exist from its first event on. */
export const countersOf = (state: EntityState, flow: string): Counters => {
  const name = printable(flow)
  const known = state.counters.get(name)
  if (known !== undefined) return known
  const fresh = { ...noCounters }
  state.counters.set(name, fresh)
  return fresh
}

export const clean = (record: EventRecord): EventRecord => ({
  ...record,
  eventId: printable(record.eventId),
  type: printable(record.type),
  flow: printable(record.flow),
  key: printable(record.key),
  payloadHash: printable(record.payloadHash),
  correlationId: printableOrNull(record.correlationId),
})

/** The order of the events of one key: by the source's sequence, then by the stream's. */
export const isBefore = (a: EventRecord, b: EventRecord): boolean => {
  const [x, y] = [a.version ?? 0, b.version ?? 0]
  if (x !== y) return x < y
  return a.streamSequence !== b.streamSequence ? a.streamSequence < b.streamSequence : a.eventId < b.eventId
}

/** Holds an event, or moves the one that is held already: since when, and the message, stay. */
export const hold = (state: EntityState, record: EventRecord, outcome: Held, nowMillis: number): void => {
  const { on, code, detail, deadlineMillis, state: next } = holding(outcome)
  const moved = { state: next, code, detail: printable(detail), on, deadlineMillis, attempts: record.attempts }
  const known = state.held.get(record.eventId)
  if (known !== undefined) return move(state, known, moved, nowMillis)
  const { subject, headers, data } = outcome.message
  const fresh: HeldEntry = {
    record,
    message: { subject: printable(subject), headers: { ...headers }, data: data.slice() },
    heldSinceMillis: nowMillis,
    ...moved,
    fingerprint: null,
    parkedAtMillis: null,
    assignee: null,
    decision: null,
    decidedBy: null,
    recurred: false,
    redrive: null,
  }
  state.held.set(record.eventId, fresh)
  arrive(state, fresh, nowMillis)
  countersOf(state, record.flow)
}

/** Waiting events whose reference is applied, by now, become ready; or those that wait for `given`, whatever it is. */
export const release = (state: EntityState, given?: Reference): number => {
  let released = 0
  for (const entry of state.held.values()) {
    if (entry.state !== "waiting" || entry.on === null) continue
    const due = given === undefined
      ? mappingOf(state, entry.on) !== null
      : entry.on.flow === printable(given.flow) && entry.on.key === printable(given.key)
    if (!due) continue
    entry.state = "ready"
    entry.deadlineMillis = null
    released++
  }
  return released
}

/** Of the keys that hold nothing but followers, the first one becomes ready. */
export const promote = (state: EntityState, touched: ReadonlySet<string>): number => {
  if (touched.size === 0) return 0
  const first = new Map<string, HeldEntry | null>()
  for (const entry of state.held.values()) {
    const name = nameOf(entry.record.flow, entry.record.key)
    if (!touched.has(name)) continue
    const known = first.get(name)
    if (entry.state !== "behind") first.set(name, null)
    else if (known === undefined || (known !== null && isBefore(entry.record, known.record))) first.set(name, entry)
  }
  let promoted = 0
  for (const entry of first.values()) {
    if (entry === null) continue
    entry.state = "ready"
    promoted++
  }
  return promoted
}
