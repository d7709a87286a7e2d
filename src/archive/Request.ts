/** What is asked of an archiving. */
import { Schema } from "effect"
import type { Run } from "../ledger/Runs.ts"

/** `apply` false: it is only counted what may leave. */
export const ArchiveRequest = Schema.Struct({ apply: Schema.Boolean })
export type ArchiveRequest = typeof ArchiveRequest.Type

export const requestOf = (run: Run): ArchiveRequest => Schema.decodeUnknownSync(ArchiveRequest)(run.request)

/** What a finished one says beside its totals. */
const ArchiveResult = Schema.Struct({
  apply: Schema.Boolean,
  /** Months whose events stay because no proof says that they are complete. */
  unproven: Schema.Array(Schema.String),
  directory: Schema.NullOr(Schema.String),
  /** By kind the month of the oldest row in the ledger that may leave at any time. */
  oldest: Schema.Record(Schema.String, Schema.String),
})

export const resultOf = (run: Run): typeof ArchiveResult.Type | null =>
  run.result === null ? null : Schema.decodeUnknownSync(ArchiveResult)(run.result)
