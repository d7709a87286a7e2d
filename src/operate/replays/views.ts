/** A replay and its findings, as a caller may see them. */
import { Schema } from "effect"
import { type Run, type RunEvent, runStates } from "../../ledger/Runs.ts"
import { requestOf } from "../../replay/dryRun.ts"
import { findingClasses } from "../../replay/Finding.ts"
import { OnChanged, Source } from "../../replay/Request.ts"
import { type CallerIdentity, clearanceOf } from "../Caller.ts"
import { HIDDEN } from "../masking.ts"
import { pageOf, pageQuery } from "../Page.ts"

const Counts = Schema.Record(Schema.String, Schema.Finite)

/** The part of a replay that is one legal entity's. */
export const ReplayPart = Schema.Struct({
  entity: Schema.String,
  state: Schema.Literals(runStates),
  /** Events looked at, and those of them that were selected. */
  seen: Schema.Int,
  selected: Schema.Int,
  /** Findings by flow and class. */
  findings: Schema.Record(Schema.String, Counts),
  /** What became of the events that were acted on. */
  outcomes: Counts,
  appliedBy: Schema.String,
  changedAtMillis: Schema.Int,
  trouble: Schema.String,
}).annotate({ identifier: "ReplayPart" })

export const ReplayView = Schema.Struct({
  runId: Schema.String,
  subject: Schema.String,
  source: Source,
  onChanged: OnChanged,
  requestedBy: Schema.String,
  reason: Schema.String,
  createdAtMillis: Schema.Int,
  parts: Schema.Array(ReplayPart),
}).annotate({ identifier: "Replay" })
export type ReplayView = typeof ReplayView.Type

export const ReplayQuery = {
  entity: Schema.optionalKey(Schema.String),
  state: Schema.optionalKey(Schema.Literals(runStates)),
  ...pageQuery,
}
export const ReplayPage = pageOf(ReplayView)

export const FindingView = Schema.Struct({
  entity: Schema.String,
  ordinal: Schema.Int,
  eventId: Schema.String,
  type: Schema.String,
  flow: Schema.String,
  key: Schema.String,
  streamSequence: Schema.Int,
  finding: Schema.String,
  /** What else was found, as JSON: records, differences field by field, steps that are left, reason. */
  detail: Schema.Record(Schema.String, Schema.Json),
  outcome: Schema.NullOr(Schema.String),
}).annotate({ identifier: "ReplayFinding" })
export type FindingView = typeof FindingView.Type

export const FindingQuery = {
  entity: Schema.optionalKey(Schema.String),
  class: Schema.optionalKey(Schema.Literals(findingClasses)),
  ...pageQuery,
}
export const FindingPage = pageOf(FindingView)

const number = (value: unknown): number => typeof value === "number" ? value : 0

const partOf = ({ appliedBy, changedAtMillis, entity, progress, state, totals, trouble }: Run) => ({
  entity,
  state,
  seen: number(progress["seen"]),
  selected: number(progress["selected"]),
  findings: totals as { readonly [flow: string]: { readonly [finding: string]: number } },
  outcomes: (progress["outcomes"] ?? {}) as { readonly [outcome: string]: number },
  appliedBy,
  changedAtMillis,
  trouble,
})

export const viewOf = (parts: ReadonlyArray<Run>): ReplayView => {
  const [first] = parts
  const { onChanged, selection, source } = requestOf(first!)
  return {
    runId: first!.runId,
    subject: selection.subject,
    source,
    onChanged,
    requestedBy: first!.requestedBy,
    reason: first!.reason,
    createdAtMillis: first!.createdAtMillis,
    parts: parts.map(partOf).toSorted((a, b) => a.entity < b.entity ? -1 : 1),
  }
}

/** Values are for those who are cleared for persons and money; which fields differ, everybody sees. */
export const masked = (detail: RunEvent["detail"], caller: CallerIdentity): RunEvent["detail"] => {
  const clearance = clearanceOf(caller)
  if (clearance.has("personal") && clearance.has("financial")) return detail
  const differences = detail["differences"]
  return Array.isArray(differences)
    ? { ...detail, differences: differences.map((one) => ({ ...one as object, event: HIDDEN, odoo: HIDDEN })) }
    : detail
}
