/**
 * CloudEvents in NATS messages, both modes of the binding
 * (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/nats-protocol-binding.md):
 * - structured: `content-type: application/cloudevents+json`, the body is the whole event;
 * - binary: attributes in `ce-*` headers, percent-encoded, the body is `data`.
 *
 * A body without either mark whose JSON carries `specversion` is taken as structured: many publishers set no headers.
 */
import { Result } from "effect"
import { isUtf8 } from "node:buffer"
import type { Message, Publication } from "./Broker.ts"
import type { ReasonCode } from "../reason/Reason.ts"
import { type Envelope, eventIdOf } from "../../schemas/envelope.ts"

/** Largest body of an event, in bytes. Half of a NATS server's default `max_payload`, so that headers always fit. */
export const MAX_EVENT_BYTES = 512 * 1024

/** Deepest nesting of objects and arrays. Deeper JSON is no business event, and recursive code may choke on it. */
export const MAX_EVENT_DEPTH = 64

/** Why a message holds no event. All three codes park it. */
export interface EnvelopeProblem {
  readonly code: Extract<ReasonCode, "EVENT-TOO-LARGE" | "EVENT-NOT-JSON" | "EVENT-NOT-CLOUDEVENT">
  /** For the operator; never holds payload. */
  readonly detail: string
}

/** An event as it came, attributes and `data`, not yet checked against the `Envelope` schema. */
export type RawEnvelope = Readonly<Record<string, unknown>>

export type Mode = "structured" | "binary"

const PREFIX = "ce-"
const STRUCTURED = "application/cloudevents+json"
/** Never meets invalid bytes: asking first is cheaper than a decoder that throws. */
const decoder = new TextDecoder()
const encoder = new TextEncoder()

const problem = (code: EnvelopeProblem["code"], detail: string): Result.Result<never, EnvelopeProblem> =>
  Result.fail({ code, detail })

const isRecord = (value: unknown): value is RawEnvelope =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isTooDeep = (value: unknown, left: number): boolean => {
  if (typeof value !== "object" || value === null) return false
  if (left === 0) return true
  for (const key in value) if (isTooDeep((value as RawEnvelope)[key], left - 1)) return true
  return false
}

/** Whether `text` has more than `most` opening brackets, those in strings counted too. */
const hasManyBrackets = (text: string, most: number): boolean => {
  let left = most
  for (const bracket of "{[") {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) if (left-- === 0) return true
  }
  return false
}

const parseJson = (data: Uint8Array): Result.Result<unknown, EnvelopeProblem> => {
  let value: unknown
  let text = ""
  try {
    if (!isUtf8(data)) throw new TypeError("not UTF-8")
    text = decoder.decode(data)
    value = JSON.parse(text)
  } catch {
    // The parser's message quotes the payload: it is not passed on.
    return problem("EVENT-NOT-JSON", `the body of ${data.length} bytes is not UTF-8 JSON`)
  }
  // Every level needs a bracket, so that the usual event is not walked through.
  return hasManyBrackets(text, MAX_EVENT_DEPTH) && isTooDeep(value, MAX_EVENT_DEPTH)
    ? problem("EVENT-NOT-CLOUDEVENT", `the JSON is nested deeper than ${MAX_EVENT_DEPTH} levels`)
    : Result.succeed(value)
}

const mediaTypeOf = (contentType: string | undefined): string | undefined =>
  contentType?.split(";", 1)[0]?.trim().toLowerCase()

const isJsonType = (mediaType: string): boolean => mediaType.endsWith("/json") || mediaType.endsWith("+json")

const parseStructured = (data: Uint8Array): Result.Result<RawEnvelope, EnvelopeProblem> => {
  const parsed = parseJson(data)
  if (Result.isFailure(parsed)) return Result.fail(parsed.failure)
  const value = parsed.success
  if (!isRecord(value)) return problem("EVENT-NOT-CLOUDEVENT", "the JSON is not an object")
  if (!Object.hasOwn(value, "specversion")) return problem("EVENT-NOT-CLOUDEVENT", "the object has no specversion")
  if (Object.hasOwn(value, "data_base64")) {
    return problem("EVENT-NOT-CLOUDEVENT", "data_base64 is not supported, publish JSON in data")
  }
  return Result.succeed(value)
}

