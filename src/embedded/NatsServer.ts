/**
 * A real `nats-server` with JetStream on file storage as a child process, for a single machine and for tests.
 *
 *   find binary -> claim storeDir -> write nats-server.conf -> spawn -> ready (ports file, INFO) -> [running]
 *   scope closes: SIGTERM (+ SIGCONT, a frozen process gets neither otherwise) -> wait -> SIGKILL after `STOP_MILLIS`
 *
 * No process stays behind: the scope stops it; a shell that reads a pipe from this process stops it when this process is
 * gone, however it went; and the next start on the same `storeDir` ends an orphan whose shell was killed, too. Real time
 * throughout, also under a test clock: processes do not wait for one.
 */
import { Context, Deferred, Effect, Layer, Schema } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { connect } from "node:net"
import { join, resolve } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { compareVersions, findNatsBinary, type FindOptions, type NatsBinary, NatsBinaryMissing } from "./NatsBinary.ts"

const HOST = "127.0.0.1"
/** From spawn until clients are served; recovery of a large store takes seconds. */
const READY_MILLIS = 30_000
/** From SIGTERM until SIGKILL. The server flushes its stores in between. */
const STOP_MILLIS = 10_000
/** From SIGKILL until the process is taken for gone. */
const KILL_MILLIS = 2_000
const POLL_MILLIS = 10
/** Kept from the server's stderr for the error message, characters. */
const STDERR_TAIL = 2_000

/**
 * - `StoreInUse`: another live process owns `storeDir`. Configuration: stop it or choose another folder.
 * - `StartFailed`: the server ended or did not become ready; the message holds what it said. Configuration.
 */
export class NatsServerError extends Schema.TaggedError<NatsServerError>()("NatsServerError", {
  reason: Schema.Literals(["StoreInUse", "StartFailed"]),
  message: Schema.String,
}) {}

export interface NatsServerOptions extends FindOptions {
  /** Folder of streams, configuration and log; created when missing. One server at a time. */
  readonly storeDir: string
  /** Absent or 0: a free one. */
  readonly port?: number
  /** Lines appended to `nats-server.conf`. */
  readonly config?: string
  /**
   * Sync every message to disk before it is confirmed (`sync_interval: always`), from server 2.10 on. Slower, and the
   * only setting that survives power loss. Default false: synced every two minutes, survives a crash of the process.
   */
  readonly syncAlways?: boolean
  /** Default: `findNatsBinary`. */
  readonly binary?: NatsBinary
}

export interface RunningNatsServer {
  /** `nats://127.0.0.1:<port>`. */
  readonly url: string
  readonly port: number
  /** For signals: `process.kill(pid, "SIGSTOP")` freezes it, `"SIGKILL"` crashes it. */
  readonly pid: number
  readonly storeDir: string
  readonly version: string
  /** Ends when the process has ended, for whatever reason. */
  readonly exited: Effect.Effect<void>
  /** Stops it now, gracefully and bounded; the scope's end then has nothing to do. Idempotent. */
  readonly stop: Effect.Effect<void>
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM"
  }
}

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name)
  } catch {
    // Already gone: what the signal was for.
  }
}

/** SIGTERM, and SIGKILL for one that does not end in time. */
const terminate = async (pid: number, hasEnded: () => boolean): Promise<void> => {
  signal(pid, "SIGTERM")
  signal(pid, "SIGCONT")
  const deadline = Date.now() + STOP_MILLIS
  // After SIGKILL only a zombie that nobody reaps stays: it holds neither port nor files.
  while (!hasEnded() && Date.now() < deadline + KILL_MILLIS) {
    if (Date.now() > deadline) signal(pid, "SIGKILL")
    await delay(POLL_MILLIS)
  }
}

const Claim = Schema.fromJsonString(Schema.Struct({ pid: Schema.Int, owner: Schema.Int }))
const decodeClaim = Schema.decodeUnknownOption(Claim)

