import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Exit, Schedule, Scope } from "effect"
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { compareVersions, findNatsBinary } from "../../src/embedded/NatsBinary.ts"
import { NatsServer } from "../../src/embedded/NatsServer.ts"

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "weir-nats-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true })),
)
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe("the embedded NATS server", () => {
  it.live(
    "serves on a free port, keeps its store across a restart on the same port and leaves no process",
    () =>
      Effect.gen(function* () {
        const storeDir = yield* folder
        const first = yield* Scope.make()
        const server = yield* NatsServer.start({ storeDir }).pipe(Scope.provide(first))
        assert.strictEqual(server.url, `nats://127.0.0.1:${server.port}`)
        assert.isTrue(isAlive(server.pid))
        assert.isAtLeast(compareVersions(server.version, "2.9.0"), 0)
        yield* Scope.close(first, Exit.void)
        assert.isFalse(isAlive(server.pid))
        const again = yield* NatsServer.start({ storeDir, port: server.port })
        assert.strictEqual(again.port, server.port)
        assert.isTrue(existsSync(join(storeDir, "jetstream")))
      }).pipe(Effect.scoped),
    60_000,
  )

  it.live("stops a frozen server too", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer.start({ storeDir: yield* folder })
      process.kill(server.pid, "SIGSTOP")
      yield* server.stop
      yield* server.exited
      assert.isFalse(isAlive(server.pid))
    }).pipe(Effect.scoped))

  it.live(
    "does not outlive the process that started it, not even when that is killed hard",
    () =>
      Effect.gen(function* () {
        const storeDir = yield* folder
        const script = new URL("./NatsServer.victim.ts", import.meta.url).pathname
        const run = process.versions.deno === undefined ? [script] : ["run", "-A", script]
        const owner = spawn(process.execPath, [...run, storeDir], { stdio: ["ignore", "pipe", "ignore"] })
        yield* Effect.addFinalizer(() => Effect.sync(() => owner.kill("SIGKILL")))
        const pid = yield* Effect.callback<number>((resume) => {
          owner.stdout.once("data", (line) => resume(Effect.succeed(Number(String(line).trim()))))
        })
        assert.isTrue(isAlive(pid))
        owner.kill("SIGKILL")
        const gone = Effect.filterOrFail(Effect.sync(() => isAlive(pid)), (alive) => !alive)
        yield* Effect.retry(gone, { schedule: Schedule.spaced("50 millis"), times: 100 })
      }).pipe(Effect.scoped),
    30_000,
  )

  it.live("refuses a folder that a live server uses", () =>
    Effect.gen(function* () {
      const storeDir = yield* folder
      const server = yield* NatsServer.start({ storeDir })
      const error = yield* Effect.flip(NatsServer.start({ storeDir }))
      assert.isTrue(error._tag === "NatsServerError" && error.reason === "StoreInUse")
      assert.include(error.message, String(server.pid))
    }).pipe(Effect.scoped))

  it.live("ends the orphan of a killed owner and takes its folder over", () =>
    Effect.gen(function* () {
      const storeDir = yield* folder
      const binary = yield* findNatsBinary()
      const configFile = join(storeDir, "nats-server.conf")
      yield* Effect.promise(() => writeFile(configFile, `port: -1\nhost: "127.0.0.1"\n`))
      const orphan = spawn(binary.path, ["-c", configFile], { stdio: "ignore" })
      yield* Effect.addFinalizer(() => Effect.sync(() => orphan.kill("SIGKILL")))
      const gone = yield* Effect.callback<number>((resume) => {
        const owner = spawn("true")
        owner.once("exit", () => resume(Effect.succeed(owner.pid ?? 0)))
      })
      const claim = JSON.stringify({ pid: orphan.pid, owner: gone })
      yield* Effect.promise(() => writeFile(join(storeDir, "nats-server.claim.json"), claim))
      const server = yield* NatsServer.start({ storeDir })
      assert.isFalse(isAlive(orphan.pid ?? 0))
      assert.isTrue(isAlive(server.pid))
    }).pipe(Effect.scoped))

  it.live("says what the server said when the configuration is wrong", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(NatsServer.start({ storeDir: yield* folder, config: "no_such_option: 1" }))
      assert.isTrue(error._tag === "NatsServerError" && error.reason === "StartFailed")
      assert.include(error.message, "no_such_option")
    }).pipe(Effect.scoped))
})

describe("finding nats-server", () => {
  it.live("does not fall back silently when NATS_SERVER_BIN names something else", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(findNatsBinary())
      assert.include(error.message, "NATS_SERVER_BIN=/no/such/server")
    }).pipe(Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord({ NATS_SERVER_BIN: "/no/such/server" })))))

  it.live("names every way and what to do when all fail", () =>
    Effect.gen(function* () {
      // A file where the cache folder should be: nothing can be fetched into it.
      const cacheDir = join(yield* folder, "file")
      yield* Effect.promise(() => writeFile(cacheDir, ""))
      const error = yield* Effect.flip(findNatsBinary({ cacheDir, releases: "http://127.0.0.1:1" }))
      for (const way of ["PATH", "cache", "official release", "apt-get", "NATS_URL", "NATS_SERVER_BIN", "install"]) {
        assert.include(error.message, way)
      }
    }).pipe(Effect.scoped, Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord({ PATH: "" })))))
})
