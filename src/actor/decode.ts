/**
 * Second stage: bytes to a typed event. Never throws and never loses the message: what cannot be understood becomes an
 * item that says why.
 */
import { Result, Schema, SchemaIssue } from "effect"
import * as SchemaJITCompiler from "effect/schema/SchemaJITCompiler"
import { parseEnvelope } from "../broker/cloudevents.ts"
import type { Delivery, Message, StoredMessage } from "../broker/Broker.ts"
import type { EventSpec, Flow } from "../flow/Flow.ts"
import type { HeldEvent, Reference } from "../ledger/Ledger.ts"
import type { ReasonCode } from "../reason/Reason.ts"
import { Envelope, eventIdOf } from "../../schemas/envelope.ts"
import { digest, fingerprint } from "./fingerprint.ts"
import type { Item, Payload } from "./Item.ts"

type Position = { readonly streamSequence: number; readonly storedAtMillis: number }
type Rejection = { readonly code: ReasonCode; readonly detail: string }

/**
 * A decoder out of generated code; interpreted where code may not be generated. Generated code stops at the first thing
 * that is wrong, so what is invalid is looked at again for all that is.
 */
const compiled = <A>(schema: Schema.Codec<A, unknown>): (input: unknown) => Result.Result<A, Schema.SchemaError> => {
  SchemaJITCompiler.enable(schema.ast)
  const first = Schema.decodeUnknownResult(schema)
  const all = Schema.decodeUnknownResult(schema, { errors: "all" })
  return (input) => {
    const decoded = first(input)
    return Result.isSuccess(decoded) ? decoded : all(input)
  }
}

/** Compiled once for each schema, however many entities and restarts use it. */
const decoders = new WeakMap<Schema.Codec<unknown, unknown>, ReturnType<typeof compiled<unknown>>>()

const decoderOf = (schema: Schema.Codec<unknown, unknown>) => {
  const known = decoders.get(schema)
  if (known !== undefined) return known
  const made = compiled(schema)
  decoders.set(schema, made)
  return made
}

/** The envelope as it lies on the wire: with nothing to transform, its decoder is one generated function. */
const WireEnvelope = Schema.toEncoded(Envelope)
type WireEnvelope = typeof WireEnvelope.Type

const envelopeOf = compiled(WireEnvelope)
const formatIssues = SchemaIssue.makeFormatterStandardSchemaV1()

/** At most this many characters of a schema's complaint are kept. */
const MAX_DETAIL = 500

const complaint = (error: Schema.SchemaError): string =>
  formatIssues(error.issue).issues
    .map((issue) => `${issue.path?.map((part) => String(part)).join(".") ?? ""}: ${issue.message}`.replace(/^: /, ""))
    .join("; ")
    .slice(0, MAX_DETAIL)

/** `invoice.requested.v2` is version 2 of `invoice.requested`. */
const splitType = (type: string): { readonly name: string; readonly version: number } => {
  const end = type.indexOf(".", type.indexOf(".") + 1)
  return end < 0 ? { name: type, version: 1 } : { name: type.slice(0, end), version: Number(type.slice(end + 2)) }
}

/** The payload in the newest version's form. */
const upcast = (
  { upcasts, version }: EventSpec<unknown>,
  from: number,
  payload: unknown,
): Result.Result<unknown, Rejection> => {
  let data = payload
  for (let step = from; step < version; step++) {
    try {
      data = upcasts![step]!(data)
    } catch (cause) {
      return Result.fail({
        code: "EVENT-INVALID",
        detail: `cannot be brought from version ${step} to ${step + 1}: ${String(cause)}`.slice(0, MAX_DETAIL),
      })
    }
  }
  return Result.succeed(data)
}

/** `timesheet.approved` of `erp.be01.timesheet.approved`. */
const typeInSubject = (subject: string): string => subject.slice(subject.indexOf(".", subject.indexOf(".") + 1) + 1)

/** Why an event is on another legal entity's subject than its own; null: it is not. */
const strayed = ({ entity }: WireEnvelope, { subject }: Message): Rejection | null => {
  const named = subject.split(".", 2)[1] ?? ""
  if (entity === undefined || entity === named) return null
  return { code: "LEGAL-ENTITY-MISMATCH", detail: `the event is of ${entity.slice(0, 40)}, the subject says ${named}` }
}

