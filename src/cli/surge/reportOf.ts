/** From what was seen of a surge to its report. Pure. */
import { availableParallelism } from "node:os"
import type { Scenario } from "../../../fixtures/scenario.ts"
import { catalog } from "../../../streams/catalog.ts"
import { VERSION } from "../../config/version.ts"
import type { Incident } from "../../ledger/Governance.ts"
import { judge } from "./judge.ts"
import { type EventTimes, type Measures, measuresOf } from "./measure.ts"
import type { Objectives } from "./Objectives.ts"
import { type Part, percentilesOf, type SurgeReport } from "./Report.ts"
import { exceptionsOf, type Standing, totalsOf } from "./standing.ts"
import type { Struck } from "./strike.ts"
import type { Target } from "./Target.ts"
import type { Track } from "./Track.ts"
import type { Watch } from "./watch.ts"

export interface Observed {
  readonly scenario: Scenario
  readonly target: Target
  readonly objectives: Objectives
  readonly speed: SurgeReport["speed"]
  readonly paced: SurgeReport["paced"]
  readonly startedMillis: number
  readonly endedMillis: number
  /** Everything that was published has an outcome. */
  readonly complete: boolean
  readonly published: number
  readonly settled: number
  readonly track: Track
  readonly times: ReadonlyArray<EventTimes>
  /** What the surge has brought into ledger and Odoo. */
  readonly gained: Standing
  readonly watch: Watch
  readonly struck: ReadonlyArray<Struck>
  readonly incidents: ReadonlyArray<Incident>
  /** Milliseconds. */
  readonly lag: ReadonlyArray<number>
  readonly quiet: ReadonlyArray<number>
  readonly user: ReadonlyArray<number>
}

const total = (lanes: Readonly<Record<string, Part>>, what: "published" | "settled" | "backlog"): number =>
  Object.values(lanes).reduce((sum, part) => sum + part[what], 0)

const peaksOf = ({ bucketMillis, buckets }: Measures, { samples }: Watch): SurgeReport["peaks"] => {
  const most = (what: "published" | "settled" | "backlog"): number =>
    buckets.reduce((max, { lanes }) => Math.max(max, total(lanes, what)), 0)
  const resident = samples.flatMap(({ residentMiB }) => residentMiB === null ? [] : [residentMiB])
  return {
    publishedPerSecond: most("published") / (bucketMillis / 1_000),
    settledPerSecond: most("settled") / (bucketMillis / 1_000),
    backlog: most("backlog"),
    residentMiB: resident.length === 0 ? null : Math.max(...resident),
  }
}

const incidentsOf = ({ incidents, startedMillis }: Observed): SurgeReport["incidents"] =>
  incidents.filter(({ detectedAtMillis }) => detectedAtMillis >= startedMillis)
    .toSorted((a, b) => a.detectedAtMillis - b.detectedAtMillis)
    .map(({ cause, detectedAtMillis, entity, restoredAtMillis, steps }) => ({
      fromMillis: detectedAtMillis - startedMillis,
      untilMillis: restoredAtMillis === null ? null : restoredAtMillis - startedMillis,
      entity,
      cause,
      steps: steps.map(({ what }) => what),
    }))

export const reportOf = (observed: Observed): SurgeReport => {
  const { complete, endedMillis, objectives, scenario, startedMillis, target, times, track, watch } = observed
  const latest = (what: "storedMillis" | "settledMillis"): number =>
    times.reduce((last, event) => Math.max(last, event[what]), startedMillis)
  const [lastStored, lastSettled] = [latest("storedMillis"), latest("settledMillis")]
  const millis = Math.max(1, (complete ? lastSettled : endedMillis) - startedMillis)
  const measures = measuresOf(times, { flows: catalog, millis, startedMillis, track })
  const facts = {
    latencies: measures.latencies,
    settledAfterSeconds: complete ? Math.max(0, lastSettled - lastStored) / 1_000 : null,
    published: observed.published,
    settled: observed.settled,
    exceptions: exceptionsOf(observed.gained, scenario),
    totals: totalsOf(observed.gained),
    user: objectives.user === null
      ? null
      : { quiet: percentilesOf(observed.quiet), surge: percentilesOf(observed.user) },
    peaks: peaksOf(measures, watch),
  }
  const judged = judge(objectives, facts)
  return {
    version: 1,
    weir: VERSION,
    scenario: {
      name: scenario.expected.scenario,
      seed: scenario.expected.seed,
      events: scenario.expected.events,
      entities: Object.keys(scenario.expected.entities).length,
    },
    startedAt: new Date(startedMillis).toISOString(),
    speed: observed.speed,
    paced: observed.paced,
    target: {
      kind: target.kind,
      description: target.description,
      odooWorkers: target.odooWorkers,
      processors: availableParallelism(),
    },
    seconds: millis / 1_000,
    ...facts,
    lag: percentilesOf(observed.lag),
    cpuSeconds: watch.cpuSeconds === 0 ? null : watch.cpuSeconds,
    bucketMillis: measures.bucketMillis,
    buckets: measures.buckets,
    samples: watch.samples,
    faults: observed.struck.map(({ fromMillis, untilMillis, what }) => ({
      what,
      fromMillis,
      untilMillis: untilMillis ?? endedMillis - startedMillis,
    })),
    modes: watch.modes,
    incidents: incidentsOf(observed),
    objectives: judged,
    met: judged.every(({ met }) => met),
  }
}
