/** Windows in memory, step by step as `../sql/adding.ts` and `../sql/windows.ts`. */
import { BigDecimal } from "effect"
import { batchOf } from "../batch.ts"
import { parkLate } from "../late.ts"
import type { Settlement } from "../Ledger.ts"
import { printable } from "../text.ts"
import type { Closing, Contribution, Window } from "../Windows.ts"
import type { EntityState } from "./state.ts"

export interface WindowState {
  readonly flow: string
  readonly series: string
  readonly period: string
  quantity: BigDecimal.BigDecimal
  events: number
  late: number
  readonly closesAtMillis: number
  countedAtMillis: number
  closed: boolean
}

const nameOf = (flow: string, series: string, period: string): string => printable(`${flow}\n${series}\n${period}`)

const isFresh = (state: EntityState, eventId: string): boolean => {
  const id = printable(eventId)
  const known = state.events.get(id)
  return known === undefined ? !state.remembered.has(id) : known.state === "held"
}

/** Where a contribution counts; null: nowhere any more. */
const targetOf = (state: EntityState, flow: string, { closesAtMillis, late, period, series }: Contribution) => {
  const isClosed = (of: string): boolean => state.windows.get(nameOf(flow, series, of))?.closed ?? false
  if (!isClosed(period)) return { period, closesAtMillis, isLate: false }
  return late === null || isClosed(late.period) ? null : { ...late, isLate: true }
}

/** The settlement with those parked that add to a window which is closed for them. */
export const punctual = (state: EntityState, { outcomes, ...settlement }: Settlement): Settlement => {
  const late = new Set<string>()
  for (const outcome of batchOf({ outcomes, ...settlement }).events) {
    if (outcome._tag !== "Applied" || outcome.adds === undefined) continue
    const { eventId, flow } = outcome.event
    if (isFresh(state, eventId) && targetOf(state, flow, outcome.adds.contribution) === null) late.add(eventId)
  }
  return { ...settlement, outcomes: late.size === 0 ? outcomes : parkLate(outcomes, late) }
}

/** Counts what an event adds; called for events that have just become final. */
export const count = (state: EntityState, flow: string, contribution: Contribution, nowMillis: number): void => {
  const target = targetOf(state, flow, contribution)
  if (target === null) throw new Error(`${contribution.series} is closed and was not looked at before`)
  const name = nameOf(flow, contribution.series, target.period)
  const window = state.windows.get(name) ?? {
    flow: printable(flow),
    series: printable(contribution.series),
    period: printable(target.period),
    quantity: BigDecimal.make(0n, 0),
    events: 0,
    late: 0,
    closesAtMillis: target.closesAtMillis,
    countedAtMillis: nowMillis,
    closed: false,
  }
  state.windows.set(name, window)
  window.quantity = BigDecimal.sum(window.quantity, BigDecimal.fromStringUnsafe(contribution.quantity))
  window.events++
  if (target.isLate) window.late++
  window.countedAtMillis = nowMillis
}

/** What may close, oldest first. */
export const due = (
  state: EntityState,
  { flow, limit, nowMillis, quietSinceMillis }: {
    readonly flow: string
    readonly nowMillis: number
    readonly quietSinceMillis: number
    readonly limit: number
  },
): ReadonlyArray<Window> =>
  [...state.windows.values()]
    .filter((window) =>
      !window.closed && window.flow === printable(flow) && window.closesAtMillis <= nowMillis &&
      window.countedAtMillis <= quietSinceMillis
    )
    .sort((a, b) =>
      a.closesAtMillis - b.closesAtMillis || (a.series < b.series ? -1 : a.series > b.series ? 1 : 0) ||
      (a.period < b.period ? -1 : 1)
    )
    .slice(0, limit)
    .map(({ closesAtMillis, countedAtMillis, events, late, period, quantity, series }) => ({
      series,
      period,
      quantity: BigDecimal.format(BigDecimal.normalize(quantity)),
      events,
      late,
      closesAtMillis,
      countedAtMillis,
    }))

export const close = (state: EntityState, closings: ReadonlyArray<Closing>, nextOutboxId: () => number): number => {
  let closed = 0
  for (const { events, flow, period, publication, series } of closings) {
    const window = state.windows.get(nameOf(flow, series, period))
    if (window === undefined || window.closed || window.events !== events) continue
    window.closed = true
    closed++
    state.outbox.push({ id: nextOutboxId(), publication: { ...publication, data: publication.data.slice() } })
  }
  return closed
}