/** A decoder for one flow of one entity. `look` is shown what was understood. */
export const makeDecoder = (flow: Flow, look?: (spec: EventSpec<unknown>, data: unknown) => void) => {
  const specs = new Map(flow.events.map((spec) => [spec.type, { spec, decode: decoderOf(spec.schema) }]))

  /** What the payload says, or why it says nothing to us. */
  const understand = (envelope: WireEnvelope, message: Message): Result.Result<Payload, Rejection> => {
    const { name, version } = splitType(envelope.type)
    const subjectType = typeInSubject(message.subject)
    if (subjectType !== name) {
      return Result.fail({
        code: "EVENT-SUBJECT-MISMATCH",
        detail: `the subject says ${subjectType}, the event type says ${envelope.type}`,
      })
    }
    const known = specs.get(name)
    if (known === undefined) {
      return Result.fail({
        code: "EVENT-UNKNOWN-TYPE",
        detail: `${name}; flow ${flow.name} knows ${[...specs.keys()].join(", ")}`,
      })
    }
    if (version > known.spec.version) {
      return Result.fail({
        code: "EVENT-FUTURE-VERSION",
        detail: `${name} version ${version}; this Weir knows versions up to ${known.spec.version}`,
      })
    }
    const current = upcast(known.spec, version, envelope.data)
    if (Result.isFailure(current)) return Result.fail(current.failure)
    const decoded = known.decode(current.success)
    if (Result.isFailure(decoded)) return Result.fail({ code: "EVENT-INVALID", detail: complaint(decoded.failure) })
    look?.(known.spec, current.success)
    return Result.succeed(payloadOf(known.spec, decoded.success))
  }

  const rejected = (
    message: Message,
    position: Position,
    delivery: Delivery | null,
    rejection: Rejection,
  ): Item => ({
    event: {
      eventId: `stream#${position.streamSequence}`,
      type: "unknown",
      flow: flow.name,
      key: `stream-${position.streamSequence}`,
      version: null,
      streamSequence: position.streamSequence,
      storedAtMillis: position.storedAtMillis,
      payloadHash: digest(message.data),
      correlationId: null,
      attempts: 1,
    },
    message,
    delivery,
    payload: null,
    rejection,
    traceparent: null,
    verdict: { _tag: "Park", ...rejection },
    attempts: 0,
    stale: false,
  })

  const decode = (message: Message, position: Position, delivery: Delivery | null): Item => {
    const parsed = parseEnvelope(message)
    if (Result.isFailure(parsed)) return rejected(message, position, delivery, parsed.failure)
    const checked = envelopeOf(parsed.success)
    if (Result.isFailure(checked)) {
      return rejected(message, position, delivery, {
        code: "EVENT-NOT-CLOUDEVENT",
        detail: complaint(checked.failure),
      })
    }
    const envelope = checked.success
    const understood = understand(envelope, message)
    const read = Result.isSuccess(understood) ? understood.success : null
    const rejection = Result.isFailure(understood) ? understood.failure : strayed(envelope, message)
    const payload = rejection === null ? read : null
    return {
      event: {
        eventId: eventIdOf(envelope),
        type: envelope.type,
        flow: flow.name,
        // Without a payload the partition key still tells which later events must stay behind this one.
        key: read?.spec.key(read.data) ?? envelope.partitionkey ?? `stream-${position.streamSequence}`,
        version: envelope.sequence === undefined ? null : Number(envelope.sequence),
        streamSequence: position.streamSequence,
        storedAtMillis: position.storedAtMillis,
        payloadHash: fingerprint(envelope.data),
        correlationId: envelope.correlationid ?? null,
        attempts: 1,
      },
      message,
      delivery,
      payload,
      rejection,
      traceparent: envelope.traceparent ?? null,
      verdict: rejection === null ? { _tag: "Behind" } : { _tag: "Park", ...rejection },
      attempts: 0,
      stale: false,
    }
  }

  return {
    delivery: (delivery: Delivery): Item => decode(delivery, delivery, delivery),
    /** Something that nobody delivers: to be looked at, or to be brought again. */
    stored: (message: StoredMessage): Item => decode(message, message, null),
    held: (held: HeldEvent): Item => {
      const item = decode(held.message, held, null)
      // The ledger's identity wins: an event that changed under its id is held under an id of its own.
      return {
        ...item,
        event: { ...item.event, eventId: held.eventId, key: held.key },
        attempts: held.attempts,
      }
    },
  }
}

const NONE: ReadonlyArray<Reference> = []

/** References and parents may need the payload only, so they are asked for once, here. */
const payloadOf = (spec: EventSpec<unknown>, data: unknown): Payload => ({
  spec,
  data,
  references: spec.references(data),
  holds: spec.holds?.(data) ?? NONE,
  consults: spec.consults?.(data) ?? NONE,
  parents: spec.parents(data),
})
