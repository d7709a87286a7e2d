/**
 * Corrections: an exception's event with other data, tried again. Checked like every event that comes in; the event stays
 * itself: its identity, its type and, where it could be read, its business key cannot be changed. What moves money waits
 * for an approver who is somebody else.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { Roster } from "../actor/Roster.ts"
import { type Amendment, Amendments as AmendmentPort, type FieldChange, type JsonValue } from "../ledger/Amendments.ts"
import { Desk, type ExceptionFile } from "../ledger/Desk.ts"
import { Actors } from "./Actors.ts"
import { Admission } from "./Admission.ts"
import { asked } from "./asked.ts"
import { type CallerIdentity, clearanceOf } from "./Caller.ts"
import { Reason } from "./Entities.ts"
import { differences, moveMoney } from "./exceptions/differences.ts"
import { envelopeOf, hashOf, Json, read, specOf, withData } from "./exceptions/payload.ts"
import { type Clearance, markOf } from "./masking.ts"
import { cursor, limitOf, pageOf, pageQuery } from "./Page.ts"
import { Conflict, Forbidden, Invalid, type Malformed, NotFound, type Unavailable } from "./Problem.ts"

/** Changes that an answer shows. */
const MAX_CHANGES = 200

export const EditRequest = Schema.Struct({
  event: Schema.String,
  /** The whole data of the event, as it is to be. */
  data: Json,
  /** `payload.hash` of the exception that was looked at: nothing is changed when it is another one by now. */
  hash: Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/u)),
  reason: Reason,
}).annotate({ identifier: "EditRequest" })
export type EditRequest = typeof EditRequest.Type

const Change = Schema.Struct({
  path: Schema.String,
  /** Left out: it was, or is, not there. */
  from: Schema.optionalKey(Json),
  to: Schema.optionalKey(Json),
  classification: Schema.NullOr(Schema.Literals(["personal", "financial", "secret"])),
})

export const AmendmentView = Schema.Struct({
  id: Schema.Int,
  entity: Schema.String,
  eventId: Schema.String,
  state: Schema.Literals(["proposed", "applied", "rejected", "outdated"]),
  changes: Schema.Array(Change),
  /** It moves money: an approver who is not `proposedBy` has to agree. */
  financial: Schema.Boolean,
  reason: Schema.String,
  proposedBy: Schema.String,
  proposedAtMillis: Schema.Int,
  decidedBy: Schema.NullOr(Schema.String),
  decidedAtMillis: Schema.NullOr(Schema.Int),
  decidedReason: Schema.NullOr(Schema.String),
}).annotate({ identifier: "Amendment" })
export type AmendmentView = typeof AmendmentView.Type

export const AmendmentQuery = {
  entity: Schema.optionalKey(Schema.String),
  state: Schema.optionalKey(Schema.Literals(["proposed", "applied", "rejected", "outdated"])),
  ...pageQuery,
}
const Query = Schema.Struct(AmendmentQuery)
export const AmendmentPage = pageOf(AmendmentView)
export const DecideRequest = Schema.Struct({ reason: Reason }).annotate({ identifier: "DecideRequest" })

const place = cursor(Schema.Struct({ id: Schema.Int }))

type Refused = Forbidden | NotFound | Malformed | Invalid | Conflict | Unavailable

export class Corrections extends Context.Service<Corrections, {
  readonly edit: (
    caller: CallerIdentity,
    entity: string,
    request: EditRequest,
  ) => Effect.Effect<AmendmentView, Refused>
  readonly list: (
    caller: CallerIdentity,
    query: typeof Query.Type,
  ) => Effect.Effect<typeof AmendmentPage.Type, Refused>
  readonly approve: (caller: CallerIdentity, id: number, reason: string) => Effect.Effect<AmendmentView, Refused>
  readonly reject: (caller: CallerIdentity, id: number, reason: string) => Effect.Effect<AmendmentView, Refused>
}>()("weir/operate/Corrections") {}

const shown = (change: FieldChange, clearance: Clearance): FieldChange => {
  const { classification } = change
  const hidden = classification === null
    ? !(clearance.has("personal") && clearance.has("financial"))
    : !clearance.has(classification)
  if (!hidden) return change
  const mark = markOf(classification)
  return {
    ...change,
    ...(change.from === undefined ? {} : { from: mark }),
    ...(change.to === undefined ? {} : { to: mark }),
  }
}

const viewOf = (amendment: Amendment, clearance: Clearance): AmendmentView => ({
  ...amendment,
  changes: amendment.changes.slice(0, MAX_CHANGES).map((change) => shown(change, clearance)),
})

/** Parts of the corrected event that are not the caller's to change. */
const masks = /^\((?:personal|financial|secret|not shown)\)$/u
const hasMask = (value: JsonValue): boolean =>
  typeof value === "string"
    ? masks.test(value)
    : typeof value === "object" && value !== null && Object.values(value).some((part) => hasMask(part as JsonValue))

