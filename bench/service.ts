/** `weir run` as a process of its own, so that what is measured of it is Weir alone. */
import { Effect, Redacted, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, openSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { defaultKey } from "../fixtures/odoo/StandIn.ts"

const STOP_MILLIS = 30_000
const program = fileURLToPath(new URL("../src/cli/weir.ts", import.meta.url))

export interface ServiceOptions {
  /** For its configuration, log and data. */
  readonly folder: string
  /** Databases and entities, as `weir.json` has them. */
  readonly configuration: object
  readonly natsUrl: string
  readonly postgresUrl: Redacted.Redacted
  /** Cap of V8's heap (old generation); 0: as the runtime sees fit. */
  readonly heapMiB: number
}

export interface Service {
  readonly pid: number
  /** File that it writes its log to. */
  readonly log: string
}

/** Runs until the scope closes. */
export const service = (
  { configuration, folder, heapMiB, natsUrl, postgresUrl }: ServiceOptions,
): Effect.Effect<Service, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const file = join(folder, "weir.json")
        const log = join(folder, "weir.log")
        const whole = {
          ...configuration,
          nats: { url: natsUrl },
          postgres: { url: { env: "WEIR_BENCH_POSTGRES" } },
          http: { port: 0 },
          dataDir: join(folder, "weir"),
        }
        writeFileSync(file, JSON.stringify(whole))
        // As in deno.json.
        const flags = heapMiB === 0 ? [] : [`--max-old-space-size=${heapMiB}`, "--max-semi-space-size=16"]
        const runtime = "Deno" in globalThis
          ? ["run", "-A", ...flags.length === 0 ? [] : [`--v8-flags=${flags.join(",")}`]]
          : flags
        const output = openSync(log, "a")
        const child = spawn(process.execPath, [...runtime, program, "run", "--config", file], {
          stdio: ["ignore", output, output],
          env: {
            ...process.env,
            WEIR_BENCH_POSTGRES: Redacted.value(postgresUrl),
            ODOO_API_KEY: defaultKey,
          },
        })
        closeSync(output)
        return { child, log }
      }),
      ({ child }) => Effect.promise(() => stopped(child)),
    ),
    ({ child, log }) => ({ pid: child.pid ?? 0, log }),
  )

const stopped = (child: ChildProcess): Promise<void> =>
  new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) return done()
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MILLIS)
    child.once("exit", () => {
      clearTimeout(timer)
      done()
    })
    child.kill("SIGTERM")
  })
