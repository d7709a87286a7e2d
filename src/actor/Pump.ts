/**
 * One flow of one entity, from its consumer to its settlements. All its fibers live and die together; the session
 * restarts it when it crashes.
 *
 *     pump ─┬─ intake     broker ─► decode ─► admit ─► schedule
 *           ├─ resumer    ledger's ready events ─► decode ─► admit ─► schedule
 *           ├─ inflow     what replays bring ─► admit ─► schedule
 *           └─ workers    schedule ─► write ─► settle        (as many as the flow's batch.concurrency, and one for replays)
 */
import { Clock, Deferred, Duration, Effect, Latch, Option, Stream } from "effect"
import { Broker, type Delivery } from "../broker/Broker.ts"
import { type Flow, subjectOf } from "../flow/Flow.ts"
import { type Claim, type HeldEvent, Ledger, type Outcome } from "../ledger/Ledger.ts"
import type { Company } from "../odoo/Company.ts"
import { identityOf, judge, referencesOf } from "./admit.ts"
import { approvedPeriods } from "./approvals.ts"
import { part } from "./aside.ts"
import type { Inlet } from "./Inlet.ts"
import { Checkpoint } from "./Checkpoint.ts"
import { makeDecoder } from "./decode.ts"
import { makeDrift } from "./drift.ts"
import type { Item, Verdict } from "./Item.ts"
import type { Ways } from "./modes/Circuit.ts"
import type { Ownership } from "./Ownership.ts"
import type { Parents } from "./Parents.ts"
import { untilAvailable } from "./patience.ts"
import type { Watchdog } from "./Watchdog.ts"
import { type Batch, Schedule } from "./Schedule.ts"
import type { Settler } from "./Settler.ts"
import { parked, writeAll, type Writing } from "./write.ts"
import { type FlowMeter, timed } from "../telemetry/Metrics.ts"
import { eventSpans, type TracedBatch } from "../telemetry/Tracing.ts"

/** Most events delivered above the checkpoint: memory and the work a successor has to skip. */
const ABOVE_CHECKPOINT = 50_000
/** Events in flight below which the broker brings more, however much all flows of this process hold together. */
const LITTLE = 32
/** How often a held event that is not due yet is looked at again. */
const READY_POLL = Duration.seconds(5)
/** How often a full intake looks whether there is room again. */
const ROOM_POLL = Duration.millis(50)

export interface PumpOptions {
  readonly claim: Claim
  readonly flow: Flow
  readonly company: Company
  readonly drafts: boolean
  readonly settler: Settler
  readonly parents: Parents
  /** What replays bring. */
  readonly inlet: Inlet
  /** Where this flow's settlements stand; kept over restarts of the pump. */
  readonly startAfter: number
  /** Opened whenever events of this flow may be runnable. */
  readonly wake: Latch.Latch
  /** Opened when the ledger has ready events. */
  readonly released: Latch.Latch
  /** Done when intake is to stop; the pump ends once everything in flight is settled. */
  readonly stop: Deferred.Deferred<void>
  readonly retrying: Writing["retrying"]
  /** The circuits that its calls go through: while one is not closed nothing is taken in and nothing is called. */
  readonly ways: Ways
  /** Every run of a plan goes through it. */
  readonly guard: Writing["guard"]
  readonly ask: Writing["ask"]
  readonly ownership: Ownership
  /** Replaces a consumer that went silent. */
  readonly watchdog: Watchdog
  /** Told that the consumer was replaced. */
  readonly rebuilt: () => void
  readonly meter: FlowMeter
  readonly observe: (schedule: Schedule, checkpoint: Checkpoint) => void
}

