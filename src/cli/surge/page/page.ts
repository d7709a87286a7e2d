/** One report as a page of its own, or two side by side: HTML without anything from outside. */
import { duration } from "../duration.ts"
import type { SurgeReport } from "../Report.ts"
import { type Frame, type Plot, render } from "./Plot.ts"
import { bandsOf, millisOf, plotsOf } from "./plots.ts"
import { clock, count, escape } from "./scale.ts"
import { style } from "./style.ts"

type Html = string

const row = (...cells: ReadonlyArray<Html>): Html => `<tr>${cells.join("")}</tr>`
const cell = (text: string, kind = ""): Html => `<td${kind === "" ? "" : ` class="${kind}"`}>${escape(text)}</td>`
const titles = (...names: ReadonlyArray<readonly [string, string?]>): Html =>
  row(...names.map(([name, kind = ""]) => `<th${kind === "" ? "" : ` class="${kind}"`}>${escape(name)}</th>`))
const table = (...rows: ReadonlyArray<Html>): Html => `<table>${rows.join("\n")}</table>`
const section = (title: string, body: Html): Html => `<section><h2>${escape(title)}</h2>${body}</section>`

const speedOf = ({ paced, speed }: SurgeReport): string => {
  const pace = speed === "max" ? "as fast as it goes" : speed === 1 ? "at its own pace" : `${speed} times its pace`
  const from = paced.fromMillis === 0 ? "" : ` from hour ${(paced.fromMillis / 3_600_000).toFixed(1)} on`
  const until = paced.untilMillis === null ? "" : ` to hour ${(paced.untilMillis / 3_600_000).toFixed(1)}`
  return `${pace}${from}${until}`
}

const head = (report: SurgeReport): Html => {
  const missed = report.objectives.filter(({ met }) => !met).length
  const verdict = missed === 0 ? "all objectives met" : `${missed} of ${report.objectives.length} objectives missed`
  return `<header><h1>${escape(report.scenario.name)}</h1>` +
    `<span class="verdict ${missed === 0 ? "met" : "missed"}">${verdict}</span></header>` +
    `<p class="about">Seed ${report.scenario.seed}, ${
      count(report.scenario.events)
    } events of ${report.scenario.entities} ` +
    `legal entities, ${escape(speedOf(report))}. ${escape(report.startedAt.slice(0, 16).replace("T", " "))} UTC, ` +
    `Weir ${escape(report.weir)} onto ${escape(report.target.description)}; ${report.target.processors} processors.</p>`
}

const tile = (value: string, name: string): Html =>
  `<div class="tile"><b>${escape(value)}</b><span>${escape(name)}</span></div>`

const tiles = (report: SurgeReport): Html => {
  const payments = report.latencies.find(({ flow }) => flow === "payments")
  return `<div class="tiles">${
    [
      tile(report.published.toLocaleString("en"), "events published"),
      tile(duration(report.seconds * 1_000), "until the last settled"),
      tile(count(report.peaks.publishedPerSecond), "in a second, at most"),
      tile(count(report.peaks.settledPerSecond), "settled a second, at most"),
      tile(count(report.peaks.backlog), "largest backlog"),
      tile(duration(payments?.latency.p99 ?? null), "payments, p99"),
      ...report.user === null ? [] : [tile(duration(report.user.surge.p95), "a person waits, p95")],
      ...report.peaks.residentMiB === null
        ? []
        : [tile(`${report.peaks.residentMiB.toFixed(0)} MiB`, "memory, at most")],
      ...report.cpuSeconds === null ? [] : [tile(`${report.cpuSeconds.toFixed(1)} s`, "of a processor, Weir")],
    ].join("")
  }</div>`
}

const objectives = ({ objectives }: SurgeReport): Html =>
  section(
    "Objectives",
    table(
      titles(["", ""], ["objective"], ["measured"]),
      ...objectives.map(({ measured, met, objective }) =>
        row(
          `<td><span class="${met ? "met" : "missed"}">${met ? "✓ met" : "✗ missed"}</span></td>`,
          cell(objective),
          cell(measured),
        )
      ),
    ),
  )

const latencies = ({ latencies }: SurgeReport): Html =>
  section(
    "Latency by lane and flow",
    table(
      titles(["lane"], ["settled", "r"], ["held", "r"], ["p50", "r"], ["p95", "r"], ["p99", "r"], ["max", "r"], [
        "p99 from storing",
        "r",
      ]),
      ...latencies.map(({ flow, fromStored, held, lane, latency }) =>
        row(
          flow === null ? `<td class="lane"><i class="swatch ${lane}"></i>${lane}</td>` : cell(flow, "flow"),
          ...[
            String(latency.count),
            String(held),
            ...[latency.p50, latency.p95, latency.p99, latency.max, fromStored.p99].map(duration),
          ].map((text) => cell(text, "r")),
        )
      ),
    ),
  )

/** Entities that have been in another mode than full, each a strip over time. */
const modes = (report: SurgeReport, { millis }: Frame): Html => {
  const byEntity = [...Map.groupBy(report.modes, ({ entity }) => entity)]
    .filter(([, own]) => own.some(({ mode }) => mode !== "full"))
  if (byEntity.length === 0) return ""
  const part = (value: number): string => (100 * value / millis).toFixed(2)
  const strips = byEntity.map(([entity, own]) =>
    `<span>${escape(entity)}</span><span class="strip">${
      own.map(({ fromMillis, mode, untilMillis }) =>
        `<i class="${escape(mode)}" style="left:${part(fromMillis)}%;width:${part(untilMillis - fromMillis)}%" ` +
        `title="${escape(mode)} from ${clock(fromMillis)} to ${clock(untilMillis)}"></i>`
      ).join("")
    }</span>`
  )
  return section("Modes", `<div class="modes">${strips.join("")}</div>`)
}

