import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { settleByRules } from "../sql/settle.ts"

/**
 * By which rules each event was written. The owner says them when it claims; `rules_epoch` tells whether it was this owner, or
 * one before a release that says nothing.
 */
const statements = [
  `alter table weir.lease add column rules text, add column rules_epoch bigint`,
  `alter table weir.event add column rules text`,
  settleByRules,
]

export const rules = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
})
