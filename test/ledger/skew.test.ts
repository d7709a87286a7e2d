import { assert, describe, it as plain, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { migrateWith, migrations } from "../../src/ledger/migrations/migrate.ts"
import { fromClient, open } from "../../src/ledger/PgLedger.ts"
import { applied, settlement } from "./outcomes.ts"
import { released } from "./recorded.ts"
import { connection, emptyDatabase, Server } from "./server.ts"

const names = Object.keys(migrations) as ReadonlyArray<keyof typeof migrations>
/** What an installation of an earlier release has. */
const until = (count: number): Partial<typeof migrations> =>
  Object.fromEntries(names.slice(0, count).map((name) => [name, migrations[name]]))
const migrated = (sql: SqlClient.SqlClient, count: number) =>
  Effect.provideService(migrateWith(until(count)), SqlClient.SqlClient, sql)

interface Column {
  readonly of: string
  readonly type: string
  readonly nullable: boolean
  readonly filled: boolean
}

/** Everything that a statement may lean on. */
const shapeOf = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const columns = yield* sql<Column>`
    select table_name || '.' || column_name as of, udt_name as type, is_nullable = 'YES' as nullable,
      column_default is not null or is_identity = 'YES' or is_generated = 'ALWAYS' as filled
    from information_schema.columns where table_schema = 'weir' and table_name <> 'migration' order by 1`
  const constraints = yield* sql<{ readonly of: string; readonly said: string }>`
    select conrelid::regclass || ' ' || conname as of, pg_get_constraintdef(oid) as said
    from pg_constraint where connamespace = 'weir'::regnamespace and contype in ('c', 'f', 'u', 'p', 'x')`
  const unique = yield* sql<{ readonly of: string; readonly said: string }>`
    select indrelid::regclass || ' ' || indexrelid::regclass as of, pg_get_indexdef(indexrelid) as said
    from pg_index join pg_class on oid = indrelid where relnamespace = 'weir'::regnamespace and indisunique`
  const functions = yield* sql<{ readonly of: string }>`
    select p.oid::regprocedure || ' ' || pg_get_function_result(p.oid) as of
    from pg_proc p where pronamespace = 'weir'::regnamespace`
  return {
    columns: new Map(columns.map((column) => [column.of, column])),
    rules: new Map([...constraints, ...unique].map(({ of, said }) => [of, said])),
    functions: new Set(functions.map(({ of }) => of)),
  }
})
type Shape = Effect.Success<ReturnType<typeof shapeOf>>

/** What `after` takes away from who wrote for `before`. */
const narrowed = (before: Shape, after: Shape): ReadonlyArray<string> => {
  const tables = new Set([...before.columns.keys()].map((of) => of.split(".", 1)[0]!))
  const isOld = (of: string) => tables.has(of.replace(/^weir\./u, "").split(/[. ]/u, 1)[0]!)
  return [
    ...[...before.columns.values()].flatMap(({ nullable, of, type }) => {
      const now = after.columns.get(of)
      if (now === undefined) return [`${of} is gone`]
      if (now.type !== type) return [`${of} was ${type} and is ${now.type}`]
      return nullable && !now.nullable ? [`${of} may no longer be null`] : []
    }),
    ...[...after.columns.values()].flatMap(({ filled, nullable, of }) =>
      !before.columns.has(of) && isOld(of) && !nullable && !filled ? [`${of} is new and has to be given`] : []
    ),
    ...[...after.rules].flatMap(([of, said]) =>
      isOld(of) && before.rules.get(of) !== said ? [`${of} is a new rule: ${said}`] : []
    ),
    ...[...before.functions].flatMap((of) => after.functions.has(of) ? [] : [`${of} is gone`]),
  ]
}

