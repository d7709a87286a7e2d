/**
 * Groups of exceptions tried again in growing steps. The operations start, show and end a run; one `Redriver` in the
 * cluster steps the runs that are there.
 */
import { Context, Duration, Effect, Layer, Schema } from "effect"
import { Singleton } from "effect/cluster"
import { UNROUTED } from "../actor/Unrouted.ts"
import { restartBackoff } from "../actor/patience.ts"
import { type Redrive, Redrives as RedrivePort } from "../ledger/Redrives.ts"
import { Actors } from "./Actors.ts"
import { Admission } from "./Admission.ts"
import { asked } from "./asked.ts"
import type { CallerIdentity } from "./Caller.ts"
import { Reason } from "./Entities.ts"
import { Code } from "./exceptions/views.ts"
import { cursor, limitOf, pageOf, pageQuery } from "./Page.ts"
import { Conflict, type Forbidden, Invalid, type Malformed, NotFound, type Unavailable } from "./Problem.ts"

/** Exceptions of the first, second … step; the last one counts for all further ones. */
export const STEPS: ReadonlyArray<number> = [1, 2, 5, 20, 50, 100, 200]
/** How often runs are looked at. */
const EVERY = Duration.seconds(1)
/** Runs that are stepped in one look. */
const RUNS = 100

export const RedriveRequest = Schema.Struct({
  entity: Schema.String,
  flow: Schema.optionalKey(Schema.String),
  code: Schema.optionalKey(Code),
  /** Of a group. */
  fingerprint: Schema.optionalKey(Schema.String),
  reason: Reason,
}).annotate({ identifier: "RedriveRequest", description: "At least one of flow, code and fingerprint" })

export const RedriveView = Schema.Struct({
  id: Schema.Int,
  entity: Schema.String,
  flow: Schema.NullOr(Schema.String),
  code: Schema.NullOr(Schema.String),
  fingerprint: Schema.NullOr(Schema.String),
  state: Schema.Literals(["running", "finished", "stopped", "cancelled"]),
  /** Why it ended; empty while it runs. */
  said: Schema.String,
  reason: Schema.String,
  startedBy: Schema.String,
  startedAtMillis: Schema.Int,
  endedAtMillis: Schema.NullOr(Schema.Int),
  step: Schema.Int,
  stepSize: Schema.Int,
  retried: Schema.Int,
  /** On their way now. */
  pending: Schema.Int,
  /** Exceptions again with the same cause; and with another one, or waiting for something else. */
  recurred: Schema.Int,
  otherwise: Schema.Int,
  /** Gone through. */
  resolved: Schema.Int,
}).annotate({ identifier: "Redrive" })
export type RedriveView = typeof RedriveView.Type

export const RedriveQuery = {
  entity: Schema.optionalKey(Schema.String),
  state: Schema.optionalKey(Schema.Literals(["running", "finished", "stopped", "cancelled"])),
  ...pageQuery,
}
const Query = Schema.Struct(RedriveQuery)
export const RedrivePage = pageOf(RedriveView)

const place = cursor(Schema.Struct({ id: Schema.Int }))

type Refused = Forbidden | NotFound | Malformed | Invalid | Conflict | Unavailable

export class Redriving extends Context.Service<Redriving, {
  readonly start: (caller: CallerIdentity, request: typeof RedriveRequest.Type) => Effect.Effect<RedriveView, Refused>
  readonly list: (caller: CallerIdentity, query: typeof Query.Type) => Effect.Effect<typeof RedrivePage.Type, Refused>
  readonly show: (caller: CallerIdentity, id: number) => Effect.Effect<RedriveView, Refused>
  readonly cancel: (caller: CallerIdentity, id: number) => Effect.Effect<RedriveView, Refused>
}>()("weir/operate/Redriving") {}

const viewOf = (run: Redrive): RedriveView => ({
  ...run,
  resolved: run.retried - run.pending - run.recurred - run.otherwise,
})

