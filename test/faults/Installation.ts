/**
 * Weir as it is installed: `weir run` as a process of its own, on a real `nats-server`, a real PostgreSQL and the
 * stand-in Odoo over HTTP, each a process too, each behind a proxy that can cut connections.
 *
 *     test ──publish──► nats-server ◄──proxy── weir run ──proxy──► PostgreSQL ◄──ask── test
 *                                                 └──────proxy──► stand-in Odoo ◄──ask── test
 *
 * The test asks ledger and Odoo past the proxies. What it asks is what stands, never what was called.
 */
import { Context, Duration, Effect, Layer, Redacted, Schedule, Schema, type Scope } from "effect"
import { jetstreamManager } from "@nats-io/jetstream"
import { connect } from "@nats-io/transport-node"
import type { SqlClient } from "effect/sql"
import { existsSync } from "node:fs"
import { chmod, chown, cp, readdir, rename, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { account } from "../../fixtures/odoo/readback.ts"
import { hire } from "../../fixtures/odoo/employees.ts"
import { defaultKey } from "../../fixtures/odoo/StandIn.ts"
import type { FaultRule } from "../../fixtures/odoo/Faults.ts"
import { agrees, compare, type Figure, publications, type Scenario, settledIn } from "../../fixtures/scenario.ts"
import { entitiesOf } from "../../fixtures/replay/Place.ts"
import type { Random } from "../../fixtures/generator/Random.ts"
import { UNROUTED } from "../../src/actor/Unrouted.ts"
import * as JetStreamBroker from "../../src/broker/JetStreamBroker.ts"
import type { Publication } from "../../src/broker/Broker.ts"
import { Ledger, type Tally } from "../../src/ledger/Ledger.ts"
import * as PgLedger from "../../src/ledger/PgLedger.ts"
import * as Json2Odoo from "../../src/odoo/Json2Odoo.ts"
import { Odoo } from "../../src/odoo/Odoo.ts"
import * as Input from "./Input.ts"
import * as Program from "../../src/cli/lab/Program.ts"
import * as Proxy from "./Proxy.ts"
import type { RealOdoo } from "./RealOdoo.ts"
import * as Stories from "./Stories.ts"
import * as Server from "../../src/cli/lab/Server.ts"

const DATABASE = "odoo"
/** Most runners of a cluster in one test. */
const RUNNERS = 3
const WORKERS = 4
/** Messages published between two confirmations. */
const BATCH = 500
/** Messages at a time, and the pause after them, when they are published little by little. */
const TRICKLE = 20
const TRICKLE_PAUSE = "100 millis"
const POLL = "50 millis"
/** Looks at the ledger without any progress after which a test gives up: two minutes on a machine at rest. */
const PATIENCE = 2_400
/** Tries of a question to the ledger while it may be away. */
const ASK = Schedule.max([Schedule.spaced("200 millis"), Schedule.recurs(300)])

export interface InstallationOptions {
  readonly scenario: Scenario
  /** The stand-in's milliseconds: those of a real Odoo times this. */
  readonly latency: number
  /** How long Weir waits for an answer of Odoo. Default 20 seconds. */
  readonly odooTimeout?: Duration.Input
  /** Whether the ledger's PostgreSQL must survive a crash. Default false: quicker. */
  readonly durable?: boolean
  /** Servers of a JetStream cluster, each with all data; reached without a proxy. Default 1, which is no cluster. */
  readonly brokers?: number
  /** Workers of the stand-in, all of them Weir's. Default 4. */
  readonly workers?: number
  /** Shards of a cluster whose runners are at these ports of this machine. Default: the configuration's. */
  readonly shards?: (ports: ReadonlyArray<number>) => number
  /** Of the runners. Default `test`; a busy machine loses its locks for no reason. */
  readonly profile?: "test" | "production"
  /** Weir's grace at shutdown. Default 20 seconds. */
  readonly grace?: Duration.Input
  /** In place of the stand-in, with the scenario's companies and nothing else in it. */
  readonly real?: RealOdoo
  /** Every flow's story beside the month, told in this way. Left out: none. */
  readonly stories?: Stories.Telling & { readonly random: Random }
}

/** What stands, asked of ledger and Odoo directly. */
export interface Observer {
  /** Events of the scenario with an outcome; waits while the ledger's database is away. */
  readonly settled: Effect.Effect<number>
  /** Waits until so many events have an outcome; dies, with what `weir` said, when nothing moves for minutes. */
  readonly until: (events: number, weir: Program.Program, every?: Duration.Input) => Effect.Effect<number>
  /** Everything that must stand beside what stands. */
  readonly figures: Effect.Effect<ReadonlyArray<Figure>>
  /** Figures that differ, records in Odoo that are nobody's, keys whose order was broken: nothing, if all is well. */
  readonly wrong: Effect.Effect<ReadonlyArray<string>>
  /** Activations so far, by entity. */
  readonly epochs: Effect.Effect<ReadonlyMap<string, number>>
  /** Process ids of the present owners, by entity. */
  readonly owners: Effect.Effect<ReadonlyMap<string, number>>
  /** Deletes all checkpoints, as an operator would after the stream was lost. */
  readonly rewind: Effect.Effect<void>
}

/** What stands in `weir.json`, as far as tests change it. */
export interface Configured {
  readonly entities: Readonly<Record<string, object>>
}

export interface Installation extends Observer {
  readonly scenario: Scenario
  readonly servers: { readonly broker: Server.Server; readonly database: Server.Server; readonly odoo: Server.Server }
  /** All servers of the broker. */
  readonly brokers: ReadonlyArray<Server.Server>
  /** All of them, for clients. */
  readonly brokerUrl: string
  readonly proxies: { readonly broker: Proxy.Proxy; readonly database: Proxy.Proxy; readonly odoo: Proxy.Proxy }
  /** Starts `weir run`; it ends with the scope, if not before. */
  readonly weir: Effect.Effect<Program.Program, never, Scope.Scope>
  /** The same with these flags of `deno run`, given where its configuration lies. */
  readonly weirWith: (flagsOf: (folder: string) => ReadonlyArray<string>) => Installation["weir"]
  /** Starts one of several, `number` from 0, at its place in the cluster. */
  readonly runner: (number: number) => Effect.Effect<Program.Program, never, Scope.Scope>
  /** The same in a region. */
  readonly runnerIn: (number: number, region: string) => ReturnType<Installation["runner"]>
  /** The same with its own way to the broker. */
  readonly runnerBehind: (number: number, brokerUrl: string) => ReturnType<Installation["runner"]>
  /** Writes another `weir.json`; whoever runs may take it up. */
  readonly reconfigure: (change: (given: Configured) => unknown) => Effect.Effect<void>
  /** Publishes the whole scenario. */
  readonly publish: Effect.Effect<void>
  /**
   * Publishes a part of it, by position, little by little, whatever happens to the broker meanwhile: what is not
   * confirmed is sent again.
   */
  readonly tricklePart: (from: number, to: number) => Effect.Effect<void>
  /** Publishes a part of it, by position. */
  readonly publishPart: (from: number, to: number) => Effect.Effect<void>
  /**
   * Takes a copy of the ledger's database while it runs, as a backup does. The answer puts it in the place of what is
   * there then; nobody may be connected.
   */
  readonly backup: Effect.Effect<Effect.Effect<void>>
  /** A statement to the ledger's database, as an operator gives it. */
  readonly sql: <Row extends object>(statement: string) => Effect.Effect<ReadonlyArray<Row>>
  /** Has the streams go on at this sequence, as `nats stream purge --seq` does. */
  readonly purge: (stream: string, sequence: number) => Effect.Effect<void>
  /** The broker's disk is lost; it comes up again without any stream. */
  readonly loseStream: Effect.Effect<void>
  /** Makes the stand-in fail by these rules from now on, and no others. */
  readonly faults: (rules: ReadonlyArray<FaultRule>) => Effect.Effect<void>
  /** Calls that the stand-in made fail so far. */
  readonly struck: Effect.Effect<number>
  /** Applied events of which the world was not told, or told twice: outcome events in the stream that differ. */
  readonly untold: Effect.Effect<ReadonlyArray<string>>
  readonly stories: Stories.Stories | undefined
}

/** What is published of an applied event, by flow; the others tell nothing. */
const TOLD = {
  engagements: "engagement.provisioned",
  invoices: "invoice.posted",
  payments: "payment.reconciled",
} as const
/** Looks before a missing outcome event counts as missing. */
const TOLD_LOOKS = 400

const decodeStats = Schema.decodeUnknownSync(Schema.Struct({ faults: Schema.Record(Schema.String, Schema.Int) }))
const millis = (duration: Duration.Input): string => `${Duration.toMillis(Duration.fromInputUnsafe(duration))} millis`

/** Everything up but Weir; ends with the scope. */
export const make = Effect.fnUntraced(function* (options: InstallationOptions) {
  const { real, scenario } = options
  const { database: odooDatabase, key, workers } = real ?? {
    database: DATABASE,
    key: defaultKey,
    workers: options.workers ?? WORKERS,
  }
  const folder = yield* Input.folder
  const world = join(options.stories === undefined ? scenario.folder : folder, "odoo.json")
  const replicas = options.brokers ?? 1
  const [brokers, database, odoo] = yield* Effect.all([
    replicas === 1 ? Effect.map(Server.broker(folder), (one) => [one]) : Server.brokers(folder, replicas),
    Server.database(folder, options.durable ?? false),
    real !== undefined ? Effect.succeed(real.server) : Effect.promise(async () => {
      if (options.stories !== undefined) await writeFile(world, JSON.stringify(Stories.world))
    }).pipe(Effect.andThen(
      Server.odoo(folder, join(scenario.folder, "employees.json"), {
        latency: options.latency,
        workers,
        ...(options.stories !== undefined || existsSync(world)) && { world },
      }),
    )),
  ], { concurrency: 3 })
  const broker = brokers[0]!
  const brokerUrl = brokers.map((one) => one.url()).join(",")
  const proxies = {
    broker: yield* Proxy.start(broker.port),
    database: yield* Proxy.start(database.port),
    odoo: yield* Proxy.start(odoo.port),
  }
  const observer = yield* observe(scenario, Redacted.make(database.url()), odoo.url(), { database: odooDatabase, key })
  if (real !== undefined) yield* hire(observer.odoo, "main", scenario.employees).pipe(Effect.retry(ASK), Effect.orDie)
  const stories = options.stories && (yield* Stories.prepare(
    {
      broker: yield* JetStreamBroker.make({ servers: brokerUrl, connectionName: "weir-stories" }).pipe(Effect.orDie),
      ledger: observer.ledger,
      odoo: observer.odoo,
      lock: (company, lock, day) =>
        Effect.sandbox(control(odoo.url(), "lock", "POST", { company, lock, day })).pipe(
          Effect.retry(ASK),
          Effect.orDie,
        ),
    },
    options.stories,
    options.stories.random,
  ))
  const ports = yield* Effect.all(Array.from({ length: RUNNERS }, () => Server.freePort), { concurrency: RUNNERS })
  const file = join(folder, "weir.json")
  const configuration = {
    ...scenario.configuration,
    entities: { ...scenario.configuration.entities, ...entitiesOf(stories?.places ?? []) },
    nats: replicas === 1 ? { url: broker.url(proxies.broker.port) } : { url: brokerUrl, replicas },
    postgres: { url: { env: "LEDGER_URL" } },
    databases: {
      main: {
        url: odoo.url(proxies.odoo.port),
        database: odooDatabase,
        key: { env: "ODOO_API_KEY" },
        workers,
        share: 1,
        timeout: millis(options.odooTimeout ?? "20 seconds"),
      },
    },
    http: { port: 0 },
    grace: millis(options.grace ?? "20 seconds"),
    dataDir: join(folder, "data"),
  }
  const text = (value: unknown) => typeof value === "string" ? value : JSON.stringify(value)
  yield* Effect.promise(() => writeFile(file, text(configuration)))
  const secrets = { LEDGER_URL: database.url(proxies.database.port), ODOO_API_KEY: key }
  const start = (flags?: ReadonlyArray<string>) =>
    Program.start("src/cli/weir.ts", ["run", "--config", file], secrets, flags)
  const runner = Effect.fnUntraced(function* (
    number: number,
    { behind, region }: { readonly behind?: string; readonly region?: string } = {},
  ) {
    return yield* Program.start("src/cli/weir.ts", ["run", "--cluster", "--config", file], {
      ...secrets,
      ...(region !== undefined && { WEIR_CLUSTER_REGION: region }),
      WEIR_CLUSTER_HOST: "127.0.0.1",
      WEIR_CLUSTER_LISTEN: "127.0.0.1",
      WEIR_CLUSTER_PORT: String(ports[number]),
      WEIR_CLUSTER_PROFILE: options.profile ?? "test",
      ...(options.shards !== undefined && { WEIR_CLUSTER_SHARDS: String(options.shards(ports)) }),
      ...(behind !== undefined && { WEIR_NATS_URL: behind }),
    })
  })

  const installation: Installation = {
    ...observer,
    stories,
    scenario,
    servers: { broker, database, odoo },
    brokers,
    proxies,
    weir: start(),
    weirWith: (flagsOf) => start(flagsOf(folder)),
    runner: (number) => runner(number),
    runnerIn: (number, region) => runner(number, { region }),
    runnerBehind: (number, behind) => runner(number, { behind }),
    reconfigure: (change) => Effect.promise(() => writeFile(file, text(change(configuration)))),
    publish: publish(brokerUrl, scenario, { replicas }),
    tricklePart: (from, to) => trickle(brokerUrl, scenario, from, to),
    brokerUrl,
    publishPart: (from, to) => publish(brokerUrl, scenario, { from, to, replicas }),
    backup: backup(database, join(folder, "postgres"), join(folder, "backup")),
    sql: (statement) => Effect.scoped(asking(database.url(), (sql) => sql.unsafe(statement))),
    purge: (stream, seq) =>
      Effect.promise(async () => {
        const connection = await connect({ servers: brokerUrl })
        await (await jetstreamManager(connection)).streams.purge(stream, { seq })
        await connection.close()
      }),
    loseStream: broker.stop.pipe(
      Effect.andThen(Effect.promise(() => rm(join(folder, "nats", "jetstream"), { recursive: true }))),
      Effect.andThen(broker.start),
    ),
    faults: (rules) =>
      Effect.andThen(
        control(odoo.url(), "faults", "DELETE", {}),
        Effect.forEach(rules, (rule) => control(odoo.url(), "faults", "POST", rule), { discard: true }),
      ),
    struck: Effect.promise(async () => {
      const stats = decodeStats(await (await fetch(`${odoo.url()}/_standin/stats`)).json())
      return Object.values(stats.faults).reduce((sum, count) => sum + count, 0)
    }),
    untold: untold(brokerUrl, scenario),
  }
  return installation
})

const asking = <A, E>(
  url: string,
  question: (sql: SqlClient.SqlClient) => Effect.Effect<A, E>,
): Effect.Effect<A, never, Scope.Scope> =>
  PgLedger.connect({ url: Redacted.make(url), poolSize: 1, applicationName: "weir-faults" }).pipe(
    Effect.flatMap(question),
    Effect.orDie,
  )

/** PostgreSQL's own way without further programs: https://www.postgresql.org/docs/18/continuous-archiving.html */
const backup = (database: Server.Server, data: string, copy: string): Effect.Effect<Effect.Effect<void>> =>
  Effect.scoped(asking(database.url(), (sql) =>
    Effect.gen(function* () {
      // Both calls have to come over one connection, which is what the pool has.
      yield* sql.unsafe("select pg_backup_start('weir', fast => true)::text")
      const skipped = /\/(?:pg_wal\/.+|pg_replslot\/.+|pg_notify\/.+|pg_subtrans\/.+|postmaster\.(?:pid|opts))$/u
      yield* Effect.promise(() => cp(data, copy, { recursive: true, filter: (path) => !skipped.test(path) }))
      const [label] = yield* sql.unsafe<{ readonly labelfile: string }>("select labelfile from pg_backup_stop()")
      yield* Effect.promise(() => writeFile(join(copy, "backup_label"), label!.labelfile))
      // The log up to the end of the backup; what comes later in it would be replayed as well.
      const [end] = yield* sql.unsafe<{ readonly file: string }>("select pg_walfile_name(pg_switch_wal()) as file")
      yield* Effect.promise(async () => {
        for (const name of await readdir(join(data, "pg_wal"))) {
          if (/^[0-9A-F]{24}$/u.test(name) && name <= end!.file) {
            await cp(join(data, "pg_wal", name), join(copy, "pg_wal", name))
          }
        }
        const { gid, uid } = await stat(data)
        const given = async (path: string): Promise<void> => {
          await chown(path, uid, gid)
          if ((await stat(path)).isDirectory()) {
            await chmod(path, 0o700)
            for (const name of await readdir(path)) await given(join(path, name))
          }
        }
        await given(copy)
      })
    }))).pipe(
      Effect.as(Effect.gen(function* () {
        yield* database.stop
        yield* Effect.promise(async () => {
          await rm(data, { recursive: true })
          await rename(copy, data)
        })
        yield* database.start
      })),
    )

/** Looks at a ledger and an Odoo until the scope closes. */
export const observe = Effect.fnUntraced(function* (
  scenario: Scenario,
  postgresUrl: Redacted.Redacted,
  odooUrl: string,
  account: Account = { database: DATABASE, key: defaultKey },
) {
  // Not migrated here: before Weir has done it there is nothing to ask.
  const sql = yield* PgLedger.connect({ url: postgresUrl, poolSize: 2, applicationName: "weir-faults" }).pipe(
    Effect.retry(ASK),
    Effect.orDie,
  )
  const ledger = PgLedger.fromClient(sql)
  const odoo = Context.get(yield* Layer.build(odooAt(odooUrl, account)), Odoo)
  const asked = <A, E>(effect: Effect.Effect<A, E, Ledger | Odoo>) =>
    effect.pipe(
      Effect.retry(ASK),
      Effect.orDie,
      Effect.provideService(Ledger, ledger),
      Effect.provideService(Odoo, odoo),
    )
  const count = Effect.map(asked(ledger.tallies()), (tallies) => settledIn(tallies.filter(isOwn)))
  const figures = asked(compare(scenario))
  const isOwn = ({ entity }: Tally): boolean => entity in scenario.expected.entities || entity === UNROUTED
  const observer: Observer & { readonly ledger: Ledger["Service"]; readonly odoo: Odoo["Service"] } = {
    ledger,
    odoo,
    rewind: Effect.asVoid(asked(sql.unsafe("delete from weir.checkpoint"))),
    epochs: Effect.map(
      asked(ledger.owners),
      (owners) => new Map(owners.map(({ entity, epoch }) => [entity, epoch])),
    ),
    owners: Effect.map(
      asked(ledger.owners),
      (owners) =>
        new Map(
          owners.filter(({ entity }) => entity in scenario.expected.entities).map(({ entity, owner }) => [
            entity,
            Number(owner.split(":").at(-1)),
          ]),
        ),
    ),
    settled: count,
    until: (events, weir, every) => until(count, events, weir, every ?? POLL),
    figures,
    wrong: Effect.gen(function* () {
      const different = (yield* figures).filter((figure) => !agrees(figure))
      const codes = yield* asked(
        sql.unsafe<{ readonly entity: string; readonly code: string; readonly n: number }>(CODES),
      )
      const disordered = yield* asked(sql.unsafe<{ readonly line: string }>(DISORDER))
      return [
        ...different.map(({ actual, entity, expected, flow, what }) =>
          `${entity} ${flow} ${what}: ${actual}, expected ${expected}`
        ),
        ...differentCodes(scenario, codes),
        ...yield* asked(strays(scenario)),
        ...disordered.map(({ line }) => `${line}: a later event was settled before an earlier one`),
      ]
    }),
  }
  return observer
})

const CODES = "select entity, code, count(*)::integer as n from weir.held group by entity, code"

/** Held events by their reason, where there are more or fewer than there must be. */
const differentCodes = (
  scenario: Scenario,
  rows: ReadonlyArray<{ readonly entity: string; readonly code: string; readonly n: number }>,
): ReadonlyArray<string> =>
  Object.entries(scenario.expected.entities).flatMap(([entity, { exceptions }]) => {
    const held = new Map(rows.filter((row) => row.entity === entity).map(({ code, n }) => [code, n]))
    return [...new Set([...held.keys(), ...Object.keys(exceptions)])]
      .filter((code) => (held.get(code) ?? 0) !== (exceptions[code] ?? 0))
      .map((code) => `${entity} ${code}: ${held.get(code) ?? 0} held, expected ${exceptions[code] ?? 0}`)
  })

/** Keys of which a later event was applied at an earlier time than one that lies before it in the stream. */
const DISORDER = `
  select distinct later.entity || '/' || later.flow || '/' || later.key as line
  from weir.event earlier join weir.event later using (entity, flow, key)
  where earlier.state = 'applied' and later.state = 'applied'
    and earlier.stream_sequence < later.stream_sequence and earlier.settled_at_millis > later.settled_at_millis`

/** With what Odoo is asked. */
type Account = Pick<RealOdoo, "database" | "key">

const odooAt = (url: string, { database, key }: Account) =>
  Json2Odoo.layer({
    version: "faults",
    databases: new Map([["main", {
      url: new URL(url),
      database,
      key: Effect.succeed(Redacted.make(key)),
      timeout: "20 seconds",
    }]]),
  })

/** Records in Odoo without an external id of Weir's: what was written twice would be among them. */
const strays = Effect.fnUntraced(function* (scenario: Scenario) {
  const odoo = yield* Odoo
  const found: Array<string> = []
  for (const [entity, { company, currency, database }] of Object.entries(scenario.configuration.entities)) {
    const { others } = yield* account(odoo, { entity, database, companyId: company, currency })
    // The company itself is a partner, and nobody else's.
    for (const flow of ["engagements", "timesheets", "invoices", "payments"] as const) {
      if (others[flow] > 0) found.push(`${entity} ${flow}: ${others[flow]} records that are nobody's`)
    }
  }
  return found
})

export interface PublishOptions {
  /** Positions in the scenario. Default: all. */
  readonly from?: number
  readonly to?: number
  /** Of streams that are missing. Default 1. */
  readonly replicas?: number
}

/** Publishes a scenario to the broker at `url`, whose streams it creates when they are missing. */
export const publish = (
  url: string,
  scenario: Scenario,
  { from = 0, replicas = 1, to = Infinity }: PublishOptions = {},
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const broker = yield* JetStreamBroker.make({ servers: url, replicas, connectionName: "weir-faults" })
    // A cluster elects its leaders first.
    yield* broker.provision.pipe(Effect.retry(ASK))
    let batch: Array<Publication> = []
    const messages = publications(scenario)
    for (let position = 0;; position++) {
      const { done, value } = yield* Effect.promise(() => messages.next())
      if (value !== undefined && position >= from && position < to) batch.push(value)
      if (batch.length >= BATCH || done === true) {
        yield* broker.publish(batch).pipe(Effect.retry(ASK))
        batch = []
      }
      if (done === true) return
    }
  }).pipe(Effect.scoped, Effect.orDie)

