import { assert, describe, it } from "@effect/vitest"
import { PgClient } from "@effect/sql-pg"
import { Effect, Exit, type Redacted, Scope } from "effect"
import { Reactivity } from "effect/reactivity"
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { networkInterfaces, tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { EmbeddedPostgres } from "../../src/embedded/Postgres.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => {
    const path = mkdtempSync(join(tmpdir(), "weir-pg-"))
    chmodSync(path, 0o755)
    return path
  }),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true })),
)

const ask = (url: Redacted.Redacted, text: string) =>
  PgClient.makeClient({ url }).pipe(
    Effect.flatMap((sql) => sql.unsafe<Record<string, unknown>>(text)),
    Effect.provide(Reactivity.layer),
    Effect.scoped,
  )

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const reaches = (host: string, port: number) =>
  Effect.callback<boolean>((resume) => {
    const socket = connect({ host, port, timeout: 1000 })
    const end = (answer: boolean) => {
      socket.destroy()
      resume(Effect.succeed(answer))
    }
    socket.on("connect", () => end(true)).on("error", () => end(false)).on("timeout", () => end(false))
  })

describe("EmbeddedPostgres", () => {
  it.live("creates its folder, keeps the data over a restart and stops with its scope", () =>
    Effect.gen(function* () {
      const dataDir = join(yield* folder, "data")
      const first = yield* Effect.scoped(Effect.gen(function* () {
        const server = yield* EmbeddedPostgres.start({ dataDir, durable: false })
        yield* ask(server.url, "create table kept (n int)")
        yield* ask(server.url, "insert into kept values (7)")
        assert.isTrue(isAlive(server.pid))
        assert.deepStrictEqual(yield* ask(server.url, "show listen_addresses"), [{ listen_addresses: "127.0.0.1" }])
        assert.deepStrictEqual(yield* ask(server.url, "show unix_socket_directories"), [{
          unix_socket_directories: "",
        }])
        const others = Object.values(networkInterfaces()).flat().filter((at) => at?.family === "IPv4" && !at.internal)
        for (const at of others) assert.isFalse(yield* reaches(at?.address ?? "", server.port), "only on loopback")
        return server
      }))
      assert.isFalse(isAlive(first.pid))
      yield* Effect.scoped(Effect.gen(function* () {
        const server = yield* EmbeddedPostgres.start({ dataDir, durable: false })
        assert.deepStrictEqual(yield* ask(server.url, "select n from kept"), [{ n: 7 }])
        assert.deepStrictEqual(yield* ask(server.url, "select current_database() as name"), [{ name: "weir" }])
      }))
    }), 60_000)

  it.live("is durable unless told otherwise", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedPostgres.start({ dataDir: join(yield* folder, "data") })
      assert.deepStrictEqual(yield* ask(server.url, "show fsync"), [{ fsync: "on" }])
      assert.deepStrictEqual(yield* ask(server.url, "show synchronous_commit"), [{ synchronous_commit: "on" }])
    }), 60_000)

  it.live("stops the server that outlived its killed parent, and loses nothing", () =>
    Effect.gen(function* () {
      const dataDir = join(yield* folder, "data")
      const scope = yield* Scope.make()
      const orphan = yield* EmbeddedPostgres.start({ dataDir, durable: false }).pipe(Scope.provide(scope))
      yield* ask(orphan.url, "create table kept (n int)")
      // As if the parent had been killed: the process noted as the owner is not the parent any more.
      writeFileSync(join(dataDir, "weir.owner"), "1")
      const server = yield* EmbeddedPostgres.start({ dataDir, durable: false })
      assert.isFalse(isAlive(orphan.pid))
      assert.deepStrictEqual(yield* ask(server.url, "select n from kept"), [])
      yield* Scope.close(scope, Exit.void)
    }), 60_000)

  it.live(
    "recovers from kill -9 of the server and from a lock whose process id is another program's now",
    () =>
      Effect.gen(function* () {
        const dataDir = join(yield* folder, "data")
        yield* Effect.scoped(Effect.gen(function* () {
          const server = yield* EmbeddedPostgres.start({ dataDir })
          yield* ask(server.url, "create table kept (n int)")
          process.kill(server.pid, "SIGKILL")
        }))
        const lock = join(dataDir, "postmaster.pid")
        assert.isTrue(existsSync(lock))
        writeFileSync(lock, readFileSync(lock, "utf8").replace(/^\d+/u, String(process.pid)))
        const server = yield* EmbeddedPostgres.start({ dataDir })
        assert.deepStrictEqual(yield* ask(server.url, "select n from kept"), [])
      }),
    60_000,
  )

  it.live("refuses a data folder that a living process serves", () =>
    Effect.gen(function* () {
      const dataDir = join(yield* folder, "data")
      const server = yield* EmbeddedPostgres.start({ dataDir, durable: false })
      const error = yield* Effect.flip(EmbeddedPostgres.start({ dataDir, durable: false }))
      assert.strictEqual(error.reason, "InUse")
      assert.isTrue(isAlive(server.pid))
    }), 60_000)

  it.live.skipIf(process.getuid?.() !== 0)(
    "says which folder user postgres cannot enter",
    () =>
      Effect.gen(function* () {
        const path = yield* folder
        chmodSync(path, 0o700)
        const error = yield* Effect.flip(EmbeddedPostgres.start({ dataDir: join(path, "data"), durable: false }))
        assert.strictEqual(error.reason, "NotAllowed")
        assert.include(error.message, path)
      }),
    60_000,
  )
})
