/**
 * Runs write plans: each step on a whole batch of events of one type and one company, until every event stands in Odoo or
 * is refused. All steps are idempotent, so after any interruption the plan is run again from its start.
 *
 *   writes ─► step 1 ─► step 2 ─► … ─► Written, with the mapping of the business key
 *               │          │
 *               └──────────┴─► Refused: one event's exception, the others go on
 *
 * A failure (`OdooError` with the disposition retry, readback or hold) concerns the whole batch: nothing is decided about
 * any of its events, repeat the run.
 */
import { Clock, Context, Effect, Layer } from "effect"
import type { EventSpec } from "../../flow/Flow.ts"
import type { Lane } from "../../flow/Lane.ts"
import type { Mask } from "../../flow/Mask.ts"
import type { Refusal, Step } from "../../flow/Step.ts"
import type { Write } from "../../flow/Write.ts"
import type { Mapping, Mark } from "../../ledger/Ledger.ts"
import { CallGate } from "../CallGate.ts"
import type { Company } from "../Company.ts"
import { type CompanyCalls, companyCalls } from "../CompanyCalls.ts"
import { MasterData } from "../MasterData.ts"
import { Odoo, type OdooError } from "../Odoo.ts"
import { dropForeignLines, refuseBound } from "./amend.ts"
import { Batch } from "./Batch.ts"
import { runCheck } from "./check.ts"
import { runCompare } from "./compare.ts"
import { compensateAll } from "./compensate.ts"
import { type Ask, nobody, runEnrich } from "./enrich.ts"
import { runFind } from "./find.ts"
import { runInvoke } from "./invoke.ts"
import { masked } from "./mask.ts"
import { KeyedMutex } from "./KeyedMutex.ts"
import { runLoad } from "./load.ts"
import { runQuery } from "./query.ts"
import { runRead } from "./read.ts"
import { runReconcile } from "./reconcile.ts"
import { runResolve } from "./resolve.ts"
import { forgetFor, FRESH_MILLIS, suspectsIn } from "./stale.ts"
import { standingIn } from "./standing.ts"
import { runTransition } from "./transition.ts"
import { runUnlink } from "./unlink.ts"
import { runUpdate } from "./update.ts"

export type WriteResult =
  /**
   * `mapping.version` is null here: the source's sequence is the caller's. `links` are the ids of the other load steps and
   * of the parts, which are the records that others refer to by keys of their own.
   */
  | { readonly _tag: "Written"; readonly mapping: Mapping; readonly parts?: ReadonlyArray<Mark> }
  /** `standing`: the event's records that are in Odoo all the same and what was taken back, in words; or empty. */
  | { readonly _tag: "Refused"; readonly refusal: Refusal; readonly standing: string }

export interface PlanContext {
  readonly flow: string
  readonly lane: Lane
  /** Create, never post: a posting step and all that follow it are left out. */
  readonly drafts: boolean
  /** What may be written. Left out: anything. */
  readonly mask?: Mask
  /** What stands as a draft gets the events' values; what is bound already is refused. Default false. */
  readonly amend?: boolean
  /** Months (`2026-10`) whose late documents are approved; only asked for under the policy `approval`. Default none. */
  readonly approvedPeriods?: ReadonlySet<string>
  /** Asks a dependency beside Odoo. Left out: there is none. */
  readonly ask?: Ask
  /** Before each call, in the moment in which it goes out: ends when it may. Left out: it may always. */
  readonly owned?: Effect.Effect<void>
}

export class Plan extends Context.Service<Plan, {
  /**
   * Results in the order of `writes`, which all belong to one company. Fills `ids` and `read` of each write. An error
   * that is thrown by a step's own functions is a defect.
   */
  readonly run: (
    spec: EventSpec<unknown>,
    writes: ReadonlyArray<Write<unknown>>,
    context: PlanContext,
  ) => Effect.Effect<ReadonlyArray<WriteResult>, OdooError>
  /** Whether Odoo answers a small question about the company now. */
  readonly answers: (company: Company, lane: Lane) => Effect.Effect<boolean>
}>()("weir/odoo/plan/Plan") {}

const NOTHING: ReadonlySet<string> = new Set()

/** What makes a record binding is not done in mode `drafts`. */
export const posts = (step: Step<unknown>): boolean =>
  step._tag === "Reconcile" || ("posts" in step && step.posts === true)

const partsIn = (batch: Batch, index: number): { readonly parts?: ReadonlyArray<Mark> } => {
  const parts = batch.partsOf(index)
  return parts.length === 0 ? {} : { parts }
}

/** Model of the mapping of an event that has no record in Odoo. */
const FACT = "fact"

const resultOf = (spec: EventSpec<unknown>, batch: Batch, index: number): WriteResult => {
  const refusal = batch.refusalOf(index)
  if (refusal !== undefined) {
    const standing = standingIn(spec, batch.writes[index]!, (step) => batch.externalIdOf(index, step))
    const taken = batch.compensationOf(index)
    return { _tag: "Refused", refusal, standing: taken === "" ? standing : `${standing}; ${taken}` }
  }
  if (spec.record === undefined) {
    const text = spec.fact?.(batch.writes[index]!.data) ?? ""
    return {
      _tag: "Written",
      mapping: { model: FACT, id: 0, externalId: text, version: null, links: batch.linksOf(index, "") },
      ...partsIn(batch, index),
    }
  }
  const step = spec.plan.find(({ name }) => name === spec.record)
  return {
    _tag: "Written",
    mapping: {
      model: step !== undefined && "model" in step ? step.model : "",
      id: batch.idOf(index, spec.record),
      externalId: batch.externalIdOf(index, spec.record),
      version: null,
      links: batch.linksOf(index, spec.record),
    },
    ...partsIn(batch, index),
  }
}

