/**
 * The broker on NATS JetStream, server 2.9 or newer. One connection per process, reconnecting for ever; what the port
 * promises is in `Broker.ts`, how each verb keeps it in `jetstream/`.
 */
import {
  jetstream,
  JetStreamApiError,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream"
import {
  credsAuthenticator,
  errors,
  nanos,
  nkeyAuthenticator,
  type NodeConnectionOptions,
  type PermissionViolationError,
} from "@nats-io/transport-node"
import { Duration, Effect, Layer, Redacted } from "effect"
import { Broker, type BrokerDescription, BrokerError } from "./Broker.ts"
import { attempt, type Client, type Shared } from "./jetstream/Client.ts"
import { consume } from "./jetstream/consume.ts"
import { consumerNames } from "./jetstream/consumerName.ts"
import { Doorbell } from "./jetstream/Doorbell.ts"
import { apiCode, failureOf, isApiCode } from "./jetstream/failure.ts"
import { Places } from "./jetstream/Places.ts"
import { makePublisher } from "./jetstream/publish.ts"
import { backlog, lastSequence, read, subjects } from "./jetstream/read.ts"
import { together } from "./jetstream/together.ts"
import { connect } from "./jetstream/transport.ts"

/** Events come in on these subjects and go out on those. */
export const IN_SUBJECTS = "erp.>"
export const OUT_SUBJECTS = "erp-out.>"

const RECONNECT_WAIT_MILLIS = 250
const RECONNECT_JITTER_MILLIS = 500
/** A server that answers no ping for two of these is taken for gone. */
const PING_MILLIS = 10_000
const CLEANUP_MILLIS = 2_000
/** Some 20 MB of decoded events. */
const MAX_IN_FLIGHT = 8_192
const DRAIN_MILLIS = 3_000

export interface JetStreamOptions {
  /** `nats://host:port`, several separated by commas or as a list. */
  readonly servers: string | ReadonlyArray<string>
  /** Content of a `.creds` file. */
  readonly credentials?: Redacted.Redacted
  readonly token?: Redacted.Redacted
  readonly user?: string
  readonly password?: Redacted.Redacted
  /** Seed of an nkey. */
  readonly nkey?: Redacted.Redacted
  /** Prefix of the subjects on which answers come. Default `_INBOX`. */
  readonly inbox?: string
  /** PEM files: authorities beyond those that the system trusts, a certificate of our own with its key. */
  readonly tls?: { readonly ca?: string; readonly certificate?: string; readonly key?: string }
  /** Most messages in flight over all consumers, beside 64 of each. Default 8192. */
  readonly maxInFlight?: number
  /** How the server lists this connection. Default `weir`. */
  readonly connectionName?: string
  /** Stream of `erp.>`. Default `ERP`. */
  readonly stream?: string
  /** Stream of `erp-out.>`. Default `ERP_OUT`. */
  readonly outStream?: string
  /** Replicas of streams that are created: 1, 3 or 5. Default 1. */
  readonly replicas?: number
  /** How long created streams keep a message. Default 90 days; zero: for ever. */
  readonly maxAge?: Duration.Input
  /** How long created streams know message ids. Default 2 minutes. */
  readonly duplicateWindow?: Duration.Input
  /** For the first connection and each reconnect. Default 5 seconds. */
  readonly connectTimeout?: Duration.Input
  /** For an answer of the broker, confirmations included. Default 5 seconds. */
  readonly requestTimeout?: Duration.Input
  /** How long a consumer that has nothing to deliver is kept. Default 1 minute. */
  readonly quietAfter?: Duration.Input
}

const millis = (input: Duration.Input | undefined, fallback: Duration.Input): number =>
  Duration.toMillis(Duration.fromInputUnsafe(input ?? fallback))

const authentication = (options: JetStreamOptions): NodeConnectionOptions => ({
  ...(options.credentials === undefined
    ? {}
    // The client finds the seed only when a line break follows its block; a secret comes without the file's last one.
    : { authenticator: credsAuthenticator(new TextEncoder().encode(`${Redacted.value(options.credentials)}\n`)) }),
  ...(options.nkey === undefined
    ? {}
    : { authenticator: nkeyAuthenticator(new TextEncoder().encode(Redacted.value(options.nkey).trim())) }),
  ...(options.token === undefined ? {} : { token: Redacted.value(options.token) }),
  ...(options.user === undefined ? {} : { user: options.user }),
  ...(options.password === undefined ? {} : { pass: Redacted.value(options.password) }),
})

const encryption = ({ tls }: JetStreamOptions): NodeConnectionOptions =>
  tls === undefined ? {} : {
    tls: {
      ...(tls.ca !== undefined && { caFile: tls.ca }),
      ...(tls.certificate !== undefined && { certFile: tls.certificate }),
      ...(tls.key !== undefined && { keyFile: tls.key }),
    },
  }

const inboxOf = ({ inbox }: JetStreamOptions): string => inbox ?? "_INBOX"

const serversOf = (options: JetStreamOptions): Array<string> =>
  (typeof options.servers === "string" ? options.servers.split(",") : [...options.servers]).map((url) => url.trim())

/** Connects once; a failure is the caller's to retry. From then on the client reconnects for ever. */
const open = (options: JetStreamOptions) =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: () =>
        connect({
          ...authentication(options),
          ...encryption(options),
          inboxPrefix: inboxOf(options),
          servers: serversOf(options),
          name: options.connectionName ?? "weir",
          timeout: millis(options.connectTimeout, "5 seconds"),
          maxReconnectAttempts: -1,
          reconnectTimeWait: RECONNECT_WAIT_MILLIS,
          reconnectJitter: RECONNECT_JITTER_MILLIS,
          pingInterval: PING_MILLIS,
          // A rotated password is no reason to give up for ever.
          ignoreAuthErrorAbort: true,
          // A stack trace per request costs more than the request.
          noAsyncTraces: true,
        }),
      catch: (cause) => {
        const error = failureOf("connect", true)(cause)
        return new BrokerError({
          reason: error.reason,
          operation: "connect",
          message: `no connection to ${serversOf(options).join(", ")}: ${error.message}`,
          cause,
        })
      },
    }),
    (nc) =>
      Effect.promise(async () => {
        if (nc.isClosed()) return
        // Draining sends what is buffered; a server that hears nothing must not hold up the shutdown.
        const late = new Promise<void>((done) => setTimeout(done, DRAIN_MILLIS).unref())
        await Promise.race([nc.drain().catch(() => undefined), late])
        await nc.close()
      }),
  )

