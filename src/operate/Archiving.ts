/** Archives: what has left the ledger, what would, and whether it is what was written. */
import { Context, Effect, Layer, Schema } from "effect"
import { requestOf, resultOf } from "../archive/Request.ts"
import { Vault } from "../archive/Vault.ts"
import { verifyArchives } from "../archive/verify.ts"
import { archiveKinds, Archives } from "../ledger/Archives.ts"
import type { Ledger } from "../ledger/Ledger.ts"
import { type Run, Runs, runStates } from "../ledger/Runs.ts"
import { Actors } from "./Actors.ts"
import { Admission } from "./Admission.ts"
import { asked } from "./asked.ts"
import type { CallerIdentity } from "./Caller.ts"
import { Reason } from "./Entities.ts"
import { newRunId, opened } from "./opening.ts"
import { cursor, limitOf, pageOf, pageQuery } from "./Page.ts"
import { type Forbidden, Invalid, type Malformed, NotFound, type Unavailable } from "./Problem.ts"

const Kind = Schema.Literals(archiveKinds)

export const ArchiveView = Schema.Struct({
  entity: Schema.String,
  kind: Kind,
  /** Under the folder of the archives it is `<entity>/<kind>/<name>.ndjson`. */
  name: Schema.String,
  rows: Schema.Int,
  bytes: Schema.Int,
  sha256: Schema.String,
  /** Time of the oldest and of the youngest row. Epoch milliseconds, all of them. */
  fromMillis: Schema.Int,
  toMillis: Schema.Int,
  writtenAtMillis: Schema.Int,
  /** When the last of its rows had left the ledger; null: not all of them yet. */
  droppedAtMillis: Schema.NullOr(Schema.Int),
}).annotate({ identifier: "Archive" })
export type ArchiveView = typeof ArchiveView.Type

export const ArchiveQuery = {
  entity: Schema.optionalKey(Schema.String),
  kind: Schema.optionalKey(Kind),
  ...pageQuery,
}
const Query = Schema.Struct(ArchiveQuery)
export const ArchivePage = pageOf(ArchiveView)

export const ArchiveOrder = Schema.Struct({
  apply: Schema.Boolean.annotate({ description: "false: only count what may leave" }),
  reason: Reason,
}).annotate({ identifier: "ArchiveOrder" })
export type ArchiveOrder = typeof ArchiveOrder.Type

const Counts = Schema.Struct({
  /** Rows that may leave by age. */
  due: Schema.Int,
  /** Of these, in months without a complete proof: they stay. */
  unproven: Schema.Int,
  files: Schema.Int,
  written: Schema.Int,
  dropped: Schema.Int,
})

export const ArchivingView = Schema.Struct({
  runId: Schema.String,
  entity: Schema.String,
  state: Schema.Literals(runStates),
  apply: Schema.Boolean,
  requestedBy: Schema.String,
  reason: Schema.String,
  createdAtMillis: Schema.Int,
  kinds: Schema.Record(Schema.String, Counts),
  /** Months whose events stay because no proof says that they are complete. */
  unproven: Schema.Array(Schema.String),
  /** By kind the month of the oldest row in the ledger that may leave at some time. */
  oldest: Schema.Record(Schema.String, Schema.String),
  trouble: Schema.String,
}).annotate({ identifier: "Archiving" })
export type ArchivingView = typeof ArchivingView.Type

export const ArchiveVerification = Schema.Struct({
  entity: Schema.String,
  files: Schema.Int,
  /** In files that are what was written. */
  rows: Schema.Int,
  damaged: Schema.Array(Schema.Struct({ kind: Kind, name: Schema.String, problem: Schema.String })),
  /** From the first record in an archive to the last one in the ledger. */
  trail: Schema.Struct({
    archived: Schema.Int,
    live: Schema.Int,
    broken: Schema.NullOr(Schema.Int),
    lastHash: Schema.String,
  }),
}).annotate({ identifier: "ArchiveVerification" })
export type ArchiveVerification = typeof ArchiveVerification.Type

const place = cursor(
  Schema.Struct({ writtenAtMillis: Schema.Int, entity: Schema.String, kind: Kind, name: Schema.String }),
)

type Refused = Forbidden | NotFound | Invalid | Malformed | Unavailable
type Looked<A> = Effect.Effect<A, Refused>

export class Archiving extends Context.Service<Archiving, {
  readonly list: (caller: CallerIdentity, query: typeof Query.Type) => Looked<typeof ArchivePage.Type>
  /** Counts what may leave, or lets it leave. */
  readonly start: (caller: CallerIdentity, entity: string, order: ArchiveOrder) => Looked<ArchivingView>
  readonly show: (caller: CallerIdentity, entity: string, runId: string) => Looked<ArchivingView>
  /** Reads every file of the entity: it takes as long as that. */
  readonly verify: (caller: CallerIdentity, entity: string) => Looked<ArchiveVerification>
}>()("weir/operate/Archiving") {}

const viewOf = (run: Run): ArchivingView => ({
  runId: run.runId,
  entity: run.entity,
  state: run.state,
  apply: requestOf(run).apply,
  requestedBy: run.requestedBy,
  reason: run.reason,
  createdAtMillis: run.createdAtMillis,
  kinds: run.totals as ArchivingView["kinds"],
  unproven: resultOf(run)?.unproven ?? [],
  oldest: resultOf(run)?.oldest ?? {},
  trouble: run.trouble,
})

export const layer = Layer.effect(
  Archiving,
  Effect.gen(function* () {
    const [runs, actors, admission, archives] = [yield* Runs, yield* Actors, yield* Admission, yield* Archives]
    const { directory } = yield* Vault
    const files = yield* Effect.context<Archives | Ledger | Vault>()

    const viewed = Effect.fnUntraced(function* (entity: string, runId: string) {
      const run = yield* runs.run(entity, runId).pipe(asked)
      if (run?.kind === "archive") return viewOf(run)
      return yield* new NotFound({ detail: `There is no archiving ${runId} of ${entity}.` })
    })

    const configured = directory === null
      ? Effect.fail(
        new Invalid({
          detail: "No archive is configured: add retention with a directory to weir.json and start Weir again.",
        }),
      )
      : Effect.void

    return Archiving.of({
      list: Effect.fnUntraced(function* (caller, query) {
        const entities = yield* admission.visible(caller, "archives.list", query.entity)
        const after = yield* place.read(query)
        const limit = limitOf(query)
        const found = yield* archives.list({
          limit: limit + 1,
          ...(entities !== null && { entities }),
          ...(query.kind !== undefined && { kind: query.kind }),
          ...(after !== null && { after }),
        }).pipe(asked)
        const items = found.slice(0, limit)
        const last = items.at(-1)
        return { items, next: found.length > limit && last !== undefined ? place.of(last) : null }
      }),

      start: Effect.fnUntraced(function* (caller, entity, { apply, reason }) {
        const runId = yield* newRunId
        yield* admission.enter(caller, "archives.start", entity, { run: runId, apply, reason })
        yield* configured
        yield* opened(runs, actors, [{
          entity,
          runId,
          kind: "archive",
          state: "examining",
          request: { apply },
          requestedBy: caller.name,
          reason,
        }])
        return yield* viewed(entity, runId)
      }),

      show: (caller, entity, runId) =>
        Effect.andThen(admission.enter(caller, "archives.show", entity), viewed(entity, runId)),

      verify: Effect.fnUntraced(function* (caller, entity) {
        yield* admission.enter(caller, "archives.verify", entity)
        yield* configured
        return { entity, ...yield* verifyArchives(entity).pipe(Effect.provide(files), asked) }
      }),
    })
  }),
)
