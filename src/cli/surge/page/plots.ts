/** Which diagrams a report has. */
import type { Bucket, Lane, Part, SurgeReport } from "../Report.ts"
import type { Band, Line, Plot } from "./Plot.ts"
import { count, time } from "./scale.ts"

const lanes: ReadonlyArray<Lane> = ["critical", "normal", "bulk", "backfill"]

const lanesOf = ({ buckets }: SurgeReport): ReadonlyArray<Lane> =>
  lanes.filter((lane) => buckets.some((bucket) => bucket.lanes[lane] !== undefined))

const all = (bucket: Bucket, what: (part: Part) => number): number =>
  Object.values(bucket.lanes).reduce((sum, part) => sum + what(part), 0)

/** Rates are told in the middle of what they were counted over. */
const middle = ({ bucketMillis }: SurgeReport, { atMillis }: Bucket): number => atMillis + bucketMillis / 2

const rates = (report: SurgeReport): Plot => {
  const perSecond = (what: "published" | "settled"): Line["points"] =>
    report.buckets.map((bucket) => [
      middle(report, bucket),
      all(bucket, (part) => part[what]) / (report.bucketMillis / 1_000),
    ])
  return {
    title: "In and out",
    about: "events a second",
    format: count,
    lines: [
      { name: "published", tone: "in", shape: "area", points: perSecond("published") },
      { name: "settled", tone: "out", shape: "line", points: perSecond("settled") },
    ],
  }
}

/** Lanes above each other, the most urgent one at the bottom. */
const backlog = (report: SurgeReport): Plot => {
  const below = report.buckets.map(() => 0)
  const lines = lanesOf(report).map((lane): Line => {
    const base = [...below]
    const points = report.buckets.map((bucket, index) => {
      below[index] = below[index]! + Math.max(0, bucket.lanes[lane]?.backlog ?? 0)
      return [bucket.atMillis + report.bucketMillis, below[index]!] as const
    })
    return { name: lane, tone: lane, shape: "area", points: [[0, 0], ...points], base: [0, ...base] }
  })
  return { title: "Backlog", about: "events in the stream without an outcome", format: count, lines }
}

/** Stretches without a value that a line goes across: where nothing was settled for longer, it breaks. */
const BRIDGE = 5

/** Without the nulls of short gaps. */
const bridged = (points: Line["points"]): Line["points"] => {
  const kept: Array<Line["points"][number]> = []
  let gap: Array<Line["points"][number]> = []
  for (const point of points) {
    if (point[1] === null) {
      gap.push(point)
      continue
    }
    if (gap.length > BRIDGE) kept.push(gap[0]!)
    gap = []
    kept.push(point)
  }
  return kept
}

const latency = (report: SurgeReport): Plot => ({
  title: "Latency",
  about: "from the moment all that an event needs was in the stream, until it was settled",
  format: time,
  logarithmic: true,
  lines: lanesOf(report).flatMap((lane): ReadonlyArray<Line> => {
    const of = (what: "p50" | "p99"): Line["points"] =>
      bridged(report.buckets.map((bucket) => [middle(report, bucket), bucket.lanes[lane]?.[what] ?? null]))
    return [
      { name: `${lane} p99`, tone: lane, shape: "line", points: of("p99") },
      { name: `${lane} p50`, tone: lane, shape: "line", dashed: true, points: of("p50") },
    ]
  }),
})

const odoo = (report: SurgeReport): Plot => {
  const own = report.samples.some(({ busy }) => busy !== null)
  return {
    title: "Calls to Odoo at once",
    about: own ? "workers that are busy, mean between two looks" : "of Weir, mean between two looks",
    format: count,
    atLeast: report.target.odooWorkers ?? 1,
    lines: [
      {
        name: "under way",
        tone: "soft",
        shape: "area",
        points: report.samples.map(({ atMillis, busy, calls }) => [atMillis, own ? busy : calls]),
      },
      {
        name: "Weir's own limit",
        tone: "ink",
        shape: "step",
        points: report.samples.map(({ atMillis, limit }) => [atMillis, limit]),
      },
    ],
    ...report.target.odooWorkers !== null && { level: { value: report.target.odooWorkers, name: "workers" } },
  }
}

const user = (report: SurgeReport): Plot => ({
  title: "A person in Odoo",
  about: "how long a list takes to open, the slowest between two looks",
  format: time,
  lines: [{
    name: "waits",
    tone: "ink",
    shape: "dots",
    points: report.samples.map(({ atMillis, userMillis }) => [atMillis, userMillis]),
  }],
  ...report.user?.quiet.p95 != null && { level: { value: report.user.quiet.p95, name: "p95 before the surge" } },
})

const hands = (report: SurgeReport): Plot => ({
  title: "In hand",
  about: "events that Weir works on, and those of them that are tried again",
  format: count,
  lines: [
    {
      name: "in flight",
      tone: "soft",
      shape: "area",
      points: report.samples.map((one) => [one.atMillis, one.inFlight]),
    },
    {
      name: "tried again",
      tone: "critical",
      shape: "line",
      points: report.samples.map((one) => [one.atMillis, one.retrying]),
    },
  ],
})

const machine = (report: SurgeReport): Plot => ({
  title: "Memory of Weir",
  about: "resident, MiB",
  format: count,
  lines: [{
    name: "resident",
    tone: "soft",
    shape: "area",
    points: report.samples.map(({ atMillis, residentMiB }) => [atMillis, residentMiB]),
  }],
})

const knows = (report: SurgeReport, field: "inFlight" | "residentMiB" | "limit"): boolean =>
  report.samples.some((sample) => sample[field] !== null)

export const plotsOf = (report: SurgeReport): ReadonlyArray<Plot> => [
  rates(report),
  backlog(report),
  latency(report),
  ...knows(report, "limit") ? [odoo(report)] : [],
  ...report.user === null ? [] : [user(report)],
  ...knows(report, "inFlight") ? [hands(report)] : [],
  ...knows(report, "residentMiB") ? [machine(report)] : [],
]

export const millisOf = (report: SurgeReport): number =>
  Math.max(report.seconds * 1_000, (report.buckets.at(-1)?.atMillis ?? 0) + report.bucketMillis)

export const bandsOf = (report: SurgeReport): ReadonlyArray<Band> => [
  ...report.incidents.map(({ cause, entity, fromMillis, untilMillis }): Band => ({
    kind: "incident",
    what: `incident of ${entity}: ${cause}`,
    fromMillis,
    untilMillis: untilMillis ?? millisOf(report),
  })),
  ...report.faults.map(({ fromMillis, untilMillis, what }): Band => ({ kind: "fault", what, fromMillis, untilMillis })),
]