/** What quiet flows do: see `Doorbell.ts`. */
const isListening = ({ operation, subject }: PermissionViolationError): boolean =>
  operation === "subscription" && subject.startsWith(IN_SUBJECTS.slice(0, -1))

const watch = ({ nc, onDenied, onReconnect }: Client) =>
  Effect.gen(function* () {
    const statuses = nc.status()[Symbol.asyncIterator]()
    let deaf = false
    while (true) {
      const next = yield* Effect.promise(() => statuses.next())
      if (next.done === true) return
      const status = next.value
      switch (status.type) {
        case "disconnect":
          yield* Effect.logWarning(`lost the connection to NATS at ${status.server}, reconnecting`)
          break
        case "reconnect":
          yield* Effect.logInfo(`connected to NATS at ${status.server} again`)
          for (const listener of onReconnect) listener()
          break
        case "error": {
          const { error } = status
          // Every flow that was quiet then has tried: one line for all.
          if (error instanceof errors.PermissionViolationError && isListening(error)) {
            if (!deaf) {
              yield* Effect.logWarning(
                `Weir may not subscribe to ${IN_SUBJECTS}: also flows that have nothing to deliver keep a consumer each. ` +
                  "Allow it, as deploy/nats/users.conf does, and start again.",
              )
            }
            deaf = true
            break
          }
          yield* Effect.logWarning(`NATS reports: ${error.message}`)
          if (error instanceof errors.PermissionViolationError) { for (const told of onDenied) told(error) }
          break
        }
        case "staleConnection":
        case "slowConsumer":
        case "ldm":
          yield* Effect.logWarning(`NATS reports ${status.type} at ${nc.getServer()}`)
      }
    }
  })

interface WantedStream {
  readonly name: string
  readonly subject: string
}

