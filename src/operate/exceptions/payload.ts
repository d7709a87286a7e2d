/** The event in a held message: which spec it has, what it says, and the same message saying something else. */
import { Result, Schema } from "effect"
import { createHash } from "node:crypto"
import { makeDecoder } from "../../actor/decode.ts"
import type { Message } from "../../broker/Broker.ts"
import { parseEnvelope, type RawEnvelope } from "../../broker/cloudevents.ts"
import type { EventSpec, Flow } from "../../flow/Flow.ts"
import type { JsonValue } from "../../ledger/Amendments.ts"
import type { HeldEvent } from "../../ledger/Ledger.ts"

/** Hex SHA-256 of the bytes: names the very message that somebody saw. */
export const hashOf = ({ data }: Message): string => createHash("sha256").update(data).digest("hex")

/** The event as it came; null: the message holds none. */
export const envelopeOf = (message: Message): RawEnvelope | null => Result.getOrNull(parseEnvelope(message))

/** What knows events of this type, whatever their version. */
export const specOf = (flow: Flow | undefined, envelope: RawEnvelope | null): EventSpec<unknown> | null => {
  const [domain, event] = String(envelope?.["type"] ?? "").split(".")
  return flow?.events.find(({ type }) => type === `${domain}.${event}`) ?? null
}

const isStructured = (message: Message): boolean =>
  message.headers["ce-specversion"] === undefined ||
  message.headers["content-type"]?.toLowerCase().startsWith("application/cloudevents") === true

/** The same event with other data: attributes, headers and subject stay. */
export const withData = (message: Message, envelope: RawEnvelope, data: JsonValue): Message => ({
  ...message,
  data: new TextEncoder().encode(JSON.stringify(isStructured(message) ? { ...envelope, data } : data)),
})

export interface Reading {
  /** The business key that the payload says; null: it is not understood. */
  readonly key: string | null
  /** Why it is not understood. */
  readonly complaint: string
}

/** What the engine itself makes of a message. */
export const read = (flow: Flow, held: Omit<HeldEvent, "message">, message: Message): Reading => {
  const { payload, rejection } = makeDecoder(flow).held({ ...held, message })
  return payload === null
    ? { key: null, complaint: `${rejection?.code}: ${rejection?.detail}` }
    : { key: payload.spec.key(payload.data), complaint: "" }
}

/** Any JSON: what an event's data may be. */
export const Json: Schema.Codec<JsonValue> = Schema.suspend(() =>
  Schema.Union([
    Schema.Null,
    Schema.Boolean,
    Schema.Finite,
    Schema.String,
    Schema.Array(Json),
    Schema.Record(Schema.String, Json),
  ])
).annotate({ identifier: "Json" })
