/** A proof and its mismatches, as a caller may see them. */
import { Schema } from "effect"
import { type Run, type RunEvent, type RunJson, runStates } from "../../ledger/Runs.ts"
import { mismatchKinds } from "../../reconcile/Account.ts"
import { keptIn, ReconciliationReport, Signature } from "../../reconcile/Report.ts"
import { Period, requestOf } from "../../reconcile/Request.ts"
import { type CallerIdentity, clearanceOf } from "../Caller.ts"
import { HIDDEN } from "../masking.ts"
import { pageOf, pageQuery } from "../Page.ts"

export const ReconciliationOrder = Schema.Struct({
  period: Period,
  /** Legal entity; left out: all that the caller may see. */
  entity: Schema.optionalKey(Schema.String),
  /** Names of flows; left out: all. */
  flows: Schema.optionalKey(Schema.NonEmptyArray(Schema.String)),
  reason: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(500))),
}).annotate({ identifier: "ReconciliationOrder" })
export type ReconciliationOrder = typeof ReconciliationOrder.Type

/** The part of a proof that is one legal entity's. */
export const ReconciliationPart = Schema.Struct({
  entity: Schema.String,
  state: Schema.Literals(runStates),
  /** Messages read so far, and mismatches found so far. */
  seen: Schema.Int,
  mismatches: Schema.Int,
  trouble: Schema.String,
  report: Schema.NullOr(ReconciliationReport),
  signature: Schema.NullOr(Signature),
}).annotate({ identifier: "ReconciliationPart" })
export type ReconciliationPart = typeof ReconciliationPart.Type

export const ReconciliationView = Schema.Struct({
  runId: Schema.String,
  period: Schema.String,
  requestedBy: Schema.String,
  reason: Schema.String,
  createdAtMillis: Schema.Int,
  parts: Schema.Array(ReconciliationPart),
}).annotate({ identifier: "Reconciliation" })
export type ReconciliationView = typeof ReconciliationView.Type

/** One entity's part in a list. */
export const ReconciliationLine = Schema.Struct({
  runId: Schema.String,
  entity: Schema.String,
  period: Schema.String,
  state: Schema.Literals(runStates),
  /** Null: it is not known yet. */
  complete: Schema.NullOr(Schema.Boolean),
  mismatches: Schema.Int,
  requestedBy: Schema.String,
  createdAtMillis: Schema.Int,
  signedBy: Schema.NullOr(Schema.String),
}).annotate({ identifier: "ReconciliationLine" })
export type ReconciliationLine = typeof ReconciliationLine.Type

export const ReconciliationQuery = {
  entity: Schema.optionalKey(Schema.String),
  state: Schema.optionalKey(Schema.Literals(runStates)),
  ...pageQuery,
}
export const ReconciliationPage = pageOf(ReconciliationLine)

export const MismatchView = Schema.Struct({
  entity: Schema.String,
  ordinal: Schema.Int,
  flow: Schema.String,
  kind: Schema.String,
  /** Business key; of a record that no event made `<model> <id>`. */
  key: Schema.String,
  eventId: Schema.String,
  type: Schema.String,
  streamSequence: Schema.Int,
  /** What else was found, as JSON: records, differences field by field, steps that were taken back. */
  detail: Schema.Record(Schema.String, Schema.Json),
}).annotate({ identifier: "Mismatch" })
export type MismatchView = typeof MismatchView.Type

export const MismatchQuery = {
  entity: Schema.optionalKey(Schema.String),
  kind: Schema.optionalKey(Schema.Literals(mismatchKinds)),
  ...pageQuery,
}
export const MismatchPage = pageOf(MismatchView)

const number = (value: unknown): number => typeof value === "number" ? value : 0

/** Names of fields of a detail whose values are what people or money are about. */
const VALUES = new Set(["event", "odoo", "source", "stream"])
/** Of a record: what says which one it is. */
const NAMING = new Set(["id", "model", "externalId", "write_date"])

/** Numbers are for those who are cleared for money, texts for those who are cleared for persons. */
const maskedFor = (caller: CallerIdentity) => {
  const clearance = clearanceOf(caller)
  const [personal, financial] = [clearance.has("personal"), clearance.has("financial")]
  const value = (one: unknown): unknown =>
    one === null || typeof one === "boolean"
      ? one
      : (typeof one === "number" || /^-?\d+(?:\.\d+)?$/u.test(String(one)) ? financial : personal)
      ? one
      : HIDDEN
  const inside = (detail: unknown, isRecord: boolean): unknown =>
    Array.isArray(detail)
      ? detail.map((one) => inside(one, isRecord))
      : detail !== null && typeof detail === "object"
      ? Object.fromEntries(
        Object.entries(detail).map(([name, one]) => [
          name,
          (isRecord ? !NAMING.has(name) : VALUES.has(name)) ? value(one) : inside(one, name === "record"),
        ]),
      )
      : detail
  return { detail: (detail: RunJson) => inside(detail, false) as RunJson, financial }
}

const amountsHidden = (amounts: { readonly [name: string]: string }) =>
  Object.fromEntries(Object.keys(amounts).map((name) => [name, HIDDEN]))

const reportFor = (report: ReconciliationReport, caller: CallerIdentity): ReconciliationReport =>
  maskedFor(caller).financial ? report : {
    ...report,
    flows: report.flows.map((flow) => ({
      ...flow,
      stream: { ...flow.stream, amounts: amountsHidden(flow.stream.amounts) },
      odoo: {
        ...flow.odoo,
        due: amountsHidden(flow.odoo.due),
        standing: amountsHidden(flow.odoo.standing),
      },
      source: flow.source === null ? null : { ...flow.source, amounts: amountsHidden(flow.source.amounts) },
    })),
  }

const partOf = ({ entity, progress, result, state, trouble }: Run, caller: CallerIdentity): ReconciliationPart => {
  const kept = keptIn(result)
  return {
    entity,
    state,
    seen: number(progress["seen"]),
    mismatches: kept?.report.mismatches ?? number(progress["mismatches"]),
    trouble,
    report: kept === null ? null : reportFor(kept.report, caller),
    signature: kept?.signature ?? null,
  }
}

/** `parts`: of one run, at least one. */
export const viewOf = (parts: ReadonlyArray<Run>, caller: CallerIdentity): ReconciliationView => {
  const { createdAtMillis, reason, requestedBy, runId } = parts[0]!
  return {
    runId,
    period: requestOf(parts[0]!).period,
    requestedBy,
    reason,
    createdAtMillis,
    parts: parts.map((run) => partOf(run, caller)).toSorted((a, b) => a.entity < b.entity ? -1 : 1),
  }
}

export const lineOf = (run: Run): ReconciliationLine => {
  const kept = keptIn(run.result)
  const { createdAtMillis, entity, progress, requestedBy, runId, state } = run
  return {
    runId,
    entity,
    period: requestOf(run).period,
    state,
    complete: kept?.report.complete ?? null,
    mismatches: kept?.report.mismatches ?? number(progress["mismatches"]),
    requestedBy,
    createdAtMillis,
    signedBy: kept?.signature?.by ?? null,
  }
}

export const mismatchOf = (entity: string, event: RunEvent, caller: CallerIdentity): MismatchView => {
  const { detail, eventId, finding, flow, key, ordinal, streamSequence, type } = event
  return {
    entity,
    ordinal,
    flow,
    kind: finding,
    key,
    eventId,
    type,
    streamSequence,
    detail: maskedFor(caller).detail(detail),
  }
}