/** Creates the stream, or checks that the one of this name can be used. */
const provisionStream = async (client: Client, wanted: WantedStream, options: JetStreamOptions): Promise<void> => {
  const check = (config: StreamConfig) => {
    const problem = !config.subjects.includes(wanted.subject)
      ? `does not hold ${wanted.subject}`
      : config.retention !== RetentionPolicy.Limits
      ? `has retention ${config.retention}, needed is limits`
      : undefined
    if (problem === undefined) return
    throw new BrokerError({
      reason: "Refused",
      operation: "provision",
      message: `stream ${wanted.name} exists and ${problem}. Correct it or configure another stream name.`,
    })
  }
  try {
    return check((await client.jsm.streams.info(wanted.name)).config)
  } catch (cause) {
    if (!isApiCode(cause, apiCode.streamNotFound)) throw cause
  }
  try {
    await client.jsm.streams.add({
      name: wanted.name,
      subjects: [wanted.subject],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      num_replicas: options.replicas ?? 1,
      max_age: nanos(millis(options.maxAge, "90 days")),
      duplicate_window: nanos(millis(options.duplicateWindow, "2 minutes")),
    })
  } catch (cause) {
    // Another process was faster, perhaps with other settings.
    if (!(cause instanceof JetStreamApiError && cause.code === apiCode.streamNameInUse)) throw cause
    check((await client.jsm.streams.info(wanted.name)).config)
  }
}

const describe = (client: Client, stream: string) =>
  attempt(client, "describe", async (): Promise<BrokerDescription> => {
    const { config, state } = await client.jsm.streams.info(stream)
    return {
      server: client.nc.getServer(),
      version: client.nc.info?.version ?? "unknown",
      jetstream: client.nc.info?.jetstream === true,
      stream: {
        name: stream,
        messages: state.messages,
        bytes: state.bytes,
        firstSequence: state.first_seq,
        lastSequence: state.last_seq,
        storage: config.storage === StorageType.File ? "file" : "memory",
        replicas: config.num_replicas,
      },
    }
  })

export const make = Effect.fnUntraced(function* (options: JetStreamOptions) {
  const stream = options.stream ?? "ERP"
  const outStream = options.outStream ?? "ERP_OUT"
  const timeout = millis(options.requestTimeout, "5 seconds")
  const nc = yield* open(options)
  // Whether JetStream is on shows with the first call: without this check a connection needs no round trip more.
  const manager = (timeout: number) => Effect.promise(() => jetstreamManager(nc, { timeout, checkAPI: false }))
  const shared = new Map<string, Shared>()
  const client: Client = {
    nc,
    js: jetstream(nc, { timeout }),
    jsm: yield* manager(timeout),
    janitor: yield* manager(CLEANUP_MILLIS),
    streamOf: (subject) => subject.startsWith("erp-out.") ? outStream : stream,
    onReconnect: new Set(),
    onDenied: new Set(),
    inbox: inboxOf(options),
    places: new Places(options.maxInFlight ?? MAX_IN_FLIGHT),
    quietMillis: millis(options.quietAfter, "1 minute"),
    ofStream: (name) => shared.get(name)!,
  }
  yield* Effect.forkScoped(watch(client))
  for (const name of [stream, outStream]) {
    const doorbell = new Doorbell(client, name)
    shared.set(name, { doorbell, consumerNames: together(() => consumerNames(client, name)) })
    yield* Effect.forkScoped(doorbell.sweeping)
  }
  const publisher = yield* makePublisher(client, timeout)
  const provision = attempt(client, "provision", async () => {
    await provisionStream(client, { name: stream, subject: IN_SUBJECTS }, options)
    await provisionStream(client, { name: outStream, subject: OUT_SUBJECTS }, options)
  })
  return Broker.of({
    describe: describe(client, stream),
    provision,
    publish: publisher.publish,
    consume: (request) => consume(client, request),
    backlog: (consumer) => backlog(client, consumer),
    read: (range) => read(client, range),
    lastSequence: (subject) => lastSequence(client, subject),
    subjects: (pattern) => subjects(client, pattern),
  })
})

/** Connects when built: fails with `Unreachable` (retry) or `Refused` (credentials). */
export const layer = (options: JetStreamOptions): Layer.Layer<Broker, BrokerError> =>
  Layer.effect(Broker, make(options))
