/** Where every legal entity and flow stands. */
import { Context, DateTime, Effect, Layer, Schema } from "effect"
import { State } from "../actor/Board.ts"
import { Roster } from "../actor/Roster.ts"
import { Broker } from "../broker/Broker.ts"
import { VERSION } from "../config/version.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { Actors } from "./Actors.ts"
import { Admission } from "./Admission.ts"
import { asked } from "./asked.ts"
import { type CallerIdentity, hasRight } from "./Caller.ts"
import { Credential, Credentials } from "./Credentials.ts"
import type { Forbidden, NotFound, Unavailable } from "./Problem.ts"
import { statusRows } from "./statusRows.ts"

/** One flow of one legal entity. */
export const StatusRow = Schema.Struct({
  entity: Schema.String,
  flow: Schema.String,
  /** As the actor says; `stopped` when no process runs it. */
  state: State,
  mode: Schema.Literals(["full", "essential", "drafts", "hold"]),
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
}).annotate({ identifier: "StatusRow" })
export type StatusRow = typeof StatusRow.Type

export const StatusReport = Schema.Struct({
  version: Schema.String,
  /** When it was taken, RFC 3339. */
  at: Schema.String,
  /** False: no actor answers, the counters are the ledger's. */
  live: Schema.Boolean,
  rows: Schema.Array(StatusRow),
  /** Keys of the Odoo databases shown, and for administrators all tokens; empty where nobody looks. */
  credentials: Schema.optionalKey(Schema.Array(Credential)),
}).annotate({ identifier: "StatusReport" })
export type StatusReport = typeof StatusReport.Type

export class Status extends Context.Service<Status, {
  readonly show: (
    caller: CallerIdentity,
    request: { readonly entity?: string },
  ) => Effect.Effect<StatusReport, Forbidden | NotFound | Unavailable>
}>()("weir/operate/Status") {}

export const layer = Layer.effect(
  Status,
  Effect.gen(function* () {
    const roster = yield* Roster
    const { statuses } = yield* Actors
    const admission = yield* Admission
    const { standing } = yield* Credentials
    const ports = yield* Effect.context<Broker | Ledger>()
    return Status.of({
      show: Effect.fnUntraced(function* (caller, { entity }) {
        const visible = yield* admission.visible(caller, "status.show", entity)
        const shown = [...roster.entities].filter(([code]) => visible === null || visible.includes(code))
        const live = yield* statuses
        const rows = yield* statusRows({
          entities: new Map(shown),
          flows: roster.flows,
          live,
        })
          .pipe(Effect.provide(ports), asked)
        const databases = new Set(shown.map(([, { database }]) => database))
        const isAdministrator = hasRight(caller, "administer") && caller.entities === null
        const credentials = (yield* standing).filter(({ kind, name }) =>
          kind === "token" ? isAdministrator : databases.has(name)
        )
        return { version: VERSION, at: DateTime.formatIso(yield* DateTime.now), live: live.size > 0, rows, credentials }
      }),
    })
  }),
)
