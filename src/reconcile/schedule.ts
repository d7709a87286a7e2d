/**
 * Proofs that nobody has to ask for: every day one of the current month, and one of the month before until that is proven
 * complete. Its objective: complete within so many days after the month's end.
 *
 * Nothing is kept about what is due: the id of a scheduled run says the day and the month, and there is one of each,
 * whoever owns the entity.
 */
import { Clock, Duration, Effect, Latch } from "effect"
import { untilAvailable } from "../actor/patience.ts"
import { type Run, Runs } from "../ledger/Runs.ts"
import { proofMeter } from "../telemetry/Metrics.ts"
import { keptIn } from "./Report.ts"
import { requestOf } from "./Request.ts"

export interface ProofSchedule {
  /** Hour of the day in UTC, 0 to 23. */
  readonly hour: number
  /** Days after a month's end within which it is to be proven complete. */
  readonly deadlineDays: number
}

/** How often the clock is looked at. */
const LOOK = Duration.minutes(5)
/** Proofs of the entity that are looked through for the newest ones, all of two months with room for what people ask. */
const LOOKED_THROUGH = 200
const ACTOR = "weir"

export interface Due {
  readonly runId: string
  readonly period: string
}

const monthOf = (year: number, month: number): string => new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 7)

/** The months that are proven on a day: its own, and the one before. Days and months are those of UTC. */
export const periodsAt = (nowMillis: number): { readonly current: string; readonly previous: string } => {
  const now = new Date(nowMillis)
  const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()]
  return { current: monthOf(year, month), previous: monthOf(year, month - 1) }
}

/** What is due; `proven`: the month before is proven complete. */
export const dueAt = ({ hour }: ProofSchedule, nowMillis: number, proven: boolean): ReadonlyArray<Due> => {
  if (new Date(nowMillis).getUTCHours() < hour) return []
  const day = new Date(nowMillis).toISOString().slice(0, 10)
  const { current, previous } = periodsAt(nowMillis)
  return [...proven ? [] : [previous], current].map((period) => ({ runId: `daily-${day}-${period}`, period }))
}

/** The month before ought to be proven complete by now, and is not. */
export const isOverdue = ({ deadlineDays }: ProofSchedule, nowMillis: number, proven: boolean): boolean =>
  !proven && new Date(nowMillis).getUTCDate() > deadlineDays

const isOf = (run: Run, period: string): boolean => requestOf(run).period === period

/** For ever. `nudged` is opened when there is something to carry out. */
export const scheduleProofs = Effect.fnUntraced(
  function* (entity: string, schedule: ProofSchedule, nudged: Latch.Latch) {
    const runs = yield* Runs
    const meter = proofMeter(entity)
    let warned = ""
    while (true) {
      const now = yield* Clock.currentTimeMillis
      const { previous } = periodsAt(now)
      const done = yield* runs.runs({
        entity,
        kind: "reconciliation",
        states: ["done"],
        limit: LOOKED_THROUGH,
      }).pipe(untilAvailable("schedule of proofs"))
      // A proof of some flows proves nothing of the others.
      const whole = done.filter((run) => requestOf(run).flows === undefined)
      const proven = keptIn(whole.find((run) => isOf(run, previous))?.result)?.report.complete === true
      for (const { period, runId } of dueAt(schedule, now, proven)) {
        const opened = yield* runs.open({
          entity,
          runId,
          kind: "reconciliation",
          state: "examining",
          request: { period },
          requestedBy: ACTOR,
          reason: "schedule",
        }).pipe(untilAvailable("schedule of proofs"))
        if (opened) Latch.openUnsafe(nudged)
      }
      const overdue = isOverdue(schedule, now, proven)
      yield* meter.told(keptIn(whole[0]?.result)?.report.mismatches ?? 0, overdue)
      if (overdue && warned !== previous) {
        warned = previous
        yield* Effect.logWarning(
          `${previous} is not proven complete ${schedule.deadlineDays} days after its end: weir reconciliations list --entity ${entity}`,
        )
      }
      yield* Effect.sleep(LOOK)
    }
  },
)
