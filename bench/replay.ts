/**
 * What a dry run of 100 000 events takes, and what live traffic feels of it: `deno run -A bench/replay.ts`. `weir run` is a
 * process of its own, on a real NATS and PostgreSQL; the stand-in Odoo is in this one, behind HTTP. The events are time
 * lines of four legal entities that stand in Odoo. Then, in turn, live time lines alone and live time lines while a dry run
 * of `erp.>` is carried out; the latency of one is from its publication until its record stands.
 *
 * Options: `--events 100000`, `--rounds 3`, `--rate 20` live lines a second, `--seconds 20` of live traffic alone; `--quick`.
 * Prints a table, then JSON. Exit code 1 when a dry run finds anything but what is there.
 */
import "../src/cli/plainFibers.ts"

import { Clock, Console, Effect, References, Schedule } from "effect"
import { readFileSync } from "node:fs"
import process from "node:process"
import { serve } from "../fixtures/odoo/server.ts"
import { StandIn } from "../fixtures/odoo/StandIn.ts"
import * as JetStreamBroker from "../src/broker/JetStreamBroker.ts"
import * as month from "./month.ts"
import { cpuSeconds, load } from "./processes.ts"
import { start } from "./servers.ts"
import { service } from "./service.ts"
import { format, median, option, percentile, spread, table } from "./table.ts"

const quick = process.argv.includes("--quick")
const events = option(process.argv, "events", quick ? 4_000 : 100_000)
const rounds = option(process.argv, "rounds", quick ? 1 : 3)
const rate = option(process.argv, "rate", 20)
const seconds = option(process.argv, "seconds", quick ? 3 : 20)
const TARGET_SECONDS = 60
const TARGET_RATIO = 1.2
const LINES = "account.analytic.line"
const PAGE = 5_000
const WAIT = { schedule: Schedule.spaced("200 millis"), times: 5 * 600 } as const
const shape = month.defaults

interface Replay {
  readonly runId: string
  readonly parts: ReadonlyArray<
    {
      readonly state: string
      readonly trouble: string
      readonly findings: Readonly<Record<string, Record<string, number>>>
    }
  >
}

