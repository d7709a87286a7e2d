/**
 * Weir beside others that do the same job: `deno run -A bench/peers.ts`, after `npm install` in `bench/peers`. All bring the
 * same approved time lines of one legal entity, or with `--job invoices` invoices that are posted, out of JetStream into the
 * same stand-in Odoo over HTTP, each with the guarantees that it has; `direct` has none and is told everything beforehand.
 *
 * Each runs twice, as a process of its own: once for speed, from its first record in Odoo to the last one; once to be ended by
 * `kill -9` when two fifths are there, and started again. Then lines that are there twice and lines that are missing are
 * counted.
 *
 * Options: `--job timesheets`; `--events 1000`; `--latency 100`, per cent of what a real Odoo with two workers takes, 0: none (default);
 * `--only weir,pool`; `--quick`. Prints a table, then JSON.
 */
import { Clock, Console, Effect, Redacted, References } from "effect"
import { spawn } from "node:child_process"
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { measured } from "../fixtures/odoo/Latency.ts"
import { serve } from "../fixtures/odoo/server.ts"
import type { Rec } from "../fixtures/odoo/Model.ts"
import { defaultKey, StandIn } from "../fixtures/odoo/StandIn.ts"
import * as JetStreamBroker from "../src/broker/JetStreamBroker.ts"
import * as month from "./month.ts"
import { cpuSeconds, load } from "./processes.ts"
import { start } from "./servers.ts"
import { format, table } from "./table.ts"

const quick = process.argv.includes("--quick")
const argument = (name: string, fallback: string): string => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? fallback : process.argv[at + 1] ?? fallback
}
const events = Number(argument("events", quick ? "120" : "1000"))
const scale = Number(argument("latency", "0")) / 100
const names = argument("only", "direct,weir,pool,moleculer,nest,script").split(
  ",",
)
const WORKERS = 2

interface Job {
  readonly model: string
  /** Records that a contender has finished. */
  readonly isDone: (row: Rec) => boolean
  readonly events: typeof month.timeEvents
  /** Business key in a record's external id, when Weir made it, or in the record. */
  readonly flow: string
  readonly keyOf: (row: Rec) => string
  readonly title: string
}

const jobs: { readonly [name: string]: Job } = {
  timesheets: {
    model: "account.analytic.line",
    isDone: () => true,
    events: month.timeEvents,
    flow: "timesheets",
    keyOf: ({ name }) => String(name).split(" ", 1)[0]!,
    title: "time lines",
  },
  invoices: {
    model: "account.move",
    isDone: ({ move_type, state }) => move_type === "out_invoice" && state === "posted",
    events: month.invoiceEvents,
    flow: "invoices",
    keyOf: ({ ref }) => String(ref),
    title: "posted invoices",
  },
}
const jobName = argument("job", "timesheets")
const job = jobs[jobName]
if (job === undefined) throw new Error(`--job is one of ${Object.keys(jobs).join(", ")}`)
/** A run that takes longer is ended as it stands. */
const LIMIT_SECONDS = 240
/** Nothing new for so long: what is missing now stays missing. Beyond the ack wait of all of them. */
const PATIENCE_SECONDS = 15
const LOOK = "20 millis"
const shape: month.MonthOptions = { ...month.defaults, entities: 1 }

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))

interface Program {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly env: Record<string, string>
}

const started = (program: Program, log: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const output = openSync(log, "a")
      const child = spawn(program.command, program.args, {
        stdio: ["ignore", output, output],
        env: { ...process.env, ...program.env },
      })
      closeSync(output)
      return { pid: child.pid ?? 0, child }
    }),
    ({ child }) =>
      Effect.promise(() =>
        new Promise<void>((done) => {
          if (child.exitCode !== null || child.signalCode !== null) {
            return done()
          }
          child.once("exit", () => done())
          child.kill("SIGKILL")
        })
      ),
  )

const rowsIn = (standIn: StandIn, model: string): ReadonlyArray<Rec> => [
  ...standIn.store.tables.get(model)?.rows.values() ?? [],
]

/** Keys of what stands in Odoo, each as often as it is there. */
const keysIn = (standIn: StandIn): ReadonlyArray<string> => {
  const prefix = `weir_be01.${job.flow}_`
  const keyOf = new Map(
    [...standIn.store.externalIds.get(job.model) ?? []].map(([name, id]) => [id, name.replace(prefix, "")]),
  )
  return rowsIn(standIn, job.model).filter(job.isDone).map((row) => keyOf.get(row.id) ?? job.keyOf(row))
}

