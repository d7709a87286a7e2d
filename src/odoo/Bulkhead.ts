/**
 * How many of a database's places an entity may hold, so that its calls leave the others some when they hang: an answer
 * that does not come holds its place until the call's timeout, for minutes, and no place can be taken back. (Bulkheads:
 * Nygard, "Release It!", 2nd edition, 2018, section 5.3.)
 *
 * - all but one, when another entity called within the last minute: whoever comes finds a place;
 * - its part, while others wait in the same lane or a more urgent one: the places divided by weight among those who
 *   wait, rounded up. Less urgent ones take nothing from it: lanes come first.
 *
 * One place at least, so a database with a single place has no bulkhead. Two for a critical call: it does not wait for a
 * bulk one of its own entity while another place is free, and of two places an entity can hold both in that way.
 *
 * Where trouble has brought the limit down, few calls that hang fill it. Those that are late count only for what their own
 * entity may do; for the others the limit is of calls that get somewhere.
 */
import type { Lane } from "../flow/Lane.ts"
import { lanes } from "./FairQueue.ts"

/** After its last call an entity's place is not kept free for it any longer. */
const PRESENT_MILLIS = 60_000
/** Least that an entity may hold. */
const LEAST: Readonly<Record<Lane, number>> = { critical: 2, normal: 1, bulk: 1, backfill: 1 }
/** Longer than calls take whose answer comes: a batch of fifty invoices is posted in about 3 s. */
export const LATE_MILLIS = 10_000

/** A call that runs. */
export interface Held {
  readonly entity: string
  readonly lane: Lane
  readonly startedAtMillis: number
}

export interface Contention {
  /** Turns of an entity for one of another. */
  readonly weightOf: (entity: string) => number
  /** Weights of the entities that wait in the lane or a more urgent one, together. */
  readonly contending: (lane: Lane) => number
}

export class Bulkhead {
  /** In the order in which they started. */
  readonly #running = new Set<Held>()
  readonly #held = new Map<string, number>()
  readonly #lastMillis = new Map<string, number>()

  /** Calls that run. */
  get size(): number {
    return this.#running.size
  }

  start(held: Held): void {
    this.#running.add(held)
    this.#count(held, 1, held.startedAtMillis)
  }

  end(held: Held, nowMillis: number): void {
    this.#running.delete(held)
    this.#count(held, -1, nowMillis)
  }

  /** Most places that `entity` may hold of `places`, when its next call is one of `lane`. */
  most(entity: string, lane: Lane, places: number, nowMillis: number, { contending, weightOf }: Contention): number {
    const own = weightOf(entity)
    const part = Math.ceil(places * own / Math.max(own, contending(lane)))
    return Math.max(LEAST[lane], Math.min(part, this.#hasOthers(entity, nowMillis) ? places - 1 : places))
  }

  heldBy(entity: string): number {
    return this.#held.get(entity) ?? 0
  }

  /** Whether an entity holds places and all of them for calls that are more urgent than `lane`. */
  holdsOnlyAbove(entity: string, lane: Lane): boolean {
    const least = lanes.indexOf(lane)
    if (this.heldBy(entity) === 0) return false
    for (const held of this.#running) if (held.entity === entity && lanes.indexOf(held.lane) >= least) return false
    return true
  }

  /** Calls that are late, of those that count against `entity`: none of its own. */
  lateBeside(entity: string, nowMillis: number): number {
    let late = 0
    for (const held of this.#running) {
      if (nowMillis - held.startedAtMillis < LATE_MILLIS) break
      if (held.entity === entity) return 0
      late++
    }
    return late
  }

  /** Milliseconds until the next call is late; undefined when none can become so. */
  untilLate(nowMillis: number): number | undefined {
    for (const { startedAtMillis } of this.#running) {
      const left = startedAtMillis + LATE_MILLIS - nowMillis
      if (left > 0) return left
    }
    return undefined
  }

  #hasOthers(entity: string, nowMillis: number): boolean {
    for (const [other, lastMillis] of this.#lastMillis) {
      if (other !== entity && (nowMillis - lastMillis < PRESENT_MILLIS || this.heldBy(other) > 0)) return true
    }
    return false
  }

  #count({ entity }: Held, by: 1 | -1, nowMillis: number): void {
    this.#held.set(entity, this.heldBy(entity) + by)
    this.#lastMillis.set(entity, nowMillis)
  }
}
