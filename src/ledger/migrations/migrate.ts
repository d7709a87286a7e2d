import { Effect } from "effect"
import { Migrator, SqlClient } from "effect/sql"
import { SqlError } from "effect/sql/SqlError"
import { LedgerError } from "../Ledger.ts"
import { ledgerError, overdue } from "../sql/failure.ts"
import { access } from "./access.ts"
import { desk } from "./desk.ts"
import { facts } from "./facts.ts"
import { governance } from "./governance.ts"
import { retention } from "./retention.ts"
import { rules } from "./rules.ts"
import { runs } from "./runs.ts"
import { tables } from "./tables.ts"
import { verbs } from "./verbs.ts"
import { waits } from "./waits.ts"
import { windows } from "./windows.ts"

/** One more at the end for every change; what was released stays as it is. */
export const migrations = {
  "0001_tables": tables,
  "0002_verbs": verbs,
  "0003_governance": governance,
  "0005_access": access,
  "0006_desk": desk,
  "0008_windows": windows,
  "0010_runs": runs,
  "0012_facts": facts,
  "0017_retention": retention,
  "0020_rules": rules,
  "0021_waits": waits,
}

/** Any fixed number; the same in every version, so that they queue for each other. */
const advisoryLock = 7_739_402_118

/** A migration of a large table takes its time; an instance that hangs in one must not hold all others for ever. */
const timeoutMillis = 600_000

const refused = (error: SqlError | Migrator.MigrationError): LedgerError => {
  const cause = error._tag === "MigrationError" ? error.cause : error
  return cause instanceof SqlError
    ? ledgerError("Ledger.migrate")(cause)
    : new LedgerError({ reason: "Refused", operation: "Ledger.migrate", message: error.message, cause: error })
}

/**
 * Brings schema `weir` to the latest version, from any earlier one or from nothing, in one transaction. Several
 * instances may do so at once: one does, the others wait for it. Answers the migrations that ran.
 */
export const migrate: Effect.Effect<ReadonlyArray<string>, LedgerError, SqlClient.SqlClient> = Effect.suspend(() =>
  migrateWith(migrations)
)

/** The same as a Weir does it that has these migrations and no others: an earlier release. */
export const migrateWith = (
  steps: Partial<typeof migrations>,
): Effect.Effect<ReadonlyArray<string>, LedgerError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const run = Effect.gen(function* () {
      yield* sql`select pg_advisory_xact_lock(${advisoryLock}::text::bigint)`
      // "if not exists" would ask for the right to create even when there is nothing to create.
      const known = yield* sql`select 1 where to_regnamespace('weir') is not null`
      if (known.length === 0) yield* sql`create schema weir`
      return yield* Migrator.make({})({ table: "weir.migration", loader: Migrator.fromRecord(steps) })
    })
    return (yield* sql.withTransaction(run)).map(([id, name]) => `${String(id).padStart(4, "0")}_${name}`)
  }).pipe(
    Effect.mapError(refused),
    Effect.timeoutOrElse({
      duration: timeoutMillis,
      orElse: () => Effect.fail(overdue("Ledger.migrate", timeoutMillis)),
    }),
    Effect.withSpan("Ledger.migrate"),
  )
