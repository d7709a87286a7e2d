/**
 * Looking at the stream without consuming. A reader has a short-lived consumer in the server's memory, for page after page:
 * it may pause for as long as it likes between two of them, and nothing stays behind.
 */
import { AckPolicy, type Consumer, type ConsumerInfo, DeliverPolicy, type StreamInfo } from "@nats-io/jetstream"
import { nanos } from "@nats-io/transport-node"
import { Effect, Option, Stream } from "effect"
import { elapsedMillis } from "../../telemetry/elapsed.ts"
import type { BrokerError, ConsumeRequest, StoredMessage } from "../Broker.ts"
import { attempt, type Client } from "./Client.ts"
import { consumerName } from "./consumerName.ts"
import { apiCode, interrupted, isApiCode } from "./failure.ts"
import { recordOf } from "./headers.ts"

/** Messages of one page. Small, so that what waits for a slow reader is no burden to the collector of garbage. */
const PAGE = 128
/** A page that is not complete by then is taken as far as it came. */
const PAGE_MILLIS = 5_000
/** Pages in a row without a single message although the broker promised some. */
const MAX_EMPTY_PAGES = 3
/** The consumer disappears by itself after so long without a page, should its deletion get lost. */
const INACTIVE_MILLIS = 30_000

interface From {
  readonly subject: string
  readonly fromSequence: number
  /** Begins with what was stored then; the sequence counts too. */
  readonly fromMillis?: number
}

/** Where a consumer begins. By time it may begin before the sequence: what is too early is left out afterwards. */
const startOf = ({ fromMillis, fromSequence }: From) =>
  fromMillis === undefined
    ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: Math.max(1, fromSequence) }
    : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(fromMillis).toISOString() }

/** A consumer that only looks. Its `num_pending` is the number of messages from there on. */
const lookFrom = (client: Client, from: From): Promise<ConsumerInfo> =>
  client.jsm.consumers.add(client.streamOf(from.subject), {
    filter_subject: from.subject,
    ack_policy: AckPolicy.None,
    ...startOf(from),
    inactive_threshold: nanos(INACTIVE_MILLIS),
    mem_storage: true,
    num_replicas: 1,
  })

/** Not awaited: the broker deletes an idle consumer by itself. */
const forget = (client: Client, { name, stream_name }: ConsumerInfo): void =>
  void client.janitor.consumers.delete(stream_name, name).catch(() => undefined)

const count = async (client: Client, from: From): Promise<number> => {
  const info = await lookFrom(client, from)
  forget(client, info)
  return info.num_pending
}

/** The consumer of a reader. */
interface Eye {
  readonly info: ConsumerInfo
  readonly consumer: Consumer
  /** Messages that it has brought, all of them without a hole. */
  brought: number
  usedMillis: number
}

class Reader {
  readonly #client: Client
  readonly #subject: string
  #eye: Eye | null = null

  constructor(client: Client, subject: string) {
    this.#client = client
    this.#subject = subject
  }

  /** The consumer that stands where `from` is; a new one where there is none, or the broker may have dropped it. */
  async #eyeFrom(from: Omit<From, "subject">, nowMillis: number): Promise<Eye> {
    if (this.#eye !== null && nowMillis - this.#eye.usedMillis < INACTIVE_MILLIS / 2) return this.#eye
    this.close()
    const info = await lookFrom(this.#client, { subject: this.#subject, ...from })
    this.#eye = {
      info,
      consumer: this.#client.js.consumers.getConsumerFromInfo(info),
      brought: 0,
      usedMillis: nowMillis,
    }
    return this.#eye
  }

  /** The next messages; fewer than were promised: some were lost on the way. */
  async page(from: Omit<From, "subject">, nowMillis: number): Promise<Page> {
    const eye = await this.#eyeFrom(from, nowMillis)
    const promised = Math.min(PAGE, eye.info.num_pending - eye.brought)
    const isNew = eye.brought === 0
    const messages: Array<StoredMessage> = []
    try {
      await this.#bring(eye, promised, messages)
    } catch (cause) {
      // One that was there before may be gone with the server that it was on: another one tells.
      if (isNew && messages.length === 0) {
        this.close()
        throw cause
      }
    }
    eye.usedMillis = nowMillis
    if (messages.length < promised) this.close()
    return { messages, isLast: messages.length === promised && eye.brought === eye.info.num_pending, promised }
  }

