/**
 * A dry run: every selected event is looked at, nothing is written but what was found. It keeps one chunk in memory,
 * whatever the number of events, rests after each of them, and begins anew when the process dies: what it keeps is the same again.
 */
import { Clock, Effect, Schema, Stream } from "effect"
import { untilAvailable } from "../actor/patience.ts"
import type { Flow } from "../flow/Flow.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { type Run, type RunEvent, type RunJson, Runs } from "../ledger/Runs.ts"
import { besideLive, CHUNK } from "../runs/resting.ts"
import type { Company } from "../odoo/Company.ts"
import { type Examined, type Examiner, makeExaminer } from "./Examiner.ts"
import { actionable, detailOf, type FindingClass, Totals } from "./Finding.ts"
import { isRebillable, keysOf } from "./rebill.ts"
import { type OnChanged, ReplayRequest } from "./Request.ts"
import { sourceOf } from "./source.ts"

/** How often it says how far it is, and asks whether it goes on: each time is a transaction. In milliseconds. */
const TELL_EVERY = 500
/** Findings of which nothing comes are counted, and kept only when asked for. */
const QUIET: ReadonlyArray<FindingClass> = ["there", "superseded"]

export const requestOf = (run: Run): ReplayRequest => Schema.decodeUnknownSync(ReplayRequest)(run.request)

/** Whether applying would act on it. */
export const isActionable = (examined: Examined, onChanged: OnChanged): boolean => {
  const { draft, finding } = examined
  if (finding.class !== "changed") return actionable.includes(finding.class)
  return onChanged !== "skip" && draft || onChanged === "credit-and-rebill" && isRebillable(examined)
}

/** What the policy makes of values that differ, where that has to be said. */
const noteOn = (examined: Examined, onChanged: OnChanged): string | undefined => {
  const { draft, finding } = examined
  if (finding.class !== "changed" || onChanged === "skip" || draft) return undefined
  if (onChanged === "update-draft") return "what stands is no draft: it is left alone"
  if (!isRebillable(examined)) {
    return "what stands is no draft, and no document that can be billed anew: it is left alone"
  }
  const { credit, renewal } = keysOf(examined)
  return `what stands would be credited by ${credit}, and billed anew as ${renewal}`
}

/** A finding as it is kept. */
const keptOf = (examined: Examined, onChanged: OnChanged): RunEvent => {
  const { finding, item: { event, message }, ordinal } = examined
  const note = noteOn(examined, onChanged)
  return {
    ordinal,
    eventId: event.eventId,
    type: event.type,
    flow: event.flow,
    key: event.key,
    streamSequence: event.streamSequence,
    storedAtMillis: event.storedAtMillis,
    finding: finding.class,
    detail: { ...detailOf(finding), ...(note !== undefined && { note }) },
    message: isActionable(examined, onChanged) ? message : null,
    outcome: null,
  }
}

/** Where the flows stand, when the events come from the stream. */
export const checkpointsOf = (entity: string, { source }: ReplayRequest) =>
  source !== "stream" ? Effect.succeed(null) : Ledger.use((ledger) => ledger.tallies(entity)).pipe(
    untilAvailable("dry run"),
    Effect.map((tallies) => new Map(tallies.map(({ checkpoint, flow }) => [flow, checkpoint]))),
  )

interface Progress {
  seen: number
  selected: number
  position: number
}

export const dryRun = Effect.fn("Replay.dryRun")(function* (run: Run, company: Company, flows: ReadonlyArray<Flow>) {
  const runs = yield* Runs
  const request = requestOf(run)
  const { alike = false, keepAll, onChanged, selection, source } = request
  const checkpoints = alike ? null : yield* checkpointsOf(run.entity, request)
  const examiner: Examiner = yield* makeExaminer(company, flows, selection, checkpoints, alike)
  const totals = new Totals()
  const progress: Progress = { seen: 0, selected: 0, position: 0 }
  const { entity, runId } = run
  let toldMillis = 0

  /** Null: somebody ended the run. */
  const tell = (change: { readonly state?: "examined" } = {}) =>
    runs.change(entity, runId, ["examining"], {
      ...change,
      progress: { ...progress } as unknown as RunJson,
      totals: totals.json,
      trouble: "",
    }).pipe(untilAvailable("dry run"))

  const chunk = Effect.fnUntraced(function* (brought: Parameters<Examiner["examine"]>[0]) {
    const examined = yield* examiner.examine(brought).pipe(untilAvailable("dry run"))
    for (const { finding, item } of examined) totals.add(item.event.flow, finding.class)
    // What was handed in stands there already, and is to be told from what was not looked at.
    const kept = examined.filter(({ finding }) => keepAll || source === "upload" || !QUIET.includes(finding.class))
    yield* runs.keep(entity, runId, kept.map((one) => keptOf(one, onChanged))).pipe(untilAvailable("dry run"))
    progress.seen += brought.length
    progress.selected += examined.length
    progress.position = brought.at(-1)!.ordinal
    const now = yield* Clock.currentTimeMillis
    if (Math.abs(now - toldMillis) < TELL_EVERY) return true
    toldMillis = now
    return (yield* tell()) !== null
  })

  // After trouble with the broker it goes on where it stood.
  const all = Stream.suspend(() => sourceOf(run, request, progress.position)).pipe(
    Stream.grouped(CHUNK),
    Stream.mapEffect((brought) => examiner.look.inTurn(besideLive(chunk(brought)))),
    Stream.takeWhile((goesOn) => goesOn),
    Stream.runDrain,
  )
  yield* all.pipe(untilAvailable("dry run"))
  yield* tell({ state: "examined" })
})
