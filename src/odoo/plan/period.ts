/**
 * Posting and lock dates: right before a transition with a `period`, each record's accounting date is compared with the
 * company's lock dates, and right after it the date that Odoo booked with the one that was meant.
 *
 *   date open ──────────────────────────────────────────► post ──► booked on that day? ── no ─► ODOO-PERIOD-MOVED
 *   date locked ─┬─ exception      ► ODOO-LOCKED-PERIOD         (the draft stands)
 *                ├─ approval       ► PERIOD-APPROVAL-MISSING    (the draft stands and waits; approved: as below)
 *                └─ next-open-day  ► first open day written into the draft, the event's own date into its text ► post
 */
import { Effect } from "effect"
import type { Period, Transition } from "../../flow/Step.ts"
import { dispositionOf } from "../../reason/Reason.ts"
import { type CompanyCalls, many2one, type OdooRecord } from "../CompanyCalls.ts"
import { lastLockedDay, monthOf, nextDay } from "../Locks.ts"
import type { MasterData } from "../MasterData.ts"
import type { OdooError } from "../Odoo.ts"
import type { Batch } from "./Batch.ts"

/** A transition that books on a day. */
export type Dated = Transition<unknown> & { readonly period: Period<unknown> }

/** A record that a transition moves: whose it is, and its place among the event's records. */
export interface Moved {
  readonly index: number
  readonly id: number
  readonly at: number
}

export const isDated = (step: Transition<unknown>): step is Dated => step.period !== undefined

/** Fields that the checks read. */
export const periodFields = ({ period: { entry, field, reference } }: Dated): ReadonlyArray<string> => [
  field,
  reference,
  ...(entry === undefined ? [] : [entry]),
]

/** The accounting date in the record; the event's own when it has none yet. */
const bookingDayOf = (record: OdooRecord | undefined, step: Dated, data: unknown): string => {
  const value = record?.[step.period.field]
  return typeof value === "string" && value !== "" ? value : step.period.date(data)
}

/** The record's text with the event's own date in it, once. */
const textWith = (record: OdooRecord | undefined, field: string, date: string): string => {
  const text = typeof record?.[field] === "string" ? record[field] : ""
  const mark = `(${date})`
  return text.includes(mark) ? text : `${text} ${mark}`.trim()
}

/**
 * Of `moved`, those whose dates are open, now or after having been moved on purpose; the others' events are refused. With the
 * day on which each will be booked.
 */
export const openOf = Effect.fnUntraced(function* (
  step: Dated,
  moved: ReadonlyArray<Moved>,
  records: ReadonlyMap<number, OdooRecord>,
  batch: Batch,
  calls: CompanyCalls,
  master: MasterData["Service"],
  approved: ReadonlySet<string>,
) {
  const { period } = step
  const last = lastLockedDay(period.kind, yield* master.locks(calls.company, calls.lane))
  const days = new Map<Moved, string>()
  for (const one of moved) {
    const { id, index } = one
    const { company, data } = batch.writes[index]!
    const record = records.get(id)
    const day = bookingDayOf(record, step, data)
    if (last === null || day > last.day) {
      days.set(one, day)
      continue
    }
    const month = monthOf(period.date(data))
    const about = `${step.model} ${id} is dated ${day}, in a period locked up to ${last.day} (${last.lock})`
    const policy = company.latePolicy ?? "exception"
    if (policy === "exception") {
      batch.refuse(index, { code: "ODOO-LOCKED-PERIOD", detail: `${about}. It is a draft, nothing is booked` })
      continue
    }
    if (policy === "approval" && !approved.has(month)) {
      batch.refuse(index, {
        code: "PERIOD-APPROVAL-MISSING",
        detail: `${about}. The draft waits for: weir period approve ${company.entity} ${month}`,
        waitFor: { flow: PERIOD_FLOW, key: month },
      })
      continue
    }
    const open = nextDay(last.day)
    const vals = { [period.field]: open, [period.reference]: textWith(record, period.reference, period.date(data)) }
    yield* calls.call(step.model, "write", { ids: [id], args: { vals } }).pipe(
      Effect.map(() => void days.set(one, open)),
      Effect.catchIf(
        (error: OdooError) => dispositionOf(error.code) === "park",
        (error) => Effect.sync(() => batch.refuseFor(index, error)),
      ),
    )
  }
  return days
})

/** Name in the ledger under which the approval of a month is waited for. */
export const PERIOD_FLOW = "period"

/**
 * Looks where Odoo booked what has just been moved. Another day than meant: a lock was set within the time for which lock
 * dates are believed. It is booked and stays so; people are told, and the next question reads the locks anew.
 */
export const verifyDays = Effect.fnUntraced(function* (
  step: Dated,
  days: ReadonlyMap<Moved, string>,
  records: ReadonlyMap<number, OdooRecord>,
  batch: Batch,
  calls: CompanyCalls,
  master: MasterData["Service"],
) {
  const { entry, field } = step.period
  const entryOf = ({ id }: Moved): number | undefined =>
    entry === undefined ? undefined : many2one(records.get(id)?.[entry])
  const done = [...days].filter(([{ index }]) => batch.isAlive(index))
  const entries = entry === undefined
    ? new Map<number, OdooRecord>()
    : yield* calls.read("account.move", done.flatMap(([one]) => entryOf(one) ?? []), ["date"])
  for (const [one, day] of done) {
    const { id, index } = one
    const booked = entry === undefined ? records.get(id)?.[field] : entries.get(entryOf(one) ?? 0)?.["date"]
    if (typeof booked !== "string" || booked === day) continue
    yield* master.forgetLocks(calls.company)
    batch.refuse(index, {
      code: "ODOO-PERIOD-MOVED",
      detail: `${step.model} ${id} was to be booked on ${day}; a lock came in between and Odoo booked it on ${booked}`,
    })
  }
})
