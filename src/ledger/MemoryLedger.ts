/**
 * The ledger in memory: for simulations on virtual time and for tests. Atomic by nature, shared by all owners that get
 * the same instance, gone with the process. On demand it fails like a database: before a call took effect, or after.
 */
import { Context, Effect, Layer } from "effect"
import { Access } from "./Access.ts"
import { Amendments } from "./Amendments.ts"
import { Archives } from "./Archives.ts"
import { Desk } from "./Desk.ts"
import { type EventState, Ledger, type Tally } from "./Ledger.ts"
import { Recall } from "./Recall.ts"
import { Runs } from "./Runs.ts"
import { makeAccess } from "./memory/access.ts"
import { answersIn } from "./memory/admit.ts"
import { makeAmendments } from "./memory/amendments.ts"
import { makeArchives } from "./memory/archives.ts"
import { dismiss, retry } from "./memory/decide.ts"
import { makeDesk } from "./memory/desk.ts"
import { move } from "./memory/history.ts"
import { makeRedrives } from "./memory/redrives.ts"
import { CHAIN_BEGIN } from "./Governance.ts"
import { auditOf, govern, incidentsOf } from "./memory/governance.ts"
import { settle } from "./memory/settle.ts"
import { advance, feedOf } from "./memory/told.ts"
import { close, due } from "./memory/windows.ts"
import { type EntityState, type HeldEntry, type Known, nameOf, noCounters, release, stateOf } from "./memory/state.ts"
import type { KeyMapping } from "./batch.ts"
import { makeRecall } from "./memory/recall.ts"
import { makeRuns } from "./memory/runs.ts"
import { type Fault, Store } from "./memory/Store.ts"
import { Redrives } from "./Redrives.ts"
import { printable } from "./text.ts"

export type { Fault } from "./memory/Store.ts"

/** All that an entity's ledger holds, to be compared with what should be. */
export interface Inspection {
  readonly entity: string
  readonly events: ReadonlyArray<Omit<Known, "state"> & { readonly state: EventState }>
  readonly mappings: ReadonlyArray<KeyMapping>
  readonly held: ReadonlyArray<Readonly<HeldEntry>>
  readonly checkpoints: ReadonlyMap<string, number>
}

/** The port itself, and the handle by which a test or a simulation holds it. */
export class MemoryLedger extends Context.Service<MemoryLedger, {
  readonly ledger: typeof Ledger.Service
  readonly access: typeof Access.Service
  readonly recall: typeof Recall.Service
  readonly runs: typeof Runs.Service
  readonly desk: typeof Desk.Service
  readonly amendments: typeof Amendments.Service
  readonly redrives: typeof Redrives.Service
  readonly archives: typeof Archives.Service
  /** The next `count` calls (of `operation`, for example `settle`, or of any) fail as `Unavailable`. Adds up. */
  readonly failNext: (count: number, fault: Fault, operation?: string) => Effect.Effect<void>
  readonly inspect: Effect.Effect<ReadonlyArray<Inspection>>
}>()("weir/ledger/MemoryLedger") {}

const exceptionOf = (
  entity: string,
  { record, message, heldSinceMillis, state, code, detail, attempts }: HeldEntry,
) => ({
  entity,
  flow: record.flow,
  eventId: record.eventId,
  type: record.type,
  key: record.key,
  streamSequence: record.streamSequence,
  state,
  code,
  detail,
  attempts,
  heldSinceMillis,
  message,
})

const talliesOf = (entity: string, state: EntityState): ReadonlyArray<Tally> =>
  [...new Set([...state.counters.keys(), ...state.checkpoints.keys()])].toSorted().map((flow) => {
    const held = [...state.held.values()].filter((entry) => entry.record.flow === flow)
    const count = (name: HeldEntry["state"]) => held.filter((entry) => entry.state === name).length
    return {
      entity,
      flow,
      ...state.counters.get(flow) ?? noCounters,
      waiting: count("waiting"),
      parked: count("parked"),
      behind: count("behind"),
      ready: count("ready"),
      checkpoint: state.checkpoints.get(flow) ?? 0,
      oldestHeldMillis: held.length === 0
        ? null
        : held.reduce((oldest, entry) => Math.min(oldest, entry.record.storedAtMillis), Infinity),
    }
  })

