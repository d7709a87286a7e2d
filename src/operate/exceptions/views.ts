/** Exceptions as callers see them: what is not theirs to see is masked. */
import { Schema } from "effect"
import type { RawEnvelope } from "../../broker/cloudevents.ts"
import type { Flow } from "../../flow/Flow.ts"
import type { JsonValue } from "../../ledger/Amendments.ts"
import type { ExceptionFile, ExceptionGroup, ExceptionRow, HistoryRow } from "../../ledger/Desk.ts"
import { type Reason, reasons } from "../../reason/Reason.ts"
import { type Clearance, markOf, maskCause, maskData, maskDetail } from "../masking.ts"
import { envelopeOf, hashOf, Json, specOf } from "./payload.ts"
import { Recommendation } from "./recommend.ts"
import { StandingRecord } from "./standing.ts"

/** R53: what is wrong with it, what it waits for, who has to agree. */
export const Queue = Schema.Literals(["rejected", "references", "approvals"]).annotate({
  description: "rejected: refused for good; references: something is missing; approvals: somebody has to agree",
})
export type Queue = typeof Queue.Type

export const queueOf = ({ code, state }: Pick<ExceptionRow, "code" | "state">): Queue =>
  code === "REFERENCE-MISSING" || code === "REFERENCE-OVERDUE"
    ? "references"
    : state === "waiting"
    ? "approvals"
    : "rejected"

export const Code = Schema.Literals(Object.keys(reasons) as ReadonlyArray<keyof typeof reasons>).annotate({
  identifier: "ReasonCode",
  description: "Why; docs/exceptions.md",
})

const rowFields = {
  entity: Schema.String,
  flow: Schema.String,
  eventId: Schema.String,
  type: Schema.String,
  key: Schema.String,
  code: Code,
  /** Technical: an engineer or operator mends it. Business: the source or finance. */
  kind: Schema.Literals(["technical", "business"]),
  /** As much of it as the caller may see. */
  detail: Schema.String,
  /** Names the cause; the same for all that differ in numbers and names only. Null: it waits. */
  fingerprint: Schema.NullOr(Schema.String),
  attempts: Schema.Int,
  heldSinceMillis: Schema.Int,
  assignee: Schema.NullOr(Schema.String),
  waitsFor: Schema.NullOr(Schema.Struct({ flow: Schema.String, key: Schema.String })),
  deadlineMillis: Schema.NullOr(Schema.Int),
}
export const ExceptionView = Schema.Struct({
  ...rowFields,
  state: Schema.Literals(["parked", "waiting"]),
  queue: Queue,
}).annotate({ identifier: "Exception" })
export type ExceptionView = typeof ExceptionView.Type

export const GroupView = Schema.Struct({
  entity: Schema.String,
  flow: Schema.String,
  code: Code,
  kind: Schema.Literals(["technical", "business"]),
  fingerprint: Schema.String,
  /** The cause without numbers and names. */
  cause: Schema.String,
  count: Schema.Int,
}).annotate({ identifier: "ExceptionGroup" })
export type GroupView = typeof GroupView.Type

const kindOf = (code: keyof typeof reasons): Reason["kind"] => reasons[code].kind

const common = <State extends string>(
  row: Omit<ExceptionRow, "state"> & { readonly state: State },
  clearance: Clearance,
) => {
  const { streamSequence: _, ...rest } = row
  return { ...rest, kind: kindOf(row.code), detail: maskDetail(row.code, row.detail, clearance) }
}

export const rowView = (row: ExceptionRow, clearance: Clearance): ExceptionView => ({
  ...common(row, clearance),
  queue: queueOf(row),
})

export const groupView = (group: ExceptionGroup, clearance: Clearance): GroupView => ({
  ...group,
  kind: kindOf(group.code),
  cause: maskCause(group.code, group.cause, clearance),
})

/** The message, masked. `envelope` null: it holds no event. */
export const PayloadView = Schema.Struct({
  subject: Schema.String,
  headers: Schema.Record(Schema.String, Schema.String),
  envelope: Schema.NullOr(Schema.Record(Schema.String, Json)),
  /** Base64 of a message that holds no event, for those only who may see everything. */
  raw: Schema.NullOr(Schema.String),
  /** SHA-256 of the message: what a correction is a correction of. */
  hash: Schema.String,
}).annotate({ identifier: "ExceptionPayload" })
export type PayloadView = typeof PayloadView.Type

/** Attributes of an envelope that say who and when, never what. */
const attributes = new Set([
  "specversion",
  "id",
  "source",
  "type",
  "time",
  "datacontenttype",
  "dataschema",
  "sequence",
  "partitionkey",
  "correlationid",
  "causationid",
  "traceparent",
])
const openHeader = /^(?:content-type|nats-msg-id|traceparent|ce-(?:specversion|id|source|type|time|sequence))$/iu

