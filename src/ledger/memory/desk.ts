/** `Desk` in memory, step by step as `../sql/desk/`. */
import { causeOf } from "../cause.ts"
import { Desk, type ExceptionFilter, type ExceptionGroup, type ExceptionPlace, type ExceptionRow } from "../Desk.ts"
import type { ReasonCode } from "../../reason/Reason.ts"
import { printable } from "../text.ts"
import { waitingCodes } from "../waitingCodes.ts"
import { dismiss, retry } from "./decide.ts"
import { type HistoryEntry, remember } from "./history.ts"
import type { Store } from "./Store.ts"
import { type HeldEntry, mappingOf } from "./state.ts"

const FOLLOWERS = 20

const ascending = (a: string, b: string): number => a === b ? 0 : a < b ? -1 : 1

/** Newest first. */
const byPlace = (a: ExceptionPlace, b: ExceptionPlace): number =>
  b.heldSinceMillis - a.heldSinceMillis || ascending(b.entity, a.entity) || ascending(b.eventId, a.eventId)

const rowOf = (entity: string, entry: HeldEntry) => ({
  entity,
  flow: entry.record.flow,
  eventId: entry.record.eventId,
  type: entry.record.type,
  key: entry.record.key,
  streamSequence: entry.record.streamSequence,
  state: entry.state,
  code: entry.code,
  detail: entry.detail,
  fingerprint: entry.fingerprint,
  attempts: entry.attempts,
  heldSinceMillis: entry.heldSinceMillis,
  assignee: entry.assignee,
  waitsFor: entry.on,
  deadlineMillis: entry.deadlineMillis,
})

const fits = (filter: ExceptionFilter) => (row: ReturnType<typeof rowOf>): row is ExceptionRow =>
  row.state === filter.state &&
  (filter.entities === null || filter.entities.includes(row.entity)) &&
  (filter.flow === undefined || row.flow === filter.flow) &&
  (filter.codes === undefined
    ? row.state === "parked" || waitingCodes.includes(row.code)
    : filter.codes.includes(row.code)) &&
  (filter.fingerprint === undefined || row.fingerprint === filter.fingerprint) &&
  (filter.key === undefined || row.key === filter.key) &&
  (filter.assignee === undefined || row.assignee === filter.assignee)

