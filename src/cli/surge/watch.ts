/** Looks at a surge from outside, again and again: what the service, Odoo and the machine say at each moment. */
import { Clock, Effect } from "effect"
import type { StatusRow } from "../../operate/StatusReport.ts"
import { cpuSeconds, residentMiB } from "../lab/usage.ts"
import type { Sample, SurgeReport } from "./Report.ts"
import { sumOf } from "./service.ts"
import type { Target } from "./Target.ts"

/** Time between two looks, at first. */
const EVERY_MILLIS = 500
/** Samples that are kept: when there are so many, every other one goes and looks become rarer. */
const MOST = 800

type ModeStretch = { -readonly [field in keyof SurgeReport["modes"][number]]: SurgeReport["modes"][number][field] }

/** Seconds that a counter grew by, for every second since the look before: what goes on at once, on average. */
class Mean {
  #last: { readonly seconds: number; readonly atMillis: number } | null = null

  /** Null at the first look, while nothing is known, and when the counter has begun anew. */
  over(atMillis: number, seconds: number | null): number | null {
    const last = this.#last
    this.#last = seconds === null ? null : { seconds, atMillis }
    if (seconds === null || last === null || seconds < last.seconds) return null
    return (seconds - last.seconds) / Math.max(0.001, (atMillis - last.atMillis) / 1_000)
  }
}

/** What was seen so far. */
export class Watch {
  samples: Array<Sample> = []
  /** Newest rows of the service; empty while it does not answer. */
  rows: ReadonlyArray<StatusRow> = []
  readonly modes: Array<ModeStretch> = []
  /** Milliseconds of a person's calls since the last sample. */
  user: Array<number> = []
  cpuSeconds = 0
  everyMillis = EVERY_MILLIS
  readonly #callsSince = new Mean()
  readonly #busySince = new Mean()
  #cpu: { readonly pid: number; readonly seconds: number; readonly atMillis: number } | null = null

  /** Notes one look; `atMillis` since the beginning of the surge. */
  note(atMillis: number, seen: Seen): void {
    this.rows = seen.rows ?? []
    const user = this.user
    this.user = []
    const sample: Sample = {
      atMillis,
      calls: this.#callsSince.over(
        atMillis,
        seen.metrics === null ? null : sumOf(seen.metrics, "weir_odoo_call_seconds_sum"),
      ),
      limit: seen.metrics === null ? null : sumOf(seen.metrics, "weir_odoo_calls_limit"),
      busy: this.#busySince.over(atMillis, seen.busySeconds),
      userMillis: user.length === 0 ? null : Math.max(...user),
      inFlight: seen.rows === null ? null : seen.rows.reduce((sum, row) => sum + row.inFlight, 0),
      retrying: seen.rows === null ? null : seen.rows.reduce((sum, row) => sum + row.retrying, 0),
      residentMiB: seen.pid === null ? null : residentMiB(seen.pid),
      cores: this.#coresSince(atMillis, seen.pid),
    }
    this.samples.push(sample)
    this.#modes(atMillis)
    if (this.samples.length < MOST) return
    this.samples = this.samples.filter((_, index) => index % 2 === 0)
    this.everyMillis *= 2
  }

  #coresSince(atMillis: number, pid: number | null): number | null {
    const seconds = pid === null ? null : cpuSeconds(pid)
    const before = this.#cpu
    this.#cpu = pid === null || seconds === null ? null : { pid, seconds, atMillis }
    if (pid === null || seconds === null) return null
    const used = before?.pid === pid ? seconds - before.seconds : seconds
    this.cpuSeconds += used
    return before === null || before.pid !== pid ? null : used / Math.max(0.001, (atMillis - before.atMillis) / 1_000)
  }

  #modes(atMillis: number): void {
    const now = new Map(this.rows.map(({ entity, mode }) => [entity, mode]))
    for (const [entity, mode] of now) {
      const last = this.modes.findLast((stretch) => stretch.entity === entity)
      if (last?.mode === mode) last.untilMillis = atMillis
      else this.modes.push({ entity, mode, fromMillis: last?.untilMillis ?? 0, untilMillis: atMillis })
    }
  }
}

interface Seen {
  readonly rows: ReadonlyArray<StatusRow> | null
  readonly metrics: string | null
  readonly busySeconds: number | null
  readonly pid: number | null
}

/** Looks until it is interrupted. `startedMillis` is the beginning of the surge. */
export const watching = (watch: Watch, target: Target, startedMillis: number): Effect.Effect<never> =>
  Effect.gen(function* () {
    const { busySeconds, metrics, status } = target
    const seen = yield* Effect.all({ status, metrics, busySeconds }, { concurrency: 3 })
    const now = yield* Clock.currentTimeMillis
    watch.note(now - startedMillis, {
      rows: seen.status?.rows ?? null,
      metrics: seen.metrics,
      busySeconds: seen.busySeconds,
      pid: target.pid(),
    })
    yield* Effect.sleep(watch.everyMillis)
  }).pipe(Effect.forever)
