/**
 * What Weir depends on, each a real process that can be stopped, started again on the same data and port, and frozen:
 * `nats-server`, PostgreSQL, and the stand-in Odoo over HTTP.
 */
import { Effect, Exit, Redacted, Scope } from "effect"
import { execFile } from "node:child_process"
import { createServer } from "node:net"
import { join } from "node:path"
import process from "node:process"
import { promisify } from "node:util"
import { defaultKey } from "../../../fixtures/odoo/StandIn.ts"
import { NatsServer } from "../../embedded/NatsServer.ts"
import { EmbeddedPostgres } from "../../embedded/Postgres.ts"
import * as Program from "./Program.ts"

const HOST = "127.0.0.1"
/** Longest wait for the stand-in to answer and to end. */
const ODOO_MILLIS = 60_000
const POLL = "25 millis"

export interface Server {
  readonly name: "broker" | "database" | "Odoo"
  readonly port: number
  /** Of its main process; another one after every start. */
  readonly pid: () => number
  /** Where clients connect; `at` in place of its own port (a proxy's). */
  readonly url: (at?: number) => string
  /** Ends it in order; what it confirmed stays. */
  readonly stop: Effect.Effect<void>
  readonly start: Effect.Effect<void>
  /** `kill -9` to all its processes. */
  readonly crash: Effect.Effect<void>
  /** SIGSTOP to all its processes: connections stay open and nobody answers. */
  readonly freeze: Effect.Effect<void>
  readonly thaw: Effect.Effect<void>
}

export const freePort: Effect.Effect<number> = Effect.callback((resume) => {
  const server = createServer()
  server.listen(0, HOST, () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

const run = promisify(execFile)

/** A process and its children: PostgreSQL has one per connection, each in a group of its own. */
const family = async (pid: number): Promise<ReadonlyArray<number>> => {
  const { stdout } = await run("ps", ["-A", "-o", "pid=,ppid="])
  const pairs = stdout.trim().split("\n").map((line) => line.trim().split(/\s+/u).map(Number))
  return [pid, ...pairs.filter(([, parent]) => parent === pid).map(([child = 0]) => child)]
}

/** Parents first when freezing, so that none can start another child. */
const signalFamily = (pid: () => number, name: "SIGSTOP" | "SIGCONT" | "SIGKILL") =>
  Effect.promise(async () => {
    if (name !== "SIGCONT") process.kill(pid(), "SIGSTOP")
    for (const member of await family(pid())) {
      try {
        process.kill(member, name)
      } catch {
        // Ended meanwhile: neither frozen nor to be woken.
      }
    }
  })

interface Life {
  readonly name: Server["name"]
  /** The port is 0 at the first start: any free one. */
  readonly launch: (port: number | undefined) => Effect.Effect<
    { readonly pid: number; readonly port: number; readonly url: string },
    unknown,
    Scope.Scope
  >
}

/** Runs until the scope closes; frozen or not, it is ended then. */
const make = ({ launch, name }: Life): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.gen(function* () {
    const outer = yield* Effect.scope
    let scope: Scope.Closeable | null = null
    let running = { pid: 0, port: 0, url: "" }
    const freeze = signalFamily(() => running.pid, "SIGSTOP")
    const thaw = signalFamily(() => running.pid, "SIGCONT")
    const stop = Effect.suspend(() => {
      const open = scope
      scope = null
      return open === null ? Effect.void : Effect.andThen(thaw, Scope.close(open, Exit.void))
    })
    const start = Effect.gen(function* () {
      if (scope !== null) return
      scope = yield* Scope.make()
      running = yield* launch(running.port === 0 ? undefined : running.port).pipe(Scope.provide(scope), Effect.orDie)
    })
    const crash = Effect.andThen(signalFamily(() => running.pid, "SIGKILL"), stop)
    yield* Scope.addFinalizer(outer, stop)
    yield* start
    return {
      name,
      port: running.port,
      pid: () => running.pid,
      url: (at) => {
        const url = new URL(running.url)
        url.port = String(at ?? running.port)
        return url.href.replace(/\/$/u, "")
      },
      stop,
      start,
      crash,
      freeze,
      thaw,
    }
  })

export const broker = (folder: string) =>
  make({
    name: "broker",
    launch: (port) => NatsServer.start({ storeDir: join(folder, "nats"), ...(port === undefined ? {} : { port }) }),
  })

/** Servers of one JetStream cluster, each with all the data of streams that have as many replicas. */
export const brokers = Effect.fnUntraced(function* (folder: string, count: number) {
  const numbers = Array.from({ length: count }, (_, number) => number)
  const ports = yield* Effect.forEach(numbers, () => freePort)
  const routes = ports.map((port) => `nats-route://${HOST}:${port}`).join(", ")
  return yield* Effect.forEach(numbers, (number) =>
    make({
      name: "broker",
      launch: (port) =>
        NatsServer.start({
          storeDir: join(folder, `nats-${number}`),
          config: [
            `server_name: n${number}`,
            `cluster { name: weir, host: "${HOST}", port: ${ports[number]}, routes: [${routes}] }`,
          ].join("\n"),
          ...(port === undefined ? {} : { port }),
        }),
    }), { concurrency: count })
})

/** `durable`: its data must survive a crash; else quicker. */
export const database = (folder: string, durable: boolean) =>
  make({
    name: "database",
    launch: (port) =>
      Effect.map(
        EmbeddedPostgres.start({
          dataDir: join(folder, "postgres"),
          durable,
          ...(port === undefined ? {} : { port }),
        }),
        ({ url, ...running }) => ({ ...running, url: Redacted.value(url) }),
      ),
  })

export interface OdooOptions {
  /** Milliseconds of the real Odoo times this. */
  readonly latency: number
  readonly workers: number
  /** A scenario's `odoo.json`: what stands there beforehand. */
  readonly world?: string
}

/** Keeps its state in a file over stop and start, as Odoo does in PostgreSQL. */
export const odoo = (folder: string, employees: string, options: OdooOptions) =>
  make({
    name: "Odoo",
    launch: (known) =>
      Effect.gen(function* () {
        const port = known ?? (yield* freePort)
        const program = yield* Program.start("fixtures/odoo/server.ts", [
          ...["--port", String(port), "--key", defaultKey, "--employees", employees],
          ...["--state", join(folder, "odoo.ndjson")],
          ...["--latency", String(options.latency), "--workers", String(options.workers)],
          ...options.world === undefined ? [] : ["--world", options.world],
        ])
        yield* Effect.addFinalizer(() =>
          Effect.andThen(program.signal("SIGTERM"), program.ended).pipe(Effect.timeoutOption(ODOO_MILLIS))
        )
        const url = `http://${HOST}:${port}`
        const deadline = Date.now() + ODOO_MILLIS
        while (!(yield* Effect.promise(() => fetch(`${url}/web/health`).then(({ ok }) => ok, () => false)))) {
          if (Date.now() > deadline || !program.isAlive()) {
            return yield* Effect.die(new Error(`the stand-in Odoo does not come up\n${Program.tail(program.lines)}`))
          }
          yield* Effect.sleep(POLL)
        }
        return { pid: program.pid, port, url }
      }),
  })
