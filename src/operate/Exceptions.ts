/**
 * The exception desk: what is held for people, found, understood and cleared. What a caller may not see is masked; what it
 * decides stands in the exception's history and in the audit trail.
 */
import { Context, Effect, Layer, Option, Schema, Stream } from "effect"
import { Roster } from "../actor/Roster.ts"
import { UNROUTED } from "../actor/Unrouted.ts"
import { Desk, type ExceptionFilter, type ExceptionPlace, type ExceptionRow } from "../ledger/Desk.ts"
import { waitingCodes } from "../ledger/waitingCodes.ts"
import type { ReasonCode } from "../reason/Reason.ts"
import { Actors } from "./Actors.ts"
import { Admission } from "./Admission.ts"
import { asked } from "./asked.ts"
import { type CallerIdentity, clearanceOf } from "./Caller.ts"
import { Reason } from "./Entities.ts"
import { MAX_EVIDENCE, recommend } from "./exceptions/recommend.ts"
import { StandingInOdoo } from "./exceptions/standing.ts"
import {
  Code,
  detailRow,
  type ExceptionDetail,
  ExceptionView,
  type ExportLine,
  GroupView,
  groupView,
  historyView,
  payloadView,
  Queue,
  rowView,
} from "./exceptions/views.ts"
import type { Clearance } from "./masking.ts"
import type { OperationName } from "./Operations.ts"
import { cursor, limitOf, pageOf, pageQuery } from "./Page.ts"
import { Conflict, type Forbidden, type Malformed, NotFound, type Unavailable } from "./Problem.ts"

/** Exceptions that one order may be about. */
export const MAX_EVENTS = 500
/** Groups in an answer; of more, those with the most exceptions. */
const MAX_GROUPS = 1_000
/** What of a history is shown, newest last. */
const MAX_HISTORY = 200
/** Rows that an export reads at a time. */
const EXPORT_PAGE = 200

const filterQuery = {
  entity: Schema.optionalKey(Schema.String),
  flow: Schema.optionalKey(Schema.String),
  code: Schema.optionalKey(Code),
  fingerprint: Schema.optionalKey(Schema.String.annotate({ description: "One cause, as groups show it" })),
}
export const ExceptionQuery = {
  ...filterQuery,
  queue: Schema.optionalKey(Queue),
  state: Schema.optionalKey(
    Schema.Literals(["parked", "waiting"]).annotate({
      description: "parked: an exception. waiting: not yet. Default: parked",
    }),
  ),
  key: Schema.optionalKey(Schema.String.annotate({ description: "Business key" })),
  assignee: Schema.optionalKey(Schema.String),
  ...pageQuery,
}
const ListQuery = Schema.Struct(ExceptionQuery)
type ListQuery = typeof ListQuery.Type
export const ExceptionPage = pageOf(ExceptionView)

export const GroupQuery = filterQuery
const GroupsQuery = Schema.Struct(GroupQuery)
export const GroupList = Schema.Struct({ items: Schema.Array(GroupView), total: Schema.Int }).annotate({
  identifier: "ExceptionGroups",
})

const { limit: _, after: __, ...exportQuery } = ExceptionQuery
export const ExportQuery = exportQuery
const ExportStruct = Schema.Struct(ExportQuery)

const Events = Schema.Array(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(1_000))).check(
  Schema.isMinLength(1),
  Schema.isMaxLength(MAX_EVENTS),
).annotate({ description: `Ids of events, 1 to ${MAX_EVENTS}` })
export const DecisionRequest = Schema.Struct({ events: Events, reason: Reason }).annotate({
  identifier: "DecisionRequest",
})
export const AssignRequest = Schema.Struct({
  events: Events,
  /** Null: nobody. */
  to: Schema.NullOr(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(100))),
}).annotate({ identifier: "AssignRequest" })
export const NoteRequest = Schema.Struct({
  event: Schema.String,
  text: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(2_000)),
}).annotate({ identifier: "NoteRequest" })
/** How many of them changed; the others were no exceptions (any more). */
export const Changed = Schema.Struct({ changed: Schema.Int }).annotate({ identifier: "Changed" })

