/**
 * Proofs of completeness: whether everything of a month arrived, and stands. Anybody who operates may ask for one; an
 * approver who did not ask for it signs it off, with what it said at that moment.
 */
import { Clock, Context, Effect, Layer, Schema } from "effect"
import { Roster } from "../actor/Roster.ts"
import { Access } from "../ledger/Access.ts"
import { type NewRun, type Run, type RunEvent, type RunJson, Runs } from "../ledger/Runs.ts"
import { page } from "../reconcile/page.ts"
import { hashOf, keptIn } from "../reconcile/Report.ts"
import { Actors } from "./Actors.ts"
import { Admission, type Particulars } from "./Admission.ts"
import { asked } from "./asked.ts"
import { newRunId, opened } from "./opening.ts"
import { type CallerIdentity, hasEntity } from "./Caller.ts"
import type { OperationName } from "./Operations.ts"
import { cursor, limitOf, MAX_PAGE } from "./Page.ts"
import { Conflict, Forbidden, Invalid, type Malformed, NotFound, type Unavailable } from "./Problem.ts"
import {
  lineOf,
  mismatchOf,
  type MismatchPage,
  type MismatchQuery,
  type MismatchView,
  type ReconciliationOrder,
  type ReconciliationPage,
  type ReconciliationQuery,
  type ReconciliationView,
  viewOf,
} from "./reconciliations/views.ts"

type Refused = Forbidden | NotFound | Conflict | Invalid | Malformed | Unavailable
type Looked<A> = Effect.Effect<A, Refused>
type Queried<Fields extends Schema.Struct.Fields> = Schema.Struct<Fields>["Type"]

export class Reconciliations extends Context.Service<Reconciliations, {
  readonly start: (caller: CallerIdentity, order: ReconciliationOrder) => Looked<ReconciliationView>
  readonly list: (
    caller: CallerIdentity,
    query: Queried<typeof ReconciliationQuery>,
  ) => Looked<typeof ReconciliationPage.Type>
  readonly show: (caller: CallerIdentity, runId: string) => Looked<ReconciliationView>
  readonly mismatches: (
    caller: CallerIdentity,
    runId: string,
    query: Queried<typeof MismatchQuery>,
  ) => Looked<typeof MismatchPage.Type>
  /** The report for people: HTML without anything from outside. Of the parts that are done. */
  readonly report: (caller: CallerIdentity, runId: string) => Looked<string>
  /** Stands for what the report says. By somebody else than who asked for it; once. */
  readonly sign: (caller: CallerIdentity, runId: string, reason: string) => Looked<ReconciliationView>
  readonly cancel: (caller: CallerIdentity, runId: string) => Looked<ReconciliationView>
}>()("weir/operate/Reconciliations") {}

/** Most legal entities of one proof. */
const MAX_PARTS = 1_000
const PLAIN_REASON = "proof of completeness"

const linePlace = cursor(Schema.Struct({
  createdAtMillis: Schema.Int,
  runId: Schema.String,
  entity: Schema.String,
}))
const mismatchPlace = cursor(Schema.Struct({ entity: Schema.String, ordinal: Schema.Int }))

const byEntity = (a: Run, b: Run): number => a.entity < b.entity ? -1 : 1