export const layer = Layer.effect(
  Redriving,
  Effect.gen(function* () {
    const redrives = yield* RedrivePort
    const admission = yield* Admission

    const one = Effect.fnUntraced(function* (id: number) {
      const run = yield* redrives.one(id).pipe(asked)
      return run ?? (yield* new NotFound({ detail: `There is no redrive ${id}.` }))
    })

    return Redriving.of({
      start: Effect.fnUntraced(function* (caller, { code = null, entity, fingerprint = null, flow = null, reason }) {
        yield* admission.enter(caller, "redrives.start", entity, { flow, code, fingerprint, reason })
        if (flow === null && code === null && fingerprint === null) {
          return yield* new Invalid({ detail: "Say which: a flow, a code or a fingerprint." })
        }
        if (entity === UNROUTED) {
          return yield* new Conflict({ detail: "Nobody consumes these subjects: there is nothing to try again." })
        }
        const running = yield* redrives.list({ entities: [entity], state: "running", before: null, limit: RUNS }).pipe(
          asked,
        )
        const same = running.find((run) => run.flow === flow && run.code === code && run.fingerprint === fingerprint)
        if (same !== undefined) return yield* new Conflict({ detail: `Redrive ${same.id} does so already.` })
        const id = yield* redrives.start({ entity, flow, code, fingerprint }, caller.name, reason).pipe(asked)
        return viewOf(yield* one(id))
      }),

      list: Effect.fnUntraced(function* (caller, query) {
        const entities = yield* admission.visible(caller, "redrives.list", query.entity)
        const after = yield* place.read(query)
        const limit = limitOf(query)
        const found = yield* redrives.list({
          entities,
          before: after?.id ?? null,
          limit: limit + 1,
          ...(query.state === undefined ? {} : { state: query.state }),
        }).pipe(asked)
        const page = found.slice(0, limit)
        const last = page.at(-1)
        return { items: page.map(viewOf), next: found.length > limit && last !== undefined ? place.of(last) : null }
      }),

      show: Effect.fnUntraced(function* (caller, id) {
        const run = yield* redrives.one(id).pipe(asked)
        yield* admission.enter(caller, "redrives.show", run?.entity ?? null)
        return viewOf(yield* one(id))
      }),

      cancel: Effect.fnUntraced(function* (caller, id) {
        const run = yield* redrives.one(id).pipe(asked)
        yield* admission.enter(caller, "redrives.cancel", run?.entity ?? null, { redrive: id })
        if (!(yield* redrives.cancel(id, caller.name).pipe(asked))) {
          const { state } = yield* one(id)
          return yield* new Conflict({ detail: `Redrive ${id} is ${state} already.` })
        }
        return viewOf(yield* one(id))
      }),
    })
  }),
)

/** Steps every run whose last step has ended. One in the cluster; a run that nobody steps waits, and loses nothing. */
export const Redriver = Singleton.make(
  "weir/redriver",
  Effect.gen(function* () {
    const redrives = yield* RedrivePort
    const actors = yield* Actors
    const look = Effect.gen(function* () {
      const running = yield* redrives.list({ entities: null, state: "running", before: null, limit: RUNS })
      for (const { entity, id } of running) {
        const stepped = yield* redrives.step(id, STEPS)
        if (stepped === "pending" || stepped === "running") continue
        yield* actors.released(entity)
        yield* Effect.logInfo(`redrive ${id}: ${stepped}`).pipe(Effect.annotateLogs({ entity }))
      }
    })
    return yield* look.pipe(
      Effect.andThen(Effect.sleep(EVERY)),
      Effect.forever,
      Effect.tapCause((cause) => Effect.logWarning("redrives cannot be stepped now, trying again", cause)),
      Effect.sandbox,
      Effect.retry(restartBackoff),
      Effect.catch((cause) => Effect.failCause(cause)),
    )
  }),
)
