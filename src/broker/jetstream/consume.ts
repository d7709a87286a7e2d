/**
 * A consumer's life. One durable pull consumer per (entity, flow, epoch), while there is something to deliver:
 *
 *   delete those of this and smaller epochs ─► quiet ─► create after what was brought last ─► asking ─► delete
 *                                                ▲                                             │ │         │
 *                                                └────────────── nothing came for a minute ◄───┼─┼─────────┘
 *                                    hole, deletion, silence, reconnect ─► Interrupted ◄───────┘
 *
 * Who is quiet and how it wakes: `Doorbell.ts`. What is asked for and what arrives: `Feed.ts`. Why all messages up to the floor are acknowledged with one line, and none
 * is ever delivered again: `docs/decisions/0003-flow-control.md`.
 */
import { AckPolicy, DeliverPolicy } from "@nats-io/jetstream"
import { createInbox, nanos, type PermissionViolationError, type Subscription } from "@nats-io/transport-node"
import { Effect, Schedule, Stream } from "effect"
import { BrokerError, type ConsumeRequest, type Delivery } from "../Broker.ts"
import { attempt, type Client } from "./Client.ts"
import { consumerName, deleteSuperseded, isNameable } from "./consumerName.ts"
import { Feed } from "./Feed.ts"

/** The broker delivers again what is not acknowledged for so long. Nobody waits for that: the feed drops it. */
const ACK_WAIT_MILLIS = 24 * 3_600_000
/** Most messages above the oldest unacknowledged one. Above the actor's own bound, so that it is never met. */
const MAX_ACK_PENDING = 100_000
/** The broker deletes a consumer that nobody pulls from for so long. */
const INACTIVE_MILLIS = 600_000
/** How often a feed is asked whether it still hears its broker. */
const CHECK = "1 second"

const create = (client: Client, stream: string, request: ConsumeRequest) =>
  client.jsm.consumers.add(stream, {
    durable_name: consumerName(request),
    filter_subject: request.subject,
    ack_policy: AckPolicy.All,
    ack_wait: nanos(ACK_WAIT_MILLIS),
    max_ack_pending: MAX_ACK_PENDING,
    inactive_threshold: nanos(INACTIVE_MILLIS),
    ...(request.afterSequence === 0
      ? { deliver_policy: DeliverPolicy.All }
      : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: request.afterSequence + 1 }),
  })

const refuse = (message: string) => new BrokerError({ reason: "Refused", operation: "consume", message })

/** Has something to deliver until it was quiet for a while. */
const awake = Effect.fnUntraced(function* (client: Client, stream: string, request: ConsumeRequest) {
  yield* Effect.acquireRelease(
    attempt(client, "consume", () => create(client, stream, request)),
    () =>
      attempt(client, "consume.close", () => client.janitor.consumers.delete(stream, consumerName(request))).pipe(
        // A newer epoch deleted it, or nobody hears us and the broker deletes it when it was idle for long enough.
        Effect.catch((error) => Effect.logDebug(`consumer ${consumerName(request)} not deleted: ${error.message}`)),
      ),
  )
  const feed = new Feed(client, stream, createInbox(client.inbox), request)
  // Requests that were on the way are lost, and with them what the broker answered.
  const onReconnect = () => feed.fail("the connection was lost")
  const onDenied = (denied: PermissionViolationError) => feed.denied(denied)
  yield* Effect.acquireRelease(
    attempt(client, "consume", () =>
      new Promise<Subscription>((done) => {
        client.onReconnect.add(onReconnect)
        client.onDenied.add(onDenied)
        done(client.nc.subscribe(feed.inbox, {
          callback: (error, message) => error === null ? feed.onMessage(message) : feed.fail(error.message),
        }))
      })),
    (subscription) =>
      Effect.sync(() => {
        feed.close()
        client.onReconnect.delete(onReconnect)
        client.onDenied.delete(onDenied)
        subscription.unsubscribe()
      }),
  )
  yield* Effect.sync(() => feed.check()).pipe(Effect.repeat(Schedule.spaced(CHECK)), Effect.forkScoped)
  feed.ask()
  return feed
})

export const consume = (client: Client, request: ConsumeRequest): Stream.Stream<Delivery, BrokerError> =>
  Stream.suspend(() => {
    if (!isNameable(request)) {
      return Stream.fail(refuse(`"${request.entity}" and "${request.flow}" cannot name a consumer`))
    }
    if (!(request.maxInFlight > 0)) return Stream.fail(refuse("maxInFlight must be 1 or more"))
    const stream = client.streamOf(request.subject)
    let { afterSequence } = request
    const quietThenAwake = Effect.gen(function* () {
      yield* client.ofStream(stream).doorbell.rings({ ...request, afterSequence })
      const feed = yield* awake(client, stream, { ...request, afterSequence })
      return Stream.fromPull(Effect.succeed(feed.pull)).pipe(
        Stream.onEnd(Effect.sync(() => void (afterSequence = feed.lastSequence))),
      )
    })
    return Stream.fromEffectDrain(attempt(client, "consume", () => deleteSuperseded(client, stream, request))).pipe(
      Stream.concat(Stream.forever(Stream.unwrap(quietThenAwake))),
    )
  })
