/**
 * What was asked of Odoo a while ago and is believed for a while: bounded in number and in age. The oldest goes first.
 *
 *     put ──► believed ──► too old, pushed out, or forgotten because a write says that it is stale
 */
export class Memory<A> {
  /** In order of insertion. */
  readonly #entries = new Map<
    string,
    { readonly value: A; readonly askedMillis: number; readonly untilMillis: number }
  >()
  readonly #capacity: number

  /** `capacity`: most entries, 1 or more. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get(key: string, nowMillis: number): A | undefined {
    const entry = this.#entries.get(key)
    return entry === undefined || entry.untilMillis <= nowMillis ? undefined : entry.value
  }

  /** `ttlMillis` counts from the question, because the answer may have been on its way for long; 0: not kept. */
  put(key: string, value: A, askedMillis: number, ttlMillis: number): void {
    this.#entries.delete(key)
    if (ttlMillis <= 0) return
    if (this.#entries.size >= this.#capacity) {
      const oldest = this.#entries.keys().next()
      if (oldest.done !== true) this.#entries.delete(oldest.value)
    }
    this.#entries.set(key, { value, askedMillis, untilMillis: askedMillis + ttlMillis })
  }

  /** Forgets what was asked before `beforeMillis`; whether there was anything. */
  forget(key: string, beforeMillis = Infinity): boolean {
    const entry = this.#entries.get(key)
    return entry !== undefined && entry.askedMillis < beforeMillis && this.#entries.delete(key)
  }
}
