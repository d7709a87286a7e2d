import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, type Scope } from "effect"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import process from "node:process"
import { defaultKey } from "../../fixtures/odoo/StandIn.ts"
import { Random } from "../../fixtures/generator/Random.ts"
import type { Scenario } from "../../fixtures/scenario.ts"
import { stop as stopPostgres } from "../../src/embedded/PostgresProcess.ts"
import * as Input from "./Input.ts"
import * as Installation from "./Installation.ts"
import * as Program from "../../src/cli/lab/Program.ts"
import { seedOf } from "./seed.ts"
import * as Server from "../../src/cli/lab/Server.ts"

const SIZE = { consultants: 6, days: 5 }
const LATENCY = 0.15
/** Initialising a database takes a second or two: kills fall before, into and after it. */
const FIRST_START_MILLIS = [400, 900, 1_400, 1_900]
const FIRST_START_STEP = 500

interface Announced {
  readonly pid: number
  readonly nats: string
  readonly postgres: string
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const text = (path: string) => Effect.promise(() => readFile(path, "utf8").catch(() => ""))

/** Process ids of the servers that weir started under `dataDir`. */
const serversOf = Effect.fnUntraced(function* (dataDir: string) {
  const claim = yield* text(join(dataDir, "nats", "nats-server.claim.json"))
  const lock = yield* text(join(dataDir, "postgres", "postmaster.pid"))
  return {
    nats: Number((JSON.parse(claim) as { readonly pid: number }).pid),
    postgres: Number.parseInt(lock, 10),
  }
})

/** `weir run` with nothing configured but Odoo. */
const installed = Effect.fnUntraced(function* (scenario: Scenario) {
  const folder = yield* Input.folder
  const dataDir = join(folder, "data")
  const odoo = yield* Server.odoo(folder, join(scenario.folder, "employees.json"), { latency: LATENCY, workers: 4 })
  const file = join(folder, "weir.json")
  const configuration = {
    ...scenario.configuration,
    databases: {
      main: { url: odoo.url(), database: "odoo", key: { env: "ODOO_API_KEY" }, workers: 4, share: 1 },
    },
    http: { port: 0 },
    dataDir,
  }
  yield* Effect.promise(() => writeFile(file, JSON.stringify(configuration)))
  // Should a test fail while PostgreSQL has no parent any more.
  yield* Effect.addFinalizer(() =>
    Effect.flatMap(text(join(dataDir, "postgres", "postmaster.pid")), (lock) => {
      const pid = Number.parseInt(lock, 10)
      return Number.isNaN(pid) ? Effect.void : stopPostgres(pid)
    })
  )
  const program = Program.start("src/cli/weir.ts", ["run", "--config", file], { ODOO_API_KEY: defaultKey })
  const weir: Effect.Effect<
    { readonly program: Program.Program; readonly at: Announced },
    never,
    Scope.Scope
  > = Effect.gen(function* () {
    const started = yield* program
    yield* started.said(/^serves /u)
    const at = JSON.parse(yield* text(join(dataDir, "servers.json"))) as Announced
    assert.strictEqual(at.pid, started.pid)
    return { program: started, at }
  })
  const observe = (at: Announced) => Installation.observe(scenario, Redacted.make(at.postgres), odoo.url())
  return { dataDir, observe, program, weir }
})

describe("weir run, with nothing configured but Odoo", () => {
  it.live(
    "starts broker and database of its own, keeps their data, leaves no process behind",
    () =>
      Effect.gen(function* () {
        const scenario = yield* Input.make({ ...SIZE, seed: seedOf("embedded") })
        const { events } = scenario.expected
        const { dataDir, observe, weir } = yield* installed(scenario)

        yield* Effect.scoped(Effect.gen(function* () {
          const { at, program } = yield* weir
          yield* Installation.publish(at.nats, scenario)
          yield* (yield* observe(at)).until(Math.ceil(events / 4), program)
          const servers = yield* serversOf(dataDir)
          assert.isTrue(isAlive(servers.nats) && isAlive(servers.postgres))
          yield* program.signal("SIGTERM")
          assert.deepStrictEqual(yield* program.ended, { code: 0, signal: null })
          assert.isFalse(isAlive(servers.nats), "nats-server is gone")
          assert.isFalse(isAlive(servers.postgres), "PostgreSQL is gone")
          assert.strictEqual(yield* text(join(dataDir, "servers.json")), "")
        }))

        yield* Effect.scoped(Effect.gen(function* () {
          const { at, program } = yield* weir
          const observer = yield* observe(at)
          assert.isAtLeast(yield* observer.settled, Math.ceil(events / 4), "the ledger is still there")
          yield* observer.until(events, program)
          assert.deepStrictEqual(yield* observer.wrong, [])
          yield* program.signal("SIGTERM")
          assert.deepStrictEqual(yield* program.ended, { code: 0, signal: null })
        }))
      }),
    120_000,
  )

  it.live("takes over what a killed one left behind, and loses nothing", () =>
    Effect.gen(function* () {
      const scenario = yield* Input.make({ ...SIZE, seed: seedOf("embedded killed") })
      const { events } = scenario.expected
      const { dataDir, observe, weir } = yield* installed(scenario)
      let orphan = 0
      yield* Effect.scoped(Effect.gen(function* () {
        const { at, program } = yield* weir
        yield* Installation.publish(at.nats, scenario)
        yield* (yield* observe(at)).until(Math.ceil(events / 4), program)
        orphan = (yield* serversOf(dataDir)).postgres
        yield* program.signal("SIGKILL")
        yield* program.ended
      }))
      yield* Effect.scoped(Effect.gen(function* () {
        const { at, program } = yield* weir
        assert.isFalse(isAlive(orphan), "the orphaned PostgreSQL was ended")
        const observer = yield* observe(at)
        yield* observer.until(events, program)
        assert.deepStrictEqual(yield* observer.wrong, [])
        const servers = yield* serversOf(dataDir)
        yield* program.signal("SIGTERM")
        assert.deepStrictEqual(yield* program.ended, { code: 0, signal: null })
        assert.isFalse(isAlive(servers.nats) || isAlive(servers.postgres))
      }))
    }), 120_000)

  it.live("comes up after having been killed at any moment of its very first start", () =>
    Effect.gen(function* () {
      const random = new Random(seedOf("first start"), "first start")
      const scenario = yield* Input.make({ ...SIZE, seed: 1 })
      const { weir, program } = yield* installed(scenario)
      for (const least of FIRST_START_MILLIS) {
        yield* Effect.scoped(Effect.gen(function* () {
          const killed = yield* program
          yield* Effect.sleep(random.int(least, least + FIRST_START_STEP))
          yield* killed.signal("SIGKILL")
          yield* killed.ended
        }))
      }
      const { program: last } = yield* weir
      yield* last.signal("SIGTERM")
      assert.deepStrictEqual(yield* last.ended, { code: 0, signal: null })
    }), 120_000)
})
