/**
 * How long a batch is tried again. An Odoo that is away is waited for without end: nothing is parked because of it. A
 * batch that does not go through while Odoo serves others is stuck by itself, and its patience is bounded.
 *
 *     try ──► went through
 *      │ ▲└─► refused for good
 *      │ └── wait (by reason, jittered) ◄─┐
 *      └─► failed ── patience left ───────┘
 *            └────── patience gone ──► given up
 *
 * The time between two failures counts when there is evidence that it is not Odoo: somebody's plan run went through in
 * it; or Odoo answers a small question right now, and nobody in another line of work fails. A refused key never counts,
 * and a failure by which Odoo says itself that it is away counts by the first kind of evidence only.
 */
import { Clock, Duration, Effect } from "effect"
import { OdooHealth, type Writer } from "../odoo/Health.ts"
import type { OdooError } from "../odoo/Odoo.ts"
import { dispositionOf } from "../reason/Reason.ts"
import { elapsedMillis } from "../telemetry/elapsed.ts"
import { backoff } from "./patience.ts"

/** A failed try, as people see it. */
export interface Retry {
  readonly error: OdooError
  readonly events: number
  /** Tries so far. */
  readonly attempts: number
  /** Epoch milliseconds. */
  readonly nextTryMillis: number
}

/** The failures of a batch so far; the parts of a batch that was split go on with its last one. */
export interface History {
  /** By the clock that never jumps. */
  readonly sinceMillis: number
  readonly lastMillis: number
  /** Of that time, what counts. */
  readonly countedMillis: number
  readonly tries: number
}

export type End =
  | { readonly _tag: "Done"; readonly tries: number }
  /** An exception of the whole batch. */
  | { readonly _tag: "Refused"; readonly error: OdooError }
  | { readonly _tag: "GivenUp"; readonly error: OdooError; readonly history: History }

export interface Perseverance {
  readonly database: string
  /** Entity and flow. */
  readonly line: string
  readonly events: number
  /** How much time may count. */
  readonly patience: Duration.Duration
  /** The last failure of the batch that this one is a part of. */
  readonly before: History | null
  /** Whether Odoo answers a small question of this entity now. */
  readonly answers: Effect.Effect<boolean>
  /** Ends when calls may go out: time in which they may not does not count. */
  readonly ready: Effect.Effect<void>
  /** Told of every failed try, and null when there is nothing to be told any more. */
  readonly retrying: (writer: Writer, retry: Retry | null) => Effect.Effect<void>
}

/** Tries that pass between two lines in the log about the same trouble. */
const QUIET_TRIES = 12

export const persevere = Effect.fnUntraced(
  function* (attempt: Effect.Effect<void, OdooError>, options: Perseverance) {
    const health = yield* OdooHealth
    const { answers, database, events, line, retrying } = options
    const patienceMillis = Duration.toMillis(options.patience)
    const writer: Writer = Symbol(line)
    let history: History | null = options.before === null ? null : { ...options.before, countedMillis: 0, tries: 0 }

    const isEvidence = (error: OdooError, lastMillis: number): Effect.Effect<boolean> =>
      Effect.suspend(() => {
        if (dispositionOf(error.code) === "hold") return Effect.succeed(false)
        if (health.servesSince(database, lastMillis)) return Effect.succeed(true)
        if (error.code === "ODOO-UNAVAILABLE" || health.failsElsewhere(database, line)) return Effect.succeed(false)
        return answers
      })

    const tryOn = Effect.gen(function* () {
      while (true) {
        const asked = yield* elapsedMillis
        yield* options.ready
        const begun = yield* elapsedMillis
        if (history !== null && begun > asked) history = { ...history, lastMillis: begun }
        const error = yield* Effect.match(attempt, { onFailure: (error) => error, onSuccess: () => null })
        const now = yield* elapsedMillis
        const tries = (history?.tries ?? 0) + 1
        if (error === null) {
          health.served(database, writer, now)
          return { _tag: "Done", tries } satisfies End
        }
        if (dispositionOf(error.code) === "park") return { _tag: "Refused", error } satisfies End
        health.failed(database, writer, line)
        const counts = history !== null && (yield* isEvidence(error, history.lastMillis))
        history = {
          sinceMillis: history?.sinceMillis ?? now,
          lastMillis: now,
          countedMillis: (history?.countedMillis ?? 0) + (counts ? now - history!.lastMillis : 0),
          tries,
        }
        if (history.countedMillis >= patienceMillis) return { _tag: "GivenUp", error, history } satisfies End
        const pause = yield* backoff(error.code, tries)
        const nextTryMillis = (yield* Clock.currentTimeMillis) + pause
        yield* retrying(writer, { error, events, attempts: tries, nextTryMillis })
        if (tries % QUIET_TRIES === 1) {
          yield* Effect.logWarning(
            `${events} of ${line} wait: ${error.operation} did not go through (${error.code}), trying again by itself. ${error.message}`,
          )
        }
        yield* Effect.sleep(pause)
      }
    })

    return yield* tryOn.pipe(
      Effect.onExit(() =>
        Effect.suspend(() => {
          health.left(database, writer)
          return retrying(writer, null)
        })
      ),
    )
  },
)
