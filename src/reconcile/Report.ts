/** What a finished proof says: plain data, kept with its run, signed off by a person. */
import { Schema } from "effect"
import { createHash } from "node:crypto"

const Count = Schema.Int
const Counts = Schema.Record(Schema.String, Count)
/** Decimals as text, by name: `EUR amount_total`. */
const Amounts = Schema.Record(Schema.String, Schema.String)

export const FlowReport = Schema.Struct({
  flow: Schema.String,
  /** Messages of the month, repetitions among them, and what their events say. `hash`: of the set of events. */
  stream: Schema.Struct({
    events: Count,
    duplicates: Count,
    firstSequence: Count,
    lastSequence: Count,
    hash: Schema.String,
    amounts: Amounts,
  }),
  ledger: Schema.Struct({
    applied: Count,
    superseded: Count,
    dismissed: Count,
    held: Count,
    missing: Count,
    coming: Count,
    hash: Schema.String,
  }),
  /** `due`: what the events say whose records stand; `standing`: what stands in those. */
  odoo: Schema.Struct({ records: Count, due: Amounts, standing: Amounts }),
  /** What the source says; null: nothing. */
  source: Schema.NullOr(Schema.Struct({ events: Count, amounts: Amounts })),
  /** By kind. */
  mismatches: Counts,
  complete: Schema.Boolean,
  /** Held, or still to come: neither right nor wrong yet. */
  open: Count,
}).annotate({ identifier: "FlowReport" })
export type FlowReport = typeof FlowReport.Type

export const ReconciliationReport = Schema.Struct({
  entity: Schema.String,
  period: Schema.String,
  at: Schema.String,
  /** Which part of the stream was read. */
  scanned: Schema.Struct({ from: Schema.String, lastSequence: Count, messages: Count }),
  complete: Schema.Boolean,
  mismatches: Count,
  flows: Schema.Array(FlowReport),
}).annotate({ identifier: "ReconciliationReport" })
export type ReconciliationReport = typeof ReconciliationReport.Type

/** Who stands for a report. */
export const Signature = Schema.Struct({
  by: Schema.String,
  atMillis: Schema.Int,
  reason: Schema.String,
  /** SHA-256 of the report as JSON with its fields in order: `hashOf`. */
  hash: Schema.String,
}).annotate({ identifier: "ReconciliationSignature" })
export type Signature = typeof Signature.Type

const Kept = Schema.Struct({ ...ReconciliationReport.fields, signature: Schema.optionalKey(Signature) })

/** As it is kept with a run; null: there is none. */
export const keptIn = (
  result: unknown,
): { readonly report: ReconciliationReport; readonly signature: Signature | null } | null => {
  if (result === null || result === undefined) return null
  const { signature = null, ...report } = Schema.decodeUnknownSync(Kept)(result)
  return { report, signature }
}

const ordered = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(ordered) : value !== null && typeof value === "object"
    ? Object.fromEntries(
      Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([name, one]) => [name, ordered(one)]),
    )
    : value

/** The same for the same report, wherever its JSON has been. */
export const hashOf = (report: ReconciliationReport): string =>
  createHash("sha256").update(JSON.stringify(ordered(report))).digest("hex")
