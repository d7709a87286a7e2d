/** The verdict: every objective with what was measured. Pure. */
import { Duration } from "effect"
import { latencyInWords, type Objectives } from "./Objectives.ts"
import type { Percentiles, SurgeReport } from "./Report.ts"

/** What the verdict is about. */
export type Facts = Pick<
  SurgeReport,
  "latencies" | "settledAfterSeconds" | "published" | "settled" | "exceptions" | "totals" | "user" | "peaks"
>

type Judged = SurgeReport["objectives"][number]

const seconds = (millis: number): string =>
  millis < 1_000 ? `${Math.round(millis)} ms` : `${(millis / 1_000).toFixed(millis < 10_000 ? 2 : 1)} s`

const percentileOf = (percentiles: Percentiles, percentile: 50 | 90 | 95 | 99): number | null =>
  percentiles[`p${percentile}`]

const latencies = (objectives: Objectives, facts: Facts): ReadonlyArray<Judged> =>
  objectives.latency.map((objective) => {
    const found = facts.latencies.find(({ flow, lane }) =>
      objective.flow === undefined ? lane === objective.lane && flow === null : flow === objective.flow
    )
    const millis = found === undefined ? null : percentileOf(found.latency, objective.percentile)
    return {
      objective: latencyInWords(objective),
      measured: millis === null ? "none was settled" : `${seconds(millis)} of ${found!.latency.count}`,
      // A scenario may have none of them; what was published and never settled is another objective's concern.
      met: millis === null || millis <= Duration.toMillis(objective.atMost),
    }
  })

const settled = ({ settledWithin }: Objectives, facts: Facts): Judged => ({
  objective: `everything settled within ${Duration.format(settledWithin)} of the last publication`,
  measured: facts.settledAfterSeconds === null
    ? `${facts.settled} of ${facts.published} ever`
    : seconds(facts.settledAfterSeconds * 1_000),
  met: facts.settledAfterSeconds !== null && facts.settledAfterSeconds <= Duration.toSeconds(settledWithin),
})

const exceptions = ({ unexpectedExceptions }: Objectives, facts: Facts): Judged => {
  const beyond = facts.exceptions.map((one) => ({ ...one, more: Math.max(0, one.actual - one.expected) }))
  const count = beyond.reduce((sum, { more }) => sum + more, 0)
  const codes = beyond.filter(({ more }) => more > 0).map(({ code, entity, more }) => `${entity} ${code} ${more}`)
  return {
    objective: `at most ${unexpectedExceptions} exceptions beyond the expected ones`,
    measured: [String(count), ...codes].join(", "),
    met: count <= unexpectedExceptions,
  }
}

const totals = (facts: Facts): Judged => ({
  objective: "every count and sum in ledger and Odoo as expected",
  measured: `${facts.totals.different.length} of ${facts.totals.compared} differ`,
  met: facts.totals.different.length === 0 && facts.totals.compared > 0,
})

const user = ({ user: objective }: Objectives, facts: Facts): ReadonlyArray<Judged> => {
  if (objective === null || facts.user === null) return []
  const quiet = percentileOf(facts.user.quiet, objective.percentile)
  const surge = percentileOf(facts.user.surge, objective.percentile)
  const unnoticed = Duration.toMillis(objective.unnoticed)
  const most = quiet === null ? unnoticed : Math.max(unnoticed, objective.timesQuiet * quiet)
  return [{
    objective:
      `p${objective.percentile} of a person's calls to Odoo at most ${objective.timesQuiet} times as before, ` +
      `or ${seconds(unnoticed)}`,
    measured: quiet === null || surge === null
      ? "Odoo did not answer the person"
      : `${seconds(surge)}, before ${seconds(quiet)}`,
    met: surge !== null && quiet !== null && surge <= most,
  }]
}

const memory = ({ memoryMiB }: Objectives, facts: Facts): ReadonlyArray<Judged> => {
  if (memoryMiB === undefined) return []
  const { residentMiB } = facts.peaks
  return [{
    objective: `at most ${memoryMiB} MiB of resident memory`,
    measured: residentMiB === null ? "not known" : `${residentMiB.toFixed(0)} MiB`,
    met: residentMiB !== null && residentMiB <= memoryMiB,
  }]
}

export const judge = (objectives: Objectives, facts: Facts): ReadonlyArray<Judged> => [
  settled(objectives, facts),
  ...objectives.totalsAgree ? [totals(facts)] : [],
  exceptions(objectives, facts),
  ...latencies(objectives, facts),
  ...user(objectives, facts),
  ...memory(objectives, facts),
]
