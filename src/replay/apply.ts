/**
 * Acts on the findings of replays, inside the entity's owner: events go through the same admission, plans and settlements
 * as those of the stream, behind what is live.
 *
 *     pending findings, a page ─► examined once more ─┬─► nothing to do any more: noted
 *                                                     ├─► groups ─► inlets of the flows ─► outcomes noted
 *                                                     └─► posted documents ─► events that correct them ─► outcomes noted
 *
 * Whatever dies in between, the next owner goes on with what is pending; what was written already is found there.
 */
import { Cause, Clock, Deferred, Duration, Effect, Latch } from "effect"
import type { Inlet } from "../actor/Inlet.ts"
import type { Item } from "../actor/Item.ts"
import { DEPENDENCY_FLOW } from "../actor/modes/asking.ts"
import { untilAvailable } from "../actor/patience.ts"
import type { Flow } from "../flow/Flow.ts"
import { Access } from "../ledger/Access.ts"
import type { Outcome } from "../ledger/Ledger.ts"
import { type Conclusion, type Run, type RunJson, Runs } from "../ledger/Runs.ts"
import type { Company } from "../odoo/Company.ts"
import { troubleOf } from "../runs/attend.ts"
import { checkpointsOf, isActionable, requestOf } from "./dryRun.ts"
import { type Examined, makeExaminer } from "./Examiner.ts"
import { actionable, detailOf } from "./Finding.ts"
import { isRebillable, rebill } from "./rebill.ts"
import type { ReplayRequest } from "./Request.ts"
import { broughtOf } from "./source.ts"

/** Pending findings read and examined at a time. */
const PAGE = 200
/** How often runs are looked for without being told that there are some, and whether the running one goes on. */
const POLL = Duration.seconds(5)

export interface Applying {
  readonly entity: string
  readonly company: Effect.Effect<Company>
  readonly flows: ReadonlyArray<Flow>
  /** By flow. */
  readonly inlets: ReadonlyMap<string, Inlet>
  /** Opened when somebody has changed a run. */
  readonly nudged: Latch.Latch
  /** Why nothing may be applied now; null: it may. */
  readonly obstacle: () => string | null
}

const ABANDONED = "abandoned"

/** What an event waits for that comes by itself: the mode, and services that answer again. */
const passing = new Set(["mode", DEPENDENCY_FLOW])

/**
 * What became of an event; null: nothing yet, it is tried again. `again`: it was applied before, so that nothing of it waits
 * in the ledger.
 */
const conclusionOf = (ordinal: number, outcome: Outcome, again: boolean): Conclusion | null => {
  switch (outcome._tag) {
    case "Applied":
      return { ordinal, outcome: "applied" }
    case "Parked":
      return { ordinal, outcome: "refused", detail: { code: outcome.code, note: outcome.detail } }
    case "Waiting":
      if (again && passing.has(outcome.on.flow)) return null
      if (again) {
        const why = outcome.detail.replace(/\.$/u, "")
        const note = `${why}. It was applied before, so that nothing of it waits: replay it again when that is there.`
        return { ordinal, outcome: "refused", detail: { code: outcome.code ?? "REFERENCE-MISSING", note } }
      }
      return { ordinal, outcome: "waiting", detail: { note: outcome.detail } }
    case "Behind":
      return { ordinal, outcome: "behind" }
    case "Superseded":
      return { ordinal, outcome: "superseded" }
    case "Duplicate":
      return { ordinal, outcome: "left alone" }
  }
}

/** Neighbours that may go together: none refers to what another one of them writes. */
export const groupsOf = (examined: ReadonlyArray<Examined>, size: number): ReadonlyArray<ReadonlyArray<Examined>> => {
  const groups: Array<Array<Examined>> = []
  let keys = new Set<string>()
  for (const one of examined) {
    const { event, payload } = one.item
    const refers = (payload?.references ?? []).some(({ flow, key }) => keys.has(`${flow} ${key}`))
    const last = groups.at(-1)
    if (last === undefined || refers || last.length >= size) {
      groups.push([one])
      keys = new Set()
    } else last.push(one)
    keys.add(`${event.flow} ${event.key}`)
  }
  return groups
}