layer(Server.layer, { timeout: "60 seconds" })("the ledger, while two releases run side by side", (it) => {
  it.effect("only grows: no migration takes away what an earlier release reads or writes", () =>
    Effect.gen(function* () {
      const sql = yield* Effect.flatMap(emptyDatabase, connection)
      yield* migrated(sql, 1)
      let before = yield* shapeOf(sql)
      assert.isAbove(before.columns.size, 20)
      for (let count = 2; count <= names.length; count++) {
        yield* migrated(sql, count)
        const after = yield* shapeOf(sql)
        assert.deepStrictEqual(narrowed(before, after), [], names[count - 1])
        before = after
      }
    }))

  it.effect("notices a migration that takes something away", () =>
    Effect.gen(function* () {
      const sql = yield* Effect.flatMap(emptyDatabase, connection)
      yield* migrated(sql, names.length)
      const before = yield* shapeOf(sql)
      yield* sql`alter table weir.lease rename column owner to holder`
      yield* sql`alter table weir.checkpoint add column node text not null`
      yield* sql`alter table weir.mapping alter column version set not null`
      yield* sql`alter table weir.event add constraint few check (attempts < 100)`
      const found = narrowed(before, yield* shapeOf(sql))
      assert.sameMembers(found.map((line) => line.split(" ", 1)[0]!), [
        "lease.owner",
        "lease.holder",
        "mapping.version",
        "checkpoint.node",
        "weir.event",
      ])
    }))

  it.effect("understands every statement of every earlier release", () =>
    Effect.gen(function* () {
      const sql = yield* Effect.flatMap(emptyDatabase, connection)
      yield* migrated(sql, names.length)
      assert.isAbove(released().size, 0)
      for (const [version, { statements }] of released()) {
        assert.isAbove(statements.length, 20, version)
        // Prepared, and not run: names, types and parameters are looked up as they are when it runs.
        yield* Effect.forEach(statements, (statement, n) =>
          sql.unsafe(`prepare "${version} ${n}" as ${statement}`).pipe(
            Effect.mapError((error) =>
              new Error(
                `release ${version} says (a version that is not out yet: deno task released)\n${statement}\n${
                  String(error.cause)
                }`,
              )
            ),
          ), { discard: true })
      }
    }))

  it.effect("serves an earlier release that starts again, which changes nothing", () =>
    Effect.gen(function* () {
      const url = yield* emptyDatabase
      const sql = yield* connection(url)
      yield* migrated(sql, names.length)
      const before = yield* shapeOf(sql)
      for (let count = 1; count < names.length; count++) assert.deepStrictEqual(yield* migrated(sql, count), [])
      assert.deepStrictEqual(narrowed(yield* shapeOf(sql), before), [])
    }))

  it.effect("is brought up by a newer release from wherever it stands, with what is there", () =>
    Effect.gen(function* () {
      for (let count = 1; count < names.length; count++) {
        const url = yield* emptyDatabase
        const old = yield* connection(url)
        yield* migrated(old, count)
        yield* old`insert into weir.lease (entity, epoch, owner, claimed_at_millis) values ('be01', 7, 'old:1', 1000)`
        yield* old`insert into weir.checkpoint (entity, flow, stream_sequence) values ('be01', 'customers', 41)`
        yield* old`insert into weir.mapping (entity, flow, key, model, odoo_id, external_id, version)
          values ('be01', 'customers', 'C-1', 'res.partner', 9, 'weir_be01.customers_C-1', 3)`
        const ledger = fromClient(yield* open({ url }))
        const claim = yield* ledger.claim("be01", "new:1")
        assert.deepInclude(claim, { epoch: 8, mode: "full" }, names[count - 1])
        assert.strictEqual(claim.checkpoints.get("customers"), 41)
        yield* ledger.settle(claim, settlement([applied("e1")]))
        assert.strictEqual((yield* ledger.tallies("be01"))[0]?.applied, 1)
        const [kept] = yield* old<{ readonly odoo_id: number }>`select odoo_id::int from weir.mapping where key = 'C-1'`
        assert.strictEqual(kept?.odoo_id, 9)
        // The one that still runs is fenced like any other owner before.
        const stale = yield* old<{ readonly epoch: number }>`select epoch::int from weir.lease where entity = 'be01'`
        assert.strictEqual(stale[0]?.epoch, 8)
      }
    }))
})

describe("migrations", () => {
  plain("are numbered upwards: a number behind the last one would never run where that one has", () => {
    const numbers = names.map((name) => Number(name.slice(0, 4)))
    assert.deepStrictEqual(numbers, numbers.toSorted((a, b) => a - b))
    assert.strictEqual(new Set(numbers).size, numbers.length)
  })
})
