/**
 * Odoo's lock dates of a company, and what they mean for an accounting date. Pure.
 *
 * Odoo never refuses to post into a locked period: it silently moves the accounting date to today or to the end of the
 * first open month (Odoo 19, `addons/account/models/account_move.py`, `_post` and `_get_accounting_date`). So whoever posts
 * asks here first.
 */
import type { Json } from "./Odoo.ts"

/** What posts: each lock date holds for some of them (`res.company`, `_get_violated_lock_dates`). */
export type PeriodKind = "sale" | "purchase" | "payment" | "entry" | "expense"

/** What is done with a record whose accounting date lies in a locked period. */
export type LatePolicy = "exception" | "next-open-day" | "approval"

const locks = ["fiscalyear", "tax", "sale", "purchase", "hard"] as const
type Lock = typeof locks[number]

/** The last locked day of each lock, `YYYY-MM-DD`; empty when there is none. */
export type LockDates = Readonly<Record<Lock, string>>

/** The `user_*` twins: lock exceptions that Odoo grants the technical user are taken into account. */
export const lockFields: ReadonlyArray<string> = locks.map((lock) => `user_${lock}_lock_date`)

/** Documents may carry taxes, so the tax lock holds for all of them: stricter than Odoo for one without any. */
const holding: Readonly<Record<PeriodKind, ReadonlyArray<Lock>>> = {
  sale: ["fiscalyear", "hard", "sale", "tax"],
  purchase: ["fiscalyear", "hard", "purchase", "tax"],
  payment: ["fiscalyear", "hard"],
  entry: ["fiscalyear", "hard"],
  /** Paid by the company: an entry of a bank journal, with taxes. */
  expense: ["fiscalyear", "hard", "tax"],
}

const day = /^\d{4}-\d{2}-\d{2}$/u

/** A date as Odoo's JSON has it. None is `false`, or `1-01-01`, the smallest of Python's dates. */
const dayOf = (value: Json | undefined): string => typeof value === "string" && day.test(value) ? value : ""

/** From a record of `res.company` that was read with `lockFields`. */
export const lockDatesOf = (company: { readonly [field: string]: Json }): LockDates =>
  Object.fromEntries(locks.map((lock) => [lock, dayOf(company[`user_${lock}_lock_date`])])) as Record<Lock, string>

/** The last day that is locked for `kind`, and by which lock; null when nothing is. */
export const lastLockedDay = (
  kind: PeriodKind,
  dates: LockDates,
): { readonly day: string; readonly lock: string } | null => {
  let last: { readonly day: string; readonly lock: string } | null = null
  for (const lock of holding[kind]) {
    const until = dates[lock]
    if (until !== "" && (last === null || until > last.day)) last = { day: until, lock: `${lock}_lock_date` }
  }
  return last
}

/** The day after. */
export const nextDay = (iso: string): string =>
  new Date(Date.parse(`${iso}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10)

/** `2026-10` of `2026-10-31`: the key under which a period is approved. */
export const monthOf = (iso: string): string => iso.slice(0, 7)
