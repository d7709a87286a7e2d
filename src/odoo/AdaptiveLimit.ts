/**
 * How many calls Odoo takes at once, found out from its latency. Two rules together:
 *
 * - latency: the Gradient2 limit of Netflix's concurrency-limits
 *   (https://github.com/Netflix/concurrency-limits/blob/main/concurrency-limits-core/src/main/java/com/netflix/concurrency/limits/limit/Gradient2Limit.java):
 *   the limit follows the gradient between the long-term and the present round-trip time, plus a small allowance for
 *   queueing. Unlike a web service's, Odoo's calls differ by orders of magnitude (a read 15 ms, fifty invoices 3 s), so
 *   the long-term average is kept per kind of call, and only like is compared with like.
 * - trouble (contention, no answer, Odoo away): halved at once, as TCP does after a loss (RFC 5681, section 3.1), at
 *   most once per round trip: calls that had begun before the last halving say nothing about the limit after it.
 *
 * Plain state, no clock of its own: the caller tells the times.
 */

/** Lowest limit: Odoo is never left alone altogether, or nobody would notice that it is back. */
const MIN_LIMIT = 1
/** A present round-trip time up to so many times the long-term one is taken for noise. */
const TOLERANCE = 1.5
/** Share of a new estimate in the limit. */
const SMOOTHING = 0.2
/** Calls that may queue inside Odoo without lowering the limit. */
const QUEUE = 1
/** Smallest gradient of one sample. */
const MIN_GRADIENT = 0.5
/** Samples over which the long-term average forgets. */
const LONG_WINDOW = 200
/** Samples of a kind that are averaged plainly before the moving average begins. */
const WARM_UP = 10
/** The long-term average comes down faster when it is so many times the present: after a long overload. */
const DRIFT = 2
const DRIFT_DECAY = 0.95
/** Kinds of calls that are told apart; further ones share one average. */
const MAX_KINDS = 256

interface Average {
  value: number
  samples: number
}

export interface Sample {
  /** What is compared with what: the operation and the rough size of the call. */
  readonly kind: string
  readonly startedAtMillis: number
  readonly endedAtMillis: number
  /** Calls that ran when this one started, itself included. */
  readonly inFlight: number
}

export class AdaptiveLimit {
  /** Between 1 and `cap`, fractional: the whole part counts. */
  #limit: number
  #cap: number
  readonly #averages = new Map<string, Average>()
  #halvedAtMillis = Number.NEGATIVE_INFINITY

  /** @param cap Most calls ever, 1 or more. Starts at half of it. */
  constructor(cap: number) {
    this.#cap = Math.max(MIN_LIMIT, cap)
    this.#limit = Math.max(MIN_LIMIT, this.#cap / 2)
  }

  get value(): number {
    return Math.floor(this.#limit)
  }

  /** Another part of Odoo from now on: what was found out about the old one holds in proportion. */
  setCap(cap: number): void {
    const next = Math.max(MIN_LIMIT, cap)
    const limit = this.#limit * next / this.#cap
    this.#cap = next
    this.#set(limit)
  }

  /** A call gave its answer. */
  answered({ endedAtMillis, inFlight, kind, startedAtMillis }: Sample): void {
    const present = Math.max(1, endedAtMillis - startedAtMillis)
    const average = this.#averageOf(kind)
    average.samples++
    const weight = average.samples <= WARM_UP ? 1 / average.samples : 2 / (LONG_WINDOW + 1)
    average.value += (present - average.value) * weight
    const longTerm = average.value
    if (longTerm / present > DRIFT) average.value *= DRIFT_DECAY
    // Half idle: the round-trip time says nothing about a higher limit.
    if (inFlight < this.#limit / 2) return
    // It had begun before the last halving, so it shows the load of before.
    if (startedAtMillis < this.#halvedAtMillis) return
    const gradient = Math.max(MIN_GRADIENT, Math.min(1, TOLERANCE * longTerm / present))
    this.#set(this.#limit * (1 - SMOOTHING) + (this.#limit * gradient + QUEUE) * SMOOTHING)
  }

  /** A call met contention or got no answer. */
  troubled(startedAtMillis: number, nowMillis: number): void {
    if (startedAtMillis < this.#halvedAtMillis) return
    this.#halvedAtMillis = nowMillis
    this.#set(this.#limit / 2)
  }

  #set(limit: number): void {
    this.#limit = Math.max(MIN_LIMIT, Math.min(this.#cap, limit))
  }

  #averageOf(kind: string): Average {
    const known = this.#averages.get(kind)
    if (known !== undefined) return known
    if (this.#averages.size >= MAX_KINDS && kind !== "") return this.#averageOf("")
    const fresh = { value: 0, samples: 0 }
    this.#averages.set(kind, fresh)
    return fresh
  }
}