const main = Effect.gen(function* () {
  const servers = yield* start
  const standIn = new StandIn({ companies: month.companiesOf(shape), employees: month.employeesOf(shape) })
  const rows = (model: string): number => standIn.store.tables.get(model)?.rows.size ?? 0
  const broker = yield* JetStreamBroker.make({ servers: servers.nats.url })
  const { log, pid } = yield* service({
    folder: servers.dataDir,
    configuration: month.configurationOf(shape, yield* serve(standIn)),
    natsUrl: servers.nats.url,
    postgresUrl: yield* servers.database("ledger"),
    heapMiB: 256,
  })
  const until = (what: string, is: () => boolean) =>
    Effect.suspend(() => is() ? Effect.void : Effect.fail(what)).pipe(Effect.retry(WAIT), Effect.orDie)
  const address = () => /status on (http:\/\/[^/]+)\//u.exec(readFileSync(log, "utf8"))?.[1]
  yield* until("the service did not start", () => address() !== undefined)
  const at = address()!

  yield* broker.provision
  yield* broker.publish(month.masterEvents(shape))
  yield* until("no engagements", () => rows("sale.order") === shape.entities * shape.engagements)
  for (let from = 0; from < events; from += PAGE) {
    yield* broker.publish(month.timeEvents(shape, from, Math.min(events, from + PAGE)))
  }
  yield* until("the events do not stand", () => rows(LINES) >= events)

  let published = events
  /** Live lines until `isOver`; answers their latencies in milliseconds. */
  const live = Effect.fnUntraced(function* (isOver: () => boolean) {
    const sent: Array<number> = []
    const latencies: Array<number> = []
    const first = rows(LINES)
    const seen = () => rows(LINES) - first
    // Records are made in the order of publication as good as always: the n-th that stands is taken for the n-th published.
    const watch = Effect.forever(Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      while (latencies.length < seen()) latencies.push(now - sent[latencies.length]!)
      yield* Effect.sleep("1 millis")
    }))
    const send = Effect.gen(function* () {
      while (!isOver()) {
        sent.push(yield* Clock.currentTimeMillis)
        yield* broker.publish(month.timeEvents(shape, published, ++published))
        yield* Effect.sleep(1_000 / rate)
      }
      yield* until("live lines are lost", () => latencies.length === sent.length)
    })
    yield* Effect.raceFirst(send, watch)
    return latencies
  })

  const asked = (path: string, body?: object) =>
    Effect.promise(async (): Promise<Replay> => {
      const response = await fetch(`${at}/v1${path}`, {
        ...body !== undefined && {
          method: "POST",
          headers: { "content-type": "application/json", "idempotency-key": crypto.randomUUID() },
          body: JSON.stringify(body),
        },
      })
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
      return await response.json()
    })
  const dryRun = Effect.gen(function* () {
    const began = yield* Clock.currentTimeMillis
    const { runId } = yield* asked("/replays", { subject: "erp.*.timesheet.>", reason: "benchmark" })
    while (true) {
      const { parts } = yield* asked(`/replays/${runId}`)
      if (parts.every(({ state }) => state !== "examining")) {
        const counts: Record<string, number> = {}
        for (const { findings } of parts) {
          for (const own of Object.values(findings)) {
            for (const [finding, count] of Object.entries(own)) counts[finding] = (counts[finding] ?? 0) + count
          }
        }
        return { seconds: ((yield* Clock.currentTimeMillis) - began) / 1_000, counts }
      }
      yield* Effect.sleep("100 millis")
    }
  })

  const results: Array<{
    readonly alone: ReadonlyArray<number>
    readonly beside: ReadonlyArray<number>
    readonly seconds: number
    readonly cpu: number
    readonly counts: Readonly<Record<string, number>>
  }> = []
  yield* live(timer(seconds / 4))
  for (let round = 0; round < rounds; round++) {
    const alone = yield* live(timer(seconds))
    let over = false
    const cpu = cpuSeconds(pid)
    const [beside, run] = yield* Effect.all([
      live(() => over),
      Effect.tap(dryRun, () => Effect.sync(() => void (over = true))),
    ], { concurrency: 2 })
    results.push({ alone, beside, ...run, cpu: cpuSeconds(pid) - cpu })
  }

  const ratios = results.map(({ alone, beside }) => percentile(beside, 0.99) / percentile(alone, 0.99))
  const took = results.map((result) => result.seconds)
  yield* Console.log(table([
    ["round", "dry run, s", "Weir's CPU, s", "live alone p50", "p99, ms", "beside it p50", "p99, ms", "p99 ratio"],
    ...results.map(({ alone, beside, cpu, seconds }, round) => [
      String(round + 1),
      format(seconds, 1),
      format(cpu, 1),
      ...[alone, beside].flatMap((each) => [format(percentile(each, 0.5)), format(percentile(each, 0.99))]),
      format(ratios[round]!, 2),
    ]),
  ]))
  yield* Console.log(`${format(events)} events in ${spread(took, 1)} s (target ${TARGET_SECONDS})`)
  yield* Console.log(`live p99: ${spread(ratios, 2)} times (target ${TARGET_RATIO})`)
  const strange = results.flatMap(({ counts }) =>
    Object.entries(counts).filter(([finding, n]) => finding !== "there" && n > 0)
  )
  yield* Console.log(JSON.stringify({
    events,
    load: load(),
    seconds: median(took),
    ratio: median(ratios),
    results: results.map(({ alone, beside, ...rest }) => ({
      ...rest,
      alone: percentile(alone, 0.99),
      beside: percentile(beside, 0.99),
    })),
  }))
  return strange.some(([finding]) => finding !== "coming") ? 1 : 0
})

/** True from so many seconds from now on. */
const timer = (seconds: number) => {
  const end = performance.now() + seconds * 1_000
  return () => performance.now() > end
}

process.exit(
  await Effect.runPromise(Effect.scoped(main).pipe(Effect.provideService(References.MinimumLogLevel, "Warn"))),
)
