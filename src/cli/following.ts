/**
 * `weir run` follows its file: it looks every two seconds and at SIGHUP. A file is taken up when two looks in a row find
 * the same text, so that one that is being written is not read in the middle. Its content is compared, not its time: what
 * mounts files into containers swaps links.
 */
import { Effect, Option, Queue, Schedule } from "effect"
import process from "node:process"
import { Live } from "../config/Live.ts"
import { type source } from "../config/load.ts"
import type { ConfigurationInvalid } from "../config/Problem.ts"

const EVERY = "2 seconds"
const GOES_ON = "the one before goes on"

type Source = ReturnType<typeof source>

/** Takes the file up, and says what came of it. */
const takeUp = Effect.gen(function* () {
  const live = yield* Live
  const { added, changed, databases, removed, restart } = yield* live.reload
  const lines = Object.entries({ added, removed, changed, databases }).filter(([, names]) => names.length > 0)
  const what = lines.map(([name, names]) => `${name}: ${names.join(", ")}`).join("; ")
  yield* Effect.logInfo(`configuration taken up; ${what === "" ? "nothing changed" : what}`)
  if (restart.length > 0) yield* Effect.logWarning(`counts after a restart only: ${restart.join(", ")}`)
}).pipe(Effect.catch((error: ConfigurationInvalid) => Effect.logError(error.told(GOES_ON))))

/** Looks until it is interrupted. `text` is what the file said when the process started. */
export const watch = (source: Source, text: string | null) =>
  Effect.suspend(() => {
    let taken = text
    let seen = text
    return source.pipe(
      Effect.map(({ text }) => text),
      Effect.option,
      Effect.flatMap((found) => {
        // A file that is away for a moment is being replaced; one that stays away is found out by SIGHUP.
        if (Option.isNone(found) || found.value === null) return Effect.void
        const settled = found.value === seen && found.value !== taken
        seen = found.value
        if (!settled) return Effect.void
        taken = found.value
        return takeUp
      }),
      Effect.repeat(Schedule.spaced(EVERY)),
    )
  })

/** Takes the file up whenever the process gets SIGHUP; for ever. */
export const onHangUp = Effect.gen(function* () {
  // Signals that come while one is worked on are one.
  const signals = yield* Queue.sliding<void>(1)
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const hear = () => void Queue.offerUnsafe(signals, undefined)
      process.on("SIGHUP", hear)
      return hear
    }),
    (hear) => Effect.sync(() => void process.off("SIGHUP", hear)),
  )
  return yield* Queue.take(signals).pipe(Effect.andThen(takeUp), Effect.forever)
})
