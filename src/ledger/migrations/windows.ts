import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { settleAdding } from "../sql/adding.ts"
import { advance, toldTables } from "../sql/told.ts"
import { closeWindows, windowTables } from "../sql/windows.ts"

/** Windows that events add up in, what others were told of records, and how far feeds have looked. */
const statements = [...windowTables, ...toldTables, closeWindows, advance, settleAdding]

export const windows = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
})
