/** Publishing with confirmation: many in flight, sent and answered in order. */
import { headers } from "@nats-io/transport-node"
import { Effect } from "effect"
import type { BrokerError, Publication, Published } from "../Broker.ts"
import { attempt, type Client } from "./Client.ts"

/** Most publications without confirmation. */
const WINDOW = 512
/** Most bytes without confirmation; one publication is always allowed. */
const WINDOW_BYTES = 8 * 1024 * 1024

const PLAIN = /^[\x21-\x24\x26-\x7e]+$/

/** A header takes no line break and loses outer blanks. Percent-encoded where needed: different ids stay different. */
const wireId = (id: string): string => PLAIN.test(id) ? id : encodeURIComponent(id.toWellFormed())

const headersOf = (publication: Publication) => {
  const wire = headers()
  for (const name in publication.headers) wire.set(name, publication.headers[name]!)
  return wire
}

/** A failure stops the sending: what comes after it in the list is not published, some of what was in flight may be. */
export const publish = (
  client: Client,
  publications: ReadonlyArray<Publication>,
  timeoutMillis: number,
): Effect.Effect<ReadonlyArray<Published>, BrokerError> =>
  attempt(client, "publish", async (signal) => {
    const answers: Array<Published> = []
    const waiting: Array<Promise<Published>> = []
    let bytes = 0
    // Awaits the oldest: answers come out in order, and the first failure in order is the one thrown.
    const settleOldest = async () => {
      const index = answers.length
      answers.push(await waiting[index]!)
      bytes -= publications[index]!.data.length
    }
    for (const publication of publications) {
      const size = publication.data.length
      while (
        waiting.length > answers.length && (waiting.length - answers.length >= WINDOW || bytes + size > WINDOW_BYTES)
      ) await settleOldest()
      signal.throwIfAborted()
      const answer = client.js.publish(publication.subject, publication.data, {
        msgID: wireId(publication.messageId),
        headers: headersOf(publication),
        timeout: timeoutMillis,
      }).then((ack): Published => ({ streamSequence: ack.seq, duplicate: ack.duplicate }))
      // The failure is thrown where it is awaited; until then it must not count as unhandled.
      answer.catch(() => undefined)
      waiting.push(answer)
      bytes += size
    }
    while (answers.length < waiting.length) await settleOldest()
    return answers
  })