export const makeDesk = (store: Store): typeof Desk.Service => {
  const { call, entities, of } = store
  const rows = (filter: ExceptionFilter): ReadonlyArray<ExceptionRow> =>
    [...entities].flatMap(([entity, { held }]) => [...held.values()].map((entry) => rowOf(entity, entry)))
      .filter(fits(filter))
      .map((row) => row.state === "parked" ? row : { ...row, fingerprint: null })

  const lastRaised = (entries: ReadonlyArray<HistoryEntry>, eventId: string): HistoryEntry | undefined =>
    entries.findLast((one) => one.eventId === eventId && (one.action === "raised" || one.action === "recurred"))

  return Desk.of({
    list: (filter, { after, limit }) =>
      call(
        "list",
        () => rows(filter).toSorted(byPlace).filter((row) => after === null || byPlace(after, row) < 0).slice(0, limit),
      ),

    groups: (filter, limit) =>
      call("groups", () => {
        const groups = new Map<string, ExceptionGroup>()
        for (const row of rows({ ...filter, state: "parked" })) {
          const { code, detail, entity, fingerprint, flow } = row
          const line = `${entity}/${flow}/${code}/${fingerprint}`
          const known = groups.get(line)
          const group = { entity, flow, code, fingerprint: fingerprint ?? "", cause: causeOf(detail) }
          groups.set(line, { ...group, count: (known?.count ?? 0) + 1 })
        }
        return [...groups.values()].toSorted((a, b) =>
          b.count - a.count || ascending(a.entity, b.entity) || ascending(a.flow, b.flow) ||
          ascending(a.code, b.code) || ascending(a.fingerprint, b.fingerprint)
        ).slice(0, limit)
      }),

    file: (entity, given) =>
      call("file", () => {
        const eventId = printable(given)
        const state = entities.get(entity)
        const known = state?.events.get(eventId)
        if (state === undefined || known === undefined) return null
        const entry = state.held.get(eventId)
        const past = lastRaised(state.history, eventId)
        if (entry === undefined && past === undefined) return null
        const record = entry?.record ?? known.record
        const row = entry === undefined
          ? {
            entity,
            flow: record.flow,
            eventId,
            type: record.type,
            key: record.key,
            streamSequence: record.streamSequence,
            state: known.state as Exclude<typeof known.state, "held">,
            code: past?.code as ReasonCode,
            detail: String(past?.detail["detail"] ?? ""),
            fingerprint: past?.fingerprint ?? null,
            attempts: record.attempts,
            heldSinceMillis: past?.atMillis ?? 0,
            assignee: null,
            waitsFor: null,
            deadlineMillis: null,
          }
          : rowOf(entity, entry)
        const behind = [...state.held.values()].filter((other) =>
          other.state === "behind" && other.record.flow === record.flow && other.record.key === record.key &&
          other.record.eventId !== eventId
        ).toSorted((a, b) => a.record.streamSequence - b.record.streamSequence)
        return {
          row,
          message: entry?.message ?? null,
          version: record.version,
          storedAtMillis: record.storedAtMillis,
          payloadHash: record.payloadHash,
          correlationId: record.correlationId,
          mapping: mappingOf(state, record),
          followers: { count: behind.length, first: behind.slice(0, FOLLOWERS).map((one) => one.record.eventId) },
        }
      }),

    history: (entity, eventId, limit) =>
      call(
        "history",
        () =>
          (entities.get(entity)?.history ?? []).filter((one) => one.eventId === printable(eventId)).slice(-limit)
            .map(({ eventId: _, flow: __, ...row }) => row),
      ),

    resolutions: (fingerprint, only, limit) =>
      call(
        "resolutions",
        () =>
          [...entities].filter(([entity]) => only === null || only.includes(entity)).flatMap(([entity, { history }]) =>
            history.filter((one) =>
              one.fingerprint === fingerprint &&
              (one.action === "resolved" || one.action === "recurred" || one.action === "dismissed")
            ).map((one) => ({ entity, one }))
          )
            .toSorted((a, b) => b.one.position - a.one.position).slice(0, limit)
            .map(({ entity, one: { action, actor, atMillis, detail, eventId } }) => ({
              entity,
              eventId,
              atMillis,
              by: String(detail["by"] ?? actor),
              how: action === "resolved"
                ? detail["after"] === "edited" ? "edited" : "retried"
                : action as "recurred" | "dismissed",
            })),
      ),

    assign: (entity, eventIds, assignee, actor) =>
      call("assign", (now) => {
        const state = of(entity)
        const to = assignee === null ? null : printable(assignee)
        const found = [...new Set(eventIds.map(printable))].toSorted().flatMap((id) => {
          const entry = state.held.get(id)
          return entry?.state === "parked" ? [entry] : []
        })
        for (const entry of found) {
          entry.assignee = to
          remember(state, entry, "assigned", actor, { to }, now)
        }
        return found.length
      }),

    note: (entity, eventId, actor, note) =>
      call("note", (now) => {
        const state = of(entity)
        const entry = state.held.get(printable(eventId))
        if (entry === undefined || entry.parkedAtMillis === null) return false
        if (entry.state !== "parked" && entry.state !== "ready") return false
        remember(state, entry, "noted", actor, { text: note }, now)
        return true
      }),

    retry: (entity, eventIds, { actor, reason }) =>
      call("retry", (now) => {
        const acting = { actor, reason, decision: "retried", redrive: null } as const
        return retry(of(entity), eventIds, now, acting)
      }),

    dismiss: (entity, eventIds, decision) => call("dismiss", (now) => dismiss(of(entity), eventIds, decision, now)),
  })
}
