/** What a session measures of itself: gauges of its flows, counts of its settlements, and whether the load is too much. */
import { Clock, Duration, Effect } from "effect"
import { Broker } from "../broker/Broker.ts"
import { type Flow, subjectOf } from "../flow/Flow.ts"
import type { Claim, Outcome } from "../ledger/Ledger.ts"
import { CallGate } from "../odoo/CallGate.ts"
import type { ReasonCode } from "../reason/Reason.ts"
import type { FlowMeter, SettledAs } from "../telemetry/Metrics.ts"
import type { FlowBoard } from "./Board.ts"
import type { Load } from "./modes/policy.ts"
import type { Thresholds } from "./modes/Thresholds.ts"
import type { EntitySettings } from "./Roster.ts"
import type { Request } from "./Settler.ts"

/** How often gauges are set. */
export const MEASURE = Duration.seconds(5)

/** A flow of the session, and where its settlements stand. */
export interface MeasuredFlow {
  readonly flow: Flow
  readonly line: FlowBoard
  readonly meter: FlowMeter
  readonly afterSequence: number
}

/** Before its first look a feed is as far behind as the session is old. */
const feedAge = ({ feed }: FlowBoard, startedMillis: number, nowMillis: number): number | null =>
  feed === undefined ? null : Math.max(0, nowMillis - (feed.seenAtMillis ?? startedMillis)) / 1_000

/** Sets the gauges of all flows; a broker that does not answer leaves backlogs as they were. */
export const measure = Effect.fnUntraced(
  function* ({ entity, epoch }: Claim, flows: ReadonlyArray<MeasuredFlow>, startedMillis: number) {
    const broker = yield* Broker
    const now = yield* Clock.currentTimeMillis
    for (const { line, meter } of flows) {
      yield* meter.inFlight(line.inFlight)
      const age = feedAge(line, startedMillis, now)
      if (age !== null) yield* meter.feedAge(age)
    }
    const backlogs = Effect.forEach(
      flows,
      ({ afterSequence, flow, meter }) =>
        broker.backlog({ entity, flow: flow.name, epoch, subject: subjectOf(entity, flow), afterSequence }).pipe(
          Effect.flatMap(meter.backlog),
          Effect.ignore({ log: "Debug" }),
        ),
      { discard: true },
    )
    yield* Effect.timeoutOption(backlogs, MEASURE)
  },
)

/** Counts a settlement once per outcome, not per event. */
export const measured = (meter: FlowMeter, { items, outcomes }: Request, nowMillis: number): Effect.Effect<void> => {
  const counts = new Map<SettledAs, number>()
  const codes = new Map<ReasonCode, number>()
  for (const outcome of outcomes) {
    const as = outcome._tag.toLowerCase() as Lowercase<Outcome["_tag"]>
    counts.set(as, (counts.get(as) ?? 0) + 1)
    if (outcome._tag === "Parked") codes.set(outcome.code, (codes.get(outcome.code) ?? 0) + 1)
  }
  return Effect.andThen(
    // What a replay brings was stored long ago: that is no latency.
    meter.settled(
      counts,
      items.flatMap(({ event, replay }) => replay === undefined ? [nowMillis - event.storedAtMillis] : []),
    ),
    Effect.forEach(codes, ([code, count]) => meter.parked(code, count), { discard: true }),
  )
}

const overloaded = (why: string): Load => ({ _tag: "Overloaded", why })

/** What the last window had of critical work, and whether it was too much; counts anew. */
export const loadOf = Effect.fnUntraced(function* (
  { database }: EntitySettings,
  { criticalObjective }: Thresholds,
  contention: { count: number },
  critical: () => ReadonlyArray<FlowBoard>,
) {
  const gate = yield* CallGate
  const now = yield* Clock.currentTimeMillis
  const collisions = contention.count
  contention.count = 0
  const oldest = Math.min(...critical().map((line) => line.oldestStoredMillis))
  if (now - oldest > Duration.toMillis(criticalObjective)) {
    return overloaded(`a critical event has been in flight for ${Duration.format(Duration.millis(now - oldest))}`)
  }
  const door = collisions === 0 ? undefined : (yield* gate.snapshot).find((each) => each.database === database)
  if (door?.limit === 1) return overloaded("Odoo takes one call at a time and still answers with contention")
  return { _tag: oldest === Infinity ? "Idle" : "Quiet" } satisfies Load
})
