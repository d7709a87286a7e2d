/** What went wrong with dependencies: when it was noticed, contained and over. Newest first. */
import { Context, Effect, Layer, Schema } from "effect"
import { Ledger } from "../ledger/Ledger.ts"
import { Admission } from "./Admission.ts"
import { asked } from "./asked.ts"
import type { CallerIdentity } from "./Caller.ts"
import { cursor, limitOf, pageOf, pageQuery } from "./Page.ts"
import type { Forbidden, Malformed, NotFound, Unavailable } from "./Problem.ts"

export const IncidentView = Schema.Struct({
  id: Schema.String,
  entity: Schema.String,
  /** Name of the dependency, or `overload`. */
  cause: Schema.String,
  /** Epoch milliseconds, all of them. */
  detectedAtMillis: Schema.Int,
  containedAtMillis: Schema.NullOr(Schema.Int),
  restoredAtMillis: Schema.NullOr(Schema.Int),
  steps: Schema.Array(Schema.Struct({ atMillis: Schema.Int, what: Schema.String })),
}).annotate({ identifier: "Incident" })
export type IncidentView = typeof IncidentView.Type

export const IncidentQuery = {
  entity: Schema.optionalKey(Schema.String),
  open: Schema.optionalKey(
    Schema.Literals(["true", "false"]).annotate({ description: "true: only those that are not over" }),
  ),
  ...pageQuery,
}
const Query = Schema.Struct(IncidentQuery)
export const IncidentPage = pageOf(IncidentView)

const place = cursor(Schema.Struct({ detectedAtMillis: Schema.Int, entity: Schema.String, id: Schema.String }))

export class Incidents extends Context.Service<Incidents, {
  readonly list: (
    caller: CallerIdentity,
    query: typeof Query.Type,
  ) => Effect.Effect<typeof IncidentPage.Type, Forbidden | NotFound | Malformed | Unavailable>
}>()("weir/operate/Incidents") {}

export const layer = Layer.effect(
  Incidents,
  Effect.gen(function* () {
    const ledger = yield* Ledger
    const admission = yield* Admission
    return Incidents.of({
      list: Effect.fnUntraced(function* (caller, query) {
        const entities = yield* admission.visible(caller, "incidents.list", query.entity)
        const after = yield* place.read(query)
        const limit = limitOf(query)
        const found = yield* ledger.incidents({
          limit: limit + 1,
          ...(entities === null ? {} : { entities }),
          ...(after === null ? {} : { after }),
          ...(query.open === undefined ? {} : { open: query.open === "true" }),
        }).pipe(asked)
        const items = found.slice(0, limit)
        const last = items.at(-1)
        return { items, next: found.length > limit && last !== undefined ? place.of(last) : null }
      }),
    })
  }),
)
