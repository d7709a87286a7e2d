/**
 * The port to the log of events: NATS JetStream (`JetStreamBroker.ts`) or memory (`MemoryBroker.ts`). Both pass
 * `test/broker/Broker.suite.ts`.
 *
 * Subjects: `erp.<entity>.<domain>.<event>` comes in, `erp-out.<entity>.<domain>.<event>` goes out.
 */
import { Context, type Effect, Schema, type Stream } from "effect"

/** What lies on the wire. Header names are lower-case. */
export interface Message {
  readonly subject: string
  readonly headers: Readonly<Record<string, string>>
  readonly data: Uint8Array
}

/** A message as the stream keeps it. */
export interface StoredMessage extends Message {
  /** Position in the stream, from 1, with gaps. */
  readonly streamSequence: number
  /** When the broker stored it, epoch milliseconds. */
  readonly storedAtMillis: number
}

/** A message in flight: delivered, and its outcome not durable yet. */
export interface Delivery extends StoredMessage {
  /** Delivered before. A broker may do so as long as there was no ack. */
  readonly redelivered: boolean
  /**
   * Its outcome is durable: its place in flight is another one's. Neither blocks nor throws. That the broker hears of it is
   * not certain, and a lost one costs nothing but a redelivery, because the ledger knows what is settled.
   */
  ack(): void
}

export interface Publication extends Message {
  /** Deduplication id (`Nats-Msg-Id`): the broker drops a second one within its window. */
  readonly messageId: string
}

export interface Published {
  readonly streamSequence: number
  /** The broker had this message id already. */
  readonly duplicate: boolean
}

export interface ConsumeRequest {
  /** Names the consumer. One owner at a time: opening it deletes the ones of smaller epochs. */
  readonly entity: string
  readonly flow: string
  readonly epoch: number
  /** Subject to consume, wildcards allowed: `erp.be01.timesheet.>`. */
  readonly subject: string
  /** Deliver what lies strictly after this stream sequence; 0 from the beginning. */
  readonly afterSequence: number
  /** At most so many messages without ack, here and on the way. */
  readonly maxInFlight: number
}

export interface BrokerDescription {
  readonly server: string
  readonly version: string
  readonly jetstream: boolean
  readonly stream: {
    readonly name: string
    readonly messages: number
    readonly bytes: number
    readonly firstSequence: number
    readonly lastSequence: number
    readonly storage: "file" | "memory"
    readonly replicas: number
  }
}

/**
 * - `Unreachable`: retry.
 * - `Refused`: the broker says no (permissions, JetStream off, a stream with other settings): configuration, stop and say so.
 * - `Interrupted`: a delivery is missing or the consumer is gone. Open a fresh consumer at the ledger's checkpoint.
 */
export class BrokerError extends Schema.TaggedError<BrokerError>()("BrokerError", {
  reason: Schema.Literals(["Unreachable", "Refused", "Interrupted"]),
  operation: Schema.String,
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect()),
}) {
  get isRetryable(): boolean {
    return this.reason !== "Refused"
  }
}

export class Broker extends Context.Service<Broker, {
  /** Server and stream as they are now. */
  readonly describe: Effect.Effect<BrokerDescription, BrokerError>
  /** Creates the streams that are missing; leaves existing ones as they are. Idempotent. */
  readonly provision: Effect.Effect<void, BrokerError>
  /** Publishes with confirmation, in order, and answers in the same order. */
  readonly publish: (publications: ReadonlyArray<Publication>) => Effect.Effect<ReadonlyArray<Published>, BrokerError>
  /**
   * Messages in stream order, in chunks, back-pressured: no more than `maxInFlight` without ack. When the stream is
   * closed the consumer is deleted. Never ends by itself; fails with `Interrupted` when continuity is lost.
   */
  readonly consume: (request: ConsumeRequest) => Stream.Stream<Delivery, BrokerError>
  /** Messages not yet delivered to the (entity, flow, epoch)'s consumer, as the broker counts them. */
  readonly backlog: (
    consumer: Pick<ConsumeRequest, "entity" | "flow" | "epoch" | "subject" | "afterSequence">,
  ) => Effect.Effect<number, BrokerError>
  /**
   * Reads what is stored, without consuming: from `fromSequence`, and from what was stored at `fromMillis` (epoch
   * milliseconds; left out: at any time), up to the last message at the time of the call.
   */
  readonly read: (
    range: { readonly subject: string; readonly fromSequence: number; readonly fromMillis?: number },
  ) => Stream.Stream<StoredMessage, BrokerError>
  /** Stream sequence of the last message under `subject`, wildcards allowed; 0 when it holds none. */
  readonly lastSequence: (subject: string) => Effect.Effect<number, BrokerError>
  /** How many messages each subject under `pattern` holds. */
  readonly subjects: (pattern: string) => Effect.Effect<ReadonlyMap<string, number>, BrokerError>
}>()("weir/broker/Broker") {}