  async #bring(eye: Eye, promised: number, messages: Array<StoredMessage>): Promise<void> {
    if (promised === 0) return
    for await (const message of await eye.consumer.fetch({ max_messages: promised, expires: PAGE_MILLIS })) {
      const { deliverySequence, streamSequence, timestampNanos } = message.info
      // After a hole the page ends; the next one starts behind its last message.
      if (deliverySequence !== eye.brought + 1) return
      eye.brought += 1
      messages.push({
        subject: message.subject,
        headers: recordOf(message.headers),
        data: message.data,
        streamSequence,
        storedAtMillis: Math.floor(timestampNanos / 1_000_000),
      })
      if (messages.length === promised) return
    }
  }

  close(): void {
    if (this.#eye !== null) forget(this.#client, this.#eye.info)
    this.#eye = null
  }
}

interface Page {
  readonly messages: ReadonlyArray<StoredMessage>
  readonly promised: number
  /** Nothing was stored behind them when the reader's consumer was made. */
  readonly isLast: boolean
}

interface Cursor {
  readonly fromSequence: number
  /** Of the first page only: from then on the sequence tells where to go on. */
  readonly fromMillis?: number
  readonly emptyPages: number
}

export const read = (client: Client, { subject, ...from }: From): Stream.Stream<StoredMessage, BrokerError> =>
  Stream.unwrap(Effect.gen(function* () {
    const stream: StreamInfo = yield* attempt(client, "read", () => client.jsm.streams.info(client.streamOf(subject)))
    const last = stream.state.last_seq
    if (last < from.fromSequence) return Stream.empty
    const reader = yield* Effect.acquireRelease(
      Effect.sync(() => new Reader(client, subject)),
      (reader) => Effect.sync(() => reader.close()),
    )
    const next = Effect.fnUntraced(function* ({ emptyPages, ...cursor }: Cursor) {
      const nowMillis = yield* elapsedMillis
      const { isLast, messages, promised } = yield* attempt(client, "read", () => reader.page(cursor, nowMillis))
      const wanted = messages.filter(({ streamSequence }) =>
        streamSequence >= from.fromSequence && streamSequence <= last
      )
      const end = messages.at(-1)?.streamSequence ?? 0
      if (isLast || end >= last) return [wanted, Option.none<Cursor>()] as const
      if (messages.length > 0) return [wanted, Option.some({ fromSequence: end + 1, emptyPages: 0 } as Cursor)] as const
      if (emptyPages + 1 >= MAX_EMPTY_PAGES) {
        return yield* interrupted("read", `${promised} messages from ${cursor.fromSequence} on do not arrive`)
      }
      return [wanted, Option.some({ ...cursor, emptyPages: emptyPages + 1 } as Cursor)] as const
    })
    return Stream.paginate({ ...from, emptyPages: 0 } as Cursor, next)
  }))

export const backlog = (
  client: Client,
  consumer: Pick<ConsumeRequest, "entity" | "flow" | "epoch" | "subject" | "afterSequence">,
): Effect.Effect<number, BrokerError> =>
  Effect.suspend(() => {
    const stream = client.streamOf(consumer.subject)
    const name = consumerName(consumer)
    if (client.ofStream(stream).doorbell.isQuiet(name)) return Effect.succeed(0)
    return attempt(client, "backlog", async () => {
      try {
        const info = await client.jsm.consumers.info(stream, name)
        return info.num_pending
      } catch (cause) {
        if (!isApiCode(cause, apiCode.consumerNotFound)) throw cause
        // Another process's, most likely quiet: that is cheaper to see than to count.
        if (await lastOf(client, consumer.subject) <= consumer.afterSequence) return 0
        return await count(client, { subject: consumer.subject, fromSequence: consumer.afterSequence + 1 })
      }
    })
  })

/** By the stream's own index of subjects: it does not depend on any consumer. 0 when there is none. */
export const lastOf = async (client: Client, subject: string): Promise<number> => {
  const message = await client.jsm.streams.getMessage(client.streamOf(subject), { last_by_subj: subject })
  return message?.seq ?? 0
}

export const lastSequence = (client: Client, subject: string): Effect.Effect<number, BrokerError> =>
  attempt(client, "lastSequence", () => lastOf(client, subject))

export const subjects = (client: Client, pattern: string): Effect.Effect<ReadonlyMap<string, number>, BrokerError> =>
  attempt(client, "subjects", async () => {
    const info = await client.jsm.streams.info(client.streamOf(pattern), { subjects_filter: pattern })
    return new Map(Object.entries(info.state.subjects ?? {}))
  })
