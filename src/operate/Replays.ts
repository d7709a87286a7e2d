/**
 * Replays: events are looked at again, and what is missing is brought again. A dry run comes first, always; applying its
 * findings is an order of its own. What a file brings, and what changes what stands, a second person lets through.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { randomBytes } from "node:crypto"
import { Roster } from "../actor/Roster.ts"
import { Access } from "../ledger/Access.ts"
import { type NewRun, type Run, type RunChange, type RunEvent, Runs, type RunState } from "../ledger/Runs.ts"
import { requestOf } from "../replay/dryRun.ts"
import { narrowed } from "../replay/Request.ts"
import { Actors } from "./Actors.ts"
import { Admission, type Particulars } from "./Admission.ts"
import { asked } from "./asked.ts"
import { newRunId, opened } from "./opening.ts"
import { type CallerIdentity, hasEntity } from "./Caller.ts"
import type { OperationName } from "./Operations.ts"
import { cursor, limitOf } from "./Page.ts"
import { Conflict, Forbidden, Invalid, type Malformed, NotFound, type Unavailable } from "./Problem.ts"
import { ordered, type ReplayOrder, type Upload } from "./replays/order.ts"
import {
  type FindingPage,
  type FindingQuery,
  type FindingView,
  masked,
  type ReplayPage,
  type ReplayQuery,
  type ReplayView,
  viewOf,
} from "./replays/views.ts"

type Refused = Forbidden | NotFound | Conflict | Invalid | Malformed | Unavailable
type Queried<Fields extends Schema.Struct.Fields> = Schema.Struct<Fields>["Type"]
type Looked<A> = Effect.Effect<A, Refused>

export class Replays extends Context.Service<Replays, {
  readonly start: (caller: CallerIdentity, order: ReplayOrder) => Looked<ReplayView>
  readonly upload: (caller: CallerIdentity, runId: string, upload: Upload) => Looked<ReplayView>
  readonly list: (caller: CallerIdentity, query: Queried<typeof ReplayQuery>) => Looked<typeof ReplayPage.Type>
  readonly show: (caller: CallerIdentity, runId: string) => Looked<ReplayView>
  readonly findings: (
    caller: CallerIdentity,
    runId: string,
    query: Queried<typeof FindingQuery>,
  ) => Looked<typeof FindingPage.Type>
  /** Acts on the findings of a dry run over the stream that changes nothing that stands. */
  readonly apply: (caller: CallerIdentity, runId: string) => Looked<ReplayView>
  /** The same for what a file brought, and for what changes what stands: by somebody else than who asked for it. */
  readonly release: (caller: CallerIdentity, runId: string) => Looked<ReplayView>
  readonly pause: (caller: CallerIdentity, runId: string) => Looked<ReplayView>
  readonly resume: (caller: CallerIdentity, runId: string) => Looked<ReplayView>
  readonly cancel: (caller: CallerIdentity, runId: string) => Looked<ReplayView>
}>()("weir/operate/Replays") {}

/** Most legal entities of one replay. */
const MAX_PARTS = 1_000

/** Whether applying it takes a second person. */
const needsSecond = (run: Run): boolean => {
  const { onChanged, source } = requestOf(run)
  return source === "upload" || onChanged !== "skip"
}

const runPlace = cursor(Schema.Struct({
  createdAtMillis: Schema.Int,
  runId: Schema.String,
  entity: Schema.String,
}))
const findingPlace = cursor(Schema.Struct({ entity: Schema.String, ordinal: Schema.Int }))

