/** Rebuilds of ledgers that were lost: an empty one is reconstructed from the stream and from Odoo's external ids. */
import { Context, Effect, Layer, Schema } from "effect"
import { type Run, Runs, runStates } from "../ledger/Runs.ts"
import { Actors } from "./Actors.ts"
import { Admission } from "./Admission.ts"
import { asked } from "./asked.ts"
import { newRunId, opened } from "./opening.ts"
import type { CallerIdentity } from "./Caller.ts"
import { Reason } from "./Entities.ts"
import { type Forbidden, NotFound, type Unavailable } from "./Problem.ts"

export const RebuildRequest = Schema.Struct({ reason: Reason })
export type RebuildRequest = typeof RebuildRequest.Type

export const RebuildView = Schema.Struct({
  runId: Schema.String,
  entity: Schema.String,
  state: Schema.Literals(runStates),
  requestedBy: Schema.String,
  reason: Schema.String,
  /** Messages read so far. */
  seen: Schema.Int,
  /** By flow: events that are known again, those that later ones overtook, and those that the flow looks at again. */
  flows: Schema.Record(
    Schema.String,
    Schema.Struct({ recorded: Schema.Int, superseded: Schema.Int, left: Schema.Int }),
  ),
  trouble: Schema.String,
}).annotate({ identifier: "Rebuild" })
export type RebuildView = typeof RebuildView.Type

type Refused = Forbidden | NotFound | Unavailable

export class Rebuilding extends Context.Service<Rebuilding, {
  /** The entity has to be drained, and its ledger empty: otherwise the run fails and says so. */
  readonly start: (
    caller: CallerIdentity,
    entity: string,
    request: RebuildRequest,
  ) => Effect.Effect<RebuildView, Refused>
  readonly show: (caller: CallerIdentity, entity: string, runId: string) => Effect.Effect<RebuildView, Refused>
}>()("weir/operate/Rebuilding") {}

const viewOf = ({ entity, progress, reason, requestedBy, runId, state, totals, trouble }: Run): RebuildView => ({
  runId,
  entity,
  state,
  requestedBy,
  reason,
  seen: Number(progress["seen"] ?? 0),
  flows: totals as RebuildView["flows"],
  trouble,
})

export const layer = Layer.effect(
  Rebuilding,
  Effect.gen(function* () {
    const [runs, actors, admission] = [yield* Runs, yield* Actors, yield* Admission]

    const viewed = Effect.fnUntraced(function* (entity: string, runId: string) {
      const run = yield* runs.run(entity, runId).pipe(asked)
      if (run?.kind === "rebuild") return viewOf(run)
      return yield* new NotFound({ detail: `There is no rebuild ${runId} of ${entity}.` })
    })

    return Rebuilding.of({
      start: Effect.fnUntraced(function* (caller, entity, { reason }) {
        const runId = yield* newRunId
        yield* admission.enter(caller, "ledger.rebuild", entity, { run: runId, reason })
        yield* opened(runs, actors, [{
          entity,
          runId,
          kind: "rebuild",
          state: "examining",
          request: {},
          requestedBy: caller.name,
          reason,
        }])
        return yield* viewed(entity, runId)
      }),
      show: (caller, entity, runId) =>
        Effect.andThen(admission.enter(caller, "ledger.rebuilt", entity), viewed(entity, runId)),
    })
  }),
)
