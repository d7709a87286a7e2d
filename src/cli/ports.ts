/** Broker and ledger for commands: they connect once and say so when it does not work, instead of waiting. */
import { Effect, Layer, type Redacted } from "effect"
import { Broker, type BrokerError } from "../broker/Broker.ts"
import * as JetStreamBroker from "../broker/JetStreamBroker.ts"
import type { Settings } from "../config/Configuration.ts"
import { connectionOf } from "../config/connection.ts"
import type { SecretMissing } from "../config/Secret.ts"
import { Ledger, type LedgerError } from "../ledger/Ledger.ts"
import * as PgLedger from "../ledger/PgLedger.ts"
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

/** The client behind the ledger. Migrates nothing. */
export const postgresOf = (postgresUrl: Redacted.Redacted) =>
  PgLedger.connect({ url: postgresUrl, poolSize: POOL_SIZE, applicationName: "weir-cli" })

/** The ledger as it is; only `weir run` migrates. */
export const ledgerOf = (postgresUrl: Redacted.Redacted): Layer.Layer<Ledger, LedgerError> =>
  Layer.effect(Ledger, Effect.map(postgresOf(postgresUrl), (sql) => PgLedger.fromClient(sql)))

/** What a command says when a port does not answer. */
export const unanswered = (error: BrokerError | LedgerError | SecretMissing): CommandFailed => {
  switch (error._tag) {
    case "SecretMissing":
      return new CommandFailed({ exit: exitCodes.usage, message: error.message })
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
