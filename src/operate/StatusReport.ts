/** What is shown of every legal entity and flow. */
import { Schema } from "effect"
import { State } from "../actor/Board.ts"
import { Credential } from "./Credentials.ts"

/** One flow of one legal entity. */
export const StatusRow = Schema.Struct({
  entity: Schema.String,
  flow: Schema.String,
  /** As the actor says; `stopped` when no process runs it. */
  state: State,
  mode: Schema.Literals(["full", "essential", "drafts", "hold", "shadow"]),
  /** Who decided the mode, why and until when; empty: Weir itself. */
  decided: Schema.String,
  /** Who paused the flow, why and until when; empty: nobody. */
  paused: Schema.String,
  /** The entity closes its books: who says so, until when and why; empty: it does not. */
  close: Schema.String,
  /** The worst circuit of what the flow needs: `closed`, or the dependency that it waits for. */
  circuit: Schema.String,
  /** Incidents of the entity that are not over. */
  incidents: Schema.Int,
  /** Consumers replaced because they had gone silent, since the session began. */
  rebuilds: Schema.Int,
  /** Events in the broker that were not delivered yet; null when the broker does not answer. */
  backlog: Schema.NullOr(Schema.Int),
  /** Events admitted and not settled. */
  inFlight: Schema.Int,
  /** Counted from the beginning. */
  applied: Schema.Int,
  superseded: Schema.Int,
  duplicate: Schema.Int,
  dismissed: Schema.Int,
  /** Held now. */
  waiting: Schema.Int,
  parked: Schema.Int,
  behind: Schema.Int,
  /** Events settled a second, mean over the last ten seconds. */
  ratePerSecond: Schema.Finite,
  /** Age of the oldest held event since the broker stored it; null when none is held. */
  oldestAgeSeconds: Schema.NullOr(Schema.Int),
  /** Activations of the entity so far; 0 before the first. */
  epoch: Schema.Int,
  /** Process that claimed the entity last, as the ledger has it: host and process id; empty: nobody ever did. */
  owner: Schema.String,
  /** Since when, RFC 3339; null: nobody ever did. */
  since: Schema.NullOr(Schema.String),
  /** Why it is troubled; empty otherwise. */
  trouble: Schema.String,
  /** Events whose last try did not go through and that are tried again. */
  retrying: Schema.Int,
  /** Most failed tries of one of them. */
  attempts: Schema.Int,
  /** When the next one of them is tried, RFC 3339; null when there is none. */
  nextTry: Schema.NullOr(Schema.String),
  /**
   * Seconds since the flow's feed had last seen all that people changed in Odoo; null: it has none, or it did not yet. Left
   * out by a service of an older release.
   */
  feedAgeSeconds: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  /** Why the feed's last look did not succeed; empty otherwise. */
  feedTrouble: Schema.optionalKey(Schema.String),
}).annotate({ identifier: "StatusRow" })
export type StatusRow = typeof StatusRow.Type

/** How archiving stands of one legal entity. */
export const ArchiveStanding = Schema.Struct({
  entity: Schema.String,
  /** When rows left last, or were found to have none to follow, RFC 3339; null: never. */
  at: Schema.NullOr(Schema.String),
  /** Month of the oldest settled event in the ledger; null: there was none, or nobody looked. */
  oldest: Schema.NullOr(Schema.String),
  /** Why the newest archiving failed; empty: it did not. */
  trouble: Schema.String,
}).annotate({ identifier: "ArchiveStanding" })
export type ArchiveStanding = typeof ArchiveStanding.Type

export const StatusReport = Schema.Struct({
  version: Schema.String,
  /** When it was taken, RFC 3339. */
  at: Schema.String,
  /** False: no actor answers, the counters are the ledger's. */
  live: Schema.Boolean,
  rows: Schema.Array(StatusRow),
  /** Keys of the Odoo databases shown, and for administrators all tokens; empty where nobody looks. */
  credentials: Schema.optionalKey(Schema.Array(Credential)),
  /** Of legal entities that archive. */
  archives: Schema.optionalKey(Schema.Array(ArchiveStanding)),
}).annotate({ identifier: "StatusReport" })
export type StatusReport = typeof StatusReport.Type