const trickle = (url: string, scenario: Scenario, start: number, end: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    const broker = yield* JetStreamBroker.make({ servers: url, connectionName: "weir-faults" }).pipe(Effect.retry(ASK))
    yield* broker.provision.pipe(Effect.retry(ASK))
    const all = (yield* Effect.promise(() => Array.fromAsync(publications(scenario)))).slice(start, end)
    for (let from = 0; from < all.length; from += TRICKLE) {
      yield* broker.publish(all.slice(from, from + TRICKLE)).pipe(Effect.retry(ASK))
      yield* Effect.sleep(TRICKLE_PAUSE)
    }
  }).pipe(Effect.scoped, Effect.orDie)

/** Outcome events are published after the settlement; then there must be one for each applied event. */
const untold = (url: string, scenario: Scenario): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    const broker = yield* JetStreamBroker.make({ servers: url, connectionName: "weir-faults" })
    for (let look = 0;; look++) {
      const told = yield* broker.subjects("erp-out.>")
      const different: Array<string> = []
      for (const [entity, { flows }] of Object.entries(scenario.expected.entities)) {
        for (const [flow, type] of Object.entries(TOLD) as ReadonlyArray<[keyof typeof TOLD, string]>) {
          const count = told.get(`erp-out.${entity}.${type}`) ?? 0
          if (count !== flows[flow].applied) {
            different.push(`${entity} ${flow}: ${flows[flow].applied} applied, ${count} times ${type} published`)
          }
        }
      }
      if (different.length === 0 || look === TOLD_LOOKS) return different
      yield* Effect.sleep(POLL)
    }
  }).pipe(Effect.scoped, Effect.orDie)

const until = Effect.fnUntraced(function* (
  count: Effect.Effect<number>,
  events: number,
  weir: Program.Program,
  every: Duration.Input,
) {
  let [last, still] = [-1, 0]
  const ended = Effect.andThen(
    weir.ended,
    Effect.suspend(() => Effect.die(new Error(`weir ended\n${Program.tail(weir.lines)}`))),
  )
  while (true) {
    const done = yield* Effect.raceFirst(count, ended)
    if (done >= events) return done
    still = done === last ? still + 1 : 0
    last = done
    if (still > PATIENCE) {
      const what = `nothing moves any more at ${done} of ${events} events`
      return yield* Effect.die(new Error(`${what}\n${Program.tail(weir.lines)}`))
    }
    yield* Effect.sleep(every)
  }
})

const control = (url: string, what: string, method: "POST" | "DELETE", input: object): Effect.Effect<void> =>
  Effect.promise(async () => {
    const body = method === "POST" ? { body: JSON.stringify(input) } : {}
    const { ok, status } = await fetch(`${url}/_standin/${what}`, { method, ...body })
    if (!ok) throw new Error(`the stand-in does not take ${what}: ${status}`)
  })
