/**
 * Lines of a file of events, checked exactly as the service will check them. Two forms:
 * - `{"subject": "erp.be01.customer.upserted", "envelope": {…CloudEvent…}}` with optional `headers` and `at`, as
 *   fixtures have it; `raw` (base64) instead of `envelope` is published byte for byte and not checked;
 * - a CloudEvent. Its subject is `erp.<entity>.<type>`; the entity is `--entity` or the attribute `entity`.
 */
import { Result, Schema } from "effect"
import { createHash } from "node:crypto"
import { EntityCode } from "../../schemas/ids.ts"
import { makeDecoder } from "../actor/decode.ts"
import type { Publication } from "../broker/Broker.ts"
import type { Flow } from "../flow/Flow.ts"

const Fields = Schema.Record(Schema.String, Schema.Unknown)

const FixtureLine = Schema.Struct({
  subject: Schema.String.check(Schema.isPattern(/^erp\.[^\s.*>]+\.[^\s.*>]+\.[^\s*>]+$/u, {
    message: "the subject must be erp.<entity>.<domain>.<event>",
  })),
  headers: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  envelope: Schema.optionalKey(Fields),
  raw: Schema.optionalKey(Schema.String.check(Schema.isBase64())),
  at: Schema.optionalKey(Schema.Union([Schema.Finite, Schema.String])),
})

const parseLine = Schema.decodeUnknownResult(Schema.fromJsonString(Fields))
const fixtureOf = Schema.decodeUnknownResult(FixtureLine)
const isEntity = Schema.is(EntityCode)
const encoder = new TextEncoder()

export interface LineOptions {
  /** Entity of CloudEvents that name none; null: they are invalid. */
  readonly entity: string | null
  /** Configured entities; empty when the configuration has none, then any will do. */
  readonly entities: ReadonlySet<string>
  readonly flows: ReadonlyArray<Flow>
  /** Publish what the service would refuse, too. */
  readonly unchecked: boolean
}

export interface Line {
  /** Name of the flow, `raw` for bytes that were not checked. */
  readonly flow: string
  readonly publication: Publication
  /** When it was published, milliseconds from the line's own beginning of time; null when the line does not say. */
  readonly atMillis: number | null
}

interface Made extends Pick<Line, "publication" | "atMillis"> {
  readonly raw: boolean
}

const momentOf = (at: number | string | undefined): number | null => {
  const millis = typeof at === "string" ? Date.parse(at) : at
  return millis === undefined || Number.isNaN(millis) ? null : millis
}

const text = (value: unknown): string => typeof value === "string" ? value : ""

/** The same bytes on the same subject are the same message. */
const digestOf = (subject: string, data: Uint8Array): string =>
  createHash("sha256").update(subject).update("\0").update(data).digest("hex").slice(0, 32)

const structured = (
  subject: string,
  envelope: { readonly [name: string]: unknown },
  headers: Readonly<Record<string, string>>,
): Publication => {
  const data = encoder.encode(JSON.stringify(envelope))
  const [source, id] = [text(envelope["source"]), text(envelope["id"])]
  return {
    subject,
    headers: { "content-type": "application/cloudevents+json", ...headers },
    data,
    messageId: headers["nats-msg-id"] ?? (source === "" || id === "" ? digestOf(subject, data) : `${source}#${id}`),
  }
}

const lowerCased = (headers: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

/** The line as a message, or why it is none. */
const publicationOf = (
  line: string,
  entity: string | null,
): Result.Result<Made, string> => {
  const parsed = parseLine(line)
  if (Result.isFailure(parsed)) return Result.fail("not a JSON object")
  const fields = parsed.success
  if (fields["specversion"] === undefined) {
    const decoded = fixtureOf(fields)
    if (Result.isFailure(decoded)) return Result.fail(decoded.failure.message.replaceAll("\n", " "))
    const { at, envelope, headers, raw, subject } = decoded.success
    const atMillis = momentOf(at)
    if ((envelope === undefined) === (raw === undefined)) {
      return Result.fail("needs either envelope or raw, or the attributes of a CloudEvent")
    }
    const names = lowerCased(headers)
    if (envelope !== undefined) {
      return Result.succeed({ publication: structured(subject, envelope, names), atMillis, raw: false })
    }
    const data = new Uint8Array(Buffer.from(raw ?? "", "base64"))
    const messageId = names["nats-msg-id"] ?? digestOf(subject, data)
    return Result.succeed({ publication: { subject, headers: names, data, messageId }, atMillis, raw: true })
  }
  const code = fields["entity"] ?? entity
  if (!isEntity(code)) return Result.fail("names no legal entity: add the attribute entity, or use --entity")
  const type = text(fields["type"]).split(".").slice(0, 2).join(".")
  const atMillis = momentOf(text(fields["time"]))
  return Result.succeed({ publication: structured(`erp.${code}.${type}`, fields, {}), atMillis, raw: false })
}

/** Reads lines; decoders are built once. */
export const makeLineReader = ({ entities, entity, flows, unchecked }: LineOptions) => {
  const decoders = new Map(flows.map((flow) => [flow.domain, { name: flow.name, decoder: makeDecoder(flow) }]))
  return (line: string): Result.Result<Line, string> => {
    const made = publicationOf(line, entity)
    if (Result.isFailure(made)) return Result.fail(made.failure)
    const { atMillis, publication, raw } = made.success
    const [, code = "", domain = ""] = publication.subject.split(".")
    const flow = decoders.get(domain)
    if (raw || unchecked) return Result.succeed({ flow: raw ? "raw" : flow?.name ?? "unknown", publication, atMillis })
    if (entities.size > 0 && !entities.has(code)) {
      return Result.fail(`EVENT-UNKNOWN-ENTITY: the configuration has no entity ${code}`)
    }
    if (flow === undefined) return Result.fail(`EVENT-UNKNOWN-TYPE: no flow for ${domain}`)
    const { rejection } = flow.decoder.held({
      eventId: publication.messageId,
      flow: flow.name,
      key: "",
      streamSequence: 0,
      storedAtMillis: 0,
      attempts: 0,
      message: publication,
    })
    return rejection === null
      ? Result.succeed({ flow: flow.name, publication, atMillis })
      : Result.fail(`${rejection.code}: ${rejection.detail}`)
  }
}
