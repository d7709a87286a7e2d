/** `Archives` in memory, step by step as `../sql/archives.ts`. */
import { type Archive, type ArchiveKind, Archives, type Leaver, type Leavers } from "../Archives.ts"
import { LedgerError } from "../Ledger.ts"
import type { RunJson, RunState } from "../Runs.ts"
import { printable } from "../text.ts"
import { type EntityState, stateOf } from "./state.ts"
import type { Store } from "./Store.ts"

/** What is left of an event that was dropped. */
export interface Remembered {
  readonly state: "applied" | "superseded" | "dismissed"
  readonly payloadHash: string
  readonly streamSequence: number
}

const CLOSE: ReadonlyArray<string> = ["close.begun", "close.ended"]
const finals: ReadonlyArray<RunState> = ["done", "cancelled", "failed"]

const json = (value: unknown): RunJson => value as RunJson
const base64 = (data: Uint8Array): string => Buffer.from(data).toString("base64")
const before = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0

/** Up to which record of its trail may leave. */
const trailEnd = ({ governance: { audit } }: EntityState, beforeMillis: number): number => {
  const young = audit.find(({ atMillis }) => atMillis >= beforeMillis)
  const close = audit.findLast(({ action }) => CLOSE.includes(action))
  return Math.min(...[young, close, audit.at(-1)].map((record) => (record?.sequence ?? Infinity) - 1))
}

const sources: Readonly<Record<ArchiveKind, (store: Store, leavers: Leavers) => ReadonlyArray<Leaver>>> = {
  events: ({ of }, { beforeMillis, entity }) => {
    const state = of(entity)
    return [...state.events.values()].flatMap((known) => {
      const { record, reason } = known
      const settledAtMillis = state.settledAt.get(record.eventId) ?? 0
      const may = known.state !== "held" && record.storedAtMillis < beforeMillis && settledAtMillis < beforeMillis &&
        record.streamSequence <= (state.checkpoints.get(record.flow) ?? 0)
      if (!may) return []
      const row = json({ ...record, rules: known.rules, state: stateOf(state, known), reason, settledAtMillis })
      return [{ id: record.eventId, atMillis: record.storedAtMillis, row }]
    }).toSorted((a, b) => before(a.id, b.id))
  },
  exceptions: ({ of }, { beforeMillis, entity }) => {
    const { held, history } = of(entity)
    return history.filter(({ atMillis, eventId }) => atMillis < beforeMillis && !held.has(eventId))
      .map((entry) => ({ id: String(entry.position), atMillis: entry.atMillis, row: json(entry) }))
  },
  corrections: ({ amendments, of }, { beforeMillis, entity }) =>
    amendments.flatMap(({ amendment, archived, data, key, original }) => {
      const { decidedAtMillis, entity: own, eventId, id, state } = amendment
      const may = own === entity && archived !== true && state !== "proposed" && decidedAtMillis !== null &&
        decidedAtMillis < beforeMillis && !of(entity).held.has(eventId)
      if (!may) return []
      const { entity: _, ...fields } = amendment
      const row = json({ ...fields, key, original: base64(original), corrected: base64(data) })
      return [{ id: String(id), atMillis: decidedAtMillis, row }]
    }),
  audit: ({ of }, { beforeMillis, entity }) => {
    const { audit, entryIdOf } = of(entity).governance
    const end = trailEnd(of(entity), beforeMillis)
    return audit.filter(({ sequence }) => sequence <= end).map((record) => ({
      id: String(record.sequence),
      atMillis: record.atMillis,
      row: json({ ...record, entryId: entryIdOf.get(record.sequence) ?? "" }),
    }))
  },
  runs: ({ runs }, { beforeMillis, entity }) =>
    [...runs.values()].map(({ run }) => run)
      .filter((run) => run.entity === entity && finals.includes(run.state) && run.changedAtMillis < beforeMillis)
      .toSorted((a, b) => before(a.runId, b.runId))
      .map(({ entity: _, progress: __, ...run }) => ({
        id: run.runId,
        atMillis: run.changedAtMillis,
        row: json(run),
      })),
}

const dropEvents = ({ of }: Store, entity: string, ids: ReadonlySet<string>): number => {
  const state = of(entity)
  let count = 0
  for (const id of ids) {
    const known = state.events.get(id)
    if (known === undefined || known.state === "held") continue
    const { flow, payloadHash, streamSequence } = known.record
    if (streamSequence > (state.checkpoints.get(flow) ?? 0)) continue
    state.events.delete(id)
    state.settledAt.delete(id)
    state.remembered.set(id, { state: known.state, payloadHash, streamSequence })
    count++
  }
  return count
}

const dropHistory = ({ of }: Store, entity: string, ids: ReadonlySet<string>): number => {
  const state = of(entity)
  const stays = state.history.filter(({ eventId, position }) => !ids.has(String(position)) || state.held.has(eventId))
  const count = state.history.length - stays.length
  state.history = stays
  return count
}

