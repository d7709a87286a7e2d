import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Settings } from "../../src/config/Configuration.ts"
import { check } from "../../src/config/load.ts"
import { Environment } from "../../src/config/Secret.ts"
import { attach, start, type Starters } from "../../src/config/Servers.ts"

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "weir-servers-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true })),
)

const settingsIn = (dataDir: string, values: Record<string, unknown> = {}): Effect.Effect<Settings> =>
  check("weir.json", { dataDir, ...values }, {}).pipe(Effect.map(({ configuration }) => configuration), Effect.orDie)

/** Servers that only note that they were started and stopped. */
const pretending = (notes: Array<string>): Starters => {
  const server = <A>(name: string, value: A) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        notes.push(`+${name}`)
        return value
      }),
      () => Effect.sync(() => void notes.push(`-${name}`)),
    )
  return {
    nats: () => server("nats", { url: "nats://127.0.0.1:40001" }),
    postgres: () => server("postgres", { url: Redacted.make("postgres://weir:hunter2@127.0.0.1:40002/weir") }),
  }
}

describe("servers", () => {
  it.effect("that are not configured are started, announced to the owner only, and gone with the scope", () =>
    Effect.gen(function* () {
      const dataDir = yield* folder
      const settings = yield* settingsIn(dataDir)
      const notes: Array<string> = []
      yield* Effect.scoped(Effect.gen(function* () {
        const own = yield* start(settings, pretending(notes))
        const file = yield* Effect.promise(() => stat(join(dataDir, "servers.json")))
        assert.strictEqual(file.mode & 0o777, 0o600)
        const found = yield* attach(settings)
        assert.strictEqual(found.natsUrl, own.natsUrl)
        assert.strictEqual(Redacted.value(found.postgresUrl), Redacted.value(own.postgresUrl))
      }))
      assert.sameMembers(notes, ["+nats", "+postgres", "-nats", "-postgres"])
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(dataDir)), [])
      const error = yield* Effect.flip(attach(settings))
      assert.include(error.message, "weir run")
      assert.include(error.message, "nats.url")
    }))

  it.effect("that are configured are used as they are, and nothing is started or written", () =>
    Effect.gen(function* () {
      const dataDir = yield* folder
      const settings = yield* settingsIn(dataDir, {
        nats: { url: "nats://broker:4222" },
        postgres: { url: { env: "DB" } },
      })
      const notes: Array<string> = []
      const own = yield* start(settings, pretending(notes))
      assert.strictEqual(own.natsUrl, "nats://broker:4222")
      assert.strictEqual(Redacted.value(own.postgresUrl), "postgres://db/weir")
      assert.deepStrictEqual(notes, [])
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(dataDir)), [])
    }).pipe(Effect.provideService(Environment, { DB: "postgres://db/weir" })))

  it.effect("of a living process are not started twice in one folder", () =>
    Effect.gen(function* () {
      const dataDir = yield* folder
      const settings = yield* settingsIn(dataDir)
      yield* start(settings, pretending([]))
      const error = yield* Effect.flip(start(settings, pretending([])))
      assert.include(error.message, String(process.pid))
    }))

  it.effect("of a process that died are forgotten", () =>
    Effect.gen(function* () {
      const dataDir = yield* folder
      const settings = yield* settingsIn(dataDir)
      // Above the largest pid that Linux and macOS give out.
      const dead = { pid: 2 ** 22 + 1, nats: "nats://127.0.0.1:1", postgres: "postgres://127.0.0.1:1/weir" }
      yield* Effect.promise(() => writeFile(join(dataDir, "servers.json"), JSON.stringify(dead)))
      assert.strictEqual((yield* Effect.flip(attach(settings)))._tag, "ServersError")
      yield* start(settings, pretending([]))
      const text = yield* Effect.promise(() => readFile(join(dataDir, "servers.json"), "utf8"))
      assert.include(text, `"pid": ${process.pid}`)
    }))
})
