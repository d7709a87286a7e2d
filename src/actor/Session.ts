/**
 * One epoch of one legal entity: from the claim to the moment when it is told to stop or another owner claims.
 *
 *     session ─┬─ settler
 *              ├─ outbox relay
 *              ├─ expiry      waiting events past their deadline
 *              ├─ releasing   events that waited for a dependency which works again
 *              ├─ windows     those whose time is over
 *              ├─ feeds       what people change in Odoo
 *              ├─ governor    the mode: which pumps run
 *              ├─ replays     what runs bring again goes into the pumps
 *              ├─ ownership   ends the session when a call finds that the entity is another one's
 *              ├─ watchdog    replaces consumers that went silent
 *              ├─ closing     whether the books are being closed: what share its calls get
 *              └─ pumps       one per flow, each supervised: a crash restarts that pump and nothing else
 */
import { Cause, Clock, Deferred, Duration, Effect, Latch, Schedule, Semaphore } from "effect"
import type { Flow } from "../flow/Flow.ts"
import type { Standing } from "../ledger/Governance.ts"
import { type Claim, isFenced, Ledger, type Mode } from "../ledger/Ledger.ts"
import { CallGate } from "../odoo/CallGate.ts"
import type { Company } from "../odoo/Company.ts"
import { closeMeter, flowMeter } from "../telemetry/Metrics.ts"
import { applyRuns } from "../replay/apply.ts"
import { FlowBoard, type State } from "./Board.ts"
import { type Closing, makeClosing } from "./close/Closing.ts"
import { watching } from "./feed/watching.ts"
import { makeInlet } from "./Inlet.ts"
import { loadOf, MEASURE, measure, measured } from "./measuring.ts"
import { DEPENDENCY_FLOW } from "./modes/asking.ts"
import type { Conduct } from "./modes/Conduct.ts"
import { type Governor, makeGovernor } from "./modes/Governor.ts"
import { isStill, makeSwitchboard, settingOf } from "./modes/Switchboard.ts"
import { Thresholds } from "./modes/Thresholds.ts"
import { relay } from "./outbox.ts"
import { makeOwnership } from "./Ownership.ts"
import { Parents } from "./Parents.ts"
import { restartBackoff, untilAvailable } from "./patience.ts"
import { pump } from "./Pump.ts"
import { type EntitySettings, flowsOf, Roster } from "./Roster.ts"
import { makeSettler } from "./Settler.ts"
import { resolved, takenOver } from "./takeover.ts"
import { makeWatchdog } from "./Watchdog.ts"
import { closingWindows } from "./windows.ts"

/** How often waiting events are checked for their deadline. */
const EXPIRY = Duration.seconds(10)
/** How often it is looked whether a dependency works that events wait for. */
const DUE_POLL = Duration.seconds(5)
/** How often the ledger is asked for ready events without being told that there are some. */
const READY_POLL = Duration.seconds(5)
/** How often the outbox is looked at without being told that there is something. */
const OUTBOX_POLL = Duration.seconds(10)
/** What the actor sees of its session. */
export interface SessionBoard {
  state: State
  trouble: string
  claim: Claim | null
  standing: Standing | null
  /** Null while no session lasts. */
  governor: Governor | null
  /** Told that held events became ready by somebody else's hand. */
  released: () => void
  closing: Closing | null
  flows: ReadonlyArray<FlowBoard>
  /** Opened when somebody has changed a run of the entity. */
  readonly runsChanged: Latch.Latch
}