const envelopeView = (envelope: RawEnvelope, flow: Flow | undefined, clearance: Clearance) => {
  const all = clearance.has("personal") && clearance.has("financial")
  return Object.fromEntries(
    Object.entries(envelope).map(([name, value]) => [
      name,
      name === "data"
        ? maskData(specOf(flow, envelope)?.schema ?? null, value as JsonValue, clearance)
        : all || attributes.has(name)
        ? value as JsonValue
        : markOf(null),
    ]),
  )
}

export const payloadView = (
  { message }: Pick<ExceptionFile, "message">,
  flow: Flow | undefined,
  clearance: Clearance,
): PayloadView | null => {
  if (message === null) return null
  const envelope = envelopeOf(message)
  const all = clearance.has("personal") && clearance.has("financial")
  return {
    subject: message.subject,
    headers: Object.fromEntries(
      Object.entries(message.headers).map((
        [name, value],
      ) => [name, all || openHeader.test(name) ? value : markOf(null)]),
    ),
    envelope: envelope === null ? null : envelopeView(envelope, flow, clearance),
    raw: envelope === null && all ? Buffer.from(message.data).toString("base64") : null,
    hash: hashOf(message),
  }
}

export const HistoryView = Schema.Struct({
  atMillis: Schema.Int,
  /** A person, or `weir`. */
  actor: Schema.String,
  action: Schema.Literals([
    "raised",
    "recurred",
    "retried",
    "edited",
    "proposed",
    "rejected",
    "assigned",
    "noted",
    "resolved",
    "dismissed",
  ]),
  code: Code,
  /** Cause, reason or note, as much of it as the caller may see. */
  text: Schema.String,
}).annotate({ identifier: "ExceptionHistory" })
export type HistoryView = typeof HistoryView.Type

const textOf = ({ action, code, detail }: HistoryRow, clearance: Clearance): string => {
  switch (action) {
    case "raised":
    case "recurred":
      return maskDetail(code, String(detail["detail"] ?? ""), clearance)
    case "assigned":
      return detail["to"] === null ? "nobody" : String(detail["to"])
    case "noted":
      return clearance.has("personal") ? String(detail["text"] ?? "") : markOf("personal")
    case "resolved":
      return `${detail["state"]}${detail["after"] === null ? "" : `, ${detail["after"]} by ${detail["by"]}`}`
    default:
      return detail["reason"] === null ? "" : clearance.has("personal") ? String(detail["reason"]) : markOf("personal")
  }
}

export const historyView = (row: HistoryRow, clearance: Clearance): HistoryView => ({
  atMillis: row.atMillis,
  actor: row.actor,
  action: row.action,
  code: row.code,
  text: textOf(row, clearance),
})

/** Everything about one exception. */
export const ExceptionDetail = Schema.Struct({
  ...rowFields,
  state: Schema.Literals(["parked", "waiting", "behind", "ready", "applied", "superseded", "dismissed"]),
  version: Schema.NullOr(Schema.Int),
  streamSequence: Schema.Int,
  storedAtMillis: Schema.Int,
  correlationId: Schema.NullOr(Schema.String),
  /** What the code is documented with. */
  title: Schema.String,
  /** Null: it is held no more, the message is in the stream only. */
  payload: Schema.NullOr(PayloadView),
  /** What of it stands in Odoo now. */
  standing: Schema.Struct({ records: Schema.Array(StandingRecord), trouble: Schema.String }),
  /** Later events of its key, held behind it. */
  followers: Schema.Struct({ count: Schema.Int, first: Schema.Array(Schema.String) }),
  history: Schema.Array(HistoryView),
  recommendation: Recommendation,
}).annotate({ identifier: "ExceptionDetail" })
export type ExceptionDetail = typeof ExceptionDetail.Type

export const detailRow = ({ row, ...file }: ExceptionFile, clearance: Clearance) => ({
  ...common(row, clearance),
  version: file.version,
  streamSequence: row.streamSequence,
  storedAtMillis: file.storedAtMillis,
  correlationId: file.correlationId,
  title: reasons[row.code].title,
  followers: file.followers,
})

/** A line of an export: an exception with its event, which `weir publish` and replays read when nothing is masked. */
export const ExportLine = Schema.Struct({
  exception: ExceptionView,
  subject: Schema.NullOr(Schema.String),
  headers: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  envelope: Schema.optionalKey(Schema.Record(Schema.String, Json)),
  raw: Schema.optionalKey(Schema.String),
}).annotate({ identifier: "ExceptionExport" })
export type ExportLine = typeof ExportLine.Type
