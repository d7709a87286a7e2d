/**
 * Weir's memory while it works off a backlog: `deno run -A bench/memory.ts`. `weir run` is a process of its own; the
 * stand-in Odoo with its records is in this one, behind HTTP, and nats-server and PostgreSQL are processes too, so what
 * is sampled is Weir alone. Customers and engagements stand before; then a backlog of time lines is published, Weir
 * starts, and its resident memory is read twenty times a second. The large backlog is worked off until it is in Odoo or
 * the time is over; the small one would be gone in three seconds, before a runtime has settled, so as much is published
 * as Weir works off and it stays at its size for as long: what differs is the backlog and nothing else. A run over the
 * small one alone is shown beside.
 *
 * Options: `--small 10000`, `--large 500000`, the backlogs; `--seconds 60` at most for each; `--quick` for one small
 * backlog that only shows that it works. `--heap 192` caps Weir's V8 heap (old generation) at so many MiB; default: as
 * `deno task weir` does. Prints a table, then JSON; exit code 1 when memory is not flat or above the limit.
 */
import "../src/cli/plainFibers.ts"

import { Console, Effect, References } from "effect"
import process from "node:process"
import * as backlogs from "./backlog.ts"
import * as month from "./month.ts"
import { load } from "./processes.ts"
import { format, median, option, table } from "./table.ts"

const quick = process.argv.includes("--quick")
const small = option(process.argv, "small", quick ? 2_000 : 10_000)
const large = option(process.argv, "large", 500_000)
const seconds = option(process.argv, "seconds", 60)
/** 0: no cap. The flag is Weir's alone: the records of the stand-in are in this process. */
const heap = option(process.argv, "heap", 256)
const LIMIT_MIB = 400
/** Largest part by which memory may differ between the backlogs, and within one between its thirds. */
const FLAT = 0.15
/** What a runtime needs until its heap and its compiled code have settled; not part of the thirds. */
const WARM_UP_SECONDS = 15
const shape = month.defaults

interface Run {
  readonly backlog: number
  readonly held: boolean
}
const runs: ReadonlyArray<Run> = quick ? [{ backlog: small, held: false }] : [
  { backlog: small, held: false },
  { backlog: small, held: true },
  { backlog: large, held: false },
]

const drain = (run: Run) =>
  Effect.map(backlogs.drained({ shape, ...run, heapMiB: heap, seconds }), (drained) => summary(run, drained))

const summary = ({ backlog, held }: Run, { samples }: backlogs.Drained) => {
  const last = samples.at(-1)
  const settled = samples.filter((sample) => sample.seconds >= WARM_UP_SECONDS).map(({ mebibytes }) => mebibytes)
  const third = Math.floor(settled.length / 3)
  const early = median(settled.slice(0, third))
  const late = median(settled.slice(settled.length - third))
  return {
    backlog,
    held,
    drained: last?.written ?? 0,
    seconds: last?.seconds ?? 0,
    peakMiB: Math.max(...samples.map(({ mebibytes }) => mebibytes)),
    /** Medians of the first and the last third after the warm-up; undefined when it was over before. */
    ...(third === 0 ? {} : { earlyMiB: early, lateMiB: late, growth: late / early - 1 }),
  }
}

const main = Effect.gen(function* () {
  const results = yield* Effect.forEach(runs, drain)
  const settled = results.flatMap(({ growth, peakMiB }) => growth === undefined ? [] : [peakMiB])
  const problems = [
    ...results.filter(({ peakMiB }) => peakMiB > LIMIT_MIB).map(({ backlog }) =>
      `${format(backlog)} events: above ${LIMIT_MIB} MiB`
    ),
    ...results.filter(({ growth }) => growth !== undefined && growth > FLAT).map(({ backlog }) =>
      `${format(backlog)} events: grows while it drains`
    ),
    ...Math.max(...settled) > Math.min(...settled) * (1 + FLAT) ? ["a larger backlog takes more memory"] : [],
  ]
  yield* Console.log(table([
    ["backlog", "drained", "seconds", "peak MiB", "early MiB", "late MiB", "growth"],
    ...results.map((result) => [
      `${format(result.backlog)}${result.held ? ", kept" : ""}`,
      format(result.drained),
      format(result.seconds, 1),
      format(result.peakMiB),
      result.earlyMiB === undefined ? "" : format(result.earlyMiB),
      result.lateMiB === undefined ? "" : format(result.lateMiB),
      result.growth === undefined ? "" : `${format(result.growth * 100, 1)} %`,
    ]),
  ]))
  yield* Console.log(problems.length === 0 ? `flat, below ${LIMIT_MIB} MiB` : problems.join("; "))
  yield* Console.log(
    JSON.stringify({
      limitMiB: LIMIT_MIB,
      heapCapMiB: heap || null,
      flat: FLAT,
      load: load(),
      problems,
      results,
    }),
  )
  return problems.length === 0 ? 0 : 1
})

process.exit(
  await Effect.runPromise(Effect.scoped(main).pipe(Effect.provideService(References.MinimumLogLevel, "Warn"))),
)
