/** A program of this project as a child process: what it logs, its end, and every way to end it. */
import { Effect, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import process from "node:process"
import { fileURLToPath } from "node:url"

/** Lines that are kept, and shown when somebody gives up. */
const KEPT = 2_000
const POLL = "25 millis"
/** Longest wait for a line in the log, on a machine that others use too. */
const SAID_MILLIS = 45_000
const ROOT = fileURLToPath(new URL("../../../", import.meta.url))

export interface LogLine {
  readonly level: string
  readonly message: string
  /** As it was written. */
  readonly text: string
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Program {
  readonly pid: number
  /** Standard error so far. */
  readonly lines: ReadonlyArray<LogLine>
  readonly signal: (name: NodeJS.Signals) => Effect.Effect<void>
  /** Waits for its end. */
  readonly ended: Effect.Effect<Ended>
  readonly isAlive: () => boolean
  /** Waits, bounded, until a line after the first `from` says so; dies with the last lines when none does. */
  readonly said: (what: RegExp, from?: number) => Effect.Effect<LogLine>
}

const lineOf = (text: string): LogLine => {
  try {
    const { level, message } = JSON.parse(text) as { readonly level?: string; readonly message?: string }
    return { level: String(level), message: String(message), text }
  } catch {
    return { level: "", message: text, text }
  }
}

/** What it was started with must not reach it by accident: WEIR_SEED would be taken for configuration. */
const inherited = () => Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("WEIR_")))

const launch = (
  script: string,
  args: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>>,
  lines: Array<LogLine>,
  flags: ReadonlyArray<string>,
): { readonly child: ChildProcess; readonly end: Promise<Ended> } => {
  const path = `${ROOT}${script}`
  const child = spawn(process.execPath, [
    ...process.versions.deno === undefined ? [path] : ["run", ...flags, path],
    ...args,
  ], {
    cwd: ROOT,
    env: { ...inherited(), ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  })
  let rest = ""
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    const parts = (rest + chunk).split("\n")
    rest = parts.pop() ?? ""
    for (const part of parts) if (part !== "") lines.push(lineOf(part))
    if (lines.length > KEPT) lines.splice(0, lines.length - KEPT)
  })
  const end = new Promise<Ended>((done) => {
    child.once("close", (code, signal) => done({ code, signal }))
    child.once("error", (cause) => {
      lines.push(lineOf(String(cause)))
      done({ code: null, signal: null })
    })
  })
  return { child, end }
}

/** Starts `script` (from the project's folder). When the scope closes it is killed hard, frozen or not. */
export const start = (
  script: string,
  args: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>> = {},
  /** Of `deno run`; Node has none. */
  flags: ReadonlyArray<string> = ["-A"],
): Effect.Effect<Program, never, Scope.Scope> =>
  Effect.gen(function* () {
    const lines: Array<LogLine> = []
    const { child, end } = yield* Effect.acquireRelease(
      Effect.sync(() => launch(script, args, environment, lines, flags)),
      ({ child, end }) =>
        Effect.promise(() => {
          child.kill("SIGKILL")
          return end
        }),
    )
    const isAlive = () => child.exitCode === null && child.signalCode === null
    return {
      pid: child.pid ?? 0,
      lines,
      isAlive,
      // Not child.kill: under Deno the end of a process is then told as by that signal, whatever its exit code.
      signal: (name) => Effect.sync(() => void (isAlive() && process.kill(child.pid ?? 0, name))),
      ended: Effect.promise(() => end),
      said: Effect.fnUntraced(function* (what, from = 0) {
        const deadline = Date.now() + SAID_MILLIS
        while (true) {
          const found = lines.slice(from).find(({ message }) => what.test(message))
          if (found !== undefined) return found
          if (Date.now() > deadline || !isAlive()) {
            return yield* Effect.die(
              new Error(`${script} ${isAlive() ? "did not say" : "ended before it said"} ${what}\n${tail(lines)}`),
            )
          }
          yield* Effect.sleep(POLL)
        }
      }),
    }
  })

export const tail = (lines: ReadonlyArray<LogLine>, count = 25): string =>
  lines.slice(-count).map(({ text }) => `  ${text}`).join("\n")
