/** A stream in memory: messages in order, and the message ids of the last minutes. */
import type { Publication, Published, StoredMessage } from "../Broker.ts"

export interface Log {
  readonly name: string
  /** Index is stream sequence - 1. */
  readonly messages: ReadonlyArray<StoredMessage>
  readonly bytes: () => number
  /** Stores the message, unless its id came within the duplicate window. */
  readonly append: (publication: Publication, nowMillis: number) => Published
}

export const makeLog = (name: string, duplicateWindowMillis: number): Log => {
  const messages: Array<StoredMessage> = []
  // In order of time, the oldest first: Map keeps the order of insertion.
  const ids = new Map<string, { readonly sequence: number; readonly atMillis: number }>()
  let bytes = 0
  const forget = (nowMillis: number): void => {
    for (const [id, seen] of ids) {
      if (seen.atMillis + duplicateWindowMillis > nowMillis) return
      ids.delete(id)
    }
  }
  return {
    name,
    messages,
    bytes: () => bytes,
    append: ({ data, headers, messageId, subject }, nowMillis) => {
      forget(nowMillis)
      const seen = ids.get(messageId)
      if (seen !== undefined) return { streamSequence: seen.sequence, duplicate: true }
      const streamSequence = messages.length + 1
      ids.set(messageId, { sequence: streamSequence, atMillis: nowMillis })
      const lowerCase = Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value])
      const stored = { "nats-msg-id": messageId, ...Object.fromEntries(lowerCase) }
      messages.push({ subject, headers: stored, data, streamSequence, storedAtMillis: nowMillis })
      bytes += data.length
      return { streamSequence, duplicate: false }
    },
  }
}