/** Whether `pid` still is the server of this store and not an unrelated process that got its number. Linux only. */
const isServerOf = async (pid: number, configFile: string): Promise<boolean> => {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")
  return commandLine.includes(configFile)
}

/** Ends the orphan of an owner that was killed; refuses when the owner lives. */
const claimStore = async (claimFile: string, configFile: string, storeDir: string): Promise<void> => {
  const claim = decodeClaim(await readFile(claimFile, "utf8").catch(() => ""))
  if (claim._tag === "None" || !isAlive(claim.value.pid)) return
  const { owner, pid } = claim.value
  if (!(await isServerOf(pid, configFile))) return
  if (owner !== process.pid && !isAlive(owner)) return await terminate(pid, () => !isAlive(pid))
  throw new NatsServerError({
    reason: "StoreInUse",
    message: `nats-server ${pid} of process ${owner} uses ${storeDir}. Stop that process or choose another folder.`,
  })
}

const configuration = (options: NatsServerOptions, binary: NatsBinary, storeDir: string): string => {
  const sync = options.syncAlways === true && compareVersions(binary.version, "2.10.0") >= 0
  return [
    `host: "${HOST}"`,
    `port: ${options.port === undefined || options.port === 0 ? -1 : options.port}`,
    `ports_file_dir: ${JSON.stringify(storeDir)}`,
    `log_file: ${JSON.stringify(join(storeDir, "nats-server.log"))}`,
    "logfile_size_limit: 10MB",
    `jetstream {`,
    `  store_dir: ${JSON.stringify(storeDir)}`,
    ...(sync ? ["  sync_interval: always"] : []),
    "}",
    options.config ?? "",
    "",
  ].join("\n")
}

const Ports = Schema.fromJsonString(Schema.Struct({ nats: Schema.NonEmptyArray(Schema.String) }))
const decodePorts = Schema.decodeUnknownOption(Ports)

/** The port the server wrote down, or undefined while it has not. */
const portOf = async (portsFile: string): Promise<number | undefined> => {
  const ports = decodePorts(await readFile(portsFile, "utf8").catch(() => ""))
  return ports._tag === "None" ? undefined : Number(new URL(ports.value.nats[0]).port)
}

/** Connects and reads the line every server greets with. */
const greets = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const socket = connect({ host: HOST, port, timeout: 1_000 })
    const end = (answer: boolean) => {
      socket.destroy()
      done(answer)
    }
    socket.once("data", (data) => end(data.toString().startsWith("INFO ")))
    socket.once("error", () => end(false))
    socket.once("timeout", () => end(false))
    socket.once("close", () => done(false))
  })

interface Child {
  readonly process: ChildProcess
  readonly pid: number
  readonly hasEnded: () => boolean
  readonly exited: Promise<void>
  readonly said: () => string
}

/** Waits for the end of its input, which comes with the end of this process, then stops the server. */
const WATCHDOG = `read -r _
kill -TERM "$1"; kill -CONT "$1"; left=${STOP_MILLIS / 1000}
while [ $left -gt 0 ]; do kill -0 "$1" || exit 0; sleep 1; left=$((left - 1)); done
kill -KILL "$1"`

