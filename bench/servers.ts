/** The servers as `weir run` starts them, in a temporary folder that goes with the scope. */
import { PgClient } from "@effect/sql-pg"
import { Effect, Redacted } from "effect"
import { Reactivity } from "effect/reactivity"
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { NatsServer } from "../src/embedded/NatsServer.ts"
import { EmbeddedPostgres } from "../src/embedded/Postgres.ts"

export const folder = Effect.acquireRelease(
  Effect.sync(() => {
    const path = mkdtempSync(join(tmpdir(), "weir-bench-"))
    // PostgreSQL runs as another user when root starts it.
    chmodSync(path, 0o755)
    return path
  }),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true })),
)

/** NATS with JetStream on files and PostgreSQL with fsync; `database(name)` makes a copy of the
 * template and gives its URL. */
export const start = Effect.gen(function* () {
  const dataDir = yield* folder
  const [nats, postgres] = yield* Effect.all([
    NatsServer.start({ storeDir: join(dataDir, "nats") }),
    EmbeddedPostgres.start({ dataDir: join(dataDir, "postgres") }),
  ], { concurrency: 2 })
  const sql = yield* PgClient.makeClient({ url: postgres.url }).pipe(Effect.provide(Reactivity.layer))
  const database = (name: string, template = "template1") =>
    Effect.map(sql`create database ${sql(name)} template ${sql(template)}`, () => {
      const url = new URL(Redacted.value(postgres.url))
      url.pathname = `/${name}`
      return Redacted.make(url.href)
    })
  return { dataDir, nats, postgres, database, flush: sql`checkpoint` }
})
