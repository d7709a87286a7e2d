/** An embedded PostgreSQL for one test file, in a temporary folder that goes with it. */
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Layer, Redacted } from "effect"
import { Reactivity } from "effect/reactivity"
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { EmbeddedPostgres, type Running } from "../../src/embedded/Postgres.ts"

export class Server extends Context.Service<Server, Running>()("test/ledger/Server") {
  static readonly layer = Layer.effect(
    Server,
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => {
          const path = mkdtempSync(join(tmpdir(), "weir-ledger-"))
          chmodSync(path, 0o755)
          return path
        }),
        (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true })),
      )
      return yield* EmbeddedPostgres.start({ dataDir: join(folder, "data"), durable: false })
    }),
  )
}

/** A connection of one's own, for the scope. */
export const connection = (url: Redacted.Redacted) =>
  PgClient.makeClient({ url }).pipe(Effect.provide(Reactivity.layer))

/** The same server, another database or user. */
export const urlWith = (server: Running, database: string, user?: string, password = "secret"): Redacted.Redacted => {
  const url = new URL(Redacted.value(server.url) as string)
  url.pathname = `/${database}`
  if (user !== undefined) {
    url.username = user
    url.password = password
  }
  return Redacted.make(url.href)
}

let databases = 0

/** An empty database. */
export const emptyDatabase = Effect.gen(function* () {
  const server = yield* Server
  const name = `empty_${++databases}`
  const sql = yield* connection(server.url)
  yield* sql`create database ${sql(name)}`
  return urlWith(server, name)
})
