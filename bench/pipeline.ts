/**
 * How fast the whole pipeline is on this machine: `deno run -A bench/pipeline.ts`. Embedded nats-server (files) and
 * PostgreSQL (fsync) as `weir run` starts them, the real engine and flows, and the stand-in Odoo in a thread of its
 * own, which answers at once. Customers and engagements stand before the clock runs; then time lines of several legal entities are
 * brought in. In each round, over the same stream:
 *
 *     ack      nats.js: callback and ack, nothing else
 *     decode   the same, with envelope and payload checked against their schemas
 *     durable  the same, and a row of each event in PostgreSQL before it is acknowledged: no Odoo, nothing else
 *     weir     the engine, from the first delivery until the last outcome is durable in the ledger
 *
 * Options: `--events 40000`, `--rounds 5`, `--entities 4`, `--engagements 60`; `--quick` for one small round that only
 * shows that it works; `--profile` for where the time goes in one round of `weir`. Prints a table, then JSON.
 */
import "../src/cli/plainFibers.ts"

import { Console, Context, Deferred, Effect, Layer, type Redacted, References } from "effect"
import process from "node:process"
import { catalog } from "../streams/catalog.ts"
import { Broker } from "../src/broker/Broker.ts"
import * as JetStreamBroker from "../src/broker/JetStreamBroker.ts"
import { check } from "../src/config/load.ts"
import { Ledger, type Outcome } from "../src/ledger/Ledger.ts"
import * as PgPorts from "../src/ledger/PgPorts.ts"
import { engine } from "../src/main.ts"
import { Odoo } from "../src/odoo/Odoo.ts"
import * as bare from "./bare.ts"
import * as month from "./month.ts"
import * as OdooThread from "./OdooThread.ts"
import { cpuSeconds, load, ownCpuSeconds } from "./processes.ts"
import { sample } from "./profile.ts"
import { start } from "./servers.ts"
import { format, median, option, spread, table } from "./table.ts"

const quick = process.argv.includes("--quick")
const events = option(process.argv, "events", quick ? 2_000 : 40_000)
const rounds = option(process.argv, "rounds", quick ? 1 : 5)
const shape: month.MonthOptions = {
  ...month.defaults,
  entities: option(process.argv, "entities", month.defaults.entities),
  engagements: option(process.argv, "engagements", month.defaults.engagements),
}
const entities = Array.from({ length: shape.entities }, (_, index) => month.entityOf(index))
/** Published at a time. */
const PAGE = 5_000
/** Longest time for one round. */
const LIMIT = "2 minutes"
/** As configured by default. */
const POOL_SIZE = 10

/** What goes through the ledger. */
class Gauge {
  readonly admitted: Array<number> = []
  readonly settled: Array<number> = []
  calls = 0
  first = 0
  last = 0
  #left: number
  readonly #done = Deferred.makeUnsafe<void>()

  /** @param events How many are to be applied. */
  constructor(events: number) {
    this.#left = events
  }