export const layer = Layer.effect(
  Corrections,
  Effect.gen(function* () {
    const desk = yield* Desk
    const amendments = yield* AmendmentPort
    const admission = yield* Admission
    const actors = yield* Actors
    const { flows } = yield* Roster

    /** The message with the new data and what is different in it; fails where the correction cannot be meant. */
    const corrected = Effect.fnUntraced(function* (file: ExceptionFile, data: JsonValue) {
      const { message, row } = file
      const envelope = message === null ? null : envelopeOf(message)
      const flow = flows.find(({ name }) => name === row.flow)
      const spec = specOf(flow, envelope)
      if (message === null || envelope === null || flow === undefined || spec === null) {
        return yield* new Conflict({
          detail:
            "This message holds no event of a known type: it cannot be corrected here. Publish it again, dismiss this one.",
        })
      }
      if (hasMask(data)) {
        return yield* new Invalid({
          detail: "The data holds marks of what was not shown. Correct it with a role that sees it.",
        })
      }
      const held = { ...row, storedAtMillis: file.storedAtMillis }
      const before = read(flow, held, message)
      const next = withData(message, envelope, data)
      const after = read(flow, held, next)
      if (after.key === null) return yield* new Invalid({ detail: after.complaint })
      if (before.key !== null && after.key !== before.key) {
        return yield* new Invalid({
          detail: `The business key cannot be changed: it is ${before.key}. Another key is another event.`,
        })
      }
      const changes = differences(spec.schema, (envelope["data"] ?? null) as JsonValue, data)
      if (changes.length === 0) return yield* new Invalid({ detail: "Nothing is different. Use retry." })
      return { next, key: after.key, changes, financial: moveMoney(spec.schema, changes) }
    })

    const one = Effect.fnUntraced(function* (id: number) {
      const amendment = yield* amendments.one(id).pipe(asked)
      return amendment ?? (yield* new NotFound({ detail: `There is no amendment ${id}.` }))
    })

    const decide = Effect.fnUntraced(function* (caller: CallerIdentity, id: number, apply: boolean, reason: string) {
      const operation = apply ? "amendments.approve" : "amendments.reject"
      const amendment = yield* amendments.one(id).pipe(asked)
      yield* admission.enter(caller, operation, amendment?.entity ?? null, { amendment: id, reason })
      if (amendment === null) return yield* new NotFound({ detail: `There is no amendment ${id}.` })
      if (apply && amendment.financial && caller.by === "local") {
        return yield* new Forbidden({
          detail: "It moves money: an approver has to be known by a token, not by being on this machine.",
        })
      }
      const verdict = yield* amendments.decide(id, { apply, by: caller.name, reason }).pipe(asked)
      switch (verdict) {
        case "same-person":
          return yield* new Forbidden({
            detail: `It moves money, and ${caller.name} proposed it: somebody else has to agree.`,
          })
        case "none":
          return yield* new NotFound({ detail: `There is no amendment ${id}.` })
        case "decided":
          return yield* new Conflict({ detail: `Amendment ${id} was decided before.` })
        case "gone":
          return yield* new Conflict({ detail: "Its exception is none any more; the amendment is outdated." })
        case "changed":
          return yield* new Conflict({
            detail: "The event was corrected otherwise meanwhile; the amendment is outdated.",
          })
        default:
          yield* actors.released(amendment.entity)
          return viewOf(yield* one(id), clearanceOf(caller))
      }
    })

    return Corrections.of({
      edit: Effect.fnUntraced(function* (caller, entity, { data, event, hash, reason }) {
        yield* admission.enter(caller, "exceptions.edit", entity, { first: event, reason })
        const file = yield* desk.file(entity, event).pipe(asked)
        if (file === null || file.row.state !== "parked" || file.message === null) {
          return yield* new NotFound({ detail: `${event} is no exception of ${entity} now.` })
        }
        if (hashOf(file.message) !== hash) {
          return yield* new Conflict({ detail: "The event is another one by now. Look at it again." })
        }
        const { changes, financial, key, next } = yield* corrected(file, data)
        const proposed = yield* amendments.propose({
          entity,
          eventId: event,
          baseHash: hash,
          data: next.data,
          key,
          changes,
          financial,
          reason,
          by: caller.name,
        }).pipe(asked)
        if (proposed._tag !== "Proposed") {
          return yield* new Conflict({ detail: "The exception changed meanwhile. Look at it again." })
        }
        if (proposed.applied) yield* actors.released(entity)
        return viewOf(yield* one(proposed.id), clearanceOf(caller))
      }),

      list: Effect.fnUntraced(function* (caller, query) {
        const entities = yield* admission.visible(caller, "amendments.list", query.entity)
        const after = yield* place.read(query)
        const limit = limitOf(query)
        const found = yield* amendments.list({
          entities,
          before: after?.id ?? null,
          limit: limit + 1,
          ...(query.state === undefined ? {} : { state: query.state }),
        }).pipe(asked)
        const clearance = clearanceOf(caller)
        const page = found.slice(0, limit)
        const last = page.at(-1)
        return {
          items: page.map((amendment) => viewOf(amendment, clearance)),
          next: found.length > limit && last !== undefined ? place.of(last) : null,
        }
      }),

      approve: (caller, id, reason) => decide(caller, id, true, reason),
      reject: (caller, id, reason) => decide(caller, id, false, reason),
    })
  }),
)
