/**
 * What waiting events cost: `deno run -A bench/waiting.ts`. Approved time lines arrive before the engagements that they
 * belong to; all of them wait, in a real PostgreSQL. `weir run` is a process of its own, the stand-in Odoo is in this
 * one, behind HTTP, and answers at once. Told are
 *
 * - the resident memory of a Weir that has just started, with nothing waiting and with all of them;
 * - the time from an engagement's outcome to the first and to the last of its lines in Odoo, while all others wait;
 * - the time until all are in Odoo once their engagements are there.
 *
 * Options: `--lines 100000`; `--quick` for a few that only show that it works. Prints a table, then JSON.
 */
import { Clock, Console, Effect, References } from "effect"
import { readFileSync } from "node:fs"
import process from "node:process"
import { serve } from "../fixtures/odoo/server.ts"
import { StandIn } from "../fixtures/odoo/StandIn.ts"
import * as JetStreamBroker from "../src/broker/JetStreamBroker.ts"
import type { Tally } from "../src/ledger/Ledger.ts"
import * as PgLedger from "../src/ledger/PgLedger.ts"
import * as month from "./month.ts"
import { load, residentMiB } from "./processes.ts"
import { start } from "./servers.ts"
import { service } from "./service.ts"
import { both, format, median, option } from "./table.ts"

const quick = process.argv.includes("--quick")
const lines = option(process.argv, "lines", quick ? 3_000 : 100_000)
const shape = month.defaults
const PAGE = 5_000
const POLL = "10 millis"
/** Longest time for one part. */
const LIMIT_MILLIS = quick ? 120_000 : 600_000
/** After a start, until the heap has settled; then memory is read so often, a second apart. */
const SETTLING = quick ? "3 seconds" : "30 seconds"
const SAMPLES = quick ? 3 : 15

const main = Effect.gen(function* () {
  const servers = yield* start
  const standIn = new StandIn({ companies: month.companiesOf(shape), employees: month.employeesOf(shape) })
  const broker = yield* JetStreamBroker.make({ servers: servers.nats.url })
  const postgresUrl = yield* servers.database("ledger")
  const ledger = yield* PgLedger.make({ url: postgresUrl, poolSize: 2 })
  const weir = service({
    folder: servers.dataDir,
    configuration: month.configurationOf(shape, yield* serve(standIn)),
    natsUrl: servers.nats.url,
    postgresUrl,
    heapMiB: 0,
  })
  yield* broker.provision

  /** Sum over the entities. */
  const count = Effect.fnUntraced(function* (flow: string, what: "applied" | "waiting") {
    const tallies: ReadonlyArray<Tally> = yield* ledger.tallies()
    return tallies.filter((tally) => tally.flow === flow).reduce((sum, tally) => sum + tally[what], 0)
  })
  /** Milliseconds until as many are there; fails when it takes too long. */
  const until = Effect.fnUntraced(function* (flow: string, what: "applied" | "waiting", wanted: number) {
    const begun = yield* Clock.currentTimeMillis
    while (true) {
      const there = yield* count(flow, what)
      const took = (yield* Clock.currentTimeMillis) - begun
      if (there >= wanted) return took
      if (took > LIMIT_MILLIS) {
        const log = readFileSync(`${servers.dataDir}/weir.log`, "utf8").slice(-2_000)
        return yield* Effect.die(new Error(`${there} of ${wanted} ${flow} ${what}\n${log}`))
      }
      yield* Effect.sleep(POLL)
    }
  })
  /** Median of the resident memory of a Weir that has just started. */
  const resident = Effect.scoped(Effect.gen(function* () {
    const { pid } = yield* weir
    yield* Effect.sleep(SETTLING)
    const samples: Array<number> = []
    for (let n = 0; n < SAMPLES; n++) {
      samples.push(residentMiB(pid))
      yield* Effect.sleep("1 second")
    }
    return median(samples)
  }))

  const [customers, engagements] = [
    month.masterEvents(shape).filter(({ subject }) => subject.includes(".customer.")),
    month.masterEvents(shape).filter(({ subject }) => subject.includes(".engagement.")),
  ]
  const empty = yield* resident
  for (let from = 0; from < lines; from += PAGE) {
    yield* broker.publish(month.timeEvents(shape, from, Math.min(lines, from + PAGE)))
  }
  yield* broker.publish(customers)
  const holding = yield* Effect.scoped(Effect.andThen(weir, until("timesheets", "waiting", lines)))
  const full = yield* resident

  return yield* Effect.scoped(Effect.gen(function* () {
    yield* weir
    yield* until("customers", "applied", customers.length)
    yield* Effect.sleep("5 seconds")
    const [first, ...others] = engagements
    const own = lines - (yield* lineCountWithout(first!.messageId))
    yield* broker.publish([first!])
    yield* until("engagements", "applied", 1)
    const toFirst = yield* until("timesheets", "applied", 1)
    const toLast = toFirst + (yield* until("timesheets", "applied", own))
    const still = yield* count("timesheets", "waiting")
    const begun = yield* Clock.currentTimeMillis
    yield* broker.publish(others)
    yield* until("timesheets", "applied", lines)
    const all = ((yield* Clock.currentTimeMillis) - begun) / 1_000
    const rows: ReadonlyArray<readonly [string, string]> = [
      ["waiting events", format(lines)],
      ["resident memory, none waiting, MiB", format(empty)],
      ["resident memory, all waiting, MiB", format(full)],
      ["all held after, s", format(holding / 1_000, 1)],
      [`first line of an engagement in Odoo after, ms (${format(still)} wait on)`, format(toFirst)],
      [`all ${format(own)} of it after, ms`, format(toLast)],
      ["all in Odoo once their engagements are published, s", format(all, 1)],
      ["load of the machine", format(load(), 1)],
    ]
    return rows
  }))
})

/** How many of the lines belong to other engagements than that of this message. */
const lineCountWithout = (messageId: string): Effect.Effect<number> =>
  Effect.sync(() => {
    const key = messageId.split(/[#/]/u).at(-1)!
    const decoder = new TextDecoder()
    return month.timeEvents(shape, 0, lines).filter(({ data }) => !decoder.decode(data).includes(`"${key}"`)).length
  })

process.exitCode = await Effect.runPromise(
  Effect.scoped(main).pipe(
    Effect.flatMap((rows) => Console.log(both([["", "value"], ...rows]))),
    Effect.as(0),
    Effect.provideService(References.MinimumLogLevel, "Warn"),
  ),
)