const watch = (pid: number): ChildProcess => {
  const shell = spawn("/bin/sh", ["-c", WATCHDOG, "nats-server-watchdog", String(pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  })
  // Without a shell the scope still stops the server, and the next start an orphan.
  shell.on("error", () => undefined)
  shell.stdin?.on("error", () => undefined)
  shell.unref()
  return shell
}

const launch = (binary: NatsBinary, configFile: string): Child => {
  // A group of its own: Ctrl-C in a terminal reaches Weir first, which drains before it stops the server.
  const child = spawn(binary.path, ["-c", configFile], { stdio: ["ignore", "ignore", "pipe"], detached: true })
  let ended = false
  let said = ""
  child.stderr?.on("data", (data) => {
    said = (said + String(data)).slice(-STDERR_TAIL)
  })
  const exited = new Promise<void>((done) => {
    const end = () => {
      ended = true
      watchdog?.kill("SIGKILL")
      done()
    }
    child.once("exit", end)
    child.once("error", (cause) => {
      said += cause.message
      end()
    })
  })
  const pid = child.pid ?? 0
  const watchdog = pid > 0 ? watch(pid) : undefined
  return { process: child, pid, hasEnded: () => ended, exited, said: () => said }
}

const startProcess = async (binary: NatsBinary, options: NatsServerOptions): Promise<[Child, number]> => {
  const storeDir = resolve(options.storeDir)
  const configFile = join(storeDir, "nats-server.conf")
  const claimFile = join(storeDir, "nats-server.claim.json")
  await mkdir(storeDir, { recursive: true })
  await claimStore(claimFile, configFile, storeDir)
  await writeFile(configFile, configuration(options, binary, storeDir))
  const child = launch(binary, configFile)
  const portsFile = join(storeDir, `nats-server_${child.pid}.ports`)
  try {
    await writeFile(claimFile, JSON.stringify({ pid: child.pid, owner: process.pid }))
    const deadline = Date.now() + READY_MILLIS
    while (!child.hasEnded() && Date.now() < deadline) {
      const port = await portOf(portsFile)
      if (port !== undefined && await greets(port)) return [child, port]
      await delay(POLL_MILLIS)
    }
    const log = await readFile(join(storeDir, "nats-server.log"), "utf8").catch(() => "")
    const what = child.hasEnded() ? "ended at once" : `was not ready after ${READY_MILLIS / 1000} s`
    const said = `${child.said()}\n${log}`.trim().split("\n").filter((line) => line.trim() !== "").slice(-5).join("\n")
    throw new NatsServerError({
      reason: "StartFailed",
      message: `nats-server ${binary.version} ${what}. It said:\n${said}\nIts log: ${
        join(storeDir, "nats-server.log")
      }`,
    })
  } catch (cause) {
    if (child.pid > 0) await terminate(child.pid, child.hasEnded)
    throw cause
  } finally {
    // A killed server leaves its ports file; a restarted one gets another pid.
    await rm(portsFile, { force: true })
  }
}

/** Starts a server that lives as long as the scope. Restart: close that scope, start again on the same folder and port. */
export const startNatsServer = Effect.fn("NatsServer.start")(function* (options: NatsServerOptions) {
  const binary = options.binary ?? (yield* findNatsBinary(options))
  const storeDir = resolve(options.storeDir)
  const ended = yield* Deferred.make<void>()
  let stopping = false
  const halt = (child: Child) =>
    Effect.promise(() => {
      stopping = true
      return terminate(child.pid, child.hasEnded)
    })
  const [child, port] = yield* Effect.acquireRelease(
    Effect.tryPromise({
      try: () => startProcess(binary, options),
      catch: (cause) =>
        cause instanceof NatsServerError
          ? cause
          : new NatsServerError({ reason: "StartFailed", message: `cannot start nats-server: ${String(cause)}` }),
    }),
    ([child]) => halt(child),
  )
  yield* Effect.promise(() => child.exited).pipe(
    Effect.andThen(Deferred.succeed(ended, undefined)),
    Effect.andThen(
      Effect.suspend(() =>
        stopping
          ? Effect.void
          : Effect.logError(`nats-server ${child.pid} ended by itself, see ${join(storeDir, "nats-server.log")}`)
      ),
    ),
    Effect.forkScoped,
  )
  const server: RunningNatsServer = {
    url: `nats://${HOST}:${port}`,
    port,
    pid: child.pid,
    storeDir,
    version: binary.version,
    exited: Deferred.await(ended),
    stop: halt(child),
  }
  return server
})

/** The embedded server as a service. */
export class NatsServer extends Context.Service<NatsServer, RunningNatsServer>()("weir/embedded/NatsServer") {
  static readonly start = startNatsServer
  static readonly layer = (
    options: NatsServerOptions,
  ): Layer.Layer<NatsServer, NatsServerError | NatsBinaryMissing> => Layer.effect(this, startNatsServer(options))
}
