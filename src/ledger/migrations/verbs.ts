import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { admit } from "../sql/admit.ts"
import { countHeld } from "../sql/countHeld.ts"
import { expire } from "../sql/expire.ts"
import { dismiss, retry } from "../sql/decide.ts"
import { published } from "../sql/published.ts"
import { promote, release } from "../sql/release.ts"
import { settle } from "../sql/settle.ts"

/**
 * The statements of the hot path and the decisions, as functions in the database. One call is one statement and one
 * transaction: the fence is never held over a round trip, so that an owner that hangs cannot keep the next one waiting;
 * and every step inside sees what the steps before it did.
 *
 * A released version's parameters stay as they are, because old and new instances run side by side during an upgrade:
 * another shape is another function in another migration.
 */
export const verbs = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of [...countHeld, promote, release, settle, admit, expire, published, retry, dismiss]) {
    yield* sql.unsafe(statement)
  }
})
