/** One at a time per key; different keys do not wait for each other. A key that nobody holds costs nothing. */
import { Effect, Semaphore } from "effect"

interface Held {
  readonly semaphore: Semaphore.Semaphore
  users: number
}

export class KeyedMutex {
  readonly #held = new Map<string, Held>()

  /** Keys that are held or waited for. */
  get size(): number {
    return this.#held.size
  }

  /** Runs `effect` when nobody else holds `key`. First come, first served; not re-entrant. */
  run<A, E, R>(key: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.acquireUseRelease(
      Effect.sync(() => {
        const held = this.#held.get(key) ?? { semaphore: Semaphore.makeUnsafe(1), users: 0 }
        held.users++
        this.#held.set(key, held)
        return held
      }),
      ({ semaphore }) => semaphore.withPermit(effect),
      (held) => Effect.sync(() => --held.users === 0 && this.#held.delete(key)),
    )
  }
}
