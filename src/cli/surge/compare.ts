/** Two reports side by side: what has become better and what worse. Pure. */
import { type Column, type Paint, table } from "../table.ts"
import { duration } from "./duration.ts"
import type { SurgeReport } from "./Report.ts"

export interface Compared {
  readonly what: string
  readonly first: string
  readonly second: string
  /** The second to the first in percent, where both are known and the first is not zero. */
  readonly change: number | null
  /** Null where neither direction is better. */
  readonly better: boolean | null
}

/** Changes below this are noise on any machine that does something else, too. Percent. */
const NOISE = 5

type Value = (report: SurgeReport) => number | null

const compared = (
  [first, second]: readonly [SurgeReport, SurgeReport],
  what: string,
  value: Value,
  format: (value: number | null) => string,
  lessIsBetter: boolean | null,
): Compared => {
  const [a, b] = [value(first), value(second)]
  const change = a === null || b === null || a === 0 ? null : 100 * (b - a) / a
  return {
    what,
    first: format(a),
    second: format(b),
    change,
    better: change === null || lessIsBetter === null || Math.abs(change) < NOISE ? null : (change < 0) === lessIsBetter,
  }
}

const count = (value: number | null): string => value === null ? "-" : String(Math.round(value))
const seconds = (value: number | null): string => duration(value === null ? null : value * 1_000)

export const compare = (first: SurgeReport, second: SurgeReport): ReadonlyArray<Compared> => {
  const both = [first, second] as const
  const names = [...new Set(both.flatMap(({ latencies }) => latencies.map(({ flow, lane }) => flow ?? `lane ${lane}`)))]
  const latency = (name: string, percentile: "p50" | "p99"): Value => ({ latencies }) =>
    latencies.find(({ flow, lane }) => (flow ?? `lane ${lane}`) === name)?.latency[percentile] ?? null
  return [
    compared(both, "events published", ({ published }) => published, count, null),
    compared(both, "until the last settled", ({ seconds }) => seconds, seconds, true),
    compared(both, "settled after the last publication", (one) => one.settledAfterSeconds, seconds, true),
    compared(both, "settled a second, at most", ({ peaks }) => peaks.settledPerSecond, count, false),
    compared(both, "largest backlog", ({ peaks }) => peaks.backlog, count, true),
    ...names.flatMap((name) => [
      compared(both, `${name} p50`, latency(name, "p50"), duration, true),
      compared(both, `${name} p99`, latency(name, "p99"), duration, true),
    ]),
    compared(both, "a person waits, p95", ({ user }) => user?.surge.p95 ?? null, duration, true),
    compared(both, "memory at most, MiB", ({ peaks }) => peaks.residentMiB, count, true),
    compared(both, "processor time of Weir", ({ cpuSeconds }) => cpuSeconds, seconds, true),
    compared(both, "figures that differ", ({ totals }) => totals.different.length, count, true),
    compared(both, "objectives missed", (one) => one.objectives.filter(({ met }) => !met).length, count, true),
  ]
}

const nameOf = ({ scenario, speed, startedAt }: SurgeReport): string =>
  `${scenario.name} ×${speed} ${startedAt.slice(0, 16).replace("T", " ")}`

export const renderComparison = (first: SurgeReport, second: SurgeReport, paint: Paint): string => {
  const columns: ReadonlyArray<Column<Compared>> = [
    { title: "", cell: ({ what }) => what },
    { title: nameOf(first), align: "right", cell: (row) => row.first },
    { title: nameOf(second), align: "right", cell: (row) => row.second },
    {
      title: "CHANGE",
      align: "right",
      cell: ({ change }) => change === null ? "" : `${change > 0 ? "+" : ""}${change.toFixed(0)} %`,
      colour: ({ better }) => better === null ? undefined : better ? "green" : "red",
    },
  ]
  return table(columns, compare(first, second), paint)
}