/** Ends when `stop` is done and everything in flight is settled. Fails with `Fenced` or `Refused`. */
export const session = Effect.fnUntraced(function* (
  settings: EntitySettings,
  board: SessionBoard,
  conduct: Conduct,
  stop: Deferred.Deferred<void>,
) {
  const ledger = yield* Ledger
  const { feed, flows: catalogue, owner, rules } = yield* Roster
  const flows = flowsOf(catalogue, settings)
  const thresholds = yield* Thresholds

  const claim = yield* ledger.claim(settings.code, owner, rules).pipe(untilAvailable("claim"))
  const standing = yield* takenOver(settings, claim, conduct)
  const pauses = yield* ledger.pauses(settings.code).pipe(untilAvailable("pauses"))
  yield* Effect.logInfo(`owns ${settings.code} at epoch ${claim.epoch}, mode ${standing.mode}`)
  board.claim = claim
  board.flows = flows.map(({ name }) => new FlowBoard(name))
  const boardOf = (flow: string): FlowBoard => board.flows.find((line) => line.flow === flow)!

  const company = yield* Deferred.make<Company>()
  const needed = Latch.makeUnsafe(false)
  const resolving = needed.await.pipe(
    Effect.andThen(resolved(settings, flows, board, conduct)),
    Effect.tap(() => Effect.sync(() => board.state = "running")),
    Effect.flatMap((found) => Deferred.succeed(company, found)),
  )

  const wakes = new Map(flows.map(({ name }) => [name, Latch.makeUnsafe(false)]))
  const releases = new Map(flows.map(({ name }) => [name, Latch.makeUnsafe(true)]))
  const inlets = new Map(
    yield* Effect.forEach(flows, ({ name }) => Effect.map(makeInlet, (inlet) => [name, inlet] as const)),
  )
  const meters = new Map(flows.map(({ name }) => [name, flowMeter(claim.entity, name)]))
  const outbox = Latch.makeUnsafe(true)
  /** Opened when held events became ready, of whatever flow. */
  const readied = Latch.makeUnsafe(false)
  const released = () => Latch.openUnsafe(readied)
  const parents = new Parents((refused) => {
    for (const flow of refused) Latch.openUnsafe(wakes.get(flow)!)
  })
  board.released = released
  const progress = new Map(claim.checkpoints)
  const clock = yield* Clock.Clock
  const ownership = yield* makeOwnership(claim)
  const settler = yield* makeSettler(claim, {
    released,
    outbox: () => Latch.openUnsafe(outbox),
    settled: (request) => {
      const { checkpoint, flow, items } = request
      const now = clock.currentTimeMillisUnsafe()
      progress.set(flow, Math.max(checkpoint.value, progress.get(flow) ?? 0))
      boardOf(flow).settled(items.length, now)
      return measured(meters.get(flow)!, request, now)
    },
  })

  const watchdog = yield* makeWatchdog
  const contention = { count: 0 }
  const waysOfFlow = new Map(flows.map((flow) => [flow.name, conduct.ways(flow.needs ?? [])]))
  const supervised = (flow: Flow, drafts: boolean, stop: Deferred.Deferred<void>) => {
    const line = boardOf(flow.name)
    const meter = meters.get(flow.name)!
    Latch.openUnsafe(needed)
    return Deferred.await(company).pipe(Effect.flatMap((company) =>
      pump({
        claim,
        flow,
        company,
        drafts,
        ways: waysOfFlow.get(flow.name)!,
        guard: conduct.odoo.guard,
        ask: conduct.asking.ask,
        ownership,
        watchdog,
        rebuilt: line.rebuilt,
        settler,
        parents,
        inlet: inlets.get(flow.name)!,
        startAfter: progress.get(flow.name) ?? 0,
        wake: wakes.get(flow.name)!,
        released: releases.get(flow.name)!,
        stop,
        meter,
        retrying: (writer, retry) => {
          line.retrying(writer, retry)
          if (retry?.error.code === "ODOO-CONTENTION") contention.count++
          return retry === null ? Effect.void : meter.retried(retry.error.code, retry.events)
        },
        observe: (schedule, checkpoint) => line.observe(schedule, checkpoint),
      })
    )).pipe(
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
      // Not even begun while Odoo lacks or refuses what the entity is configured with.
      Effect.raceFirst(Effect.andThen(Deferred.await(stop), unresolved(company))),
      Effect.annotateLogs({ flow: flow.name }),
    )
  }
  const switchboard = makeSwitchboard({
    flows,
    stop: Deferred.await(stop),
    pump: supervised,
    barred: ({ name }) => waysOfFlow.get(name)!.barred,
    stopped: ({ name }) => boardOf(name).halted(),
  })
  const governor = yield* makeGovernor({
    claim,
    standing,
    pauses,
    conduct,
    leave: switchboard.leave,
    enter: switchboard.enter,
    load: Effect.provideService(
      loadOf(
        settings,
        thresholds,
        contention,
        () =>
          flows.filter(({ lane, name }) => lane === "critical" && waysOfFlow.get(name)!.areClosed())
            .map(({ name }) => boardOf(name)),
      ),
      CallGate,
      yield* CallGate,
    ),
    stands: (standing, pauses) => {
      board.standing = standing
      if (isStill(standing.mode)) board.state = "stopped"
      else if (board.state === "stopped") board.state = Deferred.isDoneUnsafe(company) ? "running" : "starting"
      const paused = new Map(pauses.map((pause) => [pause.flow, pause]))
      for (const flow of flows) {
        const line = boardOf(flow.name)
        const pause = paused.get(flow.name)
        line.paused = pause === undefined
          ? null
          : { actor: pause.actor, reason: pause.reason, untilMillis: pause.untilMillis }
        if (settingOf(standing.mode, flow, new Set(paused.keys())) === "stopped") line.halted()
      }
    },
    outbox: () => Latch.openUnsafe(outbox),
  })
  board.governor = governor
  const closing = yield* makeClosing(settings, claim, (status) => closeMeter(claim.entity, status !== null))
  board.closing = closing

  const relaying = Effect.gen(function* () {
    while (true) {
      Latch.closeUnsafe(outbox)
      yield* relay(claim)
      yield* outbox.await.pipe(Effect.timeoutOption(OUTBOX_POLL))
    }
  })
  /** Whoever makes held events ready says so. Of which flows they are, one question tells for all; and what nobody said. */
  const probing = Effect.gen(function* () {
    while (true) {
      yield* readied.await.pipe(Effect.timeoutOption(READY_POLL))
      Latch.closeUnsafe(readied)
      const asked = ownership.told(ledger.readyFlows(claim, [...releases.keys()]))
      for (const flow of yield* asked.pipe(untilAvailable("ready"))) Latch.openUnsafe(releases.get(flow)!)
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
  /** What waits for a dependency goes on once it works. */
  const releasing = Effect.gen(function* () {
    while (true) {
      for (const key of conduct.asking.takeDue(yield* Clock.currentTimeMillis)) {
        const count = yield* ledger.release(claim, { flow: DEPENDENCY_FLOW, key }).pipe(untilAvailable("release"))
        if (count > 0) {
          yield* Effect.logInfo(`${count} events that waited for ${key} go on`)
          released()
        }
      }
      yield* Effect.sleep(DUE_POLL)
    }
  })
  const windows = closingWindows(claim, {
    flows,
    // What came while nothing was taken in is counted before anything is closed.
    goesOn: ({ name }) => !isStill(board.standing?.mode) && waysOfFlow.get(name)!.areClosed(),
    outbox: () => Latch.openUnsafe(outbox),
  })
  const turns = yield* Semaphore.make(1)
  const startedMillis = yield* Clock.currentTimeMillis
  const feeds = Effect.forEach(
    Duration.isZero(feed.every)
      ? []
      : flows.flatMap((flow) => flow.feed === undefined ? [] : [{ flow, of: flow.feed }]),
    ({ flow: { name }, of }) =>
      Effect.flatMap(Deferred.await(company), (company) =>
        watching(claim, {
          feed: of,
          flow: name,
          company,
          settings: feed,
          goesOn: () =>
            !isStill(board.standing?.mode) && boardOf(name).paused === null && waysOfFlow.get(name)!.areClosed(),
          isStrained: () => board.standing?.mode === "essential",
          guard: conduct.odoo.guard,
          tells: (status) => {
            boardOf(name).feed = status
          },
          outbox: () => Latch.openUnsafe(outbox),
          turns,
        })),
    { concurrency: flows.length, discard: true },
  )
  const measuring = Effect.suspend(() =>
    measure(
      claim,
      flows.map((flow) => ({
        flow,
        line: boardOf(flow.name),
        meter: meters.get(flow.name)!,
        afterSequence: progress.get(flow.name) ?? 0,
      })),
      startedMillis,
    )
  ).pipe(Effect.repeat(Schedule.spaced(MEASURE)))
  const replaying = applyRuns({
    entity: claim.entity,
    company: Deferred.await(company),
    flows,
    inlets,
    nudged: board.runsChanged,
    obstacle: () => obstacleIn(board.standing?.mode ?? claim.mode),
  })
  const parts = [
    settler.run,
    relaying,
    probing,
    expiring,
    releasing,
    windows,
    feeds,
    measuring,
    resolving,
    governor.run,
    watchdog.run,
    closing.run,
    replaying,
    ownership.lost,
  ]
  const services = Effect.all(parts, {
    concurrency: parts.length,
    discard: true,
  })
  yield* Effect.raceFirst(switchboard.run, services).pipe(
    Effect.ensuring(Effect.sync(() => {
      board.governor = null
      board.released = () => {}
      board.closing = null
    })),
  )
  yield* governor.note
  yield* relay(claim)
})

/** Why no replay is applied in a mode: what it brings again must end as it would have the first time. */
const obstacleIn = (mode: Mode): string | null =>
  mode === "full" || mode === "essential" ? null : `the entity is in mode ${mode}; replays are applied in mode full`

/** Never ends once the company is known: from then on the pump ends by itself. */
const unresolved = (company: Deferred.Deferred<Company>): Effect.Effect<void> =>
  Effect.suspend(() => Deferred.isDoneUnsafe(company) ? Effect.never : Effect.void)
