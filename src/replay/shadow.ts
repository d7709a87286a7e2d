/**
 * Looks at an entity in mode `shadow`, once a day: all that came is held against what another system has made of it, and
 * nothing is written. Nothing is kept about what is due: the id of a scheduled run says the day.
 */
import { Clock, Duration, Effect, type Latch } from "effect"
import { untilAvailable } from "../actor/patience.ts"
import { type NewRun, Runs } from "../ledger/Runs.ts"
import { DEFAULT_CONCURRENCY, DEFAULT_RATE, type ReplayRequest } from "./Request.ts"

export interface ShadowSchedule {
  /** Hour of the day in UTC, 0 to 23. */
  readonly hour: number
  /** Days that a look goes back. */
  readonly days: number
  /** By model, the field in which the other system keeps its source's name of a record. */
  readonly fields?: Readonly<Record<string, string>>
}

export const DEFAULT_SHADOW: ShadowSchedule = { hour: 5, days: 40 }

/** How often the clock is looked at. */
const LOOK = Duration.minutes(5)
const ACTOR = "weir"

/** For ever. `isShadowed`: whether the entity is in that mode now; `nudged` is opened when there is something to do. */
export const scheduleShadows = Effect.fnUntraced(
  function* (
    entity: string,
    { days, hour }: ShadowSchedule,
    isShadowed: () => boolean,
    nudged: Latch.Latch,
  ) {
    const runs = yield* Runs
    while (true) {
      const now = yield* Clock.currentTimeMillis
      if (isShadowed() && new Date(now).getUTCHours() >= hour) {
        const request: ReplayRequest = {
          selection: {
            subject: `erp.${entity}.>`,
            fromMillis: Math.max(0, now - Duration.toMillis(Duration.days(days))),
          },
          source: "stream",
          onChanged: "skip",
          ratePerSecond: DEFAULT_RATE,
          concurrency: DEFAULT_CONCURRENCY,
          keepAll: false,
          alike: true,
        }
        const opened = yield* runs.open({
          entity,
          runId: `shadow-${new Date(now).toISOString().slice(0, 10)}`,
          kind: "replay",
          state: "examining",
          request: request as unknown as NewRun["request"],
          requestedBy: ACTOR,
          reason: "schedule",
        }).pipe(untilAvailable("schedule of shadows"))
        if (opened) yield* nudged.open
      }
      yield* Effect.sleep(LOOK)
    }
  },
)
