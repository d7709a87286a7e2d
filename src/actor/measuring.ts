/** What a session measures of itself: gauges of its flows, counts of its settlements, and whether the load is too much. */
import { Clock, Duration, Effect } from "effect"
import { Broker } from "../broker/Broker.ts"
import { type Flow, subjectOf } from "../flow/Flow.ts"
import type { Claim, Outcome } from "../ledger/Ledger.ts"
import { CallGate } from "../odoo/CallGate.ts"
import type { ReasonCode } from "../reason/Reason.ts"
import type { FlowMeter, SettledAs } from "../telemetry/Metrics.ts"
import type { FlowBoard } from "./Board.ts"
import type { Thresholds } from "./modes/Thresholds.ts"
import type { EntitySettings } from "./Roster.ts"
import type { Request } from "./Settler.ts"

/** How often gauges are set. */
export const MEASURE = Duration.seconds(5)

/** Sets a flow's gauges; a broker that does not answer leaves the backlog as it was. */
export const measure = Effect.fnUntraced(
  function* (claim: Claim, flow: Flow, inFlight: number, afterSequence: number, meter: FlowMeter) {
    yield* meter.inFlight(inFlight)
    const broker = yield* Broker
    const subject = subjectOf(claim.entity, flow)
    yield* broker.backlog({ entity: claim.entity, flow: flow.name, epoch: claim.epoch, subject, afterSequence }).pipe(
      Effect.timeout(MEASURE),
      Effect.flatMap(meter.backlog),
      Effect.ignore({ log: "Debug" }),
    )
  },
)

/** Before its first look a feed is as far behind as the session is old. */
export const measureFeed = Effect.fnUntraced(function* ({ feed }: FlowBoard, startedMillis: number, meter: FlowMeter) {
  if (feed === undefined) return
  const now = yield* Clock.currentTimeMillis
  yield* meter.feedAge(Math.max(0, now - (feed.seenAtMillis ?? startedMillis)) / 1_000)
})

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

/** Why the last window was too much; counts anew. */
export const overload = Effect.fnUntraced(function* (
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
    return `a critical event has been in flight for ${Duration.format(Duration.millis(now - oldest))}`
  }
  if (collisions === 0) return null
  const door = (yield* gate.snapshot).find((each) => each.database === database)
  return door?.limit === 1 ? "Odoo takes one call at a time and still answers with contention" : null
})
