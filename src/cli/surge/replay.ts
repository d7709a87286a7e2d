/** Publishes a scenario at its own pace, faster, or as fast as the broker takes it. */
import { Clock, Effect, Schedule } from "effect"
import type { Broker, BrokerError } from "../../broker/Broker.ts"
import { CommandFailed, exitCodes } from "../Failure.ts"
import type { Posting } from "./postings.ts"
import type { Track } from "./Track.ts"

/** Most messages between two confirmations. */
const BATCH = 500
/** Longest sleep before it is looked again. */
const NAP_MILLIS = 250
/** A broker that is away is asked again, with the same message ids, for ten minutes. */
const INSIST = Schedule.max([Schedule.spaced("250 millis"), Schedule.recurs(2_400)])

export type Speed = number | "max"

/** The postings of a scenario with a look at the next one. */
export class Feed {
  readonly #source: AsyncIterator<Posting>
  #next: Posting | undefined
  #begun = false

  constructor(source: AsyncIterable<Posting>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  async #advance(): Promise<void> {
    const { done, value } = await this.#source.next()
    this.#next = done === true ? undefined : value
  }

  /** Undefined at the end. */
  async peek(): Promise<Posting | undefined> {
    if (!this.#begun) await this.#advance()
    this.#begun = true
    return this.#next
  }

  /** Those up to `untilMillis` of the scenario, that moment included, at most a batch. */
  async take(untilMillis: number): Promise<ReadonlyArray<Posting>> {
    const batch: Array<Posting> = []
    for (let next = await this.peek(); next !== undefined && batch.length < BATCH; next = this.#next) {
      if (next.atMillis > untilMillis) break
      batch.push(next)
      await this.#advance()
    }
    return batch
  }
}

export interface ReplayOptions {
  readonly feed: Feed
  readonly broker: Broker["Service"]
  readonly track: Track
  readonly speed: Speed
  /** Moment of the scenario that is now. */
  readonly fromMillis: number
  /** Last moment of the scenario that is published. Default: to the end. */
  readonly untilMillis?: number
  /** Told how far behind the scenario's clock each batch is, milliseconds of real time. */
  readonly lag?: (millis: number) => void
}

/** Ends when everything up to `untilMillis` is confirmed. */
export const replay = Effect.fnUntraced(
  function* (options: ReplayOptions): Effect.fn.Return<void, CommandFailed | BrokerError> {
    const { broker, feed, fromMillis, speed, track } = options
    const end = options.untilMillis ?? Infinity
    const started = yield* Clock.currentTimeMillis
    const reading = <A>(read: () => Promise<A>) =>
      Effect.tryPromise({
        try: read,
        catch: (cause) => new CommandFailed({ exit: exitCodes.failure, message: String(cause) }),
      })
    while (true) {
      const next = yield* reading(() => feed.peek())
      if (next === undefined || next.atMillis > end) return
      const passed = (yield* Clock.currentTimeMillis) - started
      const reached = speed === "max" ? end : Math.min(end, fromMillis + passed * speed)
      if (next.atMillis > reached) {
        const wait = speed === "max" ? 0 : (next.atMillis - fromMillis) / speed - passed
        yield* Effect.sleep(Math.max(1, Math.min(wait, NAP_MILLIS)))
        continue
      }
      const batch = yield* reading(() => feed.take(reached))
      const answers = yield* broker.publish(batch.map(({ publication }) => publication)).pipe(
        Effect.retry({ schedule: INSIST, while: (error) => error.isRetryable }),
      )
      track.note(batch, answers)
      if (speed !== "max") {
        const now = (yield* Clock.currentTimeMillis) - started
        options.lag?.(Math.max(0, now - (next.atMillis - fromMillis) / speed))
      }
    }
  },
)
