/**
 * One epoch of one legal entity: from the claim to the moment when it is told to stop or another owner claims.
 *
 *     session ─┬─ settler
 *              ├─ outbox relay
 *              ├─ expiry      waiting events past their deadline
 *              └─ pumps       one per flow, each supervised: a crash restarts that pump and nothing else
 */
import { Cause, Clock, Deferred, Duration, Effect, Latch, Schedule } from "effect"
import { Broker } from "../broker/Broker.ts"
import { type Flow, subjectOf } from "../flow/Flow.ts"
import { type Claim, isFenced, Ledger, type Outcome } from "../ledger/Ledger.ts"
import { MasterData } from "../odoo/MasterData.ts"
import { dispositionOf, type ReasonCode } from "../reason/Reason.ts"
import { type FlowMeter, flowMeter, type SettledAs } from "../telemetry/Metrics.ts"
import { FlowBoard, type State } from "./Board.ts"
import { relay } from "./outbox.ts"
import { Parents } from "./Parents.ts"
import { restartBackoff, untilAvailable, odooBackoff } from "./patience.ts"
import { pump } from "./Pump.ts"
import { type EntitySettings, Roster } from "./Roster.ts"
import { makeSettler, type Request } from "./Settler.ts"

/** How often gauges are set. */
const MEASURE = Duration.seconds(5)
/** How often waiting events are checked for their deadline. */
const EXPIRY = Duration.seconds(10)
/** How often the outbox is looked at without being told that there is something. */
const OUTBOX_POLL = Duration.seconds(10)
/** Wait between looks when Odoo lacks a company, journal or tax that the configuration names. */
const MASTER_DATA_POLL = Duration.seconds(30)

/** What the actor sees of its session. */
export interface SessionBoard {
  state: State
  trouble: string
  claim: Claim | null
  flows: ReadonlyArray<FlowBoard>
}

/** The flows that a mode lets through. */
const flowsIn = (mode: Claim["mode"], flows: ReadonlyArray<Flow>): ReadonlyArray<Flow> =>
  mode === "hold" ? [] : mode === "essential" ? flows.filter(({ lane }) => lane === "critical") : flows

/** Ends when `stop` is done and everything in flight is settled. Fails with `Fenced` or `Refused`. */
export const session = Effect.fnUntraced(function* (
  settings: EntitySettings,
  board: SessionBoard,
  stop: Deferred.Deferred<void>,
) {
  const ledger = yield* Ledger
  const { flows: catalog, owner } = yield* Roster

  const claim = yield* claimed(settings, owner)
  board.claim = claim
  const flows = flowsIn(claim.mode, catalog)
  board.flows = catalog.map(({ name }) => new FlowBoard(name))
  const boardOf = (flow: string): FlowBoard => board.flows.find((line) => line.flow === flow)!
  for (const line of board.flows) if (!flows.some(({ name }) => name === line.flow)) line.state = "stopped"
  if (flows.length === 0) {
    board.state = "stopped"
    return yield* Deferred.await(stop)
  }

  const company = yield* resolved(settings, flows, board).pipe(Effect.raceFirst(Deferred.await(stop)))
  if (company === undefined) return
  board.state = "running"

  const wakes = new Map(flows.map(({ name }) => [name, Latch.makeUnsafe(false)]))
  const releases = new Map(flows.map(({ name }) => [name, Latch.makeUnsafe(true)]))
  const meters = new Map(flows.map(({ name }) => [name, flowMeter(claim.entity, name)]))
  const outbox = Latch.makeUnsafe(true)
  const openAll = (latches: ReadonlyMap<string, Latch.Latch>) => () => {
    for (const latch of latches.values()) Latch.openUnsafe(latch)
  }
  const parents = new Parents(openAll(wakes))
  const progress = new Map(claim.checkpoints)
  const clock = yield* Clock.Clock
  const settler = yield* makeSettler(claim, {
    released: openAll(releases),
    outbox: () => Latch.openUnsafe(outbox),
    settled: (request) => {
      const { checkpoint, flow, items } = request
      const now = clock.currentTimeMillisUnsafe()
      progress.set(flow, Math.max(checkpoint.value, progress.get(flow) ?? 0))
      boardOf(flow).settled(items.length, now)
      return measured(meters.get(flow)!, request, now)
    },
  })

  const supervised = (flow: Flow) => {
    const line = boardOf(flow.name)
    const meter = meters.get(flow.name)!
    return Effect.suspend(() =>
      pump({
        claim,
        flow,
        company,
        drafts: claim.mode === "drafts",
        settler,
        parents,
        startAfter: progress.get(flow.name) ?? 0,
        wake: wakes.get(flow.name)!,
        released: releases.get(flow.name)!,
        stop,
        meter,
        retrying: (writer, retry) => {
          line.retrying(writer, retry)
          return retry === null ? Effect.void : meter.retried(retry.error.code, retry.events)
        },
        observe: (schedule, checkpoint) => line.observe(schedule, checkpoint),
      })
    ).pipe(
      Effect.sandbox,
      Effect.tapError((cause) => {
        if (Cause.hasInterrupts(cause) || isFenced(cause)) return Effect.void
        line.restarts++
        line.troubled(Cause.pretty(cause).split("\n", 1)[0]!)
        return Effect.andThen(
          meter.restarted,
          Effect.logError(`flow ${flow.name} stopped and is restarted from its checkpoint`, cause),
        )
      }),
      Effect.retry({ schedule: restartBackoff, while: (cause) => !Cause.hasInterrupts(cause) && !isFenced(cause) }),
      Effect.catch((cause) => Effect.failCause(cause)),
      Effect.ensuring(Effect.sync(() => line.state = "stopped")),
      Effect.annotateLogs({ flow: flow.name }),
    )
  }

  const relaying = Effect.gen(function* () {
    while (true) {
      Latch.closeUnsafe(outbox)
      yield* relay(claim)
      yield* outbox.await.pipe(Effect.timeoutOption(OUTBOX_POLL))
    }
  })
  const expiring = Effect.gen(function* () {
    while (true) {
      yield* Effect.sleep(EXPIRY)
      const now = yield* Clock.currentTimeMillis
      const expired = yield* ledger.expire(claim, now).pipe(untilAvailable("expiry"))
      if (expired > 0) yield* Effect.logWarning(`${expired} waiting events are overdue and became exceptions`)
    }
  })
  const pumps = Effect.forEach(flows, supervised, { concurrency: flows.length, discard: true })
  const measuring = Effect.forEach(
    flows,
    (flow) => measure(claim, flow, boardOf(flow.name).inFlight, progress.get(flow.name) ?? 0, meters.get(flow.name)!),
    { discard: true },
  ).pipe(Effect.repeat(Schedule.spaced(MEASURE)))
  const services = Effect.all([settler.run, relaying, expiring, measuring], { concurrency: 4, discard: true })
  yield* Effect.raceFirst(pumps, services)
  yield* relay(claim)
})

