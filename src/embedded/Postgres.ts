/**
 * An embedded PostgreSQL for one machine: no container, no installation, a folder with the data. Lives as long as the
 * scope that started it.
 *
 *   recover (killed before?) ─► initdb (new folder) ─► postgres ─► answers ─► database "weir" ─► … ─► scope closes: stop
 *
 * It listens on the loopback interface only, with a random password that is kept in the data folder.
 */
import { PgClient } from "@effect/sql-pg"
import { Effect, Redacted, type Scope } from "effect"
import { Reactivity } from "effect/reactivity"
import { randomBytes } from "node:crypto"
import { chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { basename, dirname, join, resolve } from "node:path"
import process from "node:process"
import { type Account, account, reachable } from "./PostgresAccount.ts"
import { PostgresError } from "./PostgresError.ts"
import { type Child, complete, isAlive, launch, own, realSleep, recover, stop } from "./PostgresProcess.ts"
import { type Programs, programs } from "./PostgresPrograms.ts"

export interface Options {
  /** Folder of the data, created when missing. Not below a home folder when root starts it. */
  readonly dataDir: string
  /** Default: any free one. */
  readonly port?: number
  /** Default true. False gives up crash safety (fsync off) for speed: tests only. */
  readonly durable?: boolean
}

export interface Running {
  /** Of database `weir`, with the password. */
  readonly url: Redacted.Redacted
  readonly port: number
  /** Of the postmaster. */
  readonly pid: number
}

const superuser = "postgres"
const database = "weir"
const passwordFile = "weir.password"
/** A crash recovery of much write-ahead log takes its time. */
const readyTimeoutMillis = 60_000
const readyPollMillis = 40
/** Somebody else may take a free port between our look and the start. */
const portAttempts = 3
const maxConnections = 60

const failed = (message: string) => (cause: unknown) => new PostgresError({ reason: "NotAllowed", message, cause })

const freePort: Effect.Effect<number, PostgresError> = Effect.callback((resume) => {
  const server = createServer()
  server.on("error", (cause) => resume(Effect.fail(failed("No free port on 127.0.0.1.")(cause))))
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

/** Where process `pid` makes a new cluster, beside the folder that it becomes. */
const stagingOf = (dataDir: string, pid: number): string => `${dataDir}.new-${pid}`

/** Removes what starts left behind that were killed while they made a cluster. */
const clearStaging = (dataDir: string) =>
  Effect.promise(async () => {
    const prefix = stagingOf(basename(dataDir), 0).slice(0, -1)
    const names = await readdir(dirname(dataDir)).catch(() => [])
    for (const name of names) {
      const pid = Number(name.slice(prefix.length))
      if (!name.startsWith(prefix) || (pid !== process.pid && isAlive(pid))) continue
      // An initdb that outlived its parent may still write there: what stays goes at the next start.
      await rm(join(dirname(dataDir), name), { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined)
    }
  })

/** Makes a cluster beside `dataDir` and moves it there when it is complete: a killed start leaves no half of one. */
const initialise = (found: Programs, owner: Account, dataDir: string, durable: boolean) =>
  Effect.gen(function* () {
    const password = randomBytes(24).toString("base64url")
    const once = join(tmpdir(), `weir-${randomBytes(8).toString("hex")}`)
    const staging = stagingOf(dataDir, process.pid)
    yield* Effect.tryPromise({
      try: async () => {
        await mkdir(staging, { recursive: true, mode: 0o700 })
        await writeFile(once, password, { mode: 0o600, flag: "wx" })
        if ("uid" in owner) { for (const path of [staging, once]) await chown(path, owner.uid, owner.gid) }
      },
      catch: failed(`Cannot create ${staging}. Choose a folder that Weir may write.`),
    })
    yield* complete(found.initdb, [
      `--pgdata=${staging}`,
      `--username=${superuser}`,
      `--pwfile=${once}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      ...durable ? [] : ["--no-sync"],
    ], owner).pipe(Effect.ensuring(Effect.promise(() => rm(once, { force: true }))))
    yield* Effect.tryPromise({
      try: async () => {
        await writeFile(join(staging, passwordFile), password, { mode: 0o600 })
        await rename(staging, dataDir)
      },
      catch: failed(`Cannot make ${dataDir}: it must be a new or empty folder that Weir may write.`),
    })
  })

const urlOf = (password: string, port: number, name: string): Redacted.Redacted =>
  Redacted.make(`postgres://${superuser}:${password}@127.0.0.1:${port}/${name}`)

/** Asks until it answers, creates the database when missing. Fails when the process ends or time is up. */
const ready = (child: Child, password: string, port: number): Effect.Effect<void, PostgresError> => {
  const create = PgClient.makeClient({ url: urlOf(password, port, "postgres"), connectTimeout: "5 seconds" }).pipe(
    Effect.flatMap((sql) =>
      Effect.gen(function* () {
        const rows = yield* sql`select 1 from pg_database where datname = ${database}`
        if (rows.length === 0) yield* sql`create database ${sql(database)}`
      })
    ),
    Effect.provide(Reactivity.layer),
    Effect.scoped,
  )
  const attempts = Math.ceil(readyTimeoutMillis / readyPollMillis)
  const attempt = (left: number): Effect.Effect<void, PostgresError> =>
    create.pipe(
      Effect.catch((cause) =>
        left > 0 && !child.exited()
          ? Effect.andThen(realSleep(readyPollMillis), Effect.suspend(() => attempt(left - 1)))
          : Effect.fail(
            new PostgresError({
              reason: "Failed",
              message: `PostgreSQL does not come up on port ${port}. Its last words:\n${child.log()}`,
              cause,
            }),
          )
      ),
    )
  return attempt(attempts)
}

const serve = (found: Programs, owner: Account, dataDir: string, port: number, durable: boolean) =>
  Effect.acquireRelease(
    launch(found.postgres, [
      ...["-D", dataDir, "-p", String(port)],
      ...["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
      ...["-c", `max_connections=${maxConnections}`, "-c", "shared_buffers=128MB", "-c", "max_wal_size=2GB"],
      ...["-c", "lc_messages=C", "-c", "timezone=UTC", "-c", "log_timezone=UTC", "-c", "log_statement=none"],
      ...durable ? [] : ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"],
    ], owner),
    (child) => Effect.suspend(() => child.exited() ? Effect.void : stop(child.pid)),
  )

/**
 * Starts PostgreSQL on `dataDir` and waits until database `weir` answers. A folder that exists is used as it is, also
 * after a crash. Stops it when the scope closes.
 */
export const start = (options: Options): Effect.Effect<Running, PostgresError, Scope.Scope> =>
  Effect.gen(function* () {
    const dataDir = resolve(options.dataDir)
    const durable = options.durable ?? true
    const found = yield* programs
    const owner = yield* account
    yield* reachable(owner, dataDir)
    yield* reachable(owner, found.postgres)
    yield* clearStaging(dataDir)
    const exists = (name: string) => Effect.promise(() => stat(join(dataDir, name)).then(() => true, () => false))
    if (!(yield* exists("PG_VERSION"))) yield* initialise(found, owner, dataDir, durable)
    if (!(yield* exists(passwordFile))) {
      return yield* new PostgresError({
        reason: "NotAllowed",
        message:
          `${dataDir} holds no PostgreSQL of Weir's (${passwordFile} is missing). Choose another folder, or remove it if ` +
          `nobody needs it.`,
      })
    }
    yield* recover(dataDir)
    const password = yield* Effect.tryPromise({
      try: () => readFile(join(dataDir, passwordFile), "utf8"),
      catch: failed(`Cannot read ${join(dataDir, passwordFile)}. Start Weir as the user that created it.`),
    })
    const attempt = Effect.gen(function* () {
      const port = options.port ?? (yield* freePort)
      const child = yield* serve(found, owner, dataDir, port, durable)
      yield* own(dataDir)
      yield* ready(child, password, port)
      return { url: urlOf(password, port, database), port, pid: child.pid }
    })
    return yield* Effect.retry(attempt, {
      times: options.port === undefined ? portAttempts - 1 : 0,
      while: (error) => error.message.includes("could not bind"),
    })
  }).pipe(Effect.withSpan("EmbeddedPostgres.start"))

/** `EmbeddedPostgres.start(options)`. */
export const EmbeddedPostgres = { start } as const
