/**
 * How far a feed has looked, and where it looks next. Plain state, no clock of its own.
 *
 * Odoo stamps a record with the time when its transaction *began*, and shows it when it is committed: records turn up behind
 * those that are seen already, as late as the longest call lasts. So a pass looks again at everything since a floor, and the
 * floor rises to a time only when, since that time was first seen in Odoo, the longest call has passed by our own clock,
 * which never jumps. Odoo's clock and ours are never compared.
 *
 *     ── floor ──────────── what passes look at ───────────► newest
 *          ▲ seen in Odoo at least `overlap` ago: nothing older can turn up any more
 *
 * A pass goes page by page in the order `write_date, id`. A time of Odoo's has seconds, and `>` means a later second.
 */
import type { Json } from "../../odoo/Odoo.ts"

/** A time as Odoo writes it, UTC: `2026-11-22 05:51:47`. In order when compared as text. */
export type OdooTime = string

/** Before everything. */
export const BEGINNING: OdooTime = "1970-01-01 00:00:00"

/** A second lasts: of two transactions with one stamp the later one began up to so much later. */
const SECOND = 1_000
/** Marks that lie within one overlap: as fine as the floor rises. */
const MARKS = 20

/** The time so much earlier. */
export const earlier = (time: OdooTime, millis: number): OdooTime =>
  new Date(Math.max(0, Date.parse(`${time.replace(" ", "T")}Z`) - millis)).toISOString().slice(0, 19).replace("T", " ")

/** A time that was seen in Odoo, and when by our own clock. */
interface Mark {
  readonly atMillis: number
  readonly newest: OdooTime
}

/** Where a record stands in the order of a pass. */
export interface Place {
  readonly id: number
  readonly write_date: OdooTime
}

interface Pass {
  readonly begunMillis: number
  after: Place | null
  newest: OdooTime
  /** The earliest time that has to be looked at again. */
  kept: OdooTime | null
}

export class Scan {
  readonly #overlapMillis: number
  #floor: OdooTime
  #marks: Array<Mark> = []
  /** Null: none is under way. */
  #pass: Pass | null = null

  constructor(floor: OdooTime, overlapMillis: number) {
    this.#floor = floor
    this.#overlapMillis = overlapMillis + SECOND
  }

  /** What was stamped by then is told. */
  get floor(): OdooTime {
    return this.#floor
  }

  /** What the next page is asked with, as a domain. Begins a pass when none is under way. */
  next(nowMillis: number): ReadonlyArray<Json> {
    this.#pass ??= { begunMillis: nowMillis, after: null, newest: this.#floor, kept: null }
    const { after } = this.#pass
    if (after === null) return [["write_date", ">", this.#floor]]
    return [
      "|",
      ["write_date", ">", after.write_date],
      "&",
      ["write_date", "=", after.write_date],
      ["id", ">", after.id],
    ]
  }

  /** A page was looked at, but for the records in `left`; `isLast`: there is nothing behind it. True: the floor rose. */
  looked(page: ReadonlyArray<Place>, left: ReadonlyArray<Place>, isLast: boolean, nowMillis: number): boolean {
    const pass = this.#pass
    if (pass === null) return false
    for (const { write_date } of left) if (pass.kept === null || write_date < pass.kept) pass.kept = write_date
    const last = page.at(-1)
    if (last !== undefined) {
      pass.after = last
      if (last.write_date > pass.newest) pass.newest = last.write_date
    }
    if (!isLast) return false
    this.#pass = null
    const rose = this.#rise(pass)
    this.#mark(pass.newest, nowMillis)
    return rose
  }

  /** A page could not be had: the pass begins anew. */
  broken(): void {
    this.#pass = null
  }

  #rise({ begunMillis, kept }: Pass): boolean {
    const safe = this.#marks.findLast(({ atMillis }) => begunMillis - atMillis >= this.#overlapMillis)
    if (safe === undefined) return false
    const below = kept === null ? safe.newest : earlier(kept, SECOND)
    const floor = below < safe.newest ? below : safe.newest
    if (floor <= this.#floor) return false
    this.#floor = floor
    this.#marks = this.#marks.filter(({ newest }) => newest > floor)
    return true
  }

  /** What a pass saw had been stamped at the latest when the pass was over. Seen again, it is marked when there is room. */
  #mark(newest: OdooTime, nowMillis: number): void {
    const last = this.#marks.at(-1)
    if (newest <= (last?.newest ?? this.#floor)) return
    if (last !== undefined && nowMillis - last.atMillis < this.#overlapMillis / MARKS) return
    this.#marks.push({ atMillis: nowMillis, newest })
  }
}
