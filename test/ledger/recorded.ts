/**
 * What a release says to its database: every statement that the contract suites made it say, kept in
 * `released/<version>.json`. The next releases' schemas must go on understanding them, because both run side by side
 * during an upgrade (`skew.test.ts`).
 *
 *     deno task released     writes the file of this version; done once, when it is released
 */
import { Effect, Schema, type Scope } from "effect"
import type { SqlClient } from "effect/sql"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"

const Released = Schema.fromJsonString(Schema.Struct({
  /** The last migration of the release. */
  migration: Schema.String,
  statements: Schema.Array(Schema.String),
}))

const folder = fileURLToPath(new URL("./released/", import.meta.url))
/** Where to write what is said; not set: nowhere. */
const target = process.env["WEIR_TEST_RECORD"]
const said = new Set<string>()

/** A client that remembers what it is asked to say, when somebody wants to know. */
export const recorded = <E, R>(
  client: Effect.Effect<SqlClient.SqlClient, E, R>,
): Effect.Effect<SqlClient.SqlClient, E, R | Scope.Scope> =>
  target === undefined ? client : Effect.tap(
    Effect.map(client, (sql) =>
      new Proxy(sql, {
        get: (of, name) =>
          name !== "unsafe" ? Reflect.get(of, name) : (statement: string, parameters?: ReadonlyArray<unknown>) => {
            said.add(statement)
            return of.unsafe(statement, parameters)
          },
      })),
    () => Effect.addFinalizer(() => Effect.sync(() => write(target))),
  )

const write = (file: string): void => {
  const migration = process.env["WEIR_TEST_MIGRATION"] ?? ""
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify({ migration, statements: [...said].sort() }, null, 2)}\n`)
}

/** All that was released, by version. */
export const released = (): ReadonlyMap<string, typeof Released.Type> =>
  new Map(
    readdirSync(folder).map((name) => [
      name.replace(/\.json$/u, ""),
      Schema.decodeUnknownSync(Released)(readFileSync(`${folder}${name}`, "utf8")),
    ]),
  )
