/** People's decisions in memory, as `../sql/decide.ts` and `../sql/desk/decide.ts`. */
import { printable } from "../text.ts"
import { type Acting, leave, move, somebody } from "./history.ts"
import { countersOf, type EntityState, nameOf, promote } from "./state.ts"

/** A follower cannot be retried: it would overtake. */
export const retry = (
  state: EntityState,
  eventIds: ReadonlyArray<string>,
  nowMillis: number,
  acting: Acting = somebody,
): number => {
  let count = 0
  for (const id of new Set(eventIds.map(printable))) {
    const entry = state.held.get(id)
    if (entry === undefined || entry.state === "behind" || entry.state === "ready") continue
    move(state, entry, { state: "ready", deadlineMillis: null }, nowMillis, acting)
    count++
  }
  return count
}

/** What is ready cannot be dismissed: it may be on its way into Odoo. */
export const dismiss = (
  state: EntityState,
  eventIds: ReadonlyArray<string>,
  by: { readonly actor: string; readonly reason: string },
  nowMillis: number,
): number => {
  const touched = new Set<string>()
  let count = 0
  for (const id of new Set(eventIds.map(printable))) {
    const entry = state.held.get(id)
    const known = state.events.get(id)
    if (entry === undefined || known === undefined || entry.state === "ready") continue
    state.held.delete(id)
    Object.assign(known, { state: "dismissed", reason: printable(by.reason) })
    state.settledAt.set(id, nowMillis)
    leave(state, entry, "dismissed", nowMillis, by)
    countersOf(state, entry.record.flow).dismissed++
    touched.add(nameOf(entry.record.flow, entry.record.key))
    count++
  }
  promote(state, touched)
  return count
}
