/** Acts in memory, step by step as `weir.govern` in `../sql/govern.ts`. */
import {
  type Act,
  type AuditEntry,
  type AuditRange,
  type AuditRecord,
  CHAIN_BEGIN,
  type ChainEnd,
  type FlowPause,
  hashOf,
  type Incident,
  type IncidentFilter,
} from "../Governance.ts"
import { printable } from "../text.ts"
import type { EntityState } from "./state.ts"

export interface GovernanceState {
  audit: Array<AuditRecord>
  /** The last record that was archived and forgotten. */
  anchor: ChainEnd
  readonly entryIds: Set<string>
  /** By sequence. */
  readonly entryIdOf: Map<number, string>
  readonly incidents: Map<string, Incident>
  pauses: ReadonlyArray<FlowPause>
}

export const emptyGovernance = (): GovernanceState => ({
  audit: [],
  anchor: CHAIN_BEGIN,
  entryIds: new Set(),
  entryIdOf: new Map(),
  incidents: new Map(),
  pauses: [],
})

/** One entry at the end of the trail, as `weir.append_audit` does; false: it was recorded before. */
export const append = (
  { audit, entryIdOf, entryIds }: GovernanceState,
  entity: string,
  { action, actor, detail, id }: AuditEntry,
  nowMillis: number,
): boolean => {
  if (entryIds.has(printable(id))) return false
  const last = audit.at(-1)
  const record = {
    entity: printable(entity),
    sequence: (last?.sequence ?? 0) + 1,
    atMillis: nowMillis,
    actor: printable(actor),
    action: printable(action),
    detail: JSON.stringify(detail),
    previousHash: last?.hash ?? "",
  }
  audit.push({ ...record, hash: hashOf(record) })
  entryIds.add(printable(id))
  entryIdOf.set(record.sequence, printable(id))
  return true
}

/** Held drafts become ready to be posted when the mode posts; answers how many. */
export const releaseOwed = ({ held, lease }: EntityState): number => {
  if (lease === null || (lease.mode !== "full" && lease.mode !== "essential")) return 0
  let released = 0
  for (const entry of held.values()) {
    if (entry.state === "waiting" && entry.on?.flow === "mode") {
      Object.assign(entry, { state: "ready", on: null, deadlineMillis: null })
      released++
    }
  }
  return released
}

export const govern = (
  state: EntityState,
  entity: string,
  { entries, incidents, outbox, pauses, standing }: Act,
  nowMillis: number,
  nextOutboxId: () => number,
): void => {
  const { entryIds } = state.governance
  if (entries.some(({ id }) => entryIds.has(printable(id)))) return
  if (standing !== undefined && state.lease !== null) {
    const { mode, override } = standing
    state.lease.mode = mode
    state.lease.override = override === null
      ? null
      : { ...override, actor: printable(override.actor), reason: printable(override.reason) }
    releaseOwed(state)
  }
  if (pauses !== undefined) {
    state.governance.pauses = pauses.toSorted((a, b) => a.flow < b.flow ? -1 : a.flow > b.flow ? 1 : 0)
  }
  for (const entry of entries) append(state.governance, entity, entry, nowMillis)
  for (const incident of incidents) {
    const known = state.governance.incidents.get(incident.id)
    const { cause, detectedAtMillis } = known ?? incident
    state.governance.incidents.set(incident.id, { ...incident, entity, cause, detectedAtMillis })
  }
  for (const publication of outbox) {
    state.outbox.push({ id: nextOutboxId(), publication: { ...publication, data: publication.data.slice() } })
  }
}

/** As the port lists them. */
export const auditOf = (
  governance: GovernanceState | undefined,
  { after, limit, order = "oldest" }: Omit<AuditRange, "entity">,
): ReadonlyArray<AuditRecord> => {
  const ordered = order === "oldest" ? governance?.audit ?? [] : governance?.audit.toReversed() ?? []
  return ordered.filter(({ sequence }) => after === null || (order === "oldest" ? sequence > after : sequence < after))
    .slice(0, limit)
}

const newestFirst = (
  a: Pick<Incident, "detectedAtMillis" | "entity" | "id">,
  b: Pick<Incident, "detectedAtMillis" | "entity" | "id">,
): number =>
  b.detectedAtMillis - a.detectedAtMillis || (a.entity === b.entity ? 0 : a.entity < b.entity ? -1 : 1) ||
  (a.id === b.id ? 0 : a.id < b.id ? -1 : 1)

/** As the port lists them. */
export const incidentsOf = (
  states: Iterable<readonly [string, EntityState]>,
  { after, entities, entity, limit, open }: IncidentFilter,
): ReadonlyArray<Incident> =>
  [...states].flatMap(([, { governance }]) => [...governance.incidents.values()])
    .filter((one) =>
      (entity === undefined || one.entity === entity) &&
      (entities === undefined || entities.includes(one.entity)) &&
      (open === undefined || (one.restoredAtMillis === null) === open) &&
      (after === undefined || newestFirst(after, one) < 0)
    )
    .toSorted(newestFirst)
    .slice(0, limit)
