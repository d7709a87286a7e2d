/**
 * `weir run` as a process of its own on a backlog that was published before it started: how much memory it takes, how soon
 * the first event stands in Odoo, how fast the rest follows. The stand-in Odoo is in this process, behind HTTP.
 */
import { Clock, Effect } from "effect"
import { readFileSync } from "node:fs"
import { serve } from "../fixtures/odoo/server.ts"
import { StandIn } from "../fixtures/odoo/StandIn.ts"
import type { Publication } from "../src/broker/Broker.ts"
import * as JetStreamBroker from "../src/broker/JetStreamBroker.ts"
import * as month from "./month.ts"
import { residentMiB } from "./processes.ts"
import { start } from "./servers.ts"
import { service } from "./service.ts"

const SAMPLE = "50 millis"
/** Events published at once. */
const PAGE = 5_000
/** For what has to stand before the backlog. */
const PREPARE_SECONDS = 240

export interface Sample {
  /** Since the process was started. */
  readonly seconds: number
  readonly mebibytes: number
  /** Events of the backlog that stand in Odoo. */
  readonly written: number
}

export interface Drained {
  readonly backlog: number
  readonly samples: ReadonlyArray<Sample>
}

export interface DrainOptions {
  readonly shape: month.MonthOptions
  readonly backlog: number
  /** Cap of the old generation of Weir's heap; 0: none. */
  readonly heapMiB: number
  /** At most. */
  readonly seconds: number
  /** What is published, by position. Default: time lines. */
  readonly events?: (from: number, to: number) => ReadonlyArray<Publication>
  /** The backlog is kept at its size until the time is over: as many are published as stand in Odoo. */
  readonly held?: boolean
  /** How many of them stand. Default: time lines. */
  readonly written?: (standIn: StandIn) => number
}

const rowsOf = (standIn: StandIn, model: string): number => standIn.store.tables.get(model)?.rows.size ?? 0

/** Looks at the process until `isDone` or the time is over. */
const sampled = Effect.fnUntraced(function* (
  running: { readonly pid: number; readonly log: string },
  written: () => number,
  isDone: () => boolean,
  seconds: number,
) {
  const samples: Array<Sample> = []
  const began = yield* Clock.currentTimeMillis
  while (!isDone()) {
    yield* Effect.sleep(SAMPLE)
    const elapsed = ((yield* Clock.currentTimeMillis) - began) / 1_000
    const mebibytes = residentMiB(running.pid)
    if (mebibytes === 0) {
      return yield* Effect.die(new Error(`weir ended by itself:\n${readFileSync(running.log, "utf8").slice(-2_000)}`))
    }
    samples.push({ seconds: elapsed, mebibytes, written: written() })
    if (elapsed > seconds) break
  }
  return samples
})

/** Customers and engagements stand first, with a Weir that ends; then the backlog is published, then Weir starts. */
export const drained = Effect.fnUntraced(function* (options: DrainOptions) {
  const { backlog, heapMiB, seconds, shape } = options
  const servers = yield* start
  const standIn = new StandIn({ companies: month.companiesOf(shape), employees: month.employeesOf(shape) })
  const events = options.events ?? ((from, to) => month.timeEvents(shape, from, to))
  const written = () => (options.written ?? ((odoo) => rowsOf(odoo, "account.analytic.line")))(standIn)
  const broker = yield* JetStreamBroker.make({ servers: servers.nats.url })
  const weir = service({
    folder: servers.dataDir,
    configuration: month.configurationOf(shape, yield* serve(standIn)),
    natsUrl: servers.nats.url,
    postgresUrl: yield* servers.database("ledger"),
    heapMiB,
  })
  yield* broker.provision
  yield* broker.publish(month.masterEvents(shape))
  const isPrepared = () => rowsOf(standIn, "sale.order") === shape.entities * shape.engagements
  yield* Effect.scoped(Effect.flatMap(weir, (running) => sampled(running, written, isPrepared, PREPARE_SECONDS)))
  if (!isPrepared()) return yield* Effect.die(new Error(`no customers and engagements after ${PREPARE_SECONDS} s`))
  let published = 0
  const publishUpTo = Effect.fnUntraced(function* (end: number) {
    while (published < end) {
      const to = Math.min(end, published + PAGE)
      yield* broker.publish(events(published, to))
      published = to
    }
  })
  yield* publishUpTo(backlog)
  const running = yield* weir
  const isDone = () => options.held !== true && written() >= backlog
  if (options.held === true) {
    yield* Effect.suspend(() => publishUpTo(written() + backlog)).pipe(
      Effect.andThen(Effect.sleep(SAMPLE)),
      Effect.forever,
      Effect.forkScoped,
    )
  }
  const samples = yield* sampled(running, written, isDone, seconds)
  return { backlog, samples } satisfies Drained
}, Effect.scoped)
