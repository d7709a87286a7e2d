/**
 * A real Odoo 19 of this machine that may be harmed: `deploy/odoo/up` with a home and ports of its own, so that nobody
 * else's server is touched. Its database is new every time.
 *
 *   WEIR_ODOO_HOME, WEIR_ODOO_PORT, WEIR_ODOO_PGPORT    where it lives and listens; no defaults: it is killed and stopped
 */
import { Effect, Schedule } from "effect"
import { execFile, spawn } from "node:child_process"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import type { Random } from "../../fixtures/generator/Random.ts"
import type { Server } from "../../src/cli/lab/Server.ts"

const run = promisify(execFile)
const UP = fileURLToPath(new URL("../../deploy/odoo/up", import.meta.url))
const DOWN = fileURLToPath(new URL("../../deploy/odoo/down", import.meta.url))
/** Odoo kills a worker whose call takes so long. */
export const LIMIT_SECONDS = 10
const HOST = "127.0.0.1"
const POLL = "50 millis"
/** Looks for a worker that is at a call. */
const LOOKS = 200

const variable = (name: string): string => {
  const value = process.env[name]
  if (value !== undefined && value !== "") return value
  throw new Error(`${name} is not set: this Odoo is killed and stopped, so it must be one that nobody else uses.`)
}

export interface RealOdoo {
  readonly server: Server
  /** Odoo's own name of the database. */
  readonly database: string
  readonly key: string
  readonly workers: number
  /** `kill -9` of a worker process that is at a call; false when none was found for a while. */
  readonly killWorker: (random: Random) => Effect.Effect<boolean>
  /** Its PostgreSQL at once, without waiting for anybody, and up again. */
  readonly restartDatabase: Effect.Effect<void>
  /** Nobody can write a table for so long: calls that do hang. */
  readonly lock: (table: string, seconds: number) => Effect.Effect<void>
  /** Workers that Odoo killed because of `limit_time_real`, as its log tells, so far. */
  readonly timedOut: Effect.Effect<number>
}

/** The state of a process or thread and its parent, from its `stat`; undefined when it is gone. */
const statOf = async (folder: string): Promise<{ readonly state: string; readonly parent: number } | undefined> => {
  const text = await readFile(`${folder}/stat`, "utf8").catch(() => undefined)
  // After the command in parentheses, which may contain anything.
  const [state = "", parent = ""] = text?.slice(text.lastIndexOf(")") + 2).split(" ") ?? []
  return text === undefined ? undefined : { state, parent: Number(parent) }
}

const listed = (folder: string): Promise<ReadonlyArray<string>> => readdir(folder).catch(() => [])

/** Workers of `parent` that compute at this moment: the thread that serves calls is not the process's first one. */
const busy = async (parent: number): Promise<ReadonlyArray<number>> => {
  const found: Array<number> = []
  for (const name of await listed("/proc")) {
    if (!/^\d+$/u.test(name) || (await statOf(`/proc/${name}`))?.parent !== parent) continue
    const command = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "gevent")
    if (command.includes("gevent")) continue
    const threads = await Promise.all(
      (await listed(`/proc/${name}/task`)).map((id) => statOf(`/proc/${name}/task/${id}`)),
    )
    if (threads.some((thread) => thread?.state === "R")) found.push(Number(name))
  }
  return found
}

/** Up, with a new database named after `seed`; it stays up when the scope closes, as `deploy/odoo/up` leaves it. */
export const start = Effect.fnUntraced(function* (seed: number, workers: number) {
  const [home, port, pgport] = ["WEIR_ODOO_HOME", "WEIR_ODOO_PORT", "WEIR_ODOO_PGPORT"].map(variable) as [
    string,
    string,
    string,
  ]
  const database = `odoo_faults${seed}x${process.pid}`
  const environment = {
    ...process.env,
    WEIR_ODOO_DB: database,
    WEIR_ODOO_WORKERS: String(workers),
    WEIR_ODOO_LIMIT_TIME_REAL: String(LIMIT_SECONDS),
  }
  const call = (command: string, ...args: ReadonlyArray<string>) =>
    Effect.promise(() => run(command, [...args], { env: environment })).pipe(Effect.map(({ stdout }) => stdout))
  const root = join(home, "root")
  const pid = Effect.promise(async () => Number((await readFile(join(home, "odoo.pid"), "utf8")).trim()))
  let known = 0
  const up = Effect.gen(function* () {
    const said = yield* call(UP)
    known = yield* pid
    return said
  })
  // It may run with other settings.
  yield* call(DOWN, "--odoo-only")
  const key = /ODOO_API_KEY=(\S+)/u.exec(yield* up)?.[1]
  if (key === undefined) return yield* Effect.die(new Error("deploy/odoo/up told no key"))
  const version = (yield* Effect.promise(() => readFile(join(home, "postgres.version"), "utf8"))).trim()

  const signalAll = (name: NodeJS.Signals) => Effect.sync(() => void process.kill(-known, name))
  const startAgain = Effect.asVoid(up)
  const server: Server = {
    name: "Odoo",
    port: Number(port),
    pid: () => known,
    url: (at) => `http://${HOST}:${at ?? port}`,
    stop: Effect.asVoid(call(DOWN, "--odoo-only")),
    start: startAgain,
    crash: Effect.andThen(signalAll("SIGKILL"), Effect.asVoid(call(DOWN, "--odoo-only"))),
    freeze: signalAll("SIGSTOP"),
    thaw: signalAll("SIGCONT"),
  }
  const real: RealOdoo = {
    server,
    database,
    key,
    workers,
    killWorker: (random) =>
      Effect.promise(() => busy(known)).pipe(
        Effect.flatMap(([first, ...others]) =>
          first === undefined ? Effect.fail("idle" as const) : Effect.succeed([first, ...others] as const)
        ),
        Effect.retry(Schedule.max([Schedule.spaced(POLL), Schedule.recurs(LOOKS)])),
        Effect.map((pids) => {
          process.kill(random.pick(pids), "SIGKILL")
          return true
        }),
        Effect.catch(() => Effect.succeed(false)),
      ),
    restartDatabase: Effect.asVoid(
      call("chroot", root, "pg_ctlcluster", version, "weir", "restart", "-m", "immediate"),
    ),
    lock: (table, seconds) =>
      Effect.callback<void>((resume) => {
        const sql = `begin; lock table ${table} in exclusive mode; select pg_sleep(${seconds}); rollback`
        const child = spawn(
          "chroot",
          ["--userspec=postgres", root, "psql", "-qAt", "-p", pgport, "-d", database, "-c", sql],
          { stdio: "ignore" },
        )
        child.once("exit", () => resume(Effect.void))
        return Effect.sync(() => void child.kill())
      }),
    timedOut: Effect.promise(async () =>
      (await readFile(join(home, "logs", "odoo.log"), "utf8")).split("\n").filter((line) =>
        /timeout after \d+s/u.test(line)
      ).length
    ),
  }
  return real
})
