/**
 * How often a caller may ask: a token bucket each, of bounded number. Plain state, no clock of its own. A bucket that was
 * forgotten because there are too many begins full: whoever makes that happen has as many identities anyhow.
 */

interface Bucket {
  tokens: number
  atMillis: number
}

export class RateLimit {
  readonly #buckets = new Map<string, Bucket>()
  readonly #perMinute: number
  readonly #burst: number
  readonly #capacity: number

  /** `perMinute` in the long run, `burst` at once, of `capacity` callers at most. */
  constructor(options: { readonly perMinute: number; readonly burst: number; readonly capacity: number }) {
    this.#perMinute = options.perMinute
    this.#burst = options.burst
    this.#capacity = options.capacity
  }

  /** Takes one token. Answers 0, or how many milliseconds to wait for the next one. */
  take(caller: string, nowMillis: number): number {
    const bucket = this.#bucketOf(caller, nowMillis)
    if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) * 60_000 / this.#perMinute)
    bucket.tokens -= 1
    return 0
  }

  #bucketOf(caller: string, nowMillis: number): Bucket {
    const known = this.#buckets.get(caller)
    const elapsed = known === undefined ? Infinity : Math.max(0, nowMillis - known.atMillis)
    const tokens = Math.min(this.#burst, (known?.tokens ?? 0) + elapsed * this.#perMinute / 60_000)
    // Last used last: the first one is the one to forget.
    this.#buckets.delete(caller)
    const bucket = { tokens, atMillis: nowMillis }
    this.#buckets.set(caller, bucket)
    if (this.#buckets.size > this.#capacity) this.#buckets.delete(this.#buckets.keys().next().value!)
    return bucket
  }
}
