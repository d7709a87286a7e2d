/**
 * Many legal entities that are all behind: `deno run -A bench/catchup.ts`. A month of the five flows of each lies in the
 * stream, customers and engagements among it, when `weir run` starts on an empty ledger and an empty Odoo. So most time
 * lines come before what they refer to stands, wait in the ledger, and go through a second time.
 *
 * Told is how long it takes until every event has an outcome, how much of that time nothing at all was applied, and what
 * Weir takes meanwhile. Everything is a process of its own; the stand-in Odoo takes a tenth of a real one's time, with
 * eight workers.
 *
 * Options: `--entities 50`; `--consultants 30`, of each; `--heap 640`; `--seconds 600` at most; `--every 5` prints what
 * was applied so often, in seconds; `--quick`. Prints a table, then JSON.
 */
import { Clock, Console, Effect, References } from "effect"
import process from "node:process"
import * as Input from "../test/faults/Input.ts"
import * as Installation from "../test/faults/Installation.ts"
import { cpuSeconds, load, residentMiB } from "./processes.ts"
import { both, format, option } from "./table.ts"

const quick = process.argv.includes("--quick")
const entities = option(process.argv, "entities", quick ? 5 : 50)
const consultants = entities * option(process.argv, "consultants", quick ? 4 : 30)
const heapMiB = option(process.argv, "heap", 640)
const seconds = option(process.argv, "seconds", 600)
const every = option(process.argv, "every", 0)
const DAYS = 21
const LATENCY = 0.1
const WORKERS = 8
const SAMPLE = "1 second"
/** Samples without anything applied that are told. */
const LULL = 5

const main = Effect.gen(function* () {
  const scenario = yield* Input.make({ seed: 1, consultants, days: DAYS, entities })
  const { events } = scenario.expected
  const at = yield* Installation.make({ scenario, latency: LATENCY, workers: WORKERS })
  yield* at.publish
  const tallied = Effect.map(
    at.sql<{ readonly applied: number }>("select coalesce(sum(applied), 0)::int as applied from weir.tally"),
    ([row]) => row?.applied ?? 0,
  )
  const weir = yield* at.weirWith(() => [`--v8-flags=--max-old-space-size=${heapMiB},--max-semi-space-size=16`])
  yield* weir.said(/status on/u)
  const [postgres, nats, odoo] = [at.servers.database.pid(), at.servers.broker.pid(), at.servers.odoo.pid()]
  const began = yield* Clock.currentTimeMillis
  const samples: Array<{ readonly seconds: number; readonly applied: number; readonly mebibytes: number }> = []
  let settled = 0
  while (settled < events) {
    yield* Effect.sleep(SAMPLE)
    const elapsed = ((yield* Clock.currentTimeMillis) - began) / 1_000
    const sample = { seconds: elapsed, applied: yield* tallied, mebibytes: residentMiB(weir.pid) }
    samples.push(sample)
    settled = yield* at.settled
    if (every > 0 && samples.length % every === 0) {
      yield* Console.log(`${format(elapsed)} s: ${format(sample.applied)} applied, ${format(settled)} settled`)
    }
    if (elapsed > seconds) break
  }
  const took = samples.at(-1)!.seconds
  let [lull, longest, lulls] = [0, 0, 0]
  samples.forEach((sample, n) => {
    lull = n > 0 && sample.applied === samples[n - 1]!.applied ? lull + 1 : 0
    longest = Math.max(longest, lull)
    if (lull === LULL) lulls += LULL
    else if (lull > LULL) lulls++
  })
  const cpu = (pid: number): string => `${format(cpuSeconds(pid) / took * 100)} %`
  yield* Console.log(both([
    [
      "entities",
      "events",
      "settled",
      "seconds",
      "events/s",
      "idle, s",
      "peak MiB",
      "CPU: weir",
      "postgres",
      "nats",
      "odoo",
    ],
    [
      String(entities),
      format(events),
      format(settled),
      format(took),
      format(settled / took),
      `${lulls} (longest ${longest})`,
      format(Math.max(...samples.map(({ mebibytes }) => mebibytes))),
      ...[weir.pid, postgres, nats, odoo].map(cpu),
    ],
  ]))
  yield* Console.log(JSON.stringify({ heapMiB, consultants, latency: LATENCY, workers: WORKERS, load: load() }))
})

await Effect.runPromise(Effect.scoped(main).pipe(Effect.provideService(References.MinimumLogLevel, "Warn")))
process.exit(0)
