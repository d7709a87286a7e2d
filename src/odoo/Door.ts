/**
 * One database's door: who waits, who runs, and who may start now. Plain state; the gate (`CallGate.ts`) tells it the
 * time and wakes whom it lets in.
 *
 *   starts when   running + kept < cap           the configured share of the workers, never exceeded
 *           and   running + kept < limit         what Odoo takes at present (`AdaptiveLimit.ts`)
 *           and   its entity holds less than it may (`Bulkhead.ts`)
 *           and   the last start is long enough ago (calls a second)
 */
import type { Lane } from "../flow/Lane.ts"
import { AdaptiveLimit } from "./AdaptiveLimit.ts"
import { Bulkhead, type Contention, type Held } from "./Bulkhead.ts"
import { FairQueue } from "./FairQueue.ts"

export interface GateDatabase {
  /** HTTP workers that this Odoo runs. */
  readonly workers: number
  /** Fraction of them that Weir may keep busy, above 0, at most 1; it comes to at least one call at once. */
  readonly share: number
  /** Most calls started in a second. Default 0: no limit. */
  readonly callsPerSecond?: number
}

/** Turns' worth that the critical lane may be ahead of its share by places kept for it: one plan of twelve calls. */
const AHEAD = 1.5

/** A caller, while it waits and while it runs. */
export class Waiter implements Held {
  readonly entity: string
  readonly lane: Lane
  /** Wakes it; does nothing before it sleeps. */
  admit = (): void => {}
  running = false
  startedAtMillis = 0
  inFlight = 0

  constructor({ entity, lane }: Pick<Held, "entity" | "lane">) {
    this.entity = entity
    this.lane = lane
  }
}

export class Door {
  cap: number
  readonly limit: AdaptiveLimit
  readonly queue = new FairQueue<Waiter>()
  /** A timer is set that opens the door when the rate allows the next call. */
  timer = false
  /** A timer is set that opens it when a call is late. */
  lateTimer = false

  readonly #bulkhead = new Bulkhead()
  /** Places that are kept for the critical lane. */
  readonly #kept = new Set<symbol>()
  #database: GateDatabase
  #part = 1
  readonly #contention: Contention
  /** Between the starts of two calls, 0 without a rate. */
  #intervalMillis: number
  #nextStartMillis = 0

  constructor(database: GateDatabase) {
    this.#database = database
    this.cap = this.#capOf()
    this.#intervalMillis = this.#intervalOf()
    this.limit = new AdaptiveLimit(this.cap)
    this.#contention = {
      weightOf: (entity) => this.queue.weightOf(entity),
      contending: (lane) => this.queue.contending(lane),
    }
  }

  get running(): number {
    return this.#bulkhead.size
  }

  /** This process keeps to such a part of share and rate, above 0, at most 1. */
  divide(part: number): void {
    this.#part = part
    this.#resize()
  }

  /** Another share or rate from the next call on; the same object changes nothing. */
  adjust(database: GateDatabase): void {
    if (database === this.#database) return
    this.#database = database
    this.#resize()
  }

  /** Lets in whom it can. Answers how long to wait before the rate lets in the next one; 0 when it is not the rate. */
  open(nowMillis: number): number {
    while (this.queue.size > 0 && this.running + this.#kept.size < this.cap) {
      if (this.#intervalMillis > 0 && nowMillis < this.#nextStartMillis) return this.#nextStartMillis - nowMillis
      const next = this.queue.take(
        (entity, lane) => this.#may(entity, lane, this.#kept.size, nowMillis),
        (entity, lane) => this.#bulkhead.holdsOnlyAbove(entity, lane),
      )
      if (next === undefined) break
      if (this.#intervalMillis > 0) this.#nextStartMillis = nowMillis + this.#intervalMillis
      this.#start(next, nowMillis)
    }
    return 0
  }

  /** Milliseconds until somebody who waits may start because another call is late; 0 when that cannot happen. */
  untilLate(nowMillis: number): number {
    const mayHelp = this.queue.size > 0 && this.running < this.cap
    return mayHelp ? this.#bulkhead.untilLate(nowMillis) ?? 0 : 0
  }

  /** Gives a place back. */
  leave(waiter: Waiter, nowMillis: number): void {
    this.#bulkhead.end(waiter, nowMillis)
  }

  /** Keeps a place that is free now, unless somebody critical waits for one anyway. */
  keep(): symbol | null {
    const isFree = this.running + this.#kept.size < this.limit.value
    // Who may not call often has other reasons to wait than a missing place.
    if (!isFree || this.#intervalMillis > 0 || !this.queue.isDue("critical", AHEAD)) return null
    const place = Symbol("kept")
    this.#kept.add(place)
    return place
  }

  /** Does not keep a place any longer; false: it was used. */
  release(place: symbol): boolean {
    return this.#kept.delete(place)
  }

  /** Starts who is critical on a place that was kept; false: there is none for it. */
  return(waiter: Waiter, nowMillis: number): boolean {
    const [place] = this.#kept
    if (place === undefined || this.running >= this.cap) return false
    if (!this.#may(waiter.entity, waiter.lane, 0, nowMillis)) return false
    this.#kept.delete(place)
    this.queue.charge("critical")
    this.#start(waiter, nowMillis)
    return true
  }

  #may(entity: string, lane: Lane, kept: number, nowMillis: number): boolean {
    const limit = this.limit.value
    const taken = this.running + kept
    if (taken >= limit && taken - this.#bulkhead.lateBeside(entity, nowMillis) >= limit) return false
    return this.#bulkhead.heldBy(entity) < this.#bulkhead.most(entity, lane, limit, nowMillis, this.#contention)
  }

  #start(waiter: Waiter, nowMillis: number): void {
    waiter.running = true
    waiter.startedAtMillis = nowMillis
    this.#bulkhead.start(waiter)
    waiter.inFlight = this.running
    waiter.admit()
  }

  #resize(): void {
    this.cap = this.#capOf()
    this.limit.setCap(this.cap)
    this.#intervalMillis = this.#intervalOf()
  }

  #capOf(): number {
    const { share, workers } = this.#database
    // A third of three is one, whatever a third is in binary.
    return Math.max(1, Math.floor(workers * share * this.#part + 1e-9))
  }

  #intervalOf(): number {
    const { callsPerSecond = 0 } = this.#database
    return callsPerSecond <= 0 ? 0 : 1000 / (callsPerSecond * this.#part)
  }
}
