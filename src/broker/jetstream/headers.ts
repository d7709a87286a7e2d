/** Headers as the port wants them: lower-case names, the first value of each. */
import { MsgImpl } from "@nats-io/nats-core/internal"
import type { Msg, MsgHdrs } from "@nats-io/transport-node"

/** Names that were seen, with their lower-case form: there are few, and lower-casing each again costs. */
const names = new Map<string, string>()
const MAX_NAMES = 1_000

const lowerCase = (name: string): string => {
  const known = names.get(name)
  if (known !== undefined) return known
  const lower = name.toLowerCase()
  if (names.size < MAX_NAMES) names.set(name, lower)
  return lower
}

export const recordOf = (headers: MsgHdrs | undefined): Record<string, string> => {
  const record: Record<string, string> = {}
  if (headers === undefined) return record
  for (const [name, values] of headers) {
    const value = values[0]
    const lower = lowerCase(name)
    if (value !== undefined && record[lower] === undefined) record[lower] = value
  }
  return record
}

const decoder = new TextDecoder()
const BEGIN = "NATS/1.0\r\n"
const END = "\r\n\r\n"

/**
 * The same for a delivered message, read from its bytes: the client's own headers are half of the garbage that it makes
 * of a message. They lie before the data as `NATS/1.0`, lines, and an empty line; where they do not, the client is asked.
 */
export const headersOf = (message: Msg, data: Uint8Array, subject: string, reply: string): Record<string, string> => {
  const length = message instanceof MsgImpl ? message.size() - data.length - subject.length - reply.length : 0
  const text = length > 0 && length <= data.byteOffset
    ? decoder.decode(new Uint8Array(data.buffer, data.byteOffset - length, length))
    : ""
  if (!text.startsWith(BEGIN) || !text.endsWith(END)) return recordOf(message.headers)
  const record: Record<string, string> = {}
  for (let at = BEGIN.length; at < text.length - 2;) {
    const end = text.indexOf("\r\n", at)
    const colon = text.indexOf(":", at)
    if (colon < at || colon > end) return recordOf(message.headers)
    const name = lowerCase(text.slice(at, colon))
    if (record[name] === undefined) record[name] = text.slice(colon + 1, end).trim()
    at = end + 2
  }
  return record
}
