/**
 * Where broker and ledger are. What the configuration does not name, `weir run` starts under `dataDir`; it writes the
 * addresses to `servers.json` there, so that the other commands find them while it runs.
 *
 *     start (weir run):        configured address, or an embedded server that lives as long as the scope
 *     attach (other commands): configured address, or the one in servers.json of a running weir
 */
import { Context, Effect, Layer, Redacted, Runtime, Schema, type Scope } from "effect"
import { CliError } from "effect/cli"
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { NatsServer } from "../embedded/NatsServer.ts"
import { EmbeddedPostgres } from "../embedded/Postgres.ts"
import type { Settings } from "./Configuration.ts"
import { resolve, type SecretMissing } from "./Secret.ts"

/** Holds the ledger's password, hence readable by its owner only. */
const FILE = "servers.json"
const FILE_MODE = 0o600
const FOLDER_MODE = 0o755

export interface Addresses {
  /** One or more servers of a cluster, separated by commas. */
  readonly natsUrl: string
  readonly postgresUrl: Redacted.Redacted
}

/**
 * - `NotRunning`: nothing is configured and no `weir run` has started servers of its own.
 * - `InUse`: another `weir run` works in this folder.
 * - `StartFailed`: an embedded server did not start; the message is the server's.
 *
 * All three are for the operator; exit code 4.
 */
export class ServersError extends Schema.TaggedError<ServersError>()("ServersError", {
  reason: Schema.Literals(["NotRunning", "InUse", "StartFailed"]),
  message: Schema.String,
}) {
  override readonly [Runtime.errorExitCode] = 4
  override get [CliError.userMessage](): string {
    return this.message
  }
}

const Announcement = Schema.fromJsonString(Schema.Struct({
  /** Process that started them. */
  pid: Schema.Int,
  nats: Schema.NullOr(Schema.String),
  postgres: Schema.NullOr(Schema.String),
}))
type Announcement = typeof Announcement.Type

const decodeAnnouncement = Schema.decodeUnknownOption(Announcement)

/** How embedded servers are started; others in tests. */
export interface Starters {
  readonly nats: (dataDir: string) => Effect.Effect<{ readonly url: string }, ServersError, Scope.Scope>
  readonly postgres: (
    dataDir: string,
  ) => Effect.Effect<{ readonly url: Redacted.Redacted }, ServersError, Scope.Scope>
}

const startFailed = (server: string) => (cause: { readonly message: string }) =>
  new ServersError({ reason: "StartFailed", message: `The embedded ${server} did not start. ${cause.message}` })

export const embedded: Starters = {
  nats: (dataDir) =>
    NatsServer.start({ storeDir: join(dataDir, "nats") }).pipe(Effect.mapError(startFailed("NATS server"))),
  postgres: (dataDir) =>
    EmbeddedPostgres.start({ dataDir: join(dataDir, "postgres") }).pipe(Effect.mapError(startFailed("PostgreSQL"))),
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // A process of another user is alive too.
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}

/** What a living process has announced; null without one. */
const announced = (dataDir: string): Effect.Effect<Announcement | null> =>
  Effect.promise(() => readFile(join(dataDir, FILE), "utf8").catch(() => "")).pipe(Effect.map((text) => {
    const found = decodeAnnouncement(text)
    return found._tag === "Some" && isAlive(found.value.pid) ? found.value : null
  }))

const announce = (dataDir: string, announcement: Announcement): Effect.Effect<void, ServersError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        const staged = join(dataDir, `${FILE}.${process.pid}`)
        await writeFile(staged, `${JSON.stringify(announcement, null, 2)}\n`, { mode: FILE_MODE })
        await rename(staged, join(dataDir, FILE))
      },
      catch: (cause) =>
        new ServersError({ reason: "StartFailed", message: `Cannot write to ${dataDir}: ${String(cause)}` }),
    }),
    () => Effect.promise(() => rm(join(dataDir, FILE), { force: true })),
  )

/** The addresses, with embedded servers for what `settings` does not name. They stop when the scope closes. */
export const start = (
  settings: Settings,
  starters: Starters = embedded,
): Effect.Effect<Addresses, ServersError | SecretMissing, Scope.Scope> =>
  Effect.gen(function* () {
    const { dataDir, nats, postgres } = settings
    if (nats !== undefined && postgres !== undefined) {
      return { natsUrl: nats.url, postgresUrl: yield* resolve(postgres.url) }
    }
    const other = yield* announced(dataDir)
    if (other !== null) {
      return yield* new ServersError({
        reason: "InUse",
        message:
          `Process ${other.pid} already runs the embedded servers in ${dataDir}. Stop it, or set another dataDir.`,
      })
    }
    yield* Effect.tryPromise({
      try: () => mkdir(dataDir, { recursive: true, mode: FOLDER_MODE }),
      catch: (cause) =>
        new ServersError({ reason: "StartFailed", message: `Cannot make the folder ${dataDir}: ${String(cause)}` }),
    })
    const [natsUrl, postgresUrl] = yield* Effect.all([
      nats === undefined ? Effect.map(starters.nats(dataDir), ({ url }) => url) : Effect.succeed(nats.url),
      postgres === undefined ? Effect.map(starters.postgres(dataDir), ({ url }) => url) : resolve(postgres.url),
    ], { concurrency: 2 })
    yield* announce(dataDir, {
      pid: process.pid,
      nats: nats === undefined ? natsUrl : null,
      postgres: postgres === undefined ? Redacted.value(postgresUrl) : null,
    })
    return { natsUrl, postgresUrl }
  })

const notRunning = (what: string, field: string, dataDir: string) =>
  new ServersError({
    reason: "NotRunning",
    message: `${what} is not configured, and no weir runs one in ${dataDir}. Start \`weir run\`, or set ${field}.`,
  })

/** The broker, from `settings` or from the `weir run` that works in its `dataDir`. Starts nothing. */
export const natsUrlOf = ({ dataDir, nats }: Settings): Effect.Effect<string, ServersError> =>
  nats !== undefined
    ? Effect.succeed(nats.url)
    : Effect.flatMap(announced(dataDir), (running) =>
      running?.nats == null ? notRunning("The broker", "nats.url", dataDir) : Effect.succeed(running.nats))

/** The ledger's database, from `settings` or from the `weir run` that works in its `dataDir`. Starts nothing. */
export const postgresUrlOf = (
  { dataDir, postgres }: Settings,
): Effect.Effect<Redacted.Redacted, ServersError | SecretMissing> =>
  postgres !== undefined
    ? resolve(postgres.url)
    : Effect.flatMap(announced(dataDir), (running) =>
      running?.postgres == null
        ? notRunning("The ledger's database", "postgres.url", dataDir)
        : Effect.succeed(Redacted.make(running.postgres)))

/** Both addresses of what runs already. Starts nothing. */
export const attach = (settings: Settings): Effect.Effect<Addresses, ServersError | SecretMissing> =>
  Effect.all({ natsUrl: natsUrlOf(settings), postgresUrl: postgresUrlOf(settings) })

/** The addresses as a service. */
export class Servers extends Context.Service<Servers, Addresses>()("weir/config/Servers") {
  static readonly started = (settings: Settings): Layer.Layer<Servers, ServersError | SecretMissing> =>
    Layer.effect(Servers, start(settings))
  static readonly attached = (settings: Settings): Layer.Layer<Servers, ServersError | SecretMissing> =>
    Layer.effect(Servers, attach(settings))
}
