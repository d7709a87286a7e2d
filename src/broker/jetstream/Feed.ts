/** What arrives for one consumer: checked for continuity, turned into deliveries, put into the stream's queue. */
import type { ConsumerMessages, JsMsg } from "@nats-io/jetstream"
import { Cause, Queue } from "effect"
import type { BrokerError, ConsumeRequest, Delivery } from "../Broker.ts"
import type { Client } from "./Client.ts"
import { consumerName } from "./consumerName.ts"
import { apiCode, interrupted, isApiCode } from "./failure.ts"
import { recordOf } from "./headers.ts"

/** So many times in a row without message or heartbeat: the consumer is rebuilt, whatever it says about itself. */
const MAX_SILENCES = 3
/** A message that the broker counts as delivered may be on the way for so long. */
const ARRIVAL_MILLIS = 1_000
/** A redelivery that finds the buffer full of first copies comes again after so long. */
const FULL_DELAY_MILLIS = 5_000

/** The client throws on a closed connection. A lost ack, nak or working costs a redelivery, nothing else. */
const quietly = (send: () => void): void => {
  try {
    send()
  } catch {
    // See above.
  }
}

const deliveryOf = (message: JsMsg): Delivery => {
  const { deliveryCount, streamSequence, timestampNanos } = message.info
  return {
    subject: message.subject,
    headers: recordOf(message.headers),
    data: message.data,
    streamSequence,
    storedAtMillis: Math.floor(timestampNanos / 1_000_000),
    redelivered: deliveryCount > 1,
    ack: () => quietly(() => message.ack()),
    working: () => quietly(() => message.working()),
    nak: (delayMillis) => quietly(() => message.nak(delayMillis)),
  }
}

export interface Feed {
  readonly onMessage: (message: JsMsg) => void
  /** Reads notices until the consumer stops. */
  readonly watch: (messages: ConsumerMessages) => Promise<void>
  readonly fail: (message: string) => void
  readonly close: () => void
}

export const makeFeed = (
  client: Client,
  stream: string,
  request: ConsumeRequest,
  queue: Queue.Queue<Delivery, BrokerError>,
): Feed => {
  const name = consumerName(request)
  let open = true
  let lastDelivered = 0
  let silences = 0
  let verifying = false

  const fail = (message: string): void => {
    if (!open) return
    open = false
    Queue.failCauseUnsafe(queue, Cause.fail(interrupted("consume", `${name}: ${message}`)))
  }

  const verifyOnce = async (): Promise<void> => {
    const info = await client.jsm.consumers.info(stream, name).catch((cause) => {
      if (isApiCode(cause, apiCode.consumerNotFound) || isApiCode(cause, apiCode.streamNotFound)) return undefined
      throw cause
    })
    if (info === undefined) return fail("the consumer is gone")
    if (info.delivered.consumer_seq <= lastDelivered) return
    await new Promise((done) => setTimeout(done, ARRIVAL_MILLIS))
    if (info.delivered.consumer_seq > lastDelivered) {
      fail(`${info.delivered.consumer_seq} deliveries went out, ${lastDelivered} arrived`)
    }
  }

  /** Compares what the broker says it delivered with what came. */
  const verify = (): void => {
    if (!open || verifying) return
    verifying = true
    verifyOnce().catch(() => undefined).finally(() => {
      // An unanswered question proves nothing: the next missed heartbeat asks again.
      verifying = false
    })
  }

  return {
    fail,
    onMessage: (message) => {
      if (!open) return
      const { deliverySequence } = message.info
      if (deliverySequence !== lastDelivered + 1) {
        return fail(`delivery ${deliverySequence} came after delivery ${lastDelivered}`)
      }
      lastDelivered = deliverySequence
      silences = 0
      // Its first copy is still in the buffer or with the pipeline: not one is lost by sending this one back.
      if (message.redelivered && Queue.sizeUnsafe(queue) >= request.maxInFlight) {
        return quietly(() => message.nak(FULL_DELAY_MILLIS))
      }
      if (!Queue.offerUnsafe(queue, deliveryOf(message))) fail("more messages came than may be in flight")
    },
    watch: async (messages) => {
      for await (const notice of messages.status()) {
        switch (notice.type) {
          case "consumer_deleted":
          case "consumer_not_found":
          case "stream_not_found":
            return fail("the consumer was deleted")
          case "heartbeat":
            silences = 0
            break
          case "heartbeats_missed":
            if (++silences >= MAX_SILENCES) return fail("the broker went silent")
            verify()
        }
      }
      fail("the subscription ended")
    },
    close: () => {
      open = false
    },
  }
}