export const layer = Layer.effect(
  Replays,
  Effect.gen(function* () {
    const runs = yield* Runs
    const actors = yield* Actors
    const admission = yield* Admission
    const access = yield* Access
    const { entities, flows } = yield* Roster

    const enterAll = (
      caller: CallerIdentity,
      operation: OperationName,
      parts: ReadonlyArray<{ readonly entity: string }>,
      particulars: Particulars,
    ) =>
      Effect.forEach(parts, ({ entity }) => admission.enter(caller, operation, entity, particulars), { discard: true })

    const partsOf = Effect.fnUntraced(function* (caller: CallerIdentity, runId: string) {
      const found = yield* runs.runs({ runId, kind: "replay", limit: MAX_PARTS }).pipe(asked)
      if (found.length === 0) return yield* new NotFound({ detail: `There is no replay ${runId}.` })
      const own = found.filter(({ entity }) => hasEntity(caller, entity))
      return { own, asked: own.length > 0 ? own : found.slice(0, 1) }
    })

    /** The parts of a run that are of the caller's entities, once it is let in. */
    const entered = Effect.fnUntraced(function* (
      caller: CallerIdentity,
      operation: OperationName,
      runId: string,
      particulars: Particulars = {},
    ) {
      const { asked: parts, own } = yield* partsOf(caller, runId)
      yield* enterAll(caller, operation, parts, particulars)
      return own
    })

    const viewed = (caller: CallerIdentity, runId: string) =>
      Effect.map(partsOf(caller, runId), ({ own }) => viewOf(own))

    const chosen = Effect.fnUntraced(function* (caller: CallerIdentity, { entity, subject }: ReplayOrder) {
      const wanted = (entity === undefined ? [...entities.keys()].filter((code) => hasEntity(caller, code)) : [entity])
        .filter((code) => narrowed(subject, code) !== null)
      if (wanted.length > 0) return wanted
      return yield* new Invalid({ detail: `${subject} names no legal entity that ${caller.name} has rights on.` })
    })

    const sound = Effect.fnUntraced(function* (order: ReplayOrder) {
      const strange = (order.flows ?? []).find((name) => !flows.some((flow) => flow.name === name))
      if (strange !== undefined) {
        const known = flows.map(({ name }) => name).join(", ")
        return yield* new NotFound({ detail: `There is no flow ${strange}. There are: ${known}.` })
      }
    })

    /** Moves all parts that are in one of `from`; when none is, nothing happens and it is said why. */
    const moved = Effect.fnUntraced(function* (
      caller: CallerIdentity,
      operation: OperationName,
      runId: string,
      from: ReadonlyArray<RunState>,
      change: RunChange,
      check: (parts: ReadonlyArray<Run>) => Effect.Effect<void, Forbidden | Conflict> = () => Effect.void,
    ) {
      const parts = yield* entered(caller, operation, runId, { run: runId })
      if (change.state === "applying" && parts.some((run) => requestOf(run).alike === true)) {
        return yield* new Conflict({
          detail: `Replay ${runId} looked for what another system has made: nothing of it can be applied.`,
        })
      }
      yield* check(parts)
      const changed = yield* Effect.forEach(
        parts,
        ({ entity }) => runs.change(entity, runId, from, change).pipe(asked),
      )
      if (changed.every((run) => run === null)) {
        return yield* new Conflict({
          detail: `Replay ${runId} is ${[...new Set(parts.map(({ state }) => state))].join(", ")}; this takes ${
            from.join(" or ")
          }.`,
        })
      }
      yield* Effect.forEach(parts, ({ entity }) => actors.takeUp(entity), { discard: true })
      return yield* viewed(caller, runId)
    })

    const applying = (caller: CallerIdentity): RunChange => ({ state: "applying", appliedBy: caller.name, trouble: "" })

    return Replays.of({
      start: Effect.fnUntraced(function* (caller, order) {
        const wanted = yield* chosen(caller, order)
        const runId = yield* newRunId
        const request = ordered(order)
        const { reason } = order
        const particulars = { run: runId, subject: order.subject, source: request.source, reason }
        yield* enterAll(caller, "replays.start", wanted.map((entity) => ({ entity })), particulars)
        yield* sound(order)
        const state = request.source === "upload" ? "gathering" : "examining"
        yield* opened(
          runs,
          actors,
          wanted.map((entity): NewRun => ({
            entity,
            runId,
            kind: "replay",
            state,
            request: request as unknown as NewRun["request"],
            requestedBy: caller.name,
            reason,
          })),
        )
        return yield* viewed(caller, runId)
      }),

      upload: Effect.fnUntraced(function* (caller, runId, { events, last, position }) {
        const parts = yield* entered(caller, "replays.upload", runId, { run: runId, events: events.length })
        if (parts.some(({ state }) => state !== "gathering")) {
          return yield* new Conflict({ detail: `Replay ${runId} takes no events any more.` })
        }
        const kept = new Map<string, Array<RunEvent>>()
        for (const [n, { data, headers = {}, storedAtMillis = 0, streamSequence = 0, subject }] of events.entries()) {
          const entity = subject.split(".")[1] ?? ""
          if (!parts.some((part) => part.entity === entity)) {
            return yield* new Invalid({
              detail: `Event ${position + n} is of ${entity}, which this replay is not for.`,
            })
          }
          const own = kept.get(entity) ?? []
          kept.set(entity, own)
          own.push({
            ordinal: position + n,
            eventId: "",
            type: "",
            flow: "",
            key: "",
            streamSequence,
            storedAtMillis,
            finding: "",
            detail: {},
            message: { subject, headers, data },
            outcome: null,
          })
        }
        for (const [entity, own] of kept) yield* runs.keep(entity, runId, own).pipe(asked)
        if (last) {
          for (const { entity } of parts) {
            yield* runs.change(entity, runId, ["gathering"], { state: "examining" }).pipe(asked)
            yield* actors.takeUp(entity)
          }
        }
        return yield* viewed(caller, runId)
      }),

      list: Effect.fnUntraced(function* (caller, query) {
        const visible = yield* admission.visible(caller, "replays.list", query.entity)
        const before = yield* runPlace.read(query)
        const limit = limitOf(query)
        const found = yield* runs.runs({
          kind: "replay",
          limit: limit + 1,
          ...(visible === null ? {} : { entities: visible }),
          ...(query.state === undefined ? {} : { states: [query.state] }),
          ...(before === null ? {} : { before }),
        }).pipe(asked)
        const items = found.slice(0, limit)
        const last = items.at(-1)
        return {
          items: items.map((run) => viewOf([run])),
          next: found.length > limit && last !== undefined ? runPlace.of(last) : null,
        }
      }),

      show: Effect.fnUntraced(function* (caller, runId) {
        return viewOf(yield* entered(caller, "replays.show", runId))
      }),

      findings: Effect.fnUntraced(function* (caller, runId, query) {
        const parts = (yield* entered(caller, "replays.findings", runId))
          .filter(({ entity }) => query.entity === undefined || entity === query.entity)
          .toSorted((a, b) => a.entity < b.entity ? -1 : 1)
        const after = yield* findingPlace.read(query)
        const limit = limitOf(query)
        const items: Array<FindingView> = []
        for (const { entity } of parts) {
          if (after !== null && entity < after.entity) continue
          const page = yield* runs.events({
            entity,
            runId,
            after: after?.entity === entity ? after.ordinal : 0,
            limit: limit + 1 - items.length,
            ...(query.class !== undefined && { findings: [query.class] }),
          }).pipe(asked)
          items.push(
            ...page.map(({ message: _, storedAtMillis: _at, ...event }) => ({
              ...event,
              entity,
              detail: masked(event.detail, caller),
            })),
          )
          if (items.length > limit) break
        }
        const shown = items.slice(0, limit)
        const last = shown.at(-1)
        return { items: shown, next: items.length > limit && last !== undefined ? findingPlace.of(last) : null }
      }),

      apply: (caller, runId) =>
        moved(
          caller,
          "replays.apply",
          runId,
          ["examined"],
          applying(caller),
          (parts) =>
            parts.some(needsSecond)
              ? new Conflict({
                detail:
                  "What a file brings, and what changes what stands, another person lets through: weir replays release.",
              })
              : Effect.void,
        ),

      release: (caller, runId) =>
        moved(
          caller,
          "replays.release",
          runId,
          ["examined"],
          applying(caller),
          (parts) =>
            parts.some(({ requestedBy }) => requestedBy.toLowerCase() === caller.name.toLowerCase())
              ? Effect.andThen(
                access.record(parts[0]!.entity, {
                  id: `run/${runId}/same-person/${randomBytes(4).toString("hex")}`,
                  actor: caller.name,
                  action: "operation.denied",
                  detail: { operation: "replays.release", run: runId, reason: "asked for it" },
                }).pipe(asked, Effect.ignore),
                new Forbidden({ detail: `${caller.name} asked for it: another person has to let it through.` }),
              )
              : Effect.void,
        ),

      pause: (caller, runId) => moved(caller, "replays.pause", runId, ["applying"], { state: "paused" }),
      resume: (caller, runId) => moved(caller, "replays.resume", runId, ["paused"], { state: "applying" }),
      cancel: (caller, runId) =>
        moved(
          caller,
          "replays.cancel",
          runId,
          ["gathering", "examining", "examined", "applying", "paused"],
          { state: "cancelled" },
        ),
    })
  }),
)