/** Runs until `stop`, then until empty. Fails on broker trouble and when the entity has another owner. */
export const pump = Effect.fnUntraced(function* (options: PumpOptions) {
  const { claim, flow, inlet, parents, released, settler, stop, wake } = options
  const broker = yield* Broker
  const ledger = yield* Ledger
  const drift = makeDrift(flow)
  const decoder = makeDecoder(flow, drift.look)
  const schedule = new Schedule(flow.name, parents)
  const checkpoint = new Checkpoint(options.startAfter)
  options.observe(schedule, checkpoint)
  let stopping = false

  /** Asks the ledger about `items` and gives each its verdict. */
  const admit = (items: ReadonlyArray<Item>) =>
    options.ownership.told(ledger.admit(
      claim,
      flow.name,
      items.map(({ event, payload }) => ({
        eventId: event.eventId,
        key: event.key,
        references: referencesOf(payload),
      })),
    )).pipe(
      timed("admit"),
      untilAvailable("admit"),
      Effect.map((answers) => items.forEach((item, index) => item.verdict = judge(item, answers[index]!))),
    )

  /**
   * Into the schedule, or to be held behind those of their key that are there. Held first: what comes after them finds
   * them in the ledger when its turn comes, and they are not due before the others are here.
   */
  const enter = Effect.fnUntraced(function* (items: ReadonlyArray<Item>) {
    schedule.admissionStarts()
    const enters = Effect.gen(function* () {
      yield* admit(items)
      const { aside, here } = part(items, schedule, flow.inFlight - schedule.size)
      if (aside.length === 0) return here
      const outcomes = aside.map(({ event, message }): Outcome => ({ _tag: "Behind", event, message }))
      yield* settler.settle({ flow: flow.name, items: aside, outcomes, checkpoint })
      schedule.setAside(aside)
      return here
    })
    schedule.push(yield* enters.pipe(Effect.onError(() => Effect.sync(() => schedule.admissionFails()))))
    Latch.openUnsafe(wake)
  })
  /** Stream sequence up to which all has entered since this pump began. */
  let entered = options.startAfter
  /** Of the held events that are ready, the first one that intake has to get to before; infinity when there is none. */
  let awaited = Infinity
  /** What the stream ended with when it was asked. */
  let horizon = Infinity

  /** A consumer after everything that was delivered before: what is in flight stays in flight when the broker is away. */
  const deliveries = Stream.suspend(() =>
    broker.consume({
      entity: claim.entity,
      flow: flow.name,
      epoch: claim.epoch,
      subject: subjectOf(claim.entity, flow),
      afterSequence: checkpoint.last,
      maxInFlight: flow.inFlight,
    })
  )
  const drifted = Effect.suspend(() => {
    const found = drift.take()
    if (found === null) return Effect.void
    return Effect.andThen(
      Effect.forEach(found.counts, ([type, fields]) => options.meter.drifted(type, fields), { discard: true }),
      Effect.forEach(found.names, (name) => Effect.logWarning(`unknown field ${name} is ignored`), { discard: true }),
    )
  })
  /** A consumer that follows an interrupted one brings a full load, while what the other one brought is still here. */
  const enterAsThereIsRoom = Effect.fnUntraced(function* (fresh: ReadonlyArray<Delivery>) {
    for (let from = 0; from < fresh.length;) {
      const free = flow.inFlight - schedule.size
      if (free <= 0) yield* Effect.sleep(ROOM_POLL)
      else {
        const slice = fresh.slice(from, from += free)
        yield* enter(slice.map(decoder.delivery))
        yield* drifted
        entered = slice[slice.length - 1]!.streamSequence
        if (awaited < Infinity && entered >= Math.min(awaited, horizon)) Latch.openUnsafe(released)
      }
    }
  })
  /** A redelivery of what is settled: its ack was lost, and without another one it would hold its place for ever. */
  const acknowledge = (again: ReadonlyArray<Delivery>): void => {
    if (again.length === 0) return
    const inFlight = new Set<number>()
    for (const { delivery } of schedule.items()) if (delivery !== null) inFlight.add(delivery.streamSequence)
    for (const delivery of again) if (!inFlight.has(delivery.streamSequence)) delivery.ack()
  }
  const room = Effect.gen(function* () {
    while (checkpoint.size > ABOVE_CHECKPOINT) yield* Effect.sleep(ROOM_POLL)
  })
  /** Opened when the consumer has to be replaced. */
  const replace = Latch.makeUnsafe(false)
  // A batch on its way in is never cut: what is noted as delivered has to get into the schedule.
  const consuming = Stream.interruptWhen(deliveries, Effect.raceFirst(options.ways.barred, replace.await))
  let consumes = false
  const consumed = Effect.gen(function* () {
    yield* options.ways.closed
    while (schedule.size >= flow.inFlight) yield* Effect.sleep(ROOM_POLL)
    Latch.closeUnsafe(replace)
    consumes = true
    yield* Stream.runForEachArray(consuming, (chunk: ReadonlyArray<Delivery>) => {
      const fresh = chunk.filter((delivery) => checkpoint.delivered(delivery.streamSequence))
      const entered = fresh.length === 0 ? Effect.void : enterAsThereIsRoom(fresh)
      const again = fresh.length === chunk.length ? [] : chunk.filter((delivery) => !fresh.includes(delivery))
      return entered.pipe(Effect.andThen(Effect.sync(() => acknowledge(again))), Effect.andThen(room))
    })
  }).pipe(
    Effect.ensuring(Effect.sync(() => consumes = false)),
    untilAvailable(`intake of ${flow.name}`),
  )
  const intake = Effect.forever(consumed).pipe(
    Effect.raceFirst(Deferred.await(stop)),
    Effect.andThen(Effect.sync(() => {
      stopping = true
      Latch.openUnsafe(wake)
      Latch.openUnsafe(released)
    })),
  )

  /**
   * After a crash the stream brings again what was in flight, and what had been set aside behind it must not overtake: a
   * held event is due when everything before it has entered, or, of a sequence that was never seen, all that there is.
   * And not while its identity is here under another key, in whose queue it would overtake its own.
   */
  const isDue = ({ eventId, key, streamSequence }: HeldEvent): boolean =>
    (streamSequence <= entered || (entered >= horizon && streamSequence > checkpoint.last)) &&
    !schedule.isElsewhere(eventId, key)
  /** The stream never gets to what it does not hold any more. A broker that does not answer proves nothing. */
  const ask = broker.lastSequence(subjectOf(claim.entity, flow)).pipe(
    Effect.timeout(READY_POLL),
    Effect.tapError((error) => Effect.logDebug(`the end of the stream is not known: ${error.message}`)),
    Effect.orElseSucceed(() => Infinity),
    Effect.map((last) => void (horizon = Math.min(horizon, last))),
  )

  /** Held events go through the flow again, as many at a time as a batch takes. */
  const resumer = Effect.gen(function* () {
    while (!stopping) {
      Latch.closeUnsafe(released)
      const held = schedule.heldEventIds
      const limit = flow.batch.size - held.length
      const events = limit <= 0 ? [] : yield* ledger.ready(claim, flow.name, limit, held).pipe(untilAvailable("ready"))
      const due = events.filter(isDue)
      awaited = events.find((event) => !isDue(event))?.streamSequence ?? Infinity
      if (due.length > 0) {
        yield* enter(due.map(decoder.held))
        continue
      }
      if (awaited === Infinity) {
        yield* released.await
        continue
      }
      const woken = yield* released.await.pipe(Effect.timeoutOption(READY_POLL))
      if (Option.isNone(woken)) yield* ask
    }
  })

  /** Behind what is live: only while there is room, and never as drafts. What is offered meanwhile waits. */
  const inflow = options.drafts ? Deferred.await(stop) : Effect.gen(function* () {
    while (!stopping) {
      const items = yield* inlet.take(flow.batch.size)
      while (schedule.size + items.length > flow.inFlight && schedule.size > 0) yield* Effect.sleep(ROOM_POLL)
      yield* enter(items)
    }
  }).pipe(Effect.raceFirst(Deferred.await(stop)))

  const watched = options.watchdog.watching({
    subject: subjectOf(claim.entity, flow),
    delivered: () => checkpoint.last,
    hasRoom: () => consumes && schedule.size < Math.min(LITTLE, flow.inFlight) && checkpoint.size <= ABOVE_CHECKPOINT,
    replace: Effect.suspend(() => {
      options.rebuilt()
      Latch.openUnsafe(replace)
      return options.meter.rebuilt
    }),
  })

  /** Takes the next batch, of what is live or of what replays bring; null when the pump is stopping and empty. */
  const next = Effect.fnUntraced(function* (replayed: boolean) {
    let lingered = false
    while (true) {
      Latch.closeUnsafe(wake)
      if (stopping && schedule.size === 0) return null
      const isShort = schedule.runnable > 0 && schedule.runnable < flow.batch.size
      // A key that has many events would wait for company before each of them.
      if (!replayed && !lingered && !stopping && isShort && !schedule.hasFollowers) {
        lingered = true
        yield* Effect.sleep(flow.batch.linger)
        continue
      }
      const batch = schedule.take(flow.batch.size, replayed)
      if (batch !== null) return batch
      lingered = false
      yield* wake.await
    }
  })

  const process = Effect.fnUntraced(function* (batch: Batch, replayed: boolean) {
    const stale = batch.items.filter((item) => item.stale)
    if (stale.length > 0) yield* admit(stale)
    const now = yield* Clock.currentTimeMillis
    const writing = batch.items.filter((item) => item.verdict._tag === "Write")
    const written = writing.length === 0 ? [] : yield* writeAll(writing, {
      ...options,
      owned: options.ownership.sure,
      lane: replayed ? "backfill" : flow.lane,
      approvedPeriods: yield* approvedPeriods(claim, options.company, writing),
    })
    yield* options.meter.batch(batch.items.length)
    schedule.written(batch)
    const left = batch.items.filter((item) => item.verdict._tag !== "Write")
    const outcomes = [...written, ...left.map((item) => unwritten(item, flow, now))]
    yield* settler.settle({ flow: flow.name, items: batch.items, outcomes, checkpoint })
    schedule.done(batch)
    if (replayed) inlet.settled([...writing, ...left], outcomes)
    Latch.openUnsafe(wake)
    if (batch.items.some((item) => item.delivery === null)) Latch.openUnsafe(released)
  })

  const worker = Effect.fnUntraced(function* (replayed: boolean) {
    while (true) {
      const batch = yield* next(replayed)
      if (batch === null) break
      yield* process(batch, replayed).pipe(
        eventSpans(() => traceOf(batch, claim, flow)),
        Effect.onError(() => Effect.sync(() => schedule.written(batch))),
      )
    }
    Latch.openUnsafe(wake)
  })

  const workers = Array.from({ length: flow.batch.concurrency + 1 }, (_, n) => worker(n === flow.batch.concurrency))
  yield* Effect.all([intake, resumer, inflow, ...workers], {
    concurrency: workers.length + 3,
    discard: true,
  }).pipe(
    watched,
    Effect.ensuring(Effect.sync(() => {
      parents.withdraw(flow.name)
      inlet.abandon()
    })),
  )
})

