/**
 * What entities cost that have nothing to do: CPU and memory of one `weir run`, statements a second on PostgreSQL, CPU of
 * the servers.
 *
 *   deno run -A bench/idle.ts [--quick] [--entities 40,400] [--seconds 60] [--cluster]
 *
 * A statement outside a transaction is one of its own, and Weir's are: transactions are counted.
 */
import { Clock, Effect } from "effect"
import { parseArgs } from "node:util"
import * as Input from "../test/faults/Input.ts"
import * as Installation from "../test/faults/Installation.ts"
import { cpuSeconds, load, residentMiB } from "./processes.ts"

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    cluster: { type: "boolean", default: false },
    entities: { type: "string" },
    seconds: { type: "string" },
  },
})
const counts = (values.entities ?? (values.quick ? "10" : "40,400")).split(",").map(Number)
const seconds = Number(values.seconds ?? (values.quick ? 5 : 60))
/** After the last entity has started: caches are filled, gauges set. */
const SETTLE = values.quick ? "5 seconds" : "30 seconds"
const POLL = "500 millis"
const MIB = 1024 * 1024

const statements = `select (xact_commit + xact_rollback)::float8 as n from pg_stat_database where datname = 'weir'`
const sizeOf = `select pg_database_size('weir')::float8 as n`

const round = Effect.fnUntraced(function* (entities: number) {
  const scenario = yield* Input.make({ seed: 1, consultants: entities, days: 1, entities })
  const at = yield* Installation.make({ scenario, latency: 0.01, workers: 20 })
  const began = yield* Clock.currentTimeMillis
  const program = yield* values.cluster ? at.runner(0) : at.weir
  yield* at.owners.pipe(
    Effect.delay(POLL),
    Effect.repeat({
      until: (found) => found.size === entities && [...found.values()].every((pid) => pid === program.pid),
    }),
  )
  const startMillis = (yield* Clock.currentTimeMillis) - began
  yield* Effect.sleep(SETTLE)
  const look = Effect.gen(function* () {
    // Counters come from the backends with up to a second's delay; over a minute that is nothing.
    const [row] = yield* at.sql<{ readonly n: number }>(statements)
    return {
      atMillis: yield* Clock.currentTimeMillis,
      statements: row?.n ?? 0,
      weir: cpuSeconds(program.pid),
      postgres: cpuSeconds(at.servers.database.pid()),
      nats: cpuSeconds(at.servers.broker.pid()),
    }
  })
  const before = yield* look
  yield* Effect.sleep(seconds * 1_000)
  const after = yield* look
  const [size] = yield* at.sql<{ readonly n: number }>(sizeOf)
  const lasted = (after.atMillis - before.atMillis) / 1_000
  const percent = (what: "weir" | "postgres" | "nats") => ((after[what] - before[what]) / lasted * 100).toFixed(1)
  return [
    entities,
    (startMillis / 1_000).toFixed(1),
    percent("weir"),
    residentMiB(program.pid).toFixed(0),
    ((after.statements - before.statements) / lasted).toFixed(1),
    percent("postgres"),
    percent("nats"),
    ((size?.n ?? 0) / MIB).toFixed(0),
  ]
}, Effect.scoped)

const titles = [
  "entities",
  "up after s",
  "weir CPU %",
  "weir MiB",
  "statements/s",
  "postgres CPU %",
  "nats CPU %",
  "ledger MiB",
]
console.log(`${values.cluster ? "weir run --cluster" : "weir run"}, ${seconds} s, load ${load()}`)
console.log(titles.join("  "))
const results: Array<object> = []
for (const count of counts) {
  const row = await Effect.runPromise(round(count))
  results.push(Object.fromEntries(row.map((cell, n) => [titles[n]!, Number(cell)])))
  console.log(row.map((cell, n) => String(cell).padStart(titles[n]!.length)).join("  "))
}
console.log(JSON.stringify({ seconds, load: load(), results }))