export const make = Effect.gen(function* () {
  const odoo = yield* Odoo
  const gate = yield* CallGate
  const master = yield* MasterData
  const locks = new KeyedMutex()

  const runStep = (
    step: Step<unknown>,
    batch: Batch,
    calls: CompanyCalls,
    amended: EventSpec<unknown> | null,
    { approvedPeriods: approved = NOTHING, ask = nobody }: PlanContext,
  ): Effect.Effect<void, OdooError> => {
    switch (step._tag) {
      case "Check":
        return Effect.sync(() => runCheck(step, batch))
      case "Enrich":
        return runEnrich(step, batch, ask)
      case "Resolve":
        return runResolve(step, batch, calls, master)
      case "Read":
        return runRead(step, batch, calls)
      case "Query":
        return runQuery(step, batch, calls)
      case "Load":
        return amended === null ? runLoad(step, batch, calls, false) : runLoad(step, batch, calls, true).pipe(
          Effect.andThen(Effect.sync(() => batch.settle())),
          Effect.andThen(dropForeignLines(amended, step, batch, calls)),
        )
      case "Update":
        return runUpdate(step, batch, calls)
      case "Unlink":
        return runUnlink(step, batch, calls)
      case "Invoke":
        return runInvoke(step, batch, calls)
      case "Transition":
        return runTransition(step, batch, calls, { approved, locks, master })
      case "Compare":
        return runCompare(step, batch, calls)
      case "Find":
        return runFind(step, batch, calls, master)
      case "Reconcile":
        return runReconcile(step, batch, calls)
    }
  }

  const runSteps = Effect.fnUntraced(
    function* (spec: EventSpec<unknown>, batch: Batch, calls: CompanyCalls, context: PlanContext) {
      const { amend = false, drafts } = context
      if (amend) yield* refuseBound(spec, batch, calls)
      for (const step of spec.plan) {
        if (batch.alive.length === 0 || (drafts && posts(step))) break
        yield* runStep(step, batch, calls, amend ? spec : null, context)
        batch.settle()
      }
    },
  )

  /** Who was refused and would have been with stale master data: once more, with what Odoo has now. */
  const again = Effect.fnUntraced(
    function* (spec: EventSpec<unknown>, batch: Batch, context: PlanContext, staleMillis: number) {
      const suspects = suspectsIn(batch)
      const [first] = suspects
      if (first === undefined) return { batch: new Batch([]), indexes: [] }
      const { company } = batch.writes[first]!
      const renewed = yield* master.current(company, context.lane, staleMillis)
      const forgotten = forgetFor(spec, batch, suspects, master, staleMillis)
      const indexes = renewed === company ? [...forgotten] : suspects
      for (const index of indexes) batch.reopen(index)
      return { batch: new Batch(indexes.map((index) => ({ ...batch.writes[index]!, company: renewed }))), indexes }
    },
  )

  const runAll = Effect.fnUntraced(
    function* (spec: EventSpec<unknown>, given: ReadonlyArray<Write<unknown>>, context: PlanContext) {
      const [first] = given
      if (first === undefined) return []
      const startedMillis = yield* Clock.currentTimeMillis
      const company = yield* master.current(first.company, context.lane)
      // What the steps find out stays with the given writes: `ids` and `read` are theirs.
      const writes = company === first.company ? given : given.map((write) => ({ ...write, company }))
      const { amend = false, flow, lane, mask } = context
      const calls = masked(companyCalls(odoo, gate, company, lane, context.owned), flow, mask, amend)
      const batch = new Batch(writes)
      yield* runSteps(spec, batch, calls, context)
      const second = yield* again(spec, batch, context, startedMillis - FRESH_MILLIS)
      yield* runSteps(spec, second.batch, calls, context)
      const loads = spec.plan.filter((step) => step._tag === "Load")
      for (const part of [batch, second.batch]) yield* compensateAll(loads, part, calls)
      const results = writes.map((_, index) => second.indexes.includes(index) ? null : resultOf(spec, batch, index))
      second.indexes.forEach((index, n) => results[index] = resultOf(spec, second.batch, n))
      return results as ReadonlyArray<WriteResult>
    },
  )

  return Plan.of({
    run: (spec, writes, context) =>
      runAll(spec, writes, context).pipe(
        Effect.withSpan("Plan.run", {
          attributes: { "weir.flow": context.flow, "weir.event.type": spec.type, "weir.events": writes.length },
        }, { captureStackTrace: false }),
      ),
    answers: (company, lane) =>
      companyCalls(odoo, gate, company, lane).read("res.company", [company.id], ["name"]).pipe(
        Effect.match({ onFailure: () => false, onSuccess: (records) => records.size === 1 }),
      ),
  })
})

export const layer: Layer.Layer<Plan, never, Odoo | CallGate | MasterData> = Layer.effect(Plan, make)
