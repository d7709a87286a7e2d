/**
 * What grows with what: `deno run -A bench/scaling.ts`. Each line is a fresh installation: nats-server, PostgreSQL, the
 * stand-in Odoo at no latency behind HTTP, and `weir run` as a process of its own, started on a backlog.
 *
 * - backlog: 10 thousand to a million time lines behind four legal entities: memory, time from the start of the process to
 *   the first line in Odoo, and rate. Of a large one only as much is written as the time allows.
 * - entities: the same number of time lines, spread over 1 to 200 of them.
 * - keys: versions of customers, evenly, and with half or nine tenths of them of one customer, which are written one after
 *   the other.
 *
 * Options: `--only backlog,entities,keys`; `--seconds 60` at most for each; `--heap 256` caps Weir's heap, as
 * `deno task weir` does (left out: with many entities it is what docs/deploying.md says); `--entities 100` instead of the
 * four numbers; `--quick`. Prints a table for each, then JSON.
 */
import { Console, Effect, References } from "effect"
import process from "node:process"
import type { StandIn } from "../fixtures/odoo/StandIn.ts"
import { heapNeededMiB } from "../src/cli/heap.ts"
import { catalog } from "../streams/catalog.ts"
import { type Drained, drained } from "./backlog.ts"
import * as month from "./month.ts"
import { load } from "./processes.ts"
import { format, option, table } from "./table.ts"

const quick = process.argv.includes("--quick")
const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1]!.split(",") : undefined
const seconds = option(process.argv, "seconds", 60)
const heapMiB = option(process.argv, "heap", 256)
const isCapped = process.argv.includes("--heap")
const backlogs = quick ? [1_000] : [10_000, 100_000, 1_000_000]
const asked = option(process.argv, "entities", 0)
const entities = asked > 0 ? [asked] : quick ? [2] : [1, 10, 50, 200]
const LINES = quick ? 1_000 : 20_000
const shares = quick ? [0.9] : [0, 0.5, 0.9]
const VERSIONS = quick ? 500 : 10_000

const figures = ({ samples }: Drained) => {
  const first = samples.find(({ written }) => written > 0)
  const last = samples.at(-1)
  const took = (last?.seconds ?? 0) - (first?.seconds ?? 0)
  return {
    written: last?.written ?? 0,
    firstSeconds: first?.seconds ?? null,
    perSecond: took <= 0 ? null : (last!.written - first!.written) / took,
    peakMiB: Math.max(...samples.map(({ mebibytes }) => mebibytes)),
  }
}
type Figures = ReturnType<typeof figures>

const shown = (name: string, rows: ReadonlyArray<readonly [string, Figures]>): string =>
  table([
    [name, "written", "first, s", "events/s", "peak MiB"],
    ...rows.map(([label, { firstSeconds, peakMiB, perSecond, written }]) => [
      label,
      format(written),
      firstSeconds === null ? "" : format(firstSeconds, 1),
      perSecond === null ? "" : format(perSecond),
      format(peakMiB),
    ]),
  ])

/** Versions that customers have reached in Odoo, added up. */
const versionsIn = (standIn: StandIn): number => {
  let sum = 0
  for (const row of standIn.store.tables.get("res.partner")?.rows.values() ?? []) {
    sum += Number(/^Version (\d+)$/u.exec(String(row["name"]))?.[1] ?? 0)
  }
  return sum
}

const series: ReadonlyArray<{
  readonly name: string
  readonly lines: ReadonlyArray<readonly [string, Effect.Effect<Drained>]>
}> = [
  {
    name: "backlog",
    lines: backlogs.map((backlog) => [
      format(backlog),
      Effect.orDie(drained({ shape: month.defaults, backlog, heapMiB, seconds })),
    ]),
  },
  {
    name: "entities",
    lines: entities.map((count) => [
      format(count),
      Effect.orDie(drained({
        shape: { entities: count, engagements: Math.max(2, Math.round(240 / count)), consultants: 25 },
        backlog: LINES,
        heapMiB: isCapped ? heapMiB : Math.max(heapMiB, heapNeededMiB(count * catalog.length)),
        seconds,
      })),
    ]),
  },
  {
    name: "keys",
    lines: shares.map((share) => [
      share === 0 ? "even" : `${share * 100} % one`,
      Effect.orDie(drained({
        shape: { entities: 1, engagements: 1, consultants: 1 },
        backlog: VERSIONS,
        heapMiB,
        seconds,
        events: (from, to) => month.customerVersions(share, from, to),
        written: versionsIn,
      })),
    ]),
  },
]

const main = Effect.gen(function* () {
  const results: Record<string, Record<string, Figures>> = {}
  for (const { lines, name } of series) {
    if (only !== undefined && !only.includes(name)) continue
    const rows = yield* Effect.forEach(
      lines,
      ([label, run]) => Effect.map(run, (found) => [label, figures(found)] as const),
    )
    results[name] = Object.fromEntries(rows)
    yield* Console.log(shown(name, rows))
  }
  yield* Console.log(JSON.stringify({ heapMiB, seconds, load: load(), results }))
})

await Effect.runPromise(Effect.scoped(main).pipe(Effect.provideService(References.MinimumLogLevel, "Warn")))
process.exit(0)