const place = cursor(Schema.Struct({ heldSinceMillis: Schema.Int, entity: Schema.String, eventId: Schema.String }))

type Refused = Forbidden | NotFound | Malformed | Conflict | Unavailable
type Decided = Effect.Effect<typeof Changed.Type, Refused>

export class Exceptions extends Context.Service<Exceptions, {
  readonly list: (caller: CallerIdentity, query: ListQuery) => Effect.Effect<typeof ExceptionPage.Type, Refused>
  readonly groups: (
    caller: CallerIdentity,
    query: typeof GroupsQuery.Type,
  ) => Effect.Effect<typeof GroupList.Type, Refused>
  readonly show: (caller: CallerIdentity, entity: string, event: string) => Effect.Effect<ExceptionDetail, Refused>
  /** All that fit, page by page; ends where the ledger ends to answer. */
  readonly export: (
    caller: CallerIdentity,
    query: typeof ExportStruct.Type,
  ) => Effect.Effect<Stream.Stream<ExportLine, Unavailable>, Refused>
  readonly retry: (caller: CallerIdentity, entity: string, request: typeof DecisionRequest.Type) => Decided
  readonly dismiss: (caller: CallerIdentity, entity: string, request: typeof DecisionRequest.Type) => Decided
  readonly assign: (caller: CallerIdentity, entity: string, request: typeof AssignRequest.Type) => Decided
  readonly note: (caller: CallerIdentity, entity: string, request: typeof NoteRequest.Type) => Decided
}>()("weir/operate/Exceptions") {}

const references: ReadonlyArray<ReasonCode> = ["REFERENCE-MISSING", "REFERENCE-OVERDUE"]
const approvals = waitingCodes.filter((code) => !references.includes(code))

/** State and codes that a queue means, cut with the ones that are asked for. */
const queued = ({ code, queue, state }: Pick<ListQuery, "code" | "queue" | "state">) => {
  const wanted = queue === undefined || queue === "rejected" ? null : queue === "approvals" ? approvals : references
  const codes = code === undefined ? wanted : wanted === null || wanted.includes(code) ? [code] : []
  return {
    state: state ?? (queue === "approvals" ? "waiting" as const : "parked" as const),
    ...(codes === null ? {} : { codes }),
  }
}

