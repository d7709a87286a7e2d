/** Broker and ledger for commands: they connect once and say so when it does not work, instead of waiting. */
import { Effect, Layer, type Redacted, Stream } from "effect"
import { Broker, BrokerError } from "../broker/Broker.ts"
import * as JetStreamBroker from "../broker/JetStreamBroker.ts"
import type { Settings } from "../config/Configuration.ts"
import { connectionOf } from "../config/connection.ts"
import type { SecretMissing } from "../config/Secret.ts"
import { natsUrlOf, postgresUrlOf, type ServersError } from "../config/Servers.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import * as PgLedger from "../ledger/PgLedger.ts"
import * as PgPorts from "../ledger/PgPorts.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"

/** Connections of a command; the service has its own pool. */
const POOL_SIZE = 2

export const brokerOf = (settings: Settings, natsUrl: string) =>
  Layer.unwrap(
    Effect.map(
      connectionOf(settings, natsUrl),
      (options) => JetStreamBroker.layer({ ...options, connectionName: "weir-cli" }),
    ),
  ) satisfies Layer.Layer<Broker, BrokerError | SecretMissing>

/** Connects when it is asked first: most commands never ask. Whoever asks learns if that does not work. */
export const lazyBroker = (settings: Settings): Layer.Layer<Broker> =>
  Layer.effect(
    Broker,
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      const connected = yield* Effect.cached(
        Effect.gen(function* () {
          const url = yield* natsUrlOf(settings)
          return yield* Effect.provide(Broker, yield* Layer.buildWithScope(brokerOf(settings, url), scope))
        }).pipe(
          Effect.mapError(({ message }) => new BrokerError({ reason: "Unreachable", operation: "connect", message })),
        ),
      )
      return Broker.of({
        describe: Effect.flatMap(connected, (broker) => broker.describe),
        provision: Effect.flatMap(connected, (broker) => broker.provision),
        publish: (publications) => Effect.flatMap(connected, (broker) => broker.publish(publications)),
        consume: (request) => Stream.unwrap(Effect.map(connected, (broker) => broker.consume(request))),
        backlog: (consumer) => Effect.flatMap(connected, (broker) => broker.backlog(consumer)),
        read: (range) => Stream.unwrap(Effect.map(connected, (broker) => broker.read(range))),
        lastSequence: (subject) => Effect.flatMap(connected, (broker) => broker.lastSequence(subject)),
        subjects: (pattern) => Effect.flatMap(connected, (broker) => broker.subjects(pattern)),
      })
    }),
  )

/** The client behind the ledger. Migrates nothing. */
export const postgresOf = (postgresUrl: Redacted.Redacted) =>
  PgLedger.connect({ url: postgresUrl, poolSize: POOL_SIZE, applicationName: "weir-cli" })

/** The ledger's ports as they are; only `weir run` migrates. */
export const ledgerPorts = (
  settings: Settings,
): Effect.Effect<Layer.Layer<PgPorts.Ports, LedgerError>, CommandFailed> =>
  postgresUrlOf(settings).pipe(
    Effect.map((url) => Layer.effectContext(Effect.map(postgresOf(url), (sql) => PgPorts.fromClient(sql)))),
    Effect.mapError(unanswered),
  )

/** What a command says when a port does not answer. */
export const unanswered = (error: BrokerError | LedgerError | SecretMissing | ServersError): CommandFailed => {
  switch (error._tag) {
    case "SecretMissing":
      return new CommandFailed({ exit: exitCodes.usage, message: error.message })
    case "ServersError":
      return new CommandFailed({ exit: exitCodes.unreachable, message: error.message })
    case "BrokerError":
      return new CommandFailed({
        exit: error.reason === "Refused" ? exitCodes.failure : exitCodes.unreachable,
        message: `The broker does not do it: ${error.message}`,
      })
    case "LedgerError":
      return new CommandFailed({
        exit: error.reason === "Unavailable" ? exitCodes.unreachable : exitCodes.failure,
        message: `The ledger does not do it: ${error.message}`,
      })
  }
}
