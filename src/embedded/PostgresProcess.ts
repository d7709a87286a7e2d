/** Child processes of the embedded PostgreSQL: run to the end, stop with patience, find one that outlived its parent. */
import { Effect } from "effect"
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { readFile, rm, writeFile } from "node:fs/promises"
import { platform } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { promisify } from "node:util"
import type { Account } from "./PostgresAccount.ts"
import { PostgresError } from "./PostgresError.ts"

/** Last lines of a child's output, kept for the error message. */
const keptLines = 12
const pollMillis = 25
/** Clients are cut off at once, a checkpoint is written: seconds, unless the disk is busy. */
const fastStopMillis = 15_000
const hardStopMillis = 5_000
const probeTimeoutMillis = 5_000

export interface Child {
  readonly pid: number
  readonly process: ChildProcess
  readonly exited: () => boolean
  /** What it said last. */
  readonly log: () => string
}

/** Starts a program with fixed messages (`LC_ALL=C` would change the cluster's locale, `LC_MESSAGES` does not). */
export const launch = (
  program: string,
  args: ReadonlyArray<string>,
  owner: Account,
): Effect.Effect<Child, PostgresError> =>
  Effect.callback<Child, PostgresError>((resume) => {
    const child = spawn(program, args, {
      ...owner,
      cwd: "/",
      // A session of its own: Ctrl-C in the terminal is for us, and we stop it when nobody needs it any more.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"] ?? "", LC_MESSAGES: "C", TZ: "UTC" },
    })
    let exited = false
    let lines: Array<string> = []
    const keep = (chunk: Uint8Array) => {
      lines = [...lines, ...new TextDecoder().decode(chunk).split("\n").filter((line) => line !== "")].slice(-keptLines)
    }
    child.stdout.on("data", keep)
    child.stderr.on("data", keep)
    child.on("exit", () => {
      exited = true
    })
    child.on("error", (cause) =>
      resume(Effect.fail(
        new PostgresError({
          reason: "NotInstalled",
          message: `${program} cannot be started. Check that it may be executed by the user that runs PostgreSQL.`,
          cause,
        }),
      )))
    child.on("spawn", () =>
      resume(
        Effect.succeed({ pid: child.pid ?? 0, process: child, exited: () => exited, log: () => lines.join("\n") }),
      ))
  })

/** Runs a program to its end; fails with what it said. */
export const complete = (
  program: string,
  args: ReadonlyArray<string>,
  owner: Account,
): Effect.Effect<void, PostgresError> =>
  Effect.flatMap(launch(program, args, owner), (child) =>
    Effect.callback<void, PostgresError>((resume) => {
      // "close", not "exit": the output has been read to the end then.
      child.process.on("close", (code) =>
        resume(
          code === 0 ? Effect.void : Effect.fail(
            new PostgresError({ reason: "Failed", message: `${program} ended with code ${code}:\n${child.log()}` }),
          ),
        ))
      return Effect.sync(() => child.process.kill("SIGKILL"))
    }))

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    // EPERM: it lives and is somebody else's.
    return cause instanceof Error && "code" in cause && cause.code === "EPERM"
  }
}

const signal = (pid: number, name: "SIGINT" | "SIGQUIT" | "SIGKILL"): Effect.Effect<void> =>
  Effect.ignore(Effect.sync(() => isAlive(pid) && process.kill(pid, name)))

/**
 * Stops a postmaster: fast (clients cut, data checkpointed), then immediate (recovers at the next start), then the hard
 * way. Bounded by about twenty seconds in all.
 */
export const stop = (pid: number): Effect.Effect<void> => {
  const gone = (millis: number) =>
    Effect.sync(() => !isAlive(pid)).pipe(
      Effect.flatMap((dead) => dead ? Effect.succeed(true) : Effect.as(realSleep(pollMillis), false)),
      Effect.repeat({ until: (dead) => dead, times: Math.ceil(millis / pollMillis) }),
    )
  return Effect.gen(function* () {
    yield* signal(pid, "SIGINT")
    if (yield* gone(fastStopMillis)) return
    yield* signal(pid, "SIGQUIT")
    if (yield* gone(hardStopMillis)) return
    yield* signal(pid, "SIGKILL")
    yield* gone(hardStopMillis)
  })
}

/** Another process does not run on a virtual clock: waiting for it takes real time even under TestClock. */
export const realSleep = (millis: number): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.void), millis)
    return Effect.sync(() => clearTimeout(timer))
  })

const run = promisify(execFile)

/** Parent and command line of a process, null when there is none. */
const describe = async (pid: number): Promise<{ readonly parent: number; readonly command: string } | null> => {
  try {
    if (platform() === "linux") {
      const stat = await readFile(`/proc/${pid}/stat`, "utf8")
      const command = (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ")
      // "<pid> (<name>) <state> <parent> …", and the name may hold spaces and parentheses.
      return { parent: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]), command }
    }
    const { stdout } = await run("ps", ["-o", "ppid=,command=", "-p", String(pid)], { timeout: probeTimeoutMillis })
    const match = /^\s*(\d+)\s+(.*)$/u.exec(stdout)
    return match === null ? null : { parent: Number(match[1]), command: match[2] ?? "" }
  } catch {
    return null
  }
}

const ownerFile = "weir.owner"

/** Notes who started the server of this data folder, for `recover` after a crash. */
export const own = (dataDir: string): Effect.Effect<void, PostgresError> =>
  Effect.tryPromise({
    try: () => writeFile(join(dataDir, ownerFile), String(process.pid), { mode: 0o600 }),
    catch: (cause) =>
      new PostgresError({
        reason: "NotAllowed",
        message: `Cannot write to ${dataDir}. Give Weir the right to.`,
        cause,
      }),
  })

/**
 * Clears what a killed Weir left behind: stops the server that outlived it, or removes a `postmaster.pid` whose process
 * is gone or is another program by now. Fails with `InUse` when the Weir that started the server still lives.
 */
export const recover = (dataDir: string): Effect.Effect<void, PostgresError> =>
  Effect.gen(function* () {
    const lock = join(dataDir, "postmaster.pid")
    const read = (file: string) => Effect.promise(() => readFile(file, "utf8").catch(() => ""))
    const pid = Number.parseInt(yield* read(lock), 10)
    if (Number.isNaN(pid)) return
    const found = isAlive(pid) ? yield* Effect.promise(() => describe(pid)) : null
    if (found !== null && found.command.includes("postgres") && found.command.includes(dataDir)) {
      const owner = Number.parseInt(yield* read(join(dataDir, ownerFile)), 10)
      if (found.parent === owner && isAlive(owner)) {
        return yield* new PostgresError({
          reason: "InUse",
          message:
            `Process ${owner} already serves ${dataDir} (PostgreSQL ${pid}). Stop it, or use another data folder.`,
        })
      }
      yield* Effect.logWarning(`PostgreSQL ${pid} outlived the process that started it: stopping it first`)
      yield* stop(pid)
    }
    yield* Effect.promise(() => rm(lock, { force: true }))
  })