const parseBinary = (message: Message, mediaType: string | undefined): Result.Result<RawEnvelope, EnvelopeProblem> => {
  if (mediaType !== undefined && !isJsonType(mediaType)) {
    return problem(
      "EVENT-NOT-JSON",
      `binary mode with content type ${mediaType.slice(0, 80)}, expected application/json`,
    )
  }
  const event: Record<string, unknown> = {}
  for (const name in message.headers) {
    // The data is the body, never a header.
    if (!name.startsWith(PREFIX) || name === "ce-data") continue
    const value = message.headers[name]!
    try {
      event[name.slice(PREFIX.length)] = value.includes("%") ? decodeURIComponent(value) : value
    } catch {
      return problem("EVENT-NOT-CLOUDEVENT", `header ${name.slice(0, 80)} is not percent-encoded UTF-8`)
    }
  }
  const contentType = message.headers["content-type"]
  if (contentType !== undefined) event.datacontenttype = contentType
  // A CloudEvent may have no data; whether this one may is for the schema to say.
  if (message.data.length === 0) return Result.succeed(event)
  const parsed = parseJson(message.data)
  if (Result.isFailure(parsed)) return Result.fail(parsed.failure)
  event.data = parsed.success
  return Result.succeed(event)
}

/** The event in a message, in either mode. Total: any bytes and headers give an envelope or a problem, never a throw. */
export const parseEnvelope = (message: Message): Result.Result<RawEnvelope, EnvelopeProblem> => {
  if (message.data.length > MAX_EVENT_BYTES) {
    return problem("EVENT-TOO-LARGE", `${message.data.length} bytes, at most ${MAX_EVENT_BYTES} are allowed`)
  }
  const mediaType = mediaTypeOf(message.headers["content-type"])
  if (mediaType !== undefined && mediaType.startsWith("application/cloudevents")) {
    return mediaType === STRUCTURED
      ? parseStructured(message.data)
      : problem("EVENT-NOT-CLOUDEVENT", `content type ${mediaType.slice(0, 80)}, expected ${STRUCTURED}`)
  }
  return message.headers["ce-specversion"] !== undefined
    ? parseBinary(message, mediaType)
    : parseStructured(message.data)
}

/** What the binding leaves readable in a header: printable ASCII without space, quote and percent sign. */
const encodeAttribute = (value: string): string =>
  value.toWellFormed().replace(/[^\x21\x23\x24\x26-\x7e]+/g, (text) => {
    let encoded = ""
    for (const byte of encoder.encode(text)) encoded += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`
    return encoded
  })

/**
 * A message that carries `envelope` on `subject`; its deduplication id is the event's identity. `sequence` travels as
 * digits, as the CloudEvents extension wants it. Encoding and parsing give the same envelope again.
 */
export const toMessage = (envelope: Envelope, subject: string, mode: Mode = "structured"): Publication => {
  const { data, sequence, datacontenttype, ...attributes } = envelope
  const digits = sequence === undefined ? {} : { sequence: String(sequence) }
  const messageId = eventIdOf(envelope)
  if (mode === "structured") {
    const type = datacontenttype === undefined ? {} : { datacontenttype }
    const body = encoder.encode(JSON.stringify({ ...attributes, ...digits, ...type, data }))
    return { subject, messageId, headers: { "content-type": STRUCTURED }, data: body }
  }
  const headers: Record<string, string> = { "content-type": datacontenttype ?? "application/json" }
  for (const [name, value] of Object.entries({ ...attributes, ...digits })) {
    headers[PREFIX + name] = encodeAttribute(value)
  }
  return { subject, messageId, headers, data: encoder.encode(JSON.stringify(data)) }
}
