/**
 * Archivings that nobody has to ask for: one a day and legal entity. Nothing is kept about what is due: the id of a
 * scheduled run says the day, and there is one of each, whoever owns the entity.
 */
import { Clock, Duration, Effect, Latch } from "effect"
import { untilAvailable } from "../actor/patience.ts"
import { Runs } from "../ledger/Runs.ts"
import { archiveMeter } from "../telemetry/Metrics.ts"
import type { Retention } from "./policy.ts"
import { requestOf } from "./Request.ts"

/** How often the clock is looked at. */
const LOOK = Duration.minutes(5)
/** Archivings looked through for the last one that let rows go: dry runs are among them. */
const LOOKED_THROUGH = 50
const ACTOR = "weir"

/** Entities begin spread over an hour: always at the same minute of it. */
const minuteOf = (entity: string): number => {
  let sum = 0
  for (const character of entity) sum = (sum * 31 + character.codePointAt(0)!) % 60
  return sum
}

/** The id of the run that is due, if one is. */
export const dueAt = ({ hour }: Pick<Retention, "hour">, entity: string, nowMillis: number): string | null => {
  const now = new Date(nowMillis)
  // From eleven in the evening on there is no whole hour left to spread over: they begin together.
  const minutes = now.getUTCHours() * 60 + now.getUTCMinutes()
  return minutes < hour * 60 + (hour === 23 ? 0 : minuteOf(entity)) ? null : `archive-${now.toISOString().slice(0, 10)}`
}

/** For ever. `nudged` is opened when there is something to carry out. */
export const scheduleArchives = Effect.fnUntraced(
  function* (entity: string, retention: Retention, nudged: Latch.Latch) {
    const runs = yield* Runs
    const meter = archiveMeter(entity)
    let warned = ""
    while (true) {
      const now = yield* Clock.currentTimeMillis
      const runId = dueAt(retention, entity, now)
      if (runId !== null) {
        const opened = yield* runs.open({
          entity,
          runId,
          kind: "archive",
          state: "examining",
          request: { apply: true },
          requestedBy: ACTOR,
          reason: "schedule",
        }).pipe(untilAvailable("schedule of archives"))
        if (opened) Latch.openUnsafe(nudged)
      }
      const ended = yield* runs.runs({ entity, kind: "archive", states: ["done", "failed"], limit: LOOKED_THROUGH })
        .pipe(untilAvailable("schedule of archives"))
      const applied = ended.filter((run) => requestOf(run).apply)
      const [last] = applied
      const good = applied.find(({ state }) => state === "done")
      yield* meter(last?.state === "failed", good === undefined ? null : (now - good.changedAtMillis) / 1_000)
      if (last?.state === "failed" && warned !== last.runId) {
        warned = last.runId
        yield* Effect.logWarning(`archiving ${last.runId} of ${entity} failed, nothing is lost: ${last.trouble}`)
      }
      yield* Effect.sleep(LOOK)
    }
  },
)
