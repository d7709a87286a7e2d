/** One row a line, and which row a line is. Lines of events are what `weir replay --file` and `weir publish` read. */
import { Schema } from "effect"
import type { StoredMessage } from "../broker/Broker.ts"
import type { ArchiveKind, Leaver } from "../ledger/Archives.ts"
import type { Line } from "./Vault.ts"

const decoder = new TextDecoder("utf-8", { fatal: true })

/** The message as JSON, where that says every byte of it; undefined: it does not. */
const envelopeOf = ({ data, headers }: StoredMessage): unknown => {
  if (headers["content-type"]?.startsWith("application/cloudevents+json") !== true) return undefined
  try {
    const text = decoder.decode(data)
    const envelope = JSON.parse(text) as unknown
    const isObject = typeof envelope === "object" && envelope !== null && !Array.isArray(envelope)
    return isObject && JSON.stringify(envelope) === text ? envelope : undefined
  } catch {
    return undefined
  }
}

/** An event as it came, with what became of it. */
export const eventLine = (message: StoredMessage, { atMillis, row }: Leaver): Line => {
  const { data, headers, storedAtMillis, subject } = message
  const envelope = envelopeOf(message)
  return {
    atMillis,
    text: JSON.stringify({
      subject,
      headers,
      at: new Date(storedAtMillis).toISOString(),
      ...(envelope === undefined ? { raw: Buffer.from(data).toString("base64") } : { envelope }),
      ledger: row,
    }),
  }
}

/** A row of any kind; of an event whose message the stream has no more, what became of it. */
export const rowLine = (kind: ArchiveKind) => ({ atMillis, row }: Leaver): Line => ({
  atMillis,
  text: JSON.stringify(kind === "events" ? { ledger: row } : row),
})

const Event = Schema.fromJsonString(Schema.Struct({ ledger: Schema.Struct({ eventId: Schema.String }) }))
const Numbered = Schema.fromJsonString(Schema.Struct({
  position: Schema.optionalKey(Schema.Int),
  id: Schema.optionalKey(Schema.Int),
  sequence: Schema.optionalKey(Schema.Int),
  runId: Schema.optionalKey(Schema.String),
}))

const ids: Readonly<Record<ArchiveKind, (line: string) => string>> = {
  events: (line) => Schema.decodeUnknownSync(Event)(line).ledger.eventId,
  exceptions: (line) => String(Schema.decodeUnknownSync(Numbered)(line).position),
  corrections: (line) => String(Schema.decodeUnknownSync(Numbered)(line).id),
  audit: (line) => String(Schema.decodeUnknownSync(Numbered)(line).sequence),
  runs: (line) => String(Schema.decodeUnknownSync(Numbered)(line).runId),
}

/** The id under which the ledger has the row of a line. */
export const idIn = (kind: ArchiveKind, line: string): string => ids[kind](line)
