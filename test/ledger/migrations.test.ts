import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { migrate } from "../../src/ledger/migrations/migrate.ts"
import { make } from "../../src/ledger/PgLedger.ts"
import { applied, settlement } from "./outcomes.ts"
import { connection, emptyDatabase, Server } from "./server.ts"

const all = [
  "0001_tables",
  "0002_verbs",
  "0003_governance",
  "0005_access",
  "0006_desk",
  "0008_windows",
  "0010_runs",
  "0012_facts",
  "0017_retention",
  "0020_rules",
  "0021_waits",
]

layer(Server.layer, { timeout: "60 seconds" })("Ledger migrations", (it) => {
  it.effect("bring an empty database to the latest version, and do nothing the second time", () =>
    Effect.gen(function* () {
      const sql = yield* Effect.flatMap(emptyDatabase, connection)
      const run = Effect.provideService(migrate, SqlClient.SqlClient, sql)
      assert.deepStrictEqual(yield* run, all)
      const tables = yield* sql<{ readonly name: string }>`
        select table_name as name from information_schema.tables where table_schema = 'weir' order by 1`
      assert.deepStrictEqual(
        tables.map((table) => table.name),
        [
          "amendment",
          "api_token",
          "archive",
          "audit",
          "audit_anchor",
          "checkpoint",
          "duplicate",
          "environment",
          "event",
          "exception_group",
          "feed",
          "held",
          "history",
          "idempotency_key",
          "incident",
          "lease",
          "mapping",
          "migration",
          "outbox",
          "redrive",
          "remembered",
          "run",
          "run_event",
          "tally",
          "told",
          "window",
        ],
      )
      assert.deepStrictEqual(yield* run, [])
      assert.deepStrictEqual(
        yield* sql`select 1 from information_schema.tables where table_schema = 'public'`,
        [],
        "everything lives in schema weir",
      )
    }))

  it.effect("run once when several instances start at the same time", () =>
    Effect.gen(function* () {
      const url = yield* emptyDatabase
      const runs = yield* Effect.all(
        Array.from({ length: 4 }, () =>
          Effect.scoped(
            Effect.flatMap(connection(url), (sql) => Effect.provideService(migrate, SqlClient.SqlClient, sql)),
          )),
        { concurrency: 4 },
      )
      assert.deepStrictEqual(runs.toSorted((a, b) => b.length - a.length), [all, [], [], []])
    }))

  it.effect("keep what is there", () =>
    Effect.gen(function* () {
      const url = yield* emptyDatabase
      const first = yield* make({ url })
      const fence = yield* first.claim("be01", "here")
      yield* first.settle(fence, settlement([applied("e1")]))
      const second = yield* make({ url })
      assert.strictEqual((yield* second.tallies("be01"))[0]?.applied, 1)
    }))

  it.effect("leave nothing behind when they fail", () =>
    Effect.gen(function* () {
      const sql = yield* Effect.flatMap(emptyDatabase, connection)
      yield* sql`create schema weir`
      yield* sql`create table weir.outbox (mine int)`
      const error = yield* Effect.flip(Effect.provideService(migrate, SqlClient.SqlClient, sql))
      assert.strictEqual(error.reason, "Refused")
      assert.include(error.message, "already exists")
      const tables = yield* sql`select table_name from information_schema.tables where table_schema = 'weir'`
      assert.deepStrictEqual(tables, [{ table_name: "outbox" }])
    }))
})
