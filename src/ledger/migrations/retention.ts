import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { settleAddingRemembering } from "../sql/adding.ts"
import { admitRemembering } from "../sql/admit.ts"
import {
  archiveIndexes,
  archiveTable,
  dropAmendments,
  dropAudit,
  dropEvents,
  dropHistory,
  dropRuns,
  refuseChange,
} from "../sql/archives.ts"
import { eventDigest, rememberedTable } from "../sql/remembered.ts"
import { settleRemembering } from "../sql/settle.ts"

/**
 * Archives, and what is left of events that were dropped. `admit` and `settle` look there, too, under the names that they
 * have, so that an older Weir beside this one does.
 */
const statements = [
  archiveTable,
  ...archiveIndexes,
  rememberedTable,
  eventDigest,
  refuseChange,
  dropEvents,
  dropHistory,
  dropAmendments,
  dropAudit,
  dropRuns,
  admitRemembering,
  settleRemembering,
  settleAddingRemembering,
]

export const retention = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
})
