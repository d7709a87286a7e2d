/** Many seeds one after the other, and what they have visited together. */
import process from "node:process"
import { planOf } from "./plan/Plan.ts"
import { allKinds } from "./plan/Trouble.ts"
import { type Result, simulate } from "./Simulation.ts"

export interface Range {
  readonly from: number
  readonly count: number
}

export interface Failure {
  readonly seed: number
  readonly rule: string
  readonly message: string
}

export interface Campaign {
  readonly seeds: number
  readonly events: number
  readonly virtualMillis: number
  readonly cpuMillis: number
  readonly failures: ReadonlyArray<Failure>
  readonly coverage: Readonly<Record<string, number>>
}

/** One world, without the stacks of all the errors that are planned in it; again with them when the world itself breaks. */
const quickly = (seed: number): Result => {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    const result = simulate(planOf(seed))
    if (result.violation?.rule !== "crash") return result
  } finally {
    Error.stackTraceLimit = limit
  }
  return simulate(planOf(seed))
}

export const campaign = (
  { count, from }: Range,
  options: { readonly stopAtFailure?: boolean } = {},
): Campaign => {
  const before = process.cpuUsage()
  const coverage: Record<string, number> = {}
  const failures: Array<Failure> = []
  let seeds = 0
  let events = 0
  let virtualMillis = 0
  for (let seed = from; seed < from + count; seed++) {
    const result = quickly(seed)
    seeds++
    events += result.events
    virtualMillis += result.virtualMillis
    for (const [what, times] of result.coverage) coverage[what] = (coverage[what] ?? 0) + times
    if (result.violation !== undefined) {
      failures.push({ seed, rule: result.violation.rule, message: result.violation.message })
      if (options.stopAtFailure === true) break
    }
  }
  const { system, user } = process.cpuUsage(before)
  return { seeds, events, virtualMillis, cpuMillis: (system + user) / 1_000, failures, coverage }
}

/** Both together. */
export const merged = (a: Campaign, b: Campaign): Campaign => {
  const coverage: Record<string, number> = { ...a.coverage }
  for (const [what, times] of Object.entries(b.coverage)) coverage[what] = (coverage[what] ?? 0) + times
  return {
    seeds: a.seeds + b.seeds,
    events: a.events + b.events,
    virtualMillis: a.virtualMillis + b.virtualMillis,
    cpuMillis: a.cpuMillis + b.cpuMillis,
    failures: [...a.failures, ...b.failures].toSorted((x, y) => x.seed - y.seed),
    coverage,
  }
}

/** What is counted, under which heading: the first one whose pattern fits. */
const headings: ReadonlyArray<readonly [heading: string, pattern: RegExp]> = [
  ["crashes, by what was asked for last", /^crash at /u],
  ["faults and people", new RegExp(`^(?:${allKinds.map(escaped).join("|")})$`, "u")],
  ["what became of events", /^(?:settled|held|delivered)/u],
  ["owners", /^(?:first claim|takeover|set back|call abandoned)/u],
  ["states seen", /^(?:entity|flow|mode|circuit) /u],
  ["calls to Odoo, by outcome", /^odoo /u],
  ["calls to the ledger that failed", /^ledger /u],
  ["orders of persons", /^(?:control|person)/u],
  ["said", /^says /u],
]

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/gu, "\\$&")
}

/** Everything that was visited, with how often, and what was not. */
const visited = (coverage: Campaign["coverage"]): ReadonlyArray<string> => {
  const lines = new Map<string, Array<string>>(headings.map(([heading]) => [heading, []]))
  for (const [what, times] of Object.entries(coverage).toSorted(([a], [b]) => a < b ? -1 : 1)) {
    const heading = headings.find(([, pattern]) => pattern.test(what))?.[0] ?? "said"
    lines.get(heading)!.push(`${String(times).padStart(9)}  ${what}`)
  }
  const missing = allKinds.filter((kind) => coverage[kind] === undefined)
  return [
    ...[...lines].flatMap(([heading, own]) => own.length === 0 ? [] : ["", `${heading} (${own.length})`, ...own]),
    "",
    `${allKinds.length - missing.length} of ${allKinds.length} kinds of faults, crashes and orders visited`,
    ...missing.map((kind) => `not visited: ${kind}`),
  ]
}

/** What a person wants to know of a campaign. */
export const reportOf = (
  { coverage, cpuMillis, events, failures, seeds, virtualMillis }: Campaign,
  wallMillis: number,
): ReadonlyArray<string> => [
  ...visited(coverage),
  `${seeds} seeds, ${events} events, ${(virtualMillis / 3_600_000).toFixed(1)} hours of virtual time in ${
    (wallMillis / 1_000).toFixed(1)
  } s (${(cpuMillis / seeds).toFixed(0)} ms of CPU a seed, ${(seeds / wallMillis * 1_000).toFixed(1)} seeds/s)`,
  ...failures.map(({ message, seed }) => `seed ${seed} breaks a rule. ${message}`),
  failures.length === 0 ? "all rules hold" : `${failures.length} seeds fail`,
]
