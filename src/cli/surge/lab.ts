/**
 * A whole installation on free ports, gone with the scope: `nats-server`, PostgreSQL, the stand-in Odoo with the measured
 * latencies of a real one, and `weir run`, each a process of its own.
 */
import { Context, Effect, Layer, Redacted, Schedule, Schema, Scope } from "effect"
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises"
import { existsSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { defaultKey } from "../../../fixtures/odoo/StandIn.ts"
import type { Scenario } from "../../../fixtures/scenario.ts"
import * as JetStreamBroker from "../../broker/JetStreamBroker.ts"
import * as PgLedger from "../../ledger/PgLedger.ts"
import * as Json2Odoo from "../../odoo/Json2Odoo.ts"
import { Odoo } from "../../odoo/Odoo.ts"
import { VERSION } from "../../config/version.ts"
import { CommandFailed, exitCodes } from "../Failure.ts"
import * as Program from "../lab/Program.ts"
import * as Server from "../lab/Server.ts"
import { asked, statusOf } from "./service.ts"
import type { Target } from "./Target.ts"

const DATABASE = "odoo"
/** Odoo's part in what the lab waits for. */
const ODOO_TIMEOUT = "30 seconds"
const CONNECT = Schedule.max([Schedule.spaced("200 millis"), Schedule.recurs(100)])

export interface LabOptions {
  readonly scenario: Scenario
  /** Workers of the stand-in, 1 or more. */
  readonly workers: number
  /** Part of them that Weir may keep busy, above 0, at most 1. */
  readonly share: number
  /** Milliseconds of a real Odoo times this. */
  readonly latency: number
}

const folder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(async () => {
    const path = await mkdtemp(join(tmpdir(), "weir-surge-"))
    // PostgreSQL runs as another user when root starts it.
    await chmod(path, 0o755)
    return path
  }),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true, maxRetries: 3 })),
)

const decodeStats = Schema.decodeUnknownSync(Schema.Struct({ busyMillis: Schema.Finite }))

/** Everything up and answering. */
export const lab = Effect.fnUntraced(function* ({ latency, scenario, share, workers }: LabOptions) {
  const path = yield* folder
  const world = join(scenario.folder, "odoo.json")
  const [broker, database, odoo] = yield* Effect.all([
    Server.broker(path),
    Server.database(path, true),
    Server.odoo(path, join(scenario.folder, "employees.json"), {
      latency,
      workers,
      ...(existsSync(world) && { world }),
    }),
  ], { concurrency: 3 })
  const port = yield* Server.freePort
  const file = join(path, "weir.json")
  const configuration = {
    ...scenario.configuration,
    nats: { url: broker.url() },
    postgres: { url: { env: "LEDGER_URL" } },
    databases: { main: { url: odoo.url(), database: DATABASE, key: { env: "ODOO_API_KEY" }, workers, share } },
    http: { port },
    dataDir: join(path, "data"),
  }
  yield* Effect.promise(() => writeFile(file, JSON.stringify(configuration)))
  const outer = yield* Effect.scope
  const launch = Program.start("src/cli/weir.ts", ["run", "--config", file], {
    LEDGER_URL: database.url(),
    ODOO_API_KEY: defaultKey,
  }).pipe(Effect.provideService(Scope.Scope, outer))
  let current = yield* launch
  let killed = false
  // Until then the ledger has no tables.
  yield* current.said(/status on/u)

  const sql = yield* PgLedger.connect({
    url: Redacted.make(database.url()),
    poolSize: 3,
    applicationName: "weir-surge",
  }).pipe(Effect.retry(CONNECT), Effect.orDie)
  const client = Json2Odoo.layer({
    version: VERSION,
    databases: new Map([["main", {
      url: new URL(odoo.url()),
      database: DATABASE,
      key: Effect.succeed(Redacted.make(defaultKey)),
      timeout: ODOO_TIMEOUT,
    }]]),
  })
  const service = `http://127.0.0.1:${port}`
  const target: Target = {
    kind: "lab",
    description:
      `embedded NATS and PostgreSQL, a stand-in Odoo with ${workers} workers at ${latency} of a real one's ` +
      `latencies, ${share * 100} % of them for Weir`,
    broker: yield* JetStreamBroker.make({ servers: broker.url(), connectionName: "weir-surge" }).pipe(
      Effect.retry(CONNECT),
      Effect.orDie,
    ),
    ledger: PgLedger.fromClient(sql),
    sql,
    odoo: Context.get(yield* Layer.build(client), Odoo),
    odooWorkers: workers,
    status: statusOf(service),
    metrics: asked(`${service}/metrics`),
    busySeconds: Effect.map(
      asked(`${odoo.url()}/_standin/stats`),
      (text) => text === null ? null : decodeStats(JSON.parse(text)).busyMillis / 1_000,
    ),
    pid: () => current.isAlive() ? current.pid : null,
    control: {
      servers: { broker, database, odoo },
      weir: {
        signal: (name) => Effect.suspend(() => current.signal(name)),
        kill: Effect.suspend(() => {
          killed = true
          return Effect.andThen(current.signal("SIGKILL"), current.ended)
        }),
        start: Effect.map(launch, (program) => {
          current = program
          killed = false
        }),
      },
      standIn: (method, path, body) =>
        Effect.promise(async () => {
          const sent = method === "POST" ? { body: JSON.stringify(body) } : {}
          const { ok, status } = await fetch(`${odoo.url()}/_standin/${path}`, { method, ...sent })
          if (!ok) throw new Error(`the stand-in does not take ${path}: ${status}`)
        }),
    },
    alive: Effect.suspend(() =>
      killed || current.isAlive() ? Effect.void : Effect.fail(
        new CommandFailed({
          exit: exitCodes.failure,
          message: `weir ended by itself. Its last lines:\n${Program.tail(current.lines)}`,
        }),
      )
    ),
  }
  return target
})