/** Sets a flow's gauges; a broker that does not answer leaves the backlog as it was. */
const measure = Effect.fnUntraced(
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

/** Counts a settlement once per outcome, not per event. */
const measured = (meter: FlowMeter, { items, outcomes }: Request, nowMillis: number): Effect.Effect<void> => {
  const counts = new Map<SettledAs, number>()
  const codes = new Map<ReasonCode, number>()
  for (const outcome of outcomes) {
    const as = outcome._tag.toLowerCase() as Lowercase<Outcome["_tag"]>
    counts.set(as, (counts.get(as) ?? 0) + 1)
    if (outcome._tag === "Parked") codes.set(outcome.code, (codes.get(outcome.code) ?? 0) + 1)
  }
  return Effect.andThen(
    meter.settled(counts, items.map(({ event }) => nowMillis - event.storedAtMillis)),
    Effect.forEach(codes, ([code, count]) => meter.parked(code, count), { discard: true }),
  )
}

/** Owns the entity from now on; the configured mode counts at the very first start only. */
const claimed = Effect.fnUntraced(function* (settings: EntitySettings, owner: string) {
  const ledger = yield* Ledger
  const claim = yield* ledger.claim(settings.code, owner).pipe(untilAvailable("claim"))
  yield* Effect.logInfo(`owns ${settings.code} at epoch ${claim.epoch}, mode ${claim.mode}`)
  if (claim.epoch > 1 || settings.mode === claim.mode) return claim
  yield* ledger.govern(claim, {
    entries: [{
      id: `${claim.epoch}/mode`,
      actor: "configuration",
      action: "mode.changed",
      detail: { mode: settings.mode },
    }],
    standing: { mode: settings.mode, override: null },
    incidents: [],
    outbox: [],
  }).pipe(untilAvailable("mode"))
  return { ...claim, mode: settings.mode }
})

/** The company as Odoo knows it, with the flows' seeds in place. Waits as long as Odoo is away or lacks something. */
const resolved = Effect.fnUntraced(function* (
  settings: EntitySettings,
  flows: ReadonlyArray<Flow>,
  board: SessionBoard,
) {
  const master = yield* MasterData
  const seeds = flows.flatMap((flow) => flow.seeds ?? [])
  const once = Effect.gen(function* () {
    const company = yield* master.company(settings)
    yield* master.seed(company, seeds)
    return company
  })
  let said = ""
  return yield* once.pipe(
    Effect.tapError((error) => {
      board.state = "troubled"
      board.trouble = `${error.code}: ${error.message}`
      const repeated = said === board.trouble
      said = board.trouble
      return repeated ? Effect.void : Effect.logWarning(`cannot start yet, trying again by itself: ${board.trouble}`)
    }),
    Effect.retry({ schedule: odooBackoff, while: (error) => dispositionOf(error.code) !== "park" }),
    Effect.retry(Schedule.spaced(MASTER_DATA_POLL)),
    Effect.tap(() => Effect.sync(() => board.trouble = "")),
  )
})