/** Takes up the entity's runs, one after the other, for ever. */
export const applyRuns = Effect.fnUntraced(function* (applying: Applying) {
  const runs = yield* Runs
  const access = yield* Access
  const { entity, flows, inlets, nudged, obstacle } = applying

  const current = (run: Run) => runs.run(entity, run.runId).pipe(untilAvailable("replay"))
  const isApplying = (run: Run) => Effect.map(current(run), (now) => now?.state === "applying")
  const goesOn = (run: Run) => Effect.suspend(() => obstacle() === null ? isApplying(run) : Effect.succeed(false))
  const look = nudged.await.pipe(
    Effect.timeoutOption(POLL),
    Effect.andThen(Effect.sync(() => Latch.closeUnsafe(nudged))),
  )

  const conclude = (run: Run, conclusions: ReadonlyArray<Conclusion>) =>
    runs.conclude(entity, run.runId, conclusions).pipe(untilAvailable("replay"))

  const tell = (run: Run, done: Map<string, number>, trouble: string) =>
    runs.change(entity, run.runId, ["applying", "paused"], {
      progress: { ...run.progress, outcomes: Object.fromEntries(done) },
      trouble,
    }).pipe(untilAvailable("replay"))

  /** One event into its flow; ends with what became of it, or with nothing when its flow stopped. */
  const entered = (examined: Examined) =>
    Effect.gen(function* () {
      const became = yield* Deferred.make<Outcome | typeof ABANDONED>()
      const { finding, gone, item, ordinal } = examined
      const brought: Item = {
        ...item,
        replay: {
          gone,
          undone: true,
          amend: finding.class === "changed",
          settled: (outcome) => Deferred.doneUnsafe(became, Effect.succeed(outcome)),
          abandoned: () => Deferred.doneUnsafe(became, Effect.succeed(ABANDONED)),
        },
      }
      yield* inlets.get(item.event.flow)!.offer(brought)
      return Effect.map(Deferred.await(became), (outcome) => {
        const again = brought.verdict._tag === "Write" && brought.verdict.again === true
        return outcome === ABANDONED ? null : { outcome, conclusion: conclusionOf(ordinal, outcome, again) }
      })
    })

  /** Ends when the run is not to go on; takes back what no flow has taken in. */
  const ended = (run: Run) =>
    Effect.gen(function* () {
      do yield* look
      while (yield* goesOn(run))
      yield* Effect.forEach(inlets.values(), ({ withdraw }) => withdraw, { discard: true })
    })

  const applyGroup = Effect.fnUntraced(function* (run: Run, group: ReadonlyArray<Examined>) {
    const waiting = yield* Effect.forEach(group, entered)
    const all = Effect.all(waiting)
    const outcomes = yield* Effect.raceFirst(all, Effect.andThen(ended(run), all))
    const became = outcomes.filter((each) => each !== null)
    const conclusions = became.flatMap(({ conclusion }) => conclusion ?? [])
    yield* conclude(run, conclusions)
    const undecided = became.find(({ conclusion }) => conclusion === null)?.outcome
    return { conclusions, waitsFor: undecided?._tag === "Waiting" ? undecided.detail : null }
  })

  /** At most so many a second on average. */
  const paced = Effect.fnUntraced(function* (sinceMillis: number, events: number, { ratePerSecond }: ReplayRequest) {
    if (ratePerSecond === 0) return
    const due = sinceMillis + events / ratePerSecond * 1_000
    const now = yield* Clock.currentTimeMillis
    if (due > now) yield* Effect.sleep(due - now)
  })

  /** Whether all that is pending was gone through. */
  const applyPage = Effect.fnUntraced(function* (run: Run, request: ReplayRequest, done: Map<string, number>) {
    const pending = yield* runs.events({
      entity,
      runId: run.runId,
      after: 0,
      findings: actionable,
      pending: true,
      limit: PAGE,
    }).pipe(untilAvailable("replay"))
    if (pending.length === 0) return true
    const examiner = yield* makeExaminer(
      yield* applying.company,
      flows,
      request.selection,
      yield* checkpointsOf(entity, request),
    )
    const all = yield* examiner.examine(pending.flatMap(broughtOf)).pipe(untilAvailable("replay"))
    // What comes behind may refer to it.
    const unanswered = all.findIndex(({ finding }) => finding.code === "DEPENDENCY-DOWN")
    const examined = unanswered < 0 ? all : all.slice(0, unanswered)
    const [acting, idle] = [true, false].map((acts) =>
      examined.filter((one) => isActionable(one, request.onChanged) === acts)
    )
    const count = (conclusions: ReadonlyArray<Conclusion>) => {
      for (const { outcome } of conclusions) done.set(outcome, (done.get(outcome) ?? 0) + 1)
    }
    const nothing = idle!.map(({ finding, ordinal }): Conclusion => ({
      ordinal,
      outcome: finding.class,
      detail: detailOf(finding),
    }))
    yield* conclude(run, nothing)
    count(nothing)
    const [correcting, writing] = [true, false].map((is) =>
      acting!.filter((one) => (request.onChanged === "credit-and-rebill" && isRebillable(one)) === is)
    )
    for (const one of correcting!) {
      if (!(yield* goesOn(run))) return false
      const began = yield* Clock.currentTimeMillis
      const conclusion = yield* rebill(one, { run, look: examiner.look, goesOn: goesOn(run) })
      if (conclusion === null) return false
      yield* conclude(run, [conclusion])
      count([conclusion])
      yield* tell(run, done, "")
      yield* paced(began, 1, request)
    }
    for (const group of groupsOf(writing!, request.concurrency)) {
      if (!(yield* goesOn(run))) return false
      const began = yield* Clock.currentTimeMillis
      const { conclusions, waitsFor } = yield* applyGroup(run, group)
      count(conclusions)
      yield* tell(run, done, waitsFor ?? "")
      if (waitsFor !== null) {
        yield* look
        return false
      }
      yield* paced(began, group.length, request)
    }
    if (unanswered >= 0) {
      yield* tell(run, done, all[unanswered]!.finding.note ?? "")
      yield* look
    }
    return false
  })

  const apply = Effect.fn("Replay.apply")(function* (run: Run) {
    const request = requestOf(run)
    const outcomes = (run.progress["outcomes"] ?? {}) as { readonly [outcome: string]: number }
    const done = new Map(Object.entries(outcomes))
    while (yield* isApplying(run)) {
      const why = obstacle()
      if (why !== null) {
        yield* tell(run, done, why)
        yield* look
        continue
      }
      if (!(yield* applyPage(run, request, done))) continue
      const detail = { run: run.runId, ...Object.fromEntries(done) }
      yield* access.record(entity, {
        id: `run/${run.runId}/done`,
        actor: "weir",
        action: "replay.done",
        detail,
      }).pipe(untilAvailable("replay"))
      yield* runs.change(entity, run.runId, ["applying"], {
        state: "done",
        progress: { ...run.progress, outcomes: Object.fromEntries(done) } as RunJson,
      }).pipe(untilAvailable("replay"))
    }
  })

  while (true) {
    const [run] = (yield* runs.runs({ entity, kind: "replay", states: ["applying"], limit: 100 }).pipe(
      untilAvailable("replay"),
    )).toReversed()
    if (run === undefined) yield* look
    else {
      // No repetition cures it: the run ends, and says why; what it had written stands.
      yield* apply(run).pipe(
        Effect.catchCause((cause) =>
          Cause.hasInterrupts(cause) ? Effect.interrupt : Effect.andThen(
            Effect.logWarning(`run ${run.runId} of ${entity} failed`, cause),
            runs.change(entity, run.runId, ["applying"], { state: "failed", trouble: troubleOf(cause) }).pipe(
              untilAvailable("replay"),
            ),
          )
        ),
      )
    }
  }
})
