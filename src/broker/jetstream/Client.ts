/** One connection to NATS with what the verbs in this folder share. */
import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream"
import type { NatsConnection, PermissionViolationError } from "@nats-io/transport-node"
import { Effect } from "effect"
import type { BrokerError } from "../Broker.ts"
import type { Doorbell } from "./Doorbell.ts"
import { failureOf } from "./failure.ts"
import type { Places } from "./Places.ts"

export interface Client {
  readonly nc: NatsConnection
  readonly js: JetStreamClient
  readonly jsm: JetStreamManager
  /** For cleaning up: the same with a short timeout. */
  readonly janitor: JetStreamManager
  /** Name of the stream that holds a subject or pattern. */
  readonly streamOf: (subject: string) => string
  /** Called after every reconnect, until removed. */
  readonly onReconnect: Set<() => void>
  /** Told what the server does not let us do; it answers nothing to whoever asked. Until removed. */
  readonly onDenied: Set<(denied: PermissionViolationError) => void>
  /** Prefix of the subjects on which answers come. */
  readonly inbox: string
  /** For messages of all consumers. */
  readonly places: Places
  /** Who has nothing to deliver for so long has no consumer. */
  readonly quietMillis: number
  /** What all consumers of a stream share. */
  readonly ofStream: (stream: string) => Shared
}

export interface Shared {
  readonly doorbell: Doorbell
  /** Names of all consumers there are, asked once for all who want to know. */
  readonly consumerNames: () => Promise<ReadonlyArray<string>>
}

/** Runs a call of the NATS client, with its failures as `BrokerError`. */
export const attempt = <A>(
  client: Pick<Client, "nc">,
  operation: string,
  call: (signal: AbortSignal) => Promise<A>,
): Effect.Effect<A, BrokerError> =>
  Effect.tryPromise({
    try: call,
    catch: (cause) => failureOf(operation, client.nc.info?.jetstream === true)(cause),
  })
