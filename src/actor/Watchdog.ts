/**
 * Finds consumers that look healthy and deliver nothing. Compares what the stream holds for a flow with what was
 * delivered; when the stream is ahead twice in a row although there is room, the consumer is replaced.
 *
 * One goes round for all flows of an entity. A flow for which nothing comes is asked about less and less often: whoever
 * has just delivered is the one that may have stopped in the middle.
 */
import { Duration, Effect } from "effect"
import { Broker } from "../broker/Broker.ts"
import { elapsedMillis } from "../telemetry/elapsed.ts"
import { Thresholds } from "./modes/Thresholds.ts"

export interface Watched {
  /** What the consumer listens on. */
  readonly subject: string
  /** The last stream sequence that was delivered. */
  readonly delivered: () => number
  /** Whether the consumer could deliver: it is open, and not held back by us. */
  readonly hasRoom: () => boolean
  readonly replace: Effect.Effect<void>
}

export interface Watchdog {
  /** Watches as long as the effect runs. */
  readonly watching: (watched: Watched) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Goes round for ever. */
  readonly run: Effect.Effect<never>
}

class Watch {
  readonly watched: Watched
  readonly #silenceMillis: number
  readonly #longestMillis: number
  #seen: number
  #quietSinceMillis: number | null = null
  /** Without a delivery for so long, the stream is asked. */
  #patienceMillis: number
  #isAhead = false

  constructor(watched: Watched, silenceMillis: number, longestMillis: number) {
    this.watched = watched
    this.#seen = watched.delivered()
    this.#silenceMillis = this.#patienceMillis = silenceMillis
    this.#longestMillis = longestMillis
  }

  /** Whether the stream is to be asked. */
  isSilent(nowMillis: number): boolean {
    const { delivered, hasRoom } = this.watched
    if (!hasRoom() || delivered() !== this.#seen) {
      this.#seen = delivered()
      this.#quietSinceMillis = nowMillis
      this.#patienceMillis = this.#silenceMillis
      this.#isAhead = false
    }
    this.#quietSinceMillis ??= nowMillis
    return nowMillis - this.#quietSinceMillis >= this.#patienceMillis
  }

  /** Whether the consumer is to be replaced. `last`: what the stream holds; null when it does not say, which proves nothing. */
  isStuck(last: number | null, nowMillis: number): boolean {
    if (last === null || last <= this.watched.delivered()) {
      if (last !== null) this.#patienceMillis = Math.min(2 * this.#patienceMillis, this.#longestMillis)
      this.#isAhead = false
      this.#quietSinceMillis = nowMillis
      return false
    }
    const wasAhead = this.#isAhead
    this.#isAhead = !wasAhead
    if (wasAhead) this.#quietSinceMillis = nowMillis
    return wasAhead
  }
}

export const makeWatchdog: Effect.Effect<Watchdog, never, Broker> = Effect.gen(function* () {
  const broker = yield* Broker
  const { longestSilence, lookEvery, silence } = yield* Thresholds
  const [silenceMillis, longestMillis] = [Duration.toMillis(silence), Duration.toMillis(longestSilence)]
  const watches = new Set<Watch>()

  const lastOf = (subject: string) =>
    broker.lastSequence(subject).pipe(
      Effect.timeout(lookEvery),
      Effect.tapError((error) => Effect.logDebug(`the watchdog gets no answer: ${error.message}`)),
      Effect.orElseSucceed(() => null),
    )

  const round = Effect.gen(function* () {
    const now = yield* elapsedMillis
    for (const watch of [...watches].filter((each) => each.isSilent(now))) {
      const { delivered, replace, subject } = watch.watched
      const last = yield* lastOf(subject)
      if (watch.isStuck(last, now) && watches.has(watch)) {
        yield* Effect.logWarning(
          `the consumer of ${subject} has been silent although the stream is at ${last} and it is at ${delivered()}: replaced`,
        )
        yield* replace
      }
      // Who does not answer one question does not answer the next one either.
      if (last === null) return
    }
  })

  return {
    watching: (watched) => (effect) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          const watch = new Watch(watched, silenceMillis, longestMillis)
          watches.add(watch)
          return watch
        }),
        () => effect,
        (watch) => Effect.sync(() => watches.delete(watch)),
      ),
    run: Effect.forever(Effect.andThen(Effect.sleep(lookEvery), round)),
  }
})
