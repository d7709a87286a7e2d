/**
 * A consumer's life. One durable pull consumer per (entity, flow, epoch):
 *
 *   delete those of this and smaller epochs -> create after `afterSequence` -> [pulling] -> stop -> delete
 *                                                     hole, deletion, silence, reconnect ──> Interrupted
 *
 * The broker numbers what it delivers to a consumer. A number that is missing means a message that is out and unknown
 * here, which would come back only after the ack wait, out of order: the stream fails and the owner opens a fresh one.
 *
 * Memory: the server sends at most `maxInFlight` messages without ack. Redeliveries may double that, never more.
 * No per-message fiber, no per-message promise: NATS calls back, the queue hands over arrays.
 */
import { AckPolicy, type ConsumerMessages, DeliverPolicy, type JsMsg } from "@nats-io/jetstream"
import { nanos } from "@nats-io/transport-node"
import { Cause, Effect, Queue, Stream } from "effect"
import { BrokerError, type ConsumeRequest, type Delivery } from "../Broker.ts"
import { attempt, type Client } from "./Client.ts"
import { apiCode, interrupted, isApiCode } from "./failure.ts"
import { recordOf } from "./headers.ts"

/** The broker redelivers what is neither acknowledged nor reported as `working` for so long. */
export const ACK_WAIT_MILLIS = 60_000
/** The broker deletes a consumer that nobody pulls from for so long. */
const INACTIVE_MILLIS = 600_000
/** The broker says that it is alive so often while there is nothing to deliver; two missing ones are looked into. */
const HEARTBEAT_MILLIS = 2_000
/** So many times in a row without message or heartbeat: the consumer is rebuilt, whatever it says about itself. */
const MAX_SILENCES = 3
/** Most messages of one pull. */
const MAX_PULL = 512
/** A message that the broker counts as delivered may be on the way for so long. */
const ARRIVAL_MILLIS = 1_000
/** A redelivery that finds the buffer full of first copies comes again after so long. */
const FULL_DELAY_MILLIS = 5_000
const MAX_NAMES_PAGES = 100

const NAME_PART = /^[A-Za-z0-9_-]{1,64}$/

const prefixOf = (consumer: Pick<ConsumeRequest, "entity" | "flow">): string =>
  `weir_${consumer.entity}_${consumer.flow}_e`

/** Entities have no underscore and epochs are digits only: no two (entity, flow, epoch) share a name. */
export const consumerName = (consumer: Pick<ConsumeRequest, "entity" | "flow" | "epoch">): string =>
  `${prefixOf(consumer)}${consumer.epoch}`

const epochOf = (name: string, prefix: string): number | undefined => {
  const rest = name.startsWith(prefix) ? name.slice(prefix.length) : ""
  return /^\d+$/.test(rest) ? Number(rest) : undefined
}

/** Names alone are a small answer; the client's own listing carries every consumer's whole state. */
const consumerNames = async (client: Client, stream: string): Promise<ReadonlyArray<string>> => {
  const names: Array<string> = []
  const { apiPrefix, timeout } = client.jsm.getOptions()
  for (let page = 0; page < MAX_NAMES_PAGES; page++) {
    const answer = await client.nc.request(
      `${apiPrefix ?? "$JS.API"}.CONSUMER.NAMES.${stream}`,
      JSON.stringify({ offset: names.length }),
      { timeout: timeout ?? 5_000 },
    )
    const body = answer.json<{ readonly consumers?: ReadonlyArray<string> | null; readonly total?: number }>()
    const batch = body.consumers ?? []
    names.push(...batch)
    if (batch.length === 0 || names.length >= (body.total ?? 0)) break
  }
  return names
}

const deleteSuperseded = async (client: Client, stream: string, request: ConsumeRequest): Promise<void> => {
  const prefix = prefixOf(request)
  for (const name of await consumerNames(client, stream)) {
    const epoch = epochOf(name, prefix)
    if (epoch === undefined || epoch > request.epoch) continue
    await client.jsm.consumers.delete(stream, name).catch((cause) => {
      if (!isApiCode(cause, apiCode.consumerNotFound)) throw cause
    })
  }
}

const create = (client: Client, stream: string, request: ConsumeRequest) =>
  client.jsm.consumers.add(stream, {
    durable_name: consumerName(request),
    filter_subject: request.subject,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ACK_WAIT_MILLIS),
    max_ack_pending: request.maxInFlight,
    inactive_threshold: nanos(INACTIVE_MILLIS),
    ...(request.afterSequence === 0
      ? { deliver_policy: DeliverPolicy.All }
      : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: request.afterSequence + 1 }),
  })

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

interface Feed {
  readonly onMessage: (message: JsMsg) => void
  /** Reads notices until the consumer stops. */
  readonly watch: (messages: ConsumerMessages) => Promise<void>
  readonly fail: (message: string) => void
  readonly close: () => void
}

const makeFeed = (
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

const refuse = (message: string) => new BrokerError({ reason: "Refused", operation: "consume", message })

export const consume = (client: Client, request: ConsumeRequest): Stream.Stream<Delivery, BrokerError> =>
  Stream.unwrap(Effect.gen(function* () {
    if (!NAME_PART.test(request.entity) || request.entity.includes("_") || !NAME_PART.test(request.flow)) {
      return yield* refuse(`"${request.entity}" and "${request.flow}" cannot name a consumer`)
    }
    if (!(request.maxInFlight > 0)) return yield* refuse("maxInFlight must be 1 or more")
    const stream = client.streamOf(request.subject)
    yield* attempt(client, "consume", () => deleteSuperseded(client, stream, request))
    const info = yield* Effect.acquireRelease(
      attempt(client, "consume", () => create(client, stream, request)),
      () =>
        attempt(client, "consume.close", () => client.janitor.consumers.delete(stream, consumerName(request))).pipe(
          // A newer epoch deleted it, or nobody hears us and the broker deletes it when it was idle for long enough.
          Effect.catch((error) => Effect.logDebug(`consumer ${consumerName(request)} not deleted: ${error.message}`)),
        ),
    )
    const queue = yield* Queue.bounded<Delivery, BrokerError>(2 * request.maxInFlight)
    const feed = makeFeed(client, stream, request, queue)
    // Acks that were on the way are lost. The broker would count those messages as in flight until the ack wait is over,
    // and with enough of them deliver nothing else: a fresh consumer does not wait.
    const onReconnect = () => feed.fail("the connection was lost")
    const messages = yield* Effect.acquireRelease(
      attempt(client, "consume", () =>
        client.js.consumers.getConsumerFromInfo(info).consume({
          max_messages: Math.min(request.maxInFlight, MAX_PULL),
          idle_heartbeat: HEARTBEAT_MILLIS,
          callback: feed.onMessage,
        })),
      (messages) =>
        Effect.suspend(() => {
          feed.close()
          client.onReconnect.delete(onReconnect)
          messages.stop()
          return Queue.shutdown(queue)
        }),
    )
    client.onReconnect.add(onReconnect)
    void feed.watch(messages)
    return Stream.fromQueue(queue)
  }))
