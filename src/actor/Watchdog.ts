/**
 * Finds consumers that look healthy and deliver nothing. Compares what the stream holds for a flow with what was
 * delivered; when the stream is ahead twice in a row although there is room, the consumer is replaced.
 */
import { Duration, Effect } from "effect"
import { Broker } from "../broker/Broker.ts"
import { elapsedMillis } from "../telemetry/elapsed.ts"
import { Thresholds } from "./modes/Thresholds.ts"

export interface WatchdogOptions {
  /** What the consumer listens on. */
  readonly subject: string
  /** The last stream sequence that was delivered. */
  readonly delivered: () => number
  /** Whether the consumer could deliver: it is open, and not held back by us. */
  readonly hasRoom: () => boolean
  readonly replace: Effect.Effect<void>
}

/** Looks for ever. A broker that does not answer proves nothing. */
export const watchdog = Effect.fnUntraced(function* ({ delivered, hasRoom, replace, subject }: WatchdogOptions) {
  const broker = yield* Broker
  const { lookEvery, silence } = yield* Thresholds
  const silenceMillis = Duration.toMillis(silence)
  let quietSinceMillis = yield* elapsedMillis
  let seen = delivered()
  /** What the stream held at the last look; null when it was not ahead. */
  let ahead: number | null = null

  while (true) {
    yield* Effect.sleep(lookEvery)
    const now = yield* elapsedMillis
    if (!hasRoom() || delivered() !== seen) {
      seen = delivered()
      quietSinceMillis = now
      ahead = null
      continue
    }
    if (now - quietSinceMillis < silenceMillis) continue
    const last = yield* broker.lastSequence(subject).pipe(
      Effect.timeout(lookEvery),
      Effect.tapError((error) => Effect.logDebug(`the watchdog gets no answer: ${error.message}`)),
      Effect.orElseSucceed(() => null),
    )
    if (last === null || last <= delivered()) {
      ahead = null
      // Nothing to deliver: not to be asked again at every look.
      quietSinceMillis = now
    } else if (ahead === null) ahead = last
    else {
      yield* Effect.logWarning(
        `the consumer of ${subject} has been silent although the stream is at ${last} and it is at ${delivered()}: replaced`,
      )
      yield* replace
      ahead = null
      quietSinceMillis = now
    }
  }
})