export const make: Effect.Effect<typeof MemoryLedger.Service> = Effect.sync(() => {
  const store = new Store()
  const { call, entities, of, owned } = store
  const nextOutboxId = () => ++store.positions.outbox

  const ledger = Ledger.of({
    claim: (entity, owner, rules = undefined) =>
      call("claim", (now) => {
        const state = of(entity)
        const epoch = (state.lease?.epoch ?? 0) + 1
        const mode = state.lease?.mode ?? "full"
        state.lease = {
          epoch,
          owner,
          mode,
          claimedAtMillis: now,
          rules: rules ?? null,
          override: state.lease?.override ?? null,
        }
        return { entity, epoch, mode, checkpoints: new Map(state.checkpoints) }
      }),
    admit: (fence, flow, questions) => owned("admit", fence, (state) => answersIn(state, flow, questions)),
    settle: (fence, settlement) => owned("settle", fence, (state, now) => settle(state, settlement, now, nextOutboxId)),
    ready: (fence, flow, limit, except) =>
      owned("ready", fence, (state) => {
        const skip = new Set(except.map(printable))
        return [...state.held.values()]
          .filter((entry) => entry.state === "ready" && entry.record.flow === flow && !skip.has(entry.record.eventId))
          .toSorted((a, b) => a.record.streamSequence - b.record.streamSequence)
          .slice(0, limit)
          .map(({ record, attempts, message }) => ({
            eventId: record.eventId,
            flow: record.flow,
            key: record.key,
            streamSequence: record.streamSequence,
            storedAtMillis: record.storedAtMillis,
            attempts,
            message,
          }))
      }),
    readyFlows: (fence, flows) =>
      owned("readyFlows", fence, (state) => {
        const ready = new Set<string>()
        for (const { record, state: stands } of state.held.values()) if (stands === "ready") ready.add(record.flow)
        return flows.filter((flow) => ready.has(flow))
      }),
    expire: (fence, nowMillis) =>
      owned("expire", fence, (state, now) => {
        const due = [...state.held.values()].filter((entry) =>
          entry.state === "waiting" && entry.deadlineMillis !== null && entry.deadlineMillis < nowMillis
        )
        for (const entry of due) move(state, entry, { state: "parked", code: "REFERENCE-OVERDUE" }, now)
        return due.length
      }),
    govern: (fence, act) => owned("govern", fence, (state, now) => govern(state, fence.entity, act, now, nextOutboxId)),
    standing: (entity) =>
      call("standing", () => {
        const lease = entities.get(entity)?.lease ?? null
        return lease === null ? null : { mode: lease.mode, override: lease.override }
      }),
    pauses: (entity) => call("pauses", () => entities.get(entity)?.governance.pauses ?? []),
    audit: (range) => call("audit", () => auditOf(entities.get(range.entity)?.governance, range)),
    auditAnchor: (entity) => call("auditAnchor", () => entities.get(entity)?.governance.anchor ?? CHAIN_BEGIN),
    lastAct: (entity, actions) =>
      call(
        "lastAct",
        () => (entities.get(entity)?.governance.audit ?? []).findLast(({ action }) => actions.includes(action)) ?? null,
      ),
    incidents: (filter) => call("incidents", () => incidentsOf(entities, filter)),
    dueWindows: (fence, range) => owned("dueWindows", fence, (state) => due(state, range)),
    closeWindows: (fence, closings) => owned("closeWindows", fence, (state) => close(state, closings, nextOutboxId)),
    feed: (fence, feed, records) => owned("feed", fence, (state) => feedOf(state, feed, records)),
    advance: (fence, step) => owned("advance", fence, (state) => advance(state, step, nextOutboxId)),
    outbox: (fence, limit) => owned("outbox", fence, (state) => state.outbox.slice(0, limit)),
    published: (fence, ids) =>
      owned("published", fence, (state) => {
        const gone = new Set(ids)
        state.outbox = state.outbox.filter((row) => !gone.has(row.id))
      }),
    tallies: (only) =>
      call("tallies", () =>
        [...entities].filter(([entity]) => only === undefined || entity === only)
          .toSorted(([a], [b]) => a < b ? -1 : 1)
          .flatMap(([entity, state]) => talliesOf(entity, state))),
    owners: call("owners", () =>
      [...entities].toSorted(([a], [b]) => a < b ? -1 : 1)
        .flatMap(([entity, { lease }]) => {
          if (lease === null) return []
          const { claimedAtMillis, epoch, mode, owner } = lease
          return [{ entity, epoch, owner, mode, claimedAtMillis }]
        })),
    exceptions: (filter) =>
      call(
        "exceptions",
        () =>
          [...entities].flatMap(([entity, { held }]) => [...held.values()].map((entry) => exceptionOf(entity, entry)))
            .filter((one) =>
              (filter.entity === undefined || one.entity === filter.entity) &&
              (filter.flow === undefined || one.flow === filter.flow) &&
              (filter.state === undefined || one.state === filter.state)
            )
            .toSorted((a, b) => b.heldSinceMillis - a.heldSinceMillis || b.streamSequence - a.streamSequence)
            .slice(0, filter.limit),
      ),
    retry: (entity, eventIds) => call("retry", (now) => retry(of(entity), eventIds, now)),
    release: (fence, reference) => owned("release", fence, (state) => release(state, reference)),
    approve: (entity, { flow, key }, by) =>
      call("approve", () => {
        const state = of(entity)
        const name = nameOf(flow, key)
        if (!state.mappings.has(name)) {
          const mapping = { model: "approval", id: 0, externalId: printable(by), version: null, links: {} }
          state.mappings.set(name, { flow: printable(flow), key: printable(key), mapping })
        }
        return release(state)
      }),
    dismiss: (entity, eventIds, reason) =>
      call("dismiss", (now) => dismiss(of(entity), eventIds, { actor: "operator", reason }, now)),
  })

  return MemoryLedger.of({
    ledger,
    access: makeAccess(store),
    recall: makeRecall(store),
    runs: makeRuns(store),
    desk: makeDesk(store),
    amendments: makeAmendments(store),
    redrives: makeRedrives(store),
    archives: makeArchives(store),
    failNext: (count, fault, operation) => Effect.sync(() => store.plan(count, fault, operation)),
    inspect: Effect.sync(() =>
      [...entities].map(([entity, state]) => ({
        entity,
        events: [...state.events.values()].map((known) => ({ ...known, state: stateOf(state, known) })),
        mappings: [...state.mappings.values()],
        held: [...state.held.values()].map((entry) => ({ ...entry })),
        checkpoints: new Map(state.checkpoints),
      }))
    ),
  })
})

/** The handle and the ports. */
export type Ports = Ledger | Access | Desk | Amendments | Redrives | Recall | Runs | Archives

export const layer: Layer.Layer<MemoryLedger | Ports> = Layer.effectContext(
  Effect.map(make, (handle) =>
    Context.make(MemoryLedger, handle).pipe(
      Context.add(Ledger, handle.ledger),
      Context.add(Access, handle.access),
      Context.add(Recall, handle.recall),
      Context.add(Runs, handle.runs),
      Context.add(Desk, handle.desk),
      Context.add(Amendments, handle.amendments),
      Context.add(Redrives, handle.redrives),
      Context.add(Archives, handle.archives),
    )),
)
