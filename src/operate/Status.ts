/** Where every legal entity and flow stands. */
import { Context, DateTime, Effect, Layer } from "effect"
import { Roster } from "../actor/Roster.ts"
import { Broker } from "../broker/Broker.ts"
import { VERSION } from "../config/version.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { Runs } from "../ledger/Runs.ts"
import { archiveStanding } from "./archiveStanding.ts"
import { Actors } from "./Actors.ts"
import { Admission } from "./Admission.ts"
import { asked } from "./asked.ts"
import { type CallerIdentity, hasRight } from "./Caller.ts"
import { Credentials } from "./Credentials.ts"
import type { Forbidden, NotFound, Unavailable } from "./Problem.ts"
import type { StatusReport } from "./StatusReport.ts"
import { statusRows } from "./statusRows.ts"

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
    const ports = yield* Effect.context<Broker | Ledger | Runs>()
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
        const archives = roster.retention === null
          ? []
          : yield* Effect.forEach(shown, ([code]) => archiveStanding(code)).pipe(Effect.provide(ports), asked)
        const at = DateTime.formatIso(yield* DateTime.now)
        return { version: VERSION, at, live: live.size > 0, rows, credentials, archives }
      }),
    })
  }),
)
