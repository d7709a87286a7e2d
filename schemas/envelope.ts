/**
 * The envelope of every event: CloudEvents 1.0 (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md)
 * with the extensions that Weir reads. How it lies in a NATS message is the broker's concern
 * (`src/broker/cloudevents.ts`).
 */
import { Schema } from "effect"

const Attribute = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(256))

/** `<domain>.<event>` with its major version, `.v1` when absent: `customer.upserted`, `invoice.requested.v2`. */
export const EventType = Schema.String.check(
  Schema.isPattern(/^[a-z][a-z-]*\.[a-z][a-z-]*(?:\.v[1-9]\d{0,2})?$/u, {
    message: "must be <domain>.<event> with an optional .v<major>, for example invoice.requested.v2",
  }),
).annotate({ identifier: "EventType" })

/**
 * The position of this event among all events of its business key, counted up by the source. The version gate refuses
 * to apply a smaller one after a larger one. Digits in a string (the CloudEvents `sequence` extension) or an integer.
 */
export const Sequence = Schema.Union([
  Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  Schema.String.check(Schema.isPattern(/^\d{1,15}$/u, { message: "must be digits" })).pipe(
    Schema.decodeTo(Schema.FiniteFromString),
  ),
]).annotate({ identifier: "Sequence" })

export const Envelope = Schema.Struct({
  specversion: Schema.Literal("1.0"),
  /** Unique within `source`. Both together are the event's identity: the same pair is the same event. */
  id: Attribute,
  source: Attribute,
  type: EventType,
  /** When it happened, RFC 3339. */
  time: Schema.optionalKey(Attribute),
  subject: Schema.optionalKey(Attribute),
  datacontenttype: Schema.optionalKey(Attribute),
  dataschema: Schema.optionalKey(Attribute),
  sequence: Schema.optionalKey(Sequence),
  partitionkey: Schema.optionalKey(Attribute),
  /** Code of the legal entity that it is of. The subject says so anyway; when both do, they must agree. */
  entity: Schema.optionalKey(Attribute),
  /** Ties everything that one business act caused together, from the source to the Odoo record. */
  correlationid: Schema.optionalKey(Attribute),
  /** The identity of the event that caused this one. */
  causationid: Schema.optionalKey(Attribute),
  /** W3C Trace Context. */
  traceparent: Schema.optionalKey(Attribute),
  tracestate: Schema.optionalKey(Attribute),
  data: Schema.Unknown,
}).annotate({ identifier: "CloudEvent" })
export type Envelope = typeof Envelope.Type

/** The identity of an event across redeliveries and re-publications: source and id. */
export const eventIdOf = (envelope: Pick<Envelope, "source" | "id">): string => `${envelope.source}#${envelope.id}`
