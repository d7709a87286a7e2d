/**
 * Looking at the stream without consuming. Each page has a short-lived consumer of its own in the server's memory: a
 * reader may pause for as long as it likes between pages, and nothing stays behind.
 */
import { AckPolicy, type ConsumerInfo, DeliverPolicy, type StreamInfo } from "@nats-io/jetstream"
import { nanos } from "@nats-io/transport-node"
import { Effect, Option, Stream } from "effect"
import type { BrokerError, ConsumeRequest, StoredMessage } from "../Broker.ts"
import { attempt, type Client } from "./Client.ts"
import { consumerName } from "./consumerName.ts"
import { apiCode, interrupted, isApiCode } from "./failure.ts"
import { recordOf } from "./headers.ts"

/** Messages of one page. */
const PAGE = 512
/** A page that is not complete by then is taken as far as it came. */
const PAGE_MILLIS = 5_000
/** Pages in a row without a single message although the broker promised some. */
const MAX_EMPTY_PAGES = 3
/** The page's consumer disappears by itself after so long, should its deletion get lost. */
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

/** Opens a consumer that only looks, and closes it. Its `num_pending` is the number of messages from there on. */
const peek = async <A>(
  client: Client,
  from: From,
  body: (info: ConsumerInfo, stream: string) => Promise<A>,
): Promise<A> => {
  const stream = client.streamOf(from.subject)
  const info = await client.jsm.consumers.add(stream, {
    filter_subject: from.subject,
    ack_policy: AckPolicy.None,
    ...startOf(from),
    inactive_threshold: nanos(INACTIVE_MILLIS),
    mem_storage: true,
    num_replicas: 1,
  })
  try {
    return await body(info, stream)
  } finally {
    // Not awaited: the page is there, and the broker deletes an idle consumer by itself.
    client.janitor.consumers.delete(stream, info.name).catch(() => undefined)
  }
}

const readPage = (client: Client, from: From): Promise<ReadonlyArray<StoredMessage>> =>
  peek(client, from, async (info) => {
    const page: Array<StoredMessage> = []
    const promised = Math.min(PAGE, info.num_pending)
    if (promised === 0) return page
    const messages = await client.js.consumers.getConsumerFromInfo(info).fetch({
      max_messages: promised,
      expires: PAGE_MILLIS,
    })
    for await (const message of messages) {
      const { deliverySequence, streamSequence, timestampNanos } = message.info
      // After a hole the page ends; the next one starts behind its last message.
      if (deliverySequence !== page.length + 1) break
      page.push({
        subject: message.subject,
        headers: recordOf(message.headers),
        data: message.data,
        streamSequence,
        storedAtMillis: Math.floor(timestampNanos / 1_000_000),
      })
      if (page.length === promised) break
    }
    return page
  })

const count = (client: Client, from: From): Promise<number> =>
  peek(client, from, (info) => Promise.resolve(info.num_pending))

interface Cursor {
  readonly next: number
  /** Of the first page only: from then on the sequence tells where to go on. */
  readonly fromMillis?: number
  readonly emptyPages: number
}

const fromOf = ({ fromMillis, fromSequence }: From) => ({
  next: fromSequence,
  ...(fromMillis !== undefined && { fromMillis }),
})

export const read = (client: Client, range: From): Stream.Stream<StoredMessage, BrokerError> =>
  Stream.unwrap(
    attempt(client, "read", () => client.jsm.streams.info(client.streamOf(range.subject))).pipe(
      Effect.map((info: StreamInfo) => {
        const last = info.state.last_seq
        const next = Effect.fnUntraced(function* (cursor: Cursor) {
          const { fromMillis, next } = cursor
          const from = { subject: range.subject, fromSequence: next, ...(fromMillis !== undefined && { fromMillis }) }
          const page = yield* attempt(client, "read", () => readPage(client, from))
          const wanted = page.filter(({ streamSequence }) =>
            streamSequence >= range.fromSequence && streamSequence <= last
          )
          const end = page.at(-1)
          if (end !== undefined) {
            const done = end.streamSequence >= last
            return [
              wanted,
              done ? Option.none() : Option.some({ next: end.streamSequence + 1, emptyPages: 0 } as Cursor),
            ] as const
          }
          const left = yield* attempt(client, "read", () => count(client, from))
          if (left === 0) return [wanted, Option.none<Cursor>()] as const
          if (cursor.emptyPages + 1 >= MAX_EMPTY_PAGES) {
            return yield* interrupted("read", `${left} messages from ${cursor.next} on do not arrive`)
          }
          return [wanted, Option.some({ ...cursor, emptyPages: cursor.emptyPages + 1 })] as const
        })
        return last < range.fromSequence
          ? Stream.empty
          : Stream.paginate({ ...fromOf(range), emptyPages: 0 } as Cursor, next)
      }),
    ),
  )

export const backlog = (
  client: Client,
  consumer: Pick<ConsumeRequest, "entity" | "flow" | "epoch" | "subject" | "afterSequence">,
): Effect.Effect<number, BrokerError> =>
  attempt(client, "backlog", async () => {
    try {
      const info = await client.jsm.consumers.info(client.streamOf(consumer.subject), consumerName(consumer))
      return info.num_pending
    } catch (cause) {
      if (!isApiCode(cause, apiCode.consumerNotFound)) throw cause
      return await count(client, { subject: consumer.subject, fromSequence: consumer.afterSequence + 1 })
    }
  })

/** By the stream's own index of subjects: it does not depend on any consumer. */
export const lastSequence = (client: Client, subject: string): Effect.Effect<number, BrokerError> =>
  attempt(client, "lastSequence", async () => {
    const message = await client.jsm.streams.getMessage(client.streamOf(subject), { last_by_subj: subject })
    return message?.seq ?? 0
  })

export const subjects = (client: Client, pattern: string): Effect.Effect<ReadonlyMap<string, number>, BrokerError> =>
  attempt(client, "subjects", async () => {
    const info = await client.jsm.streams.info(client.streamOf(pattern), { subjects_filter: pattern })
    return new Map(Object.entries(info.state.subjects ?? {}))
  })