const filterOf = (
  query: Omit<ListQuery, "limit" | "after">,
  entities: ReadonlyArray<string> | null,
): ExceptionFilter => {
  const { assignee, fingerprint, flow, key } = query
  return {
    ...queued(query),
    entities,
    ...(flow === undefined ? {} : { flow }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(key === undefined ? {} : { key }),
    ...(assignee === undefined ? {} : { assignee }),
  }
}

export const layer = Layer.effect(
  Exceptions,
  Effect.gen(function* () {
    const desk = yield* Desk
    const admission = yield* Admission
    const standing = yield* StandingInOdoo
    const actors = yield* Actors
    const { flows } = yield* Roster
    const flowOf = (name: string) => flows.find((flow) => flow.name === name)

    const noSuch = (entity: string, event: string) =>
      new NotFound({ detail: `${event} is no exception of ${entity}, and never was one.` })

    const exportLine = Effect.fnUntraced(function* (row: ExceptionRow, clearance: Clearance) {
      const file = yield* desk.file(row.entity, row.eventId).pipe(asked)
      const payload = file === null ? null : payloadView(file, flowOf(row.flow), clearance)
      const line: ExportLine = {
        exception: rowView(row, clearance),
        subject: payload?.subject ?? null,
        ...(payload === null ? {} : { headers: payload.headers }),
        ...(payload?.envelope == null ? {} : { envelope: payload.envelope }),
        ...(payload?.raw == null ? {} : { raw: payload.raw }),
      }
      return line
    })

    /** Pages of a filter until one is not full. */
    const rows = (filter: ExceptionFilter): Stream.Stream<ExceptionRow, Unavailable> =>
      Stream.paginate(null as ExceptionPlace | null, (after) =>
        desk.list(filter, { after, limit: EXPORT_PAGE }).pipe(
          asked,
          Effect.map((page) => {
            const last = page.at(-1)
            const next = page.length < EXPORT_PAGE || last === undefined ? null : last
            return [page, next === null ? Option.none() : Option.some(next)] as const
          }),
        ))

    const decide = Effect.fnUntraced(function* (
      caller: CallerIdentity,
      operation: OperationName,
      entity: string,
      events: ReadonlyArray<string>,
      particulars: Readonly<Record<string, string | number | null>>,
      change: Effect.Effect<number, Unavailable | Conflict>,
    ) {
      yield* admission.enter(caller, operation, entity, {
        events: events.length,
        first: events[0] ?? null,
        ...particulars,
      })
      const changed = yield* change
      if (changed > 0) yield* actors.released(entity)
      return { changed }
    })

    return Exceptions.of({
      list: Effect.fnUntraced(function* (caller, query) {
        const entities = yield* admission.visible(caller, "exceptions.list", query.entity)
        const after = yield* place.read(query)
        const limit = limitOf(query)
        const found = yield* desk.list(filterOf(query, entities), { after, limit: limit + 1 }).pipe(asked)
        const clearance = clearanceOf(caller)
        const page = found.slice(0, limit)
        const last = page.at(-1)
        return {
          items: page.map((row) => rowView(row, clearance)),
          next: found.length > limit && last !== undefined ? place.of(last) : null,
        }
      }),

      groups: Effect.fnUntraced(function* (caller, query) {
        const entities = yield* admission.visible(caller, "exceptions.groups", query.entity)
        const { state: _, ...filter } = filterOf(query, entities)
        const found = yield* desk.groups(filter, MAX_GROUPS).pipe(asked)
        const clearance = clearanceOf(caller)
        return {
          items: found.map((group) => groupView(group, clearance)),
          total: found.reduce((sum, { count }) => sum + count, 0),
        }
      }),

      show: Effect.fnUntraced(function* (caller, entity, event) {
        yield* admission.enter(caller, "exceptions.show", entity)
        const file = yield* desk.file(entity, event).pipe(asked)
        if (file === null) return yield* noSuch(entity, event)
        const clearance = clearanceOf(caller)
        const { code, fingerprint, flow } = file.row
        const [history, endings, stands] = yield* Effect.all([
          desk.history(entity, event, MAX_HISTORY).pipe(asked),
          fingerprint === null
            ? Effect.succeed([])
            : desk.resolutions(fingerprint, caller.entities, MAX_EVIDENCE).pipe(asked),
          standing.of(file, clearance),
        ], { concurrency: 3 })
        return {
          ...detailRow(file, clearance),
          payload: payloadView(file, flowOf(flow), clearance),
          standing: stands,
          history: history.map((row) => historyView(row, clearance)),
          recommendation: recommend(code, endings),
        }
      }),

      export: Effect.fnUntraced(function* (caller, query) {
        const entities = yield* admission.visible(caller, "exceptions.export", query.entity)
        const clearance = clearanceOf(caller)
        return rows(filterOf(query, entities)).pipe(Stream.mapEffect((row) => exportLine(row, clearance)))
      }),

      retry: (caller, entity, { events, reason }) =>
        decide(
          caller,
          "exceptions.retry",
          entity,
          events,
          { reason },
          entity === UNROUTED
            ? new Conflict({
              detail:
                "Nobody consumes these subjects. Add the entity or the flow, which then reads the stream by itself, " +
                "or publish again on the right subject; then dismiss them here.",
            })
            : desk.retry(entity, events, { actor: caller.name, reason }).pipe(asked),
        ),

      dismiss: (caller, entity, { events, reason }) =>
        decide(
          caller,
          "exceptions.dismiss",
          entity,
          events,
          { reason },
          desk.dismiss(entity, events, { actor: caller.name, reason }).pipe(asked),
        ),

      assign: (caller, entity, { events, to }) =>
        decide(
          caller,
          "exceptions.assign",
          entity,
          events,
          { to },
          desk.assign(entity, events, to, caller.name).pipe(asked),
        ),

      note: Effect.fnUntraced(function* (caller, entity, { event, text }) {
        yield* admission.enter(caller, "exceptions.note", entity, { first: event })
        if (yield* desk.note(entity, event, caller.name, text).pipe(asked)) return { changed: 1 }
        return yield* noSuch(entity, event)
      }),
    })
  }),
)
