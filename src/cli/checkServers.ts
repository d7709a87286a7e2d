/** Checks of `weir doctor` on broker and ledger. */
import { Clock, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { Broker } from "../broker/Broker.ts"
import type { Settings } from "../config/Configuration.ts"
import { natsUrlOf, postgresUrlOf } from "../config/Servers.ts"
import * as PgAccess from "../ledger/PgAccess.ts"
import { ledgerProblem } from "../odoo/marks.ts"
import { adviceOf, allTokens, tokenCredentials } from "../operate/Credentials.ts"
import { fail, type Finding, finding, ok, warn } from "./findings.ts"
import { brokerOf, postgresOf } from "./ports.ts"

/** The oldest server that Weir works with. */
const OLDEST_NATS = [2, 9] as const
const OLDEST_POSTGRES = 15

const startNats = "Start it, or correct nats.url and its credentials."
const startPostgres = "Start it, or correct postgres.url."

/** Server, JetStream and stream, as the connected broker describes them. */
export const brokerFindings: Effect.Effect<ReadonlyArray<Finding>, never, Broker> = finding(
  "broker",
  "stream",
  "Start `weir run` once: it creates the streams.",
  Effect.gen(function* () {
    const { jetstream, server, stream, version } = yield* Broker.use((broker) => broker.describe)
    const [major = 0, minor = 0] = version.split(".").map(Number)
    const old = major < OLDEST_NATS[0] || (major === OLDEST_NATS[0] && minor < OLDEST_NATS[1])
    return [
      old
        ? fail("broker", "version", `${version} on ${server}`, `Upgrade NATS to ${OLDEST_NATS.join(".")} or newer.`)
        : ok("broker", "version", `${version} on ${server}`),
      jetstream
        ? ok("broker", "JetStream", "on")
        : fail("broker", "JetStream", "off", "Switch JetStream on in the server's configuration."),
      stream.storage === "file"
        ? ok("broker", "storage", "file")
        : fail("broker", "storage", "memory: a restart loses events", "Recreate the stream with file storage."),
      stream.replicas > 1 ? ok("broker", "replicas", String(stream.replicas)) : warn(
        "broker",
        "replicas",
        "1: the stream is as safe as this one server's disk",
        "In production: three servers, nats.replicas 3, sync_interval always.",
      ),
      ok("broker", "stream", `${stream.name}, ${stream.messages} messages, ${stream.bytes} bytes`),
    ]
  }),
)

const Facts = Schema.Array(Schema.Struct({ version: Schema.String, migrated: Schema.Boolean }))
const Migrations = Schema.Array(Schema.Struct({ name: Schema.NullOr(Schema.String) }))

/** Version of the database and of Weir's schema in it. */
export const ledgerFindings: Effect.Effect<ReadonlyArray<Finding>, never, SqlClient.SqlClient> = finding(
  "ledger",
  "connection",
  startPostgres,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [facts] = yield* Schema.decodeUnknownEffect(Facts)(
      yield* sql`select current_setting('server_version') as version,
        to_regclass('weir.migration') is not null as migrated`,
    )
    const version = facts?.version ?? "unknown"
    const known = facts?.migrated === true
      ? yield* Schema.decodeUnknownEffect(Migrations)(
        yield* sql`select max(lpad(migration_id::text, 4, '0') || '_' || name) as name from weir.migration`,
      )
      : []
    return [
      Number.parseInt(version, 10) < OLDEST_POSTGRES
        ? fail("ledger", "version", version, `Upgrade PostgreSQL to ${OLDEST_POSTGRES} or newer.`)
        : ok("ledger", "version", version),
      known[0]?.name == null
        ? warn("ledger", "migrations", "none yet", "Start `weir run` once: it creates its tables.")
        : ok("ledger", "migrations", known[0].name),
    ]
  }),
)

/** What the ledger is marked as, and which API tokens end soon. Nothing before its tables are there. */
export const accessFindings = (
  environment: Settings["environment"],
): Effect.Effect<ReadonlyArray<Finding>, never, SqlClient.SqlClient> =>
  finding(
    "ledger",
    "environment",
    startPostgres,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const known = yield* sql`select 1 where to_regclass('weir.api_token') is not null`
      if (known.length === 0) return []
      const access = PgAccess.fromClient(sql)
      const mark = yield* access.environment
      const problem = ledgerProblem(environment, mark)
      const now = yield* Clock.currentTimeMillis
      const tokens = tokenCredentials(yield* allTokens(access), now)
      return [
        problem === null
          ? ok("ledger", "environment", mark?.environment ?? "not marked")
          : fail("ledger", "environment", mark?.environment ?? "", problem),
        ...tokens.flatMap((token) => {
          const advice = adviceOf(token)
          return advice === null
            ? []
            : [warn("ledger", "tokens", `${token.name} of ${token.owner}: ${token.state}`, advice)]
        }),
      ]
    }),
  )

/** Broker and ledger of a configuration; both are asked at the same time. */
export const serverFindings = (settings: Settings): Effect.Effect<ReadonlyArray<Finding>> =>
  Effect.all([
    finding(
      "broker",
      "connection",
      startNats,
      Effect.flatMap(natsUrlOf(settings), (url) => Effect.provide(brokerFindings, brokerOf(settings, url))),
    ),
    finding(
      "ledger",
      "connection",
      startPostgres,
      Effect.flatMap(postgresUrlOf(settings), (url) =>
        Effect.provide(
          Effect.zipWith(
            ledgerFindings,
            accessFindings(settings.environment),
            (facts, access) => [...facts, ...access],
          ),
          Layer.effect(SqlClient.SqlClient, postgresOf(url)),
        )),
    ),
  ], { concurrency: 2 }).pipe(Effect.map((found) => found.flat()))
