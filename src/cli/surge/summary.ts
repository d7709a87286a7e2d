/** What a surge says at its end, in a terminal. */
import { type Column, type Paint, table } from "../table.ts"
import { duration } from "./duration.ts"
import type { Latencies, SurgeReport } from "./Report.ts"

const latencyColumns: ReadonlyArray<Column<Latencies>> = [
  { title: "LANE", cell: ({ flow, lane }) => flow === null ? lane : `  ${flow}` },
  { title: "SETTLED", align: "right", cell: ({ latency }) => String(latency.count) },
  { title: "HELD", align: "right", cell: ({ held }) => String(held) },
  { title: "P50", align: "right", cell: ({ latency }) => duration(latency.p50) },
  { title: "P95", align: "right", cell: ({ latency }) => duration(latency.p95) },
  { title: "P99", align: "right", cell: ({ latency }) => duration(latency.p99) },
  { title: "MAX", align: "right", cell: ({ latency }) => duration(latency.max) },
]

type Objective = SurgeReport["objectives"][number]

const objectiveColumns: ReadonlyArray<Column<Objective>> = [
  { title: "", cell: ({ met }) => met ? "met" : "MISSED", colour: ({ met }) => met ? "green" : "red" },
  { title: "OBJECTIVE", cell: ({ objective }) => objective },
  { title: "MEASURED", cell: ({ measured }) => measured },
]

export const summary = (report: SurgeReport, paint: Paint): string => {
  const { peaks, scenario, target } = report
  const speed = report.speed === "max" ? "as fast as it goes" : `${report.speed} times its pace`
  return [
    `${scenario.name}, seed ${scenario.seed}, ${speed}, onto ${target.description}`,
    `${report.published} events in ${report.seconds.toFixed(1)} s; at most ${
      peaks.publishedPerSecond.toFixed(0)
    } published ` +
    `and ${peaks.settledPerSecond.toFixed(0)} settled a second, backlog ${peaks.backlog}`,
    "",
    table(latencyColumns, report.latencies, paint),
    "",
    table(objectiveColumns, report.objectives, paint),
    ...report.totals.different.slice(0, 20).map(({ actual, entity, expected, flow, what }) =>
      paint(`${entity} ${flow} ${what}: ${actual}, expected ${expected}`, "red")
    ),
  ].join("\n")
}