/** `a probe failed (4 times)` instead of four lines of the same. */
const shortened = (steps: ReadonlyArray<string>): string => {
  const counts: Array<[step: string, times: number]> = []
  for (const step of steps) {
    const last = counts.at(-1)
    if (last?.[0] === step) last[1]++
    else counts.push([step, 1])
  }
  return counts.map(([step, times]) => times === 1 ? step : `${step} (${times} times)`).join("; ")
}

const events = ({ faults, incidents }: SurgeReport): Html =>
  faults.length + incidents.length === 0 ? "" : section(
    "Faults and incidents",
    table(
      titles(["from", "r"], ["until", "r"], ["what"], ["steps"]),
      ...[
        ...faults.map((fault) => ({ ...fault, steps: [] as ReadonlyArray<string> })),
        ...incidents.map(({ cause, entity, ...incident }) => ({
          ...incident,
          what: `incident of ${entity}: ${cause}`,
        })),
      ].sort((a, b) => a.fromMillis - b.fromMillis).map(({ fromMillis, steps, untilMillis, what }) =>
        row(
          cell(clock(fromMillis), "r"),
          cell(untilMillis === null ? "open" : clock(untilMillis), "r"),
          cell(what, "one"),
          cell(shortened(steps)),
        )
      ),
    ),
  )

const exceptions = ({ exceptions }: SurgeReport): Html => {
  const byCode = [...Map.groupBy(exceptions, ({ code }) => code)].map(([code, own]) => ({
    code,
    expected: own.reduce((sum, { expected }) => sum + expected, 0),
    actual: own.reduce((sum, { actual }) => sum + actual, 0),
    same: own.every(({ actual, expected }) => actual === expected),
  }))
  return byCode.length === 0 ? "" : section(
    "Held at the end",
    table(
      titles(["code"], ["expected", "r"], ["held", "r"]),
      ...byCode.map(({ actual, code, expected, same }) =>
        row(cell(code, same ? "" : "wrong"), cell(String(expected), "r"), cell(String(actual), same ? "r" : "r wrong"))
      ),
    ),
  )
}

const totals = ({ totals }: SurgeReport): Html =>
  totals.different.length === 0 ? "" : section(
    "Not as expected",
    table(
      titles(["entity"], ["flow"], ["what"], ["expected", "r"], ["actual", "r"]),
      ...totals.different.map(({ actual, entity, expected, flow, what }) =>
        row(cell(entity), cell(flow), cell(what), cell(expected, "r"), cell(actual, "r wrong"))
      ),
    ),
  )

/** Parts of a report in their order; of two reports the same ones stand side by side. */
const parts = (report: SurgeReport, plots: ReadonlyArray<Plot>, millis: number): ReadonlyArray<Html> => {
  const bands = bandsOf(report)
  const frame: Frame = { millis, bands, named: false }
  return [
    head(report) + tiles(report),
    objectives(report),
    ...plots.map((plot, index) => render(plot, { ...frame, named: index === 0 })),
    modes(report, frame),
    latencies(report),
    events(report),
    exceptions(report),
    totals(report),
    `<footer>${escape(NOTES)}</footer>`,
  ]
}

const NOTES =
  "Latency counts from the broker's own time of storing to the ledger's time of settling. An event that refers to " +
  "another one counts from the moment at which that was in the stream, too. A point of a line is a stretch of time; the " +
  "pointer tells its values. Red: a fault. The strip below: an incident, as Weir noted it."

const largest = (plot: Plot): number =>
  plot.lines.reduce((most, { points }) => points.reduce((max, [, value]) => Math.max(max, value ?? 0), most), 0)

/** Diagrams of the same name get the same axes. */
const shared = (all: ReadonlyArray<ReadonlyArray<Plot>>): ReadonlyArray<ReadonlyArray<Plot>> =>
  all.map((plots) =>
    plots.map((plot) => ({
      ...plot,
      atLeast: Math.max(
        plot.atLeast ?? 0,
        ...all.flatMap((others) => others.filter(({ title }) => title === plot.title).map(largest)),
      ),
    }))
  )

export const page = (reports: ReadonlyArray<SurgeReport>): Html => {
  const millis = Math.max(...reports.map(millisOf))
  const plots = shared(reports.map(plotsOf))
  const columns = reports.map((report, index) => parts(report, plots[index] ?? [], millis))
  const longest = Math.max(...columns.map((column) => column.length))
  const body = Array.from(
    { length: longest },
    (_, index) =>
      columns.map((column) => reports.length > 1 ? `<div>${column[index] ?? ""}</div>` : column[index] ?? ""),
  ).flat().join("\n")
  const title = reports.map(({ scenario }) => scenario.name).join(" and ")
  return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Surge: ${escape(title)}</title>
<style>${style}</style>
<body${reports.length > 1 ? ' class="pair"' : ""}>
<main>
${body}
</main>
</body>
</html>
`
}
