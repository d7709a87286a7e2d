/**
 * Publishing with confirmation: many in flight, sent and answered in order. One subscription takes all confirmations;
 * the client's own request per message (a promise chain and a timer each) is several times slower.
 */
import { JetStreamApiError } from "@nats-io/jetstream"
import { createInbox, errors, headers, type Msg, type PermissionViolationError } from "@nats-io/transport-node"
import { Effect, type Scope } from "effect"
import type { BrokerError, Publication, Published } from "../Broker.ts"
import { attempt, type Client } from "./Client.ts"

/** Most publications of one call without confirmation. */
const WINDOW = 1_024
/** Most bytes of one call without confirmation; one publication is always allowed. */
const WINDOW_BYTES = 8 * 1024 * 1024

const NO_RESPONDERS = 503
const MESSAGE_ID = "Nats-Msg-Id"
const PLAIN = /^[\x21-\x24\x26-\x7e]+$/

/** A header takes no line break and loses outer blanks. Percent-encoded where needed: different ids stay different. */
const wireId = (id: string): string => PLAIN.test(id) ? id : encodeURIComponent(id.toWellFormed())

const headersOf = (publication: Publication) => {
  const wire = headers()
  // Each name comes once: `set` would look for an earlier one each time, twice.
  for (const name in publication.headers) if (name !== MESSAGE_ID) wire.append(name, publication.headers[name]!)
  wire.append(MESSAGE_ID, wireId(publication.messageId))
  return wire
}

interface Confirmation {
  readonly seq?: number
  readonly duplicate?: boolean
  readonly error?: ConstructorParameters<typeof JetStreamApiError>[0]
}

const publishedOf = (message: Msg): Published => {
  if (message.headers?.code === NO_RESPONDERS) throw new errors.NoRespondersError(message.subject)
  const { duplicate, error, seq } = message.json<Confirmation>()
  if (error !== undefined) throw new JetStreamApiError(error)
  if (seq === undefined) throw new errors.ProtocolError("the confirmation has no sequence")
  return { streamSequence: seq, duplicate: duplicate === true }
}

/** One call of `publish` under way. */
interface Call {
  readonly onConfirmation: (index: number, message: Msg) => void
  readonly onDenied: (denied: PermissionViolationError) => void
}

const run = (
  client: Client,
  publications: ReadonlyArray<Publication>,
  replyTo: (index: number) => string,
  timeoutMillis: number,
  register: (call: Call) => void,
  signal: AbortSignal,
): Promise<ReadonlyArray<Published>> =>
  new Promise((succeed, fail) => {
    const answers: Array<Published> = []
    let sent = 0
    let confirmed = 0
    let bytes = 0
    let confirmedAtCheck = 0

    const finish = (settle: () => void): void => {
      clearInterval(timer)
      signal.removeEventListener("abort", abort)
      sent = publications.length
      settle()
    }
    const abort = () => finish(() => fail(signal.reason))
    // No confirmation at all for so long: one timer for all of them.
    const timer = setInterval(() => {
      if (confirmed === confirmedAtCheck) finish(() => fail(new errors.TimeoutError()))
      confirmedAtCheck = confirmed
    }, timeoutMillis)
    signal.addEventListener("abort", abort)

    const send = (): void => {
      while (sent < publications.length) {
        const publication = publications[sent]!
        const inFlight = sent - confirmed
        if (inFlight >= WINDOW || (inFlight > 0 && bytes + publication.data.length > WINDOW_BYTES)) return
        client.nc.publish(publication.subject, publication.data, {
          headers: headersOf(publication),
          reply: replyTo(sent),
        })
        bytes += publication.data.length
        sent++
      }
    }
    const advance = (step: () => void): void => {
      try {
        step()
      } catch (cause) {
        // What comes after it in the list is not sent; what was in flight may be stored.
        finish(() => fail(cause))
      }
    }
    register({
      onConfirmation: (index, message) =>
        advance(() => {
          if (answers[index] !== undefined) return
          answers[index] = publishedOf(message)
          bytes -= publications[index]!.data.length
          if (++confirmed === publications.length) finish(() => succeed(answers))
          else send()
        }),
      onDenied: (denied) => {
        const concerned = publications.some(({ subject }, index) =>
          index < sent && answers[index] === undefined && subject === denied.subject
        )
        if (concerned) finish(() => fail(denied))
      },
    })
    advance(send)
  })

const isPublish = ({ operation }: PermissionViolationError): boolean => operation === "publish"

export interface Publisher {
  readonly publish: (publications: ReadonlyArray<Publication>) => Effect.Effect<ReadonlyArray<Published>, BrokerError>
}

export const makePublisher = (
  client: Client,
  timeoutMillis: number,
): Effect.Effect<Publisher, never, Scope.Scope> =>
  Effect.gen(function* () {
    const inbox = createInbox(client.inbox)
    const calls = new Map<string, Call>()
    let count = 0
    const onDenied = (denied: PermissionViolationError): void => {
      if (isPublish(denied)) { for (const call of [...calls.values()]) call.onDenied(denied) }
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => client.onDenied.add(onDenied)),
      () => Effect.sync(() => client.onDenied.delete(onDenied)),
    )
    yield* Effect.acquireRelease(
      Effect.sync(() =>
        client.nc.subscribe(`${inbox}.*.*`, {
          callback: (error, message) => {
            // A refused subscription: confirmations will not come, the calls time out and say so.
            if (error !== null) return
            const [call, index] = message.subject.slice(inbox.length + 1).split(".", 2)
            calls.get(call ?? "")?.onConfirmation(Number(index), message)
          },
        })
      ),
      (subscription) => Effect.sync(() => subscription.unsubscribe()),
    )
    return {
      publish: (publications) =>
        publications.length === 0 ? Effect.succeed([]) : attempt(client, "publish", async (signal) => {
          const id = String(count++)
          try {
            return await run(
              client,
              publications,
              (index) => `${inbox}.${id}.${index}`,
              timeoutMillis,
              (call) => calls.set(id, call),
              signal,
            )
          } finally {
            calls.delete(id)
          }
        }),
    }
  })