export const layer = Layer.effect(
  Reconciliations,
  Effect.gen(function* () {
    const runs = yield* Runs
    const actors = yield* Actors
    const admission = yield* Admission
    const access = yield* Access
    const { entities, flows } = yield* Roster

    const enterAll = (
      caller: CallerIdentity,
      operation: OperationName,
      codes: ReadonlyArray<string>,
      particulars: Particulars,
    ) => Effect.forEach(codes, (entity) => admission.enter(caller, operation, entity, particulars), { discard: true })

    const ownOf = (caller: CallerIdentity, runId: string) =>
      runs.runs({ runId, kind: "reconciliation", limit: MAX_PARTS }).pipe(
        asked,
        Effect.map((found) => ({
          found,
          own: found.filter(({ entity }) => hasEntity(caller, entity)).toSorted(byEntity),
        })),
      )

    /** The parts of a proof that are of the caller's entities, once it is let in. */
    const entered = Effect.fnUntraced(function* (
      caller: CallerIdentity,
      operation: OperationName,
      runId: string,
      particulars: Particulars = {},
    ) {
      const { found, own } = yield* ownOf(caller, runId)
      if (found.length === 0) return yield* new NotFound({ detail: `There is no reconciliation ${runId}.` })
      yield* enterAll(
        caller,
        operation,
        (own.length > 0 ? own : found.slice(0, 1)).map(({ entity }) => entity),
        particulars,
      )
      return own
    })

    const viewed = (caller: CallerIdentity, runId: string) =>
      Effect.map(ownOf(caller, runId), ({ own }) => viewOf(own, caller))

    const stateOf = (parts: ReadonlyArray<Run>) => [...new Set(parts.map(({ state }) => state))].join(", ")

    /** Mismatches of a part after an ordinal. A proof that began anew may have left some of before behind its own. */
    const mismatchesOf = (
      { entity, progress, result, runId }: Run,
      after: number,
      limit: number,
      kind?: string,
    ): Effect.Effect<ReadonlyArray<RunEvent>, Unavailable> => {
      const count = keptIn(result)?.report.mismatches ?? Number(progress["mismatches"] ?? 0)
      return runs.events({ entity, runId, after, limit, ...(kind !== undefined && { findings: [kind] }) }).pipe(
        asked,
        Effect.map((events) => events.filter(({ ordinal }) => ordinal <= count)),
      )
    }

    const signed = Effect.fnUntraced(function* (caller: CallerIdentity, run: Run, reason: string) {
      const { report } = keptIn(run.result)!
      const atMillis = yield* Clock.currentTimeMillis
      const signature = { by: caller.name, atMillis, reason, hash: hashOf(report) }
      const { complete, mismatches, period } = report
      yield* access.record(run.entity, {
        id: `run/${run.runId}/signed`,
        actor: caller.name,
        action: "reconciliation.signed",
        detail: { run: run.runId, period, complete, mismatches, reason, hash: signature.hash },
      }).pipe(asked)
      yield* runs.change(run.entity, run.runId, ["done"], {
        appliedBy: caller.name,
        result: { ...report, signature } as unknown as RunJson,
      }).pipe(asked)
    })

    return Reconciliations.of({
      start: Effect.fnUntraced(function* (caller, { entity, flows: wanted, period, reason = PLAIN_REASON }) {
        const codes = entity === undefined ? [...entities.keys()].filter((code) => hasEntity(caller, code)) : [entity]
        if (codes.length === 0) {
          return yield* new Invalid({ detail: `${caller.name} has rights on no legal entity.` })
        }
        const runId = yield* newRunId
        yield* enterAll(caller, "reconciliations.start", codes, { run: runId, period, reason })
        const strange = (wanted ?? []).find((name) => !flows.some((flow) => flow.name === name))
        if (strange !== undefined) {
          const known = flows.map(({ name }) => name).join(", ")
          return yield* new NotFound({ detail: `There is no flow ${strange}. There are: ${known}.` })
        }
        yield* opened(
          runs,
          actors,
          codes.map((code): NewRun => ({
            entity: code,
            runId,
            kind: "reconciliation",
            state: "examining",
            request: { period, ...(wanted !== undefined && { flows: wanted }) },
            requestedBy: caller.name,
            reason,
          })),
        )
        return yield* viewed(caller, runId)
      }),

      list: Effect.fnUntraced(function* (caller, query) {
        const visible = yield* admission.visible(caller, "reconciliations.list", query.entity)
        const before = yield* linePlace.read(query)
        const limit = limitOf(query)
        const found = yield* runs.runs({
          kind: "reconciliation",
          limit: limit + 1,
          ...(visible === null ? {} : { entities: visible }),
          ...(query.state === undefined ? {} : { states: [query.state] }),
          ...(before === null ? {} : { before }),
        }).pipe(asked)
        const items = found.slice(0, limit)
        const last = items.at(-1)
        return {
          items: items.map(lineOf),
          next: found.length > limit && last !== undefined ? linePlace.of(last) : null,
        }
      }),

      show: Effect.fnUntraced(function* (caller, runId) {
        return viewOf(yield* entered(caller, "reconciliations.show", runId), caller)
      }),

      mismatches: Effect.fnUntraced(function* (caller, runId, query) {
        const parts = (yield* entered(caller, "reconciliations.mismatches", runId))
          .filter(({ entity }) => query.entity === undefined || entity === query.entity)
        const after = yield* mismatchPlace.read(query)
        const limit = limitOf(query)
        const items: Array<MismatchView> = []
        for (const part of parts) {
          const { entity } = part
          if (after !== null && entity < after.entity) continue
          const from = after?.entity === entity ? after.ordinal : 0
          const found = yield* mismatchesOf(part, from, limit + 1 - items.length, query.kind)
          items.push(...found.map((event) => mismatchOf(entity, event, caller)))
          if (items.length > limit) break
        }
        const shown = items.slice(0, limit)
        const last = shown.at(-1)
        return { items: shown, next: items.length > limit && last !== undefined ? mismatchPlace.of(last) : null }
      }),

      report: Effect.fnUntraced(function* (caller, runId) {
        const parts = yield* entered(caller, "reconciliations.report", runId)
        const done = parts.filter(({ result }) => result !== null)
        if (done.length === 0) {
          return yield* new Conflict({ detail: `Reconciliation ${runId} is ${stateOf(parts)}; it has no report yet.` })
        }
        const view = viewOf(done, caller)
        const sections = yield* Effect.forEach(
          done,
          (part, n) =>
            Effect.map(mismatchesOf(part, 0, MAX_PAGE), (events) => {
              const { report, signature } = view.parts[n]!
              return {
                report: report!,
                signature,
                mismatches: events.map((one) => mismatchOf(part.entity, one, caller)),
              }
            }),
        )
        return page({ runId, requestedBy: view.requestedBy, reason: view.reason, sections })
      }),

      sign: Effect.fnUntraced(function* (caller, runId, reason) {
        const parts = yield* entered(caller, "reconciliations.sign", runId, { run: runId, reason })
        if (parts.some(({ requestedBy }) => requestedBy.toLowerCase() === caller.name.toLowerCase())) {
          return yield* new Forbidden({ detail: `${caller.name} asked for it: another person has to sign it off.` })
        }
        const due = parts.filter(({ result, state }) => state === "done" && keptIn(result)?.signature === null)
        if (due.length === 0) {
          return yield* new Conflict({
            detail: parts.some(({ state }) => state === "done")
              ? `Reconciliation ${runId} is signed off already.`
              : `Reconciliation ${runId} is ${stateOf(parts)}; only one that is done is signed off.`,
          })
        }
        yield* Effect.forEach(due, (run) => signed(caller, run, reason), { discard: true })
        return yield* viewed(caller, runId)
      }),

      cancel: Effect.fnUntraced(function* (caller, runId) {
        const parts = yield* entered(caller, "reconciliations.cancel", runId, { run: runId })
        const changed = yield* Effect.forEach(
          parts,
          ({ entity }) => runs.change(entity, runId, ["examining"], { state: "cancelled" }).pipe(asked),
        )
        if (changed.every((run) => run === null)) {
          return yield* new Conflict({ detail: `Reconciliation ${runId} is ${stateOf(parts)}; it is over.` })
        }
        return yield* viewed(caller, runId)
      }),
    })
  }),
)