const dropCorrections = ({ amendments, of }: Store, entity: string, ids: ReadonlySet<string>): number => {
  let count = 0
  for (const entry of amendments) {
    const { amendment: { entity: own, eventId, id, state }, archived } = entry
    if (own !== entity || !ids.has(String(id)) || archived === true || state === "proposed") continue
    if (of(entity).held.has(eventId)) continue
    entry.archived = true
    count++
  }
  return count
}

const dropRuns = ({ runs }: Store, entity: string, ids: ReadonlySet<string>): number => {
  const gone = [...runs].filter(([, { run }]) =>
    run.entity === entity && ids.has(run.runId) && finals.includes(run.state)
  )
  for (const [name] of gone) runs.delete(name)
  return gone.length
}

const dropAudit = ({ of }: Store, entity: string, ids: ReadonlySet<string>): number | LedgerError => {
  const { governance } = of(entity)
  const last = Math.max(...[...ids].map(Number))
  const refused = (message: string) => new LedgerError({ reason: "Refused", operation: "Archives.drop", message })
  if (governance.audit.some(({ sequence }) => sequence <= last && !ids.has(String(sequence)))) {
    return refused(`the trail of ${entity} has records up to ${last} that are not in the archive`)
  }
  if (!governance.audit.some(({ sequence }) => sequence > last)) {
    return refused(`the last record of the trail of ${entity} stays`)
  }
  const end = governance.audit.find(({ sequence }) => sequence === last)
  if (end === undefined) return 0
  const stays = governance.audit.filter(({ sequence }) => sequence > last)
  const count = governance.audit.length - stays.length
  governance.anchor = { sequence: end.sequence, hash: end.hash }
  governance.audit = stays
  return count
}

const drops: Readonly<
  Record<ArchiveKind, (store: Store, entity: string, ids: ReadonlySet<string>) => number | LedgerError>
> = {
  events: dropEvents,
  exceptions: dropHistory,
  corrections: dropCorrections,
  audit: dropAudit,
  runs: dropRuns,
}

const nameOf = ({ entity, kind, name }: Pick<Archive, "entity" | "kind" | "name">): string =>
  `${entity}/${kind}/${name}`

type Place = Pick<Archive, "writtenAtMillis" | "entity" | "kind" | "name">
const order = (a: Place, b: Place): number =>
  b.writtenAtMillis - a.writtenAtMillis || before(a.entity, b.entity) || before(a.kind, b.kind) ||
  before(a.name, b.name)

export const makeArchives = (store: Store): typeof Archives.Service => {
  const { archives, call } = store
  return Archives.of({
    months: (leavers) =>
      call("archiveMonths", () => {
        const counts = new Map<string, number>()
        for (const { atMillis } of sources[leavers.kind](store, leavers)) {
          const month = new Date(atMillis).toISOString().slice(0, 7)
          counts.set(month, (counts.get(month) ?? 0) + 1)
        }
        return [...counts].map(([month, rows]) => ({ month, rows })).toSorted((a, b) => before(a.month, b.month))
      }),
    page: (leavers, after, limit) =>
      call("archivePage", () => {
        const { fromMillis, kind, toMillis } = leavers
        const isText = kind === "events" || kind === "runs"
        return sources[kind](store, leavers).filter(({ atMillis, id }) =>
          atMillis >= fromMillis && atMillis < toMillis && (isText ? id > after : Number(id) > Number(after))
        ).slice(0, limit)
      }),
    byId: (leavers, ids) =>
      call("archiveById", () => {
        const wanted = new Set(ids.map(printable))
        return sources.events(store, leavers).filter(({ atMillis, id }) =>
          wanted.has(id) && atMillis >= leavers.fromMillis && atMillis < leavers.toMillis
        )
      }),
    record: (archive) =>
      call("recordArchive", (now) => {
        if (archives.has(nameOf(archive))) return
        archives.set(nameOf(archive), { ...archive, writtenAtMillis: now, droppedAtMillis: null })
      }),
    drop: (entity, kind, ids) =>
      call("drop", () => ids.length === 0 ? 0 : drops[kind](store, entity, new Set(ids.map(printable)))),
    dropped: (archive) =>
      call("dropped", (now) => {
        const known = archives.get(nameOf(archive))
        if (known === undefined || known.droppedAtMillis !== null) return
        archives.set(nameOf(archive), { ...known, droppedAtMillis: now })
      }),
    list: ({ after, entities, entity, kind, limit, pending = false }) =>
      call("archives", () =>
        [...archives.values()].filter((one) =>
          (entity === undefined || one.entity === entity) &&
          (entities === undefined || entities.includes(one.entity)) && (kind === undefined || one.kind === kind) &&
          (!pending || one.droppedAtMillis === null) && (after === undefined || order(after, one) < 0)
        ).toSorted(order).slice(0, limit)),
  })
}
