/** What a surge goes onto: servers that the lab has started itself, or those of a configuration. */
import type { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { Broker } from "../../broker/Broker.ts"
import type { StatusReport } from "../../operate/StatusReport.ts"
import type { Ledger } from "../../ledger/Ledger.ts"
import type { Odoo } from "../../odoo/Odoo.ts"
import type { Server } from "../lab/Server.ts"
import type { CommandFailed } from "../Failure.ts"

/** What the lab can do to what it has started itself. */
export interface Control {
  readonly servers: { readonly broker: Server; readonly database: Server; readonly odoo: Server }
  readonly weir: {
    readonly signal: (name: NodeJS.Signals) => Effect.Effect<void>
    /** `kill -9`; nobody wonders that it is gone until `start`. */
    readonly kill: Effect.Effect<void>
    readonly start: Effect.Effect<void>
  }
  /** A control endpoint of the stand-in: `pace`, `faults`. */
  readonly standIn: (method: "POST" | "DELETE", path: string, body: object) => Effect.Effect<void>
}

export interface Target {
  readonly kind: "lab" | "configured"
  /** In words, for the report. */
  readonly description: string
  readonly broker: Broker["Service"]
  readonly ledger: Ledger["Service"]
  /** The ledger's database, for the times of single events. */
  readonly sql: SqlClient.SqlClient
  readonly odoo: Odoo["Service"]
  /** Odoo's workers; null when unknown. */
  readonly odooWorkers: number | null
  /** The service's own report; null while it does not answer. */
  readonly status: Effect.Effect<StatusReport | null>
  /** The service's metrics in Prometheus' text; null while it does not answer. */
  readonly metrics: Effect.Effect<string | null>
  /** Seconds that all of Odoo's workers have been busy so far; null when it does not tell. */
  readonly busySeconds: Effect.Effect<number | null>
  /** Of the service, when it runs on this machine. */
  readonly pid: () => number | null
  /** Null where the lab has started nothing. */
  readonly control: Control | null
  /** Fails when something that the lab has started has ended by itself. */
  readonly alive: Effect.Effect<void, CommandFailed>
}