const main = Effect.gen(function* () {
  const servers = yield* start
  const broker = yield* JetStreamBroker.make({ servers: servers.nats.url })
  yield* broker.provision
  yield* broker.publish(month.masterEvents(shape))
  const log = join(servers.dataDir, "contenders.log")
  const configuration = join(servers.dataDir, "weir.json")

  const programOf = (
    name: string,
    run: string,
    odooUrl: string,
    postgres: Redacted.Redacted,
  ): Program => {
    if (name !== "weir") {
      return {
        command: "node",
        args: [file(`./peers/${name}.mjs`)],
        env: {
          NATS_URL: servers.nats.url,
          ODOO_URL: odooUrl,
          ODOO_KEY: defaultKey,
          DURABLE: `${name}-${run}`,
          EVENTS: join(servers.dataDir, "events.ndjson"),
          WORKERS: String(WORKERS),
          JOB: jobName,
        },
      }
    }
    const settings = month.configurationOf(shape, odooUrl)
    writeFileSync(
      configuration,
      JSON.stringify({
        ...settings,
        databases: { main: { ...settings.databases.main, workers: WORKERS } },
        nats: { url: servers.nats.url },
        postgres: { url: { env: "WEIR_BENCH_POSTGRES" } },
        http: { port: 0 },
        dataDir: join(servers.dataDir, "weir"),
      }),
    )
    return {
      command: process.execPath,
      args: [
        "run",
        "-A",
        "--v8-flags=--max-old-space-size=256,--max-semi-space-size=16",
        file("../src/cli/weir.ts"),
        "run",
        "--config",
        configuration,
      ],
      env: {
        WEIR_BENCH_POSTGRES: Redacted.value(postgres),
        ODOO_API_KEY: defaultKey,
      },
    }
  }

  const rowsOf = (standIn: StandIn) => rowsIn(standIn, job.model).filter(job.isDone).length
  const until = Effect.fnUntraced(
    function* (isDone: () => boolean, progress: () => number = () => 0) {
      const began = yield* Clock.currentTimeMillis
      let [last, since] = [progress(), began]
      while (!isDone()) {
        yield* Effect.sleep(LOOK)
        const now = yield* Clock.currentTimeMillis
        if (progress() !== last) [last, since] = [progress(), now]
        if (now - since > PATIENCE_SECONDS * 1_000 && last > 0) return false
        if (now - began > LIMIT_SECONDS * 1_000) return false
      }
      return true
    },
  )

  // Customers and engagements, once, by Weir itself.
  const prepared = new StandIn({
    companies: month.companiesOf(shape),
    employees: month.employeesOf(shape),
  })
  const masters = yield* servers.database("masters")
  yield* Effect.scoped(Effect.gen(function* () {
    const url = yield* serve(prepared)
    yield* started(programOf("weir", "masters", url, masters), log)
    yield* until(() => rowsIn(prepared, "sale.order").length === shape.engagements)
    // Until the ledger knows too.
    yield* Effect.sleep("2 seconds")
  }))
  const state = [...prepared.store.dump()]
  const lines = job.events(shape, 0, events)
  for (let from = 0; from < events; from += 5_000) {
    yield* broker.publish(lines.slice(from, from + 5_000))
  }
  writeFileSync(
    join(servers.dataDir, "events.ndjson"),
    lines.map(({ data }) => new TextDecoder().decode(data)).join("\n"),
  )

  const fresh = Effect.fnUntraced(function* () {
    const standIn = new StandIn({ companies: month.companiesOf(shape) })
    standIn.store.restore(state)
    const url = yield* serve(
      standIn,
      scale === 0 ? {} : { latency: measured({ scale, workers: WORKERS }) },
    )
    return { standIn, url }
  })

  const speed = Effect.fnUntraced(function* (name: string) {
    const { standIn, url } = yield* fresh()
    const database = yield* servers.database(`speed_${name}`, "masters")
    const postgres = cpuSeconds(servers.postgres.pid)
    const { pid } = yield* started(
      programOf(name, "speed", url, database),
      log,
    )
    yield* until(() => rowsOf(standIn) > 0)
    const [first, before] = [yield* Clock.currentTimeMillis, rowsOf(standIn)]
    let cpu = 0
    const done = yield* until(() => {
      cpu = cpuSeconds(pid) || cpu
      return rowsOf(standIn) >= events
    }, () => rowsOf(standIn))
    const seconds = ((yield* Clock.currentTimeMillis) - first) / 1_000
    const used = cpu +
      (name === "weir" ? cpuSeconds(servers.postgres.pid) - postgres : 0)
    const brought = rowsOf(standIn)
    return {
      eventsPerSecond: (brought - before) / seconds,
      cpuSecondsPer1000: used / brought * 1_000,
      callsPer1000: standIn.calls / brought * 1_000,
      done,
    }
  }, Effect.scoped)

  const killed = Effect.fnUntraced(function* (name: string) {
    const { standIn, url } = yield* fresh()
    const program = programOf(
      name,
      "kill",
      url,
      yield* servers.database(`kill_${name}`, "masters"),
    )
    yield* Effect.scoped(Effect.gen(function* () {
      yield* started(program, log)
      yield* until(() => rowsOf(standIn) >= events * 0.4)
    }))
    yield* started(program, log)
    yield* until(
      () => new Set(keysIn(standIn)).size >= events && name !== "direct",
      () => rowsOf(standIn),
    )
    // What is made twice may come after everything is there once.
    yield* Effect.sleep("3 seconds")
    const keys = keysIn(standIn)
    const distinct = new Set(keys).size
    return { duplicates: keys.length - distinct, losses: events - distinct }
  }, Effect.scoped)

  const results = yield* Effect.forEach(
    names,
    Effect.fnUntraced(function* (name: string) {
      const result = {
        name,
        ...yield* speed(name),
        ...yield* killed(name),
        load: load(),
      }
      yield* Console.error(`${name}: ${JSON.stringify(result)}`)
      return result
    }),
  )
  yield* Console.log(table([
    [
      `${format(events)} ${job.title}`,
      "events/s",
      "CPU s per 1000",
      "calls per 1000",
      "twice",
      "lost",
    ],
    ...results.map((result) => [
      `${result.name}${result.done ? "" : " (not all)"}`,
      format(result.eventsPerSecond, 1),
      format(result.cpuSecondsPer1000, 2),
      format(result.callsPer1000),
      format(result.duplicates),
      format(result.losses),
    ]),
  ]))
  yield* Console.log(
    JSON.stringify({ job: jobName, events, latency: scale, workers: WORKERS, results }),
  )
  if (process.argv.includes("--log")) {
    yield* Console.log(readFileSync(log, "utf8").slice(-4_000))
  }
})

await Effect.runPromise(
  Effect.scoped(main).pipe(
    Effect.provideService(References.MinimumLogLevel, "Warn"),
  ),
)
process.exit(0)
