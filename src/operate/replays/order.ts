/** How a replay is asked for, and how its events are handed in. */
import { Schema } from "effect"
import {
  DEFAULT_CONCURRENCY,
  DEFAULT_RATE,
  MAX_CONCURRENCY,
  OnChanged,
  type ReplayRequest,
  Selection,
  Source,
} from "../../replay/Request.ts"
import { Reason } from "../Entities.ts"

const { fromMillis: _from, toMillis: _to, ...places } = Selection.fields

export const ReplayOrder = Schema.Struct({
  ...places,
  /** When the broker stored it, RFC 3339: `from` inclusive, `to` exclusive. */
  from: Schema.optionalKey(Schema.DateTimeUtcFromString),
  to: Schema.optionalKey(Schema.DateTimeUtcFromString),
  /** Legal entity; left out: all that the subject names and the caller may see. */
  entity: Schema.optionalKey(Schema.String),
  source: Schema.optionalKey(Source.annotate({ description: "Default: stream. upload: events are handed in" })),
  onChanged: Schema.optionalKey(
    OnChanged.annotate({ description: "What applying does about records that stand with other values. Default: skip" }),
  ),
  ratePerSecond: Schema.optionalKey(
    Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 10_000 })).annotate({
      description: `Events a second while it is applied; 0: no limit. Default ${DEFAULT_RATE}`,
    }),
  ),
  concurrency: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MAX_CONCURRENCY })).annotate({
      description: `Events in flight while it is applied. Default ${DEFAULT_CONCURRENCY}`,
    }),
  ),
  keepAll: Schema.optionalKey(
    Schema.Boolean.annotate({ description: "Keep findings of which nothing would be done, too. Default: count them" }),
  ),
  alike: Schema.optionalKey(
    Schema.Boolean.annotate({
      description:
        "Look for records that another system has made of the same things. Only looked at: it cannot be applied",
    }),
  ),
  reason: Reason,
}).annotate({ identifier: "ReplayOrder" })
export type ReplayOrder = typeof ReplayOrder.Type

/** Most events of one upload. */
export const MAX_UPLOAD = 500

export const Upload = Schema.Struct({
  /** In the order in which they are to be looked at. */
  events: Schema.Array(Schema.Struct({
    subject: Schema.String.check(Schema.isMaxLength(200)),
    headers: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
    /** The message's bytes, base64. */
    data: Schema.Uint8ArrayFromBase64,
    /** Where it stood in the stream, when it came from one. */
    streamSequence: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
    storedAtMillis: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
  })).check(Schema.isMaxLength(MAX_UPLOAD)),
  /** Position of the first of them in the upload, from 1: sent again, they replace themselves. */
  position: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)),
  /** Nothing follows: the dry run begins. */
  last: Schema.Boolean,
}).annotate({ identifier: "ReplayUpload" })
export type Upload = typeof Upload.Type

/** The order with its defaults, as the run keeps it. */
export const ordered = ({ entity: _entity, from, reason: _reason, to, ...order }: ReplayOrder): ReplayRequest => {
  const { alike, concurrency, keepAll, onChanged, ratePerSecond, source, ...selection } = order
  return {
    selection: {
      ...selection,
      ...(from !== undefined && { fromMillis: from.epochMilliseconds }),
      ...(to !== undefined && { toMillis: to.epochMilliseconds }),
    },
    source: source ?? "stream",
    onChanged: onChanged ?? "skip",
    ratePerSecond: ratePerSecond ?? DEFAULT_RATE,
    concurrency: concurrency ?? DEFAULT_CONCURRENCY,
    keepAll: keepAll ?? false,
    ...(alike === true && { alike }),
  }
}
