/** What the triggers of `../sql/desk/history.ts` do, in memory: fingerprints, decisions, history. */
import { fingerprintOf } from "../cause.ts"
import type { HistoryAction, HistoryRow } from "../Desk.ts"
import { type Ending, factOf } from "../exceptionFacts.ts"
import { printable } from "../text.ts"
import type { EntityState, HeldEntry } from "./state.ts"

export interface HistoryEntry extends HistoryRow {
  readonly eventId: string
  readonly flow: string
}

/** Who acts, as the settings of a transaction say it. */
export interface Acting {
  readonly actor: string
  readonly reason: string | null
  readonly decision: "retried" | "edited"
  readonly redrive: number | null
}

/** Of statements that say nothing of it. */
export const somebody: Acting = { actor: "operator", reason: null, decision: "retried", redrive: null }

const cleaned = (detail: HistoryRow["detail"]): HistoryRow["detail"] =>
  Object.fromEntries(
    Object.entries(detail).map(([name, value]) => [name, typeof value === "string" ? printable(value) : value]),
  )

export const remember = (
  state: EntityState,
  { code, fingerprint, record }: Pick<HeldEntry, "code" | "fingerprint" | "record">,
  action: HistoryAction,
  actor: string,
  detail: HistoryRow["detail"],
  nowMillis: number,
): void => {
  const position = ++state.positions.last
  state.history.push({
    position,
    atMillis: nowMillis,
    actor: printable(actor),
    action,
    code,
    fingerprint,
    detail: cleaned(detail),
    eventId: record.eventId,
    flow: record.flow,
  })
  const fact = factOf({
    entity: printable(state.entity),
    position,
    atMillis: nowMillis,
    action,
    flow: record.flow,
    key: record.key,
    code,
    eventId: record.eventId,
    correlationId: record.correlationId,
    ending: (detail["state"] ?? "dismissed") as Ending,
  })
  if (fact !== undefined) state.outbox.push({ id: ++state.positions.outbox, publication: fact })
}

/** After it was parked; `before` as it was, null when it was not held. */
const noteParking = (state: EntityState, entry: HeldEntry, before: HeldEntry | null, nowMillis: number): void => {
  entry.fingerprint = fingerprintOf(entry.code, entry.detail)
  entry.parkedAtMillis ??= nowMillis
  if (before !== null && before.state !== "parked") {
    entry.recurred = entry.decision !== null && before.fingerprint === entry.fingerprint
  }
  if (before !== null && before.state === "parked" && before.fingerprint === entry.fingerprint) return
  const { attempts, detail } = entry
  remember(state, entry, entry.recurred ? "recurred" : "raised", "weir", { detail, attempts }, nowMillis)
}

/** Held events change through this and nothing else, so that nothing is forgotten. */
export const move = (
  state: EntityState,
  entry: HeldEntry,
  change: Partial<HeldEntry>,
  nowMillis: number,
  acting: Acting = somebody,
): void => {
  const before = { ...entry }
  Object.assign(entry, change)
  if (entry.state === "parked") noteParking(state, entry, before, nowMillis)
  else if (before.state === "parked" && entry.state === "ready") {
    const { actor, decision, reason, redrive } = acting
    Object.assign(entry, { decision, decidedBy: printable(actor), redrive, recurred: false })
    remember(state, entry, decision, actor, { reason }, nowMillis)
  }
}

/** A new one. */
export const arrive = (state: EntityState, entry: HeldEntry, nowMillis: number): void => {
  if (entry.state === "parked") noteParking(state, entry, null, nowMillis)
}

/** It is held no more; `how` its event ended. */
export const leave = (
  state: EntityState,
  entry: HeldEntry,
  how: "applied" | "superseded" | "dismissed",
  nowMillis: number,
  { actor, reason }: Pick<Acting, "actor" | "reason"> = somebody,
): void => {
  if (entry.parkedAtMillis === null) return
  if (how === "dismissed") remember(state, entry, "dismissed", actor, { reason }, nowMillis)
  else {
    const { decidedBy, decision } = entry
    remember(state, entry, "resolved", "weir", { state: how, after: decision, by: decidedBy }, nowMillis)
  }
}
