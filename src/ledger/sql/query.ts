/** One statement to PostgreSQL with its time limit and the ledger's errors. */
import { Duration, Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { LedgerError } from "../Ledger.ts"
import { ledgerError, overdue } from "./failure.ts"

export type Query = <Row extends object>(
  operation: string,
  statement: string,
  parameters: ReadonlyArray<unknown>,
) => Effect.Effect<ReadonlyArray<Row>, LedgerError>

/** Statements over `sql`. One that takes longer than `statementTimeout` is cancelled and `Unavailable`. */
export const queries = (sql: SqlClient.SqlClient, statementTimeout: Duration.Input): Query => {
  const limit = Duration.fromInputUnsafe(statementTimeout)
  return <Row extends object>(operation: string, statement: string, parameters: ReadonlyArray<unknown>) =>
    sql.unsafe<Row>(statement, parameters).pipe(
      Effect.mapError(ledgerError(operation)),
      Effect.timeoutOrElse({
        duration: limit,
        orElse: () => Effect.fail(overdue(operation, Duration.toMillis(limit))),
      }),
    )
}