  get done(): Effect.Effect<void> {
    return Deferred.await(this.#done)
  }

  admit(size: number): void {
    if (this.admitted.push(size) === 1) this.first = performance.now()
  }

  settle(outcomes: ReadonlyArray<Outcome>): void {
    this.settled.push(outcomes.length)
    for (const outcome of outcomes) {
      if (outcome._tag === "Parked") {
        const parked = new Error(`${outcome.event.eventId}: ${outcome.code} ${outcome.detail}`)
        return void Deferred.doneUnsafe(this.#done, Effect.die(parked))
      }
      if (outcome._tag === "Applied") this.#left--
    }
    if (this.#left > 0) return
    this.last = performance.now()
    Deferred.doneUnsafe(this.#done, Effect.void)
  }
}

const gauged = (ledger: typeof Ledger.Service, gauge: Gauge): typeof Ledger.Service => ({
  ...ledger,
  admit: (fence, flow, questions) => {
    gauge.admit(questions.length)
    return ledger.admit(fence, flow, questions)
  },
  settle: (fence, settlement) =>
    Effect.tap(ledger.settle(fence, settlement), () => Effect.sync(() => gauge.settle(settlement.outcomes))),
})

const running = Layer.unwrap(Effect.map(
  Effect.orDie(check("bench", month.configurationOf(shape, "http://127.0.0.1:1"), {})),
  ({ configuration }) => engine(configuration, catalog),
))

const publishLines = Effect.gen(function* () {
  const broker = yield* Broker
  for (let from = 0; from < events; from += PAGE) {
    yield* broker.publish(month.timeEvents(shape, from, Math.min(events, from + PAGE)))
  }
})

const per1000 = (seconds: number): number => seconds / events * 1_000_000

const main = Effect.gen(function* () {
  const servers = yield* start
  const { ask, odoo } = yield* OdooThread.start
  const brokerLayer = JetStreamBroker.layer({ servers: servers.nats.url })

  /** The engine on the database and the stand-in, until as many events as `gauge` expects are applied. */
  const run = Effect.fnUntraced(function* (url: Redacted.Redacted, gauge: Gauge) {
    const ports = yield* PgPorts.make({ url, poolSize: POOL_SIZE })
    const ledger = gauged(Context.get(ports, Ledger), gauge)
    const counting = Odoo.of({
      ...odoo,
      call: (call) => {
        gauge.calls++
        return odoo.call(call)
      },
    })
    yield* gauge.done.pipe(
      Effect.timeoutOrElse({
        duration: LIMIT,
        orElse: () => Effect.die(new Error(`not everything was applied within ${LIMIT}`)),
      }),
      Effect.provide(running),
      Effect.provide(Layer.mergeAll(
        brokerLayer,
        Layer.succeedContext(Context.add(ports, Ledger, ledger)),
        Layer.succeed(Odoo, counting),
      )),
    )
    return yield* ledger.tallies()
  }, Effect.scoped)

  // Customers and engagements, once. Every round begins with copies of this ledger and this Odoo.
  const masters = month.masterEvents(shape)
  const options = { companies: month.companiesOf(shape) }
  yield* ask({ _tag: "fresh", options: { ...options, employees: month.employeesOf(shape) } })
  yield* Effect.gen(function* () {
    const broker = yield* Broker
    yield* broker.provision
    yield* broker.publish(masters)
  }).pipe(Effect.provide(brokerLayer))
  yield* run(yield* servers.database("masters"), new Gauge(masters.length))
  const state = yield* ask({ _tag: "dump" })
  yield* publishLines.pipe(Effect.provide(brokerLayer))

  const loop = (onMessage: bare.OnMessage) =>
    Effect.map(
      Effect.promise(() => bare.consume(servers.nats.url, entities, events, onMessage)),
      (millis) => events / millis * 1_000,
    )
  const durableLoop = Effect.fnUntraced(function* (round: number) {
    const url = yield* servers.database(`durable_${round}`)
    yield* servers.flush
    return yield* loop(yield* bare.durable(url, entities))
  }, Effect.scoped)

  const weir = Effect.fnUntraced(function* (round: number) {
    yield* ask({ _tag: "fresh", options, state })
    const gauge = new Gauge(events)
    const url = yield* servers.database(`round_${round}`, "masters")
    yield* servers.flush
    const cpu = {
      weir: ownCpuSeconds(),
      standIn: yield* ask({ _tag: "cpuSeconds" }),
      postgres: cpuSeconds(servers.postgres.pid),
      nats: cpuSeconds(servers.nats.pid),
    }
    const started = performance.now()
    const tallies = yield* run(url, gauge)
    const standIn = (yield* ask({ _tag: "cpuSeconds" })) - cpu.standIn
    const used = {
      weir: ownCpuSeconds() - cpu.weir - standIn,
      standIn,
      postgres: cpuSeconds(servers.postgres.pid) - cpu.postgres,
      nats: cpuSeconds(servers.nats.pid) - cpu.nats,
    }
    const millis = gauge.last - gauge.first
    const applied = tallies.reduce((sum, tally) => sum + (tally.flow === "timesheets" ? tally.applied : 0), 0)
    const lines = yield* ask({ _tag: "rows", model: "account.analytic.line" })
    if (applied !== events || lines !== events) {
      return yield* Effect.die(new Error(`${events} published, ${applied} applied, ${lines} lines in Odoo`))
    }
    return {
      eventsPerSecond: events / millis * 1_000,
      startMillis: gauge.first - started,
      admitBatch: mean(gauge.admitted),
      settleBatch: mean(gauge.settled),
      writeBatch: events / gauge.calls,
      statementsPerSecond: (gauge.admitted.length + gauge.settled.length) / millis * 1_000,
      cpu: {
        weir: per1000(used.weir),
        standIn: per1000(used.standIn),
        postgres: per1000(used.postgres),
        nats: per1000(used.nats),
      },
    }
  })

  if (process.argv.includes("--profile")) {
    yield* weir(rounds)
    const stop = yield* Effect.promise(sample)
    yield* weir(rounds + 1)
    return yield* Console.log(yield* Effect.promise(stop))
  }
  const results = yield* Effect.forEach(
    Array.from({ length: rounds }, (_, round) => round),
    Effect.fnUntraced(function* (round) {
      const before = load()
      return {
        ack: yield* loop(bare.ack),
        decode: yield* loop(bare.decode),
        durable: yield* durableLoop(round),
        weir: yield* weir(round),
        load: [before, load()],
      }
    }),
  )
  yield* report(results)
})

interface Round {
  /** Events a second. */
  readonly ack: number
  readonly decode: number
  readonly durable: number
  readonly weir: Measured
  readonly load: ReadonlyArray<number>
}

interface Measured {
  readonly eventsPerSecond: number
  readonly startMillis: number
  /** Events in one admit, settle and call to Odoo, means. */
  readonly admitBatch: number
  readonly settleBatch: number
  readonly writeBatch: number
  readonly statementsPerSecond: number
  /** CPU milliseconds per 1000 events. */
  readonly cpu: Readonly<Record<"weir" | "standIn" | "postgres" | "nats", number>>
}

const mean = (numbers: ReadonlyArray<number>): number =>
  numbers.reduce((sum, number) => sum + number, 0) / Math.max(1, numbers.length)

const report = Effect.fnUntraced(function* (results: ReadonlyArray<Round>) {
  const of = (pick: (result: Round) => number) => results.map(pick)
  const rates = {
    ack: of((r) => r.ack),
    decode: of((r) => r.decode),
    durable: of((r) => r.durable),
    weir: of((r) => r.weir.eventsPerSecond),
  }
  const ratios = {
    ack: of((r) => r.weir.eventsPerSecond / r.ack),
    decode: of((r) => r.weir.eventsPerSecond / r.decode),
    durable: of((r) => r.weir.eventsPerSecond / r.durable),
    durableOfAck: of((r) => r.durable / r.ack),
  }
  yield* Console.log(table([
    [`${format(events)} events, ${shape.entities} entities`, "median (smallest to largest)"],
    ["ack: bare nats.js, events/s", spread(rates.ack)],
    ["decode: and schemas, events/s", spread(rates.decode)],
    ["durable: and a row each, events/s", spread(rates.durable)],
    ["weir, events/s", spread(rates.weir)],
    ["weir / ack", spread(ratios.ack, 2)],
    ["weir / decode", spread(ratios.decode, 2)],
    ["weir / durable", spread(ratios.durable, 2)],
    ["durable / ack", spread(ratios.durableOfAck, 2)],
    ["CPU ms per 1000 events: weir", spread(of((r) => r.weir.cpu.weir), 1)],
    ["  stand-in Odoo", spread(of((r) => r.weir.cpu.standIn), 1)],
    ["  postgres", spread(of((r) => r.weir.cpu.postgres), 1)],
    ["  nats-server", spread(of((r) => r.weir.cpu.nats), 1)],
    ["events per admit", spread(of((r) => r.weir.admitBatch))],
    ["events per call to Odoo", spread(of((r) => r.weir.writeBatch))],
    ["events per settle", spread(of((r) => r.weir.settleBatch))],
    ["statements/s", spread(of((r) => r.weir.statementsPerSecond))],
    ["start to first delivery, ms", spread(of((r) => r.weir.startMillis))],
    ["load of the machine", spread(results.flatMap((r) => r.load), 1)],
  ]))
  yield* Console.log(JSON.stringify({
    events,
    entities: shape.entities,
    rounds,
    eventsPerSecond: {
      ack: Math.round(median(rates.ack)),
      decode: Math.round(median(rates.decode)),
      durable: Math.round(median(rates.durable)),
      weir: Math.round(median(rates.weir)),
    },
    ratio: {
      ack: median(ratios.ack),
      decode: median(ratios.decode),
      durable: median(ratios.durable),
      durableOfAck: median(ratios.durableOfAck),
    },
    results,
  }))
})

await Effect.runPromise(
  Effect.scoped(main).pipe(Effect.provideService(References.MinimumLogLevel, "Warn")),
)
process.exit(0)