const traceOf = ({ items }: Batch, { entity }: Claim, flow: Flow): TracedBatch => ({
  entity,
  flow: flow.name,
  events: items.map(({ event, traceparent }) => ({ ...event, traceparent })),
})

/** How long an event is held back before its exception asks why the hold still stands. */
const HOLD_DEADLINE = Duration.days(90)

const waitOf = ({ code, on }: Extract<Verdict, { readonly _tag: "Wait" }>, flow: Flow, nowMillis: number) => {
  const held = code === "ON-HOLD"
  const patience = held ? HOLD_DEADLINE : Duration.fromInputUnsafe(flow.referenceDeadline)
  return {
    on,
    code,
    deadlineMillis: nowMillis + Duration.toMillis(patience),
    detail: held ? `held back by ${on.flow} ${on.key.split("#", 1)[0]}` : `waits for ${on.flow} ${on.key}`,
  }
}

/** The outcome of an item that needs no write. */
const unwritten = (item: Item, flow: Flow, nowMillis: number): Outcome => {
  const { message, verdict } = item
  const event = { ...item.event, eventId: identityOf(item), attempts: Math.max(1, item.attempts) }
  switch (verdict._tag) {
    case "Park":
      return parked({ ...item, event }, verdict.code, verdict.detail)
    case "Wait":
      return {
        _tag: "Waiting",
        event,
        message,
        ...waitOf(verdict, flow, nowMillis),
      }
    case "Behind":
      return { _tag: "Behind", event, message }
    case "Superseded":
      return { _tag: "Superseded", event }
    case "Duplicate":
      return { _tag: "Duplicate", event }
    case "Write":
      throw new Error(`${item.event.eventId} was to be written and has no outcome`)
  }
}
