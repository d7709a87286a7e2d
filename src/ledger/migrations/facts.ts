import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { tellExceptions, tellingExceptions } from "../sql/desk/facts.ts"

/** What others are told of exceptions. An older Weir beside this one tells them too: the database does. */
export const facts = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of [tellExceptions, tellingExceptions]) yield* sql.unsafe(statement)
})
