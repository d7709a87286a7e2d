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
import { AckPolicy, DeliverPolicy } from "@nats-io/jetstream"
import { nanos } from "@nats-io/transport-node"
import { Effect, Queue, Stream } from "effect"
import { BrokerError, type ConsumeRequest, type Delivery } from "../Broker.ts"
import { attempt, type Client } from "./Client.ts"
import { consumerName, deleteSuperseded, isNameable } from "./consumerName.ts"
import { makeFeed } from "./Feed.ts"

/** The broker redelivers what is neither acknowledged nor reported as `working` for so long. */
export const ACK_WAIT_MILLIS = 60_000
/** The broker deletes a consumer that nobody pulls from for so long. */
const INACTIVE_MILLIS = 600_000
/** The broker says that it is alive so often while there is nothing to deliver; two missing ones are looked into. */
const HEARTBEAT_MILLIS = 2_000
/** Most messages of one pull. */
const MAX_PULL = 512

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

const refuse = (message: string) => new BrokerError({ reason: "Refused", operation: "consume", message })

/**
 * A stream that ends before `afterSequence` has lost its end or is another one. Its next messages get numbers that count
 * as settled, and a consumer would skip them without a word.
 */
const reaches = (client: Client, stream: string, { afterSequence, flow, entity }: ConsumeRequest) =>
  afterSequence === 0 ? Effect.void : attempt(client, "consume", () => client.jsm.streams.info(stream)).pipe(
    Effect.flatMap(({ state }) =>
      state.last_seq >= afterSequence ? Effect.void : Effect.fail(refuse(
        `stream ${stream} ends at ${state.last_seq}, but ${entity} ${flow} is settled up to ${afterSequence}: the ` +
          "stream was lost, replaced or restored, and its new events would be skipped. Restore the stream; or stop " +
          "Weir, delete the rows of weir.checkpoint and start it: events that are settled are recognised.",
      ))
    ),
  )

export const consume = (client: Client, request: ConsumeRequest): Stream.Stream<Delivery, BrokerError> =>
  Stream.unwrap(Effect.gen(function* () {
    if (!isNameable(request)) {
      return yield* refuse(`"${request.entity}" and "${request.flow}" cannot name a consumer`)
    }
    if (!(request.maxInFlight > 0)) return yield* refuse("maxInFlight must be 1 or more")
    const stream = client.streamOf(request.subject)
    yield* reaches(client, stream, request)
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
