/**
 * Runs a plan: the whole product on virtual time, with everything that the plan makes go wrong, and then in peace until
 * all is settled. The same plan gives the same steps, line by line.
 *
 *     chaos ──span──► cured ──at rest──► persons decide what is held ──at rest──► verdict
 */
import { Context, Effect, Exit, Layer, Scope, Stream } from "effect"
import { Faults } from "../../fixtures/odoo/Faults.ts"
import { Random } from "../../fixtures/generator/Random.ts"
import { measured } from "../../fixtures/odoo/Latency.ts"
import { StandIn } from "../../fixtures/odoo/StandIn.ts"
import { make as makeOdoo } from "../../fixtures/odoo/StandInOdoo.ts"
import { Broker } from "../../src/broker/Broker.ts"
import * as MemoryBroker from "../../src/broker/MemoryBroker.ts"
import type { Settings } from "../../src/config/Configuration.ts"
import { check } from "../../src/config/load.ts"
import type { Flow } from "../../src/flow/Flow.ts"
import type { Mode } from "../../src/ledger/Ledger.ts"
import * as MemoryLedger from "../../src/ledger/MemoryLedger.ts"
import { catalog } from "../../streams/catalog.ts"
import { Kernel, Livelock, Process } from "./kernel/Kernel.ts"
import { configurationOf } from "./plan/Place.ts"
import { describe, type Plan, type Shape } from "./plan/Plan.ts"
import { brokerOperations, kindOf, ODOO_TIMEOUT_MILLIS, type Trouble } from "./plan/Trouble.ts"
import type { Posting } from "./plan/Fact.ts"
import { booksIssues, seeded } from "./world/Books.ts"
import { Commits } from "./world/Commits.ts"
import { Fleet, type Order } from "./world/Fleet.ts"
import { Knowledge } from "./world/Knowledge.ts"
import { makeNetwork } from "./world/Network.ts"
import { Observer } from "./world/Observer.ts"
import { Touched } from "./world/Touched.ts"
import { Traps } from "./world/Traps.ts"
import { causeOf, conservation, unsettled } from "./world/Verdict.ts"
import { Violation } from "./world/Violation.ts"

const START = Date.UTC(2026, 9, 30, 8)
/** Peace, in which everything must settle, milliseconds. */
const PEACE = 600_000
/** Time in which everything that happened must have been told, milliseconds. */
const OUTBOX = 15_000
const ACK_WAIT = 15_000
/** Time in which what has just come, a last duplicate perhaps, is settled, milliseconds. */
const SETTLING = 10_000
/** How often it is asked whether all is at rest. */
const LOOK = 1_000
/** Rounds of persons deciding about exceptions: each releases at least the next follower of a key. */
const ROUNDS = 40
/** Planned faults that nobody has met yet, at most. */
const LEFT_OVER = 100

export interface Result {
  readonly violation: Violation | undefined
  /** What happened when; empty when it was not asked for. */
  readonly trace: ReadonlyArray<string>
  /** How often each fault, outcome and state was there. */
  readonly coverage: ReadonlyMap<string, number>
  readonly events: number
  readonly virtualMillis: number
}

const settingsOf = (shape: Shape): Settings =>
  Effect.runSync(Effect.orDie(check("simulation", configurationOf(shape.places, shape), {}))).configuration

/** Domains of the events that a small business has (`plan/Business.ts`). Others would only cost time: engine and rules are the same. */
const PLAYED = new Set(["customer", "engagement", "timesheet", "invoice", "payment"])

const flowsOf = (shape: Shape): ReadonlyArray<Flow> =>
  catalog.filter(({ domain }) => PLAYED.has(domain)).map((flow) => ({
    ...flow,
    batch: { size: shape.batchSize, concurrency: shape.concurrency, linger: shape.lingerMillis },
    inFlight: shape.inFlight,
    referenceDeadline: shape.referenceDeadlineMillis,
  }))

export const simulate = (plan: Plan, options: { readonly trace?: boolean } = {}): Result => {
  const world = new World(plan, options.trace === true)
  let violation: Violation | undefined
  try {
    world.run()
    violation = world.observer.violation
  } catch (error) {
    if (error instanceof Violation) violation = error
    else if (error instanceof Livelock) violation = new Violation("livelock", error.message)
    else violation = new Violation("crash", error instanceof Error ? error.stack ?? error.message : String(error))
  }
  return {
    violation,
    trace: world.trace,
    coverage: world.observer.coverage,
    events: world.knowledge.stored.length,
    virtualMillis: world.kernel.nowMillis - START,
  }
}

class World {
  readonly trace: Array<string> = []
  readonly kernel = new Kernel(START)
  readonly knowledge: Knowledge
  readonly observer: Observer
  readonly #plan: Plan
  readonly #outside: Process
  readonly #faults: Faults
  readonly #standIn: StandIn
  readonly #seeded: ReadonlyMap<string, ReadonlySet<number>>
  readonly #commits: Commits
  readonly #broker: typeof Broker.Service
  readonly #brokerFaults: typeof MemoryBroker.BrokerFaults.Service
  readonly #ledger: typeof MemoryLedger.MemoryLedger.Service
  readonly #fleet: Fleet
  readonly #traps: Traps
  readonly #say: (line: string) => void
  #ledgerSlowMillis = 0
  /** A look at the stream is due. */
  #noting = false
  #brokerAway = false
  /** What somebody said last: that an entity is to stop, or to go on. */
  readonly #runs = new Map<string, { readonly stopped: boolean }>()
  readonly #dismissed = new Set<string>()
  /** Last mode that somebody wanted of an entity. */
  readonly #wishes = new Map<string, { readonly mode: Mode }>()

  constructor(plan: Plan, traced: boolean) {
    const { places, maxOpsBeforeYield, networkMillis, workers } = plan.shape
    this.#plan = plan
    this.#say = traced
      ? (line) => void this.trace.push(`${((this.kernel.nowMillis - START) / 1_000).toFixed(3).padStart(8)} s  ${line}`)
      : () => {}
    this.#outside = new Process(this.kernel, {
      name: "outside",
      numbers: new Random(plan.seed, "outside"),
      loggers: new Set(),
      maxOpsBeforeYield: 2_048,
    })
    this.#faults = new Faults(plan.seed)
    this.#standIn = new StandIn({
      now: () => this.kernel.nowMillis,
      employees: places.map(({ company, consultant }) => ({ name: "Consultant", work_email: consultant, company })),
    })
    this.#seeded = seeded(this.#standIn)
    const postings = plan.steps.filter((step): step is Posting => step._tag === "Publish")
    this.knowledge = new Knowledge(postings, places)

    const adapters = this.#now(Layer.buildWithScope(
      Layer.mergeAll(MemoryBroker.layer({ ackWait: ACK_WAIT }), MemoryLedger.layer),
      Scope.makeUnsafe(),
    ))
    this.#broker = Context.get(adapters, Broker)
    this.#brokerFaults = Context.get(adapters, MemoryBroker.BrokerFaults)
    this.#ledger = Context.get(adapters, MemoryLedger.MemoryLedger)
    this.#now(this.#broker.provision)

    this.observer = new Observer(
      this.knowledge,
      this.#ledger,
      { calls: workers, inFlight: plan.shape.inFlight + plan.shape.batchSize },
      new Touched(this.#standIn, this.knowledge),
      this.#say,
    )
    this.#commits = new Commits(this.#standIn, this.observer, this.#say)
    const odoo = makeOdoo(this.#standIn, {
      latency: measured({ workers, scale: 0.5 }),
      faults: this.#faults,
      timeout: ODOO_TIMEOUT_MILLIS,
    })
    this.#traps = new Traps(() => this.#fleet.current, (what) => this.observer.cover(what))
    this.#fleet = new Fleet({
      kernel: this.kernel,
      outside: {
        process: this.#outside,
        broker: this.#broker,
        ledger: this.#ledger.ledger,
        access: this.#ledger.access,
        recall: this.#ledger.recall,
        runs: this.#ledger.runs,
        archives: this.#ledger.archives,
        odoo,
        ledgerSlowMillis: () => this.#ledgerSlowMillis,
      },
      network: makeNetwork(this.#outside, new Random(plan.seed, "network"), networkMillis, this.#traps.fate),
      observer: this.observer,
      places: workers,
      settings: settingsOf(plan.shape),
      flows: flowsOf(plan.shape),
      seed: plan.seed,
      maxOpsBeforeYield,
      trace: this.#say,
    })
  }

  run(): void {
    const { shape, steps } = this.#plan
    this.#fleet.start()
    for (const step of steps) {
      this.kernel.after(step.atMillis, () => {
        this.#say(describe(step).slice(12))
        if (step._tag === "Publish") this.#publish(step)
        else this.#befall(step)
      })
    }
    const end = START + shape.spanMillis
    while (this.kernel.nowMillis < end) this.#pass(Math.min(LOOK, end - this.kernel.nowMillis))
    this.#cure()
    this.#decide()
    this.#judge()
  }

  #pass(millis: number): void {
    this.kernel.run(this.kernel.nowMillis + millis)
    this.#fleet.look()
    if (this.observer.violation !== undefined) throw this.observer.violation
  }

  // What happens

  #publish({ publication }: Posting): void {
    const note = Effect.sync(() => this.#note())
    const attempt: Effect.Effect<void> = this.#broker.publish([publication]).pipe(
      Effect.matchEffect({
        onSuccess: () => note,
        // As publishers do: the same message id again until it is confirmed.
        onFailure: () =>
          Effect.andThen(note, Effect.andThen(Effect.sleep("500 millis"), Effect.suspend(() => attempt))),
      }),
    )
    this.#outside.fork(attempt)
  }

  /** Takes notice of what has come into the stream. */
  #note(): void {
    // Its way back is a look, too.
    if (this.#brokerAway) return
    this.#noting = false
    const read = this.#broker.read({ subject: "erp.>", fromSequence: this.knowledge.stored.length + 1 })
    const exit = Effect.runSyncExit(
      Stream.runForEach(read, (message) => Effect.sync(() => this.knowledge.store(message))),
    )
    // The broker is away: the next look will tell, one for all that are published meanwhile.
    if (Exit.isSuccess(exit) || this.#noting) return
    this.#noting = true
    this.kernel.after(50, () => this.#note())
  }

  #reach(reachable: boolean): void {
    this.#brokerAway = !reachable
    this.#now(this.#brokerFaults.setReachable(reachable))
    this.#note()
  }

  #befall(step: Trouble): void {
    const { kernel } = this
    this.observer.cover(kindOf(step))
    switch (step._tag) {
      case "Odoo": {
        const { fault, forMillis, method, probability, times } = step
        return this.#faults.add({
          fault,
          probability,
          times,
          ...(method === null ? {} : { method }),
          untilMillis: kernel.nowMillis + forMillis,
        })
      }
      case "Ledger":
        return void this.#now(this.#ledger.failNext(step.count, step.fault, step.operation ?? undefined))
      case "LedgerSlow":
        this.#ledgerSlowMillis = step.millis
        return void kernel.after(step.forMillis, () => this.#ledgerSlowMillis = 0)
      case "BrokerAway":
        this.#reach(false)
        return void kernel.after(step.forMillis, () => this.#reach(true))
      case "BrokerFails":
        return void this.#now(this.#brokerFaults.failNext(step.operation, { times: step.times }))
      case "Interrupted":
        return void this.#now(this.#brokerFaults.interruptConsumers(step.entity ?? undefined))
      case "DeliveredTwice":
        return void this.#now(this.#brokerFaults.duplicateDeliveries(step.count))
      case "AcksLost":
        return void this.#now(this.#brokerFaults.loseAcks(step.count))
      case "ConfirmationsLost":
        return void this.#now(this.#brokerFaults.loseConfirmations(step.count))
      case "Kill":
        return this.#fleet.kill(step.startAfterMillis)
      case "Crash": {
        const { lost, nth, point, startAfterMillis } = step
        return this.#traps.add(point, nth, lost, () => {
          this.#say(`crash at ${point}`)
          this.#fleet.kill(startAfterMillis)
        })
      }
      case "Stop":
        return this.#fleet.stop(step.startAfterMillis)
      case "Pause":
        return this.#fleet.pause(step.forMillis, step.livesOnMillis)
      case "Rival":
        return this.#fleet.rival(step.livesOnMillis)
      case "ClockJump": {
        const current = this.#fleet.current
        if (current !== undefined) current.offsetMillis += step.millis
        return
      }
      case "ServersClockJump":
        this.#outside.offsetMillis += step.millis
        return
      case "Mode": {
        const { entity, forMillis, mode } = step
        this.#wish(entity, mode)
        return void kernel.after(forMillis, () => this.#wish(entity, "full"))
      }
      case "Drain": {
        const { entity, forMillis } = step
        const order = { stopped: true }
        this.#runs.set(entity, order)
        this.#insist(entity, (actor) => actor.Drain({}), () => this.#runs.get(entity) === order)
        return void kernel.after(forMillis, () => this.#resume(entity))
      }
      case "Retry":
      case "Dismiss":
        return this.#handle(step)
    }
  }

  /** A person wants a mode, and says so again until it is accepted or another one is wanted. */
  #wish(entity: string, mode: Mode): void {
    const wish = { mode }
    this.#wishes.set(entity, wish)
    this.#insist(entity, (actor) => actor.SetMode({ mode }), () => this.#wishes.get(entity) === wish)
  }

  #resume(entity: string): void {
    const order = { stopped: false }
    this.#runs.set(entity, order)
    this.#insist(entity, (actor) => actor.Resume({}), () => this.#runs.get(entity) === order)
  }

  /** Says it again until it is accepted or no longer meant. */
  #insist(entity: string, what: Order["what"], meant: () => boolean): void {
    this.#fleet.tell(entity, {
      what,
      meant,
      answered: (success) => {
        if (!success) this.kernel.after(1_000, () => this.#insist(entity, what, meant))
      },
    })
  }

  /** A person looks at the list of exceptions, thinks for a second, and acts. */
  #handle(step: Extract<Trouble, { readonly _tag: "Retry" | "Dismiss" }>): void {
    const { entity } = step
    const listed = this.#inspections().find((one) => one.entity === entity)?.held
      .filter(({ state }) => state === "parked" || state === "waiting").map(({ record }) => record.eventId) ?? []
    if (listed.length === 0) return
    this.kernel.after(1_000, () => {
      if (step._tag === "Retry") return this.#retry(entity, listed)
      const one = listed[step.nth % listed.length]!
      this.#dismiss(entity, one)
    })
  }

  #retry(entity: string, eventIds: ReadonlyArray<string>): void {
    this.observer.cover("person retries")
    this.#outside.fork(Effect.retry(this.#ledger.ledger.retry(entity, eventIds), { times: LEFT_OVER }))
  }

  #dismiss(entity: string, eventId: string): void {
    this.observer.cover("person dismisses")
    this.#dismissed.add(`${entity} ${eventId}`)
    const dismissal = this.#ledger.ledger.dismiss(entity, [eventId], "simulated")
    this.#outside.fork(Effect.retry(dismissal, { times: LEFT_OVER }))
  }

  // Afterwards

  #cure(): void {
    this.#say("everything is well from now on")
    this.#faults.clear()
    this.#traps.clear()
    this.#outside.offsetMillis = 0
    this.#ledgerSlowMillis = 0
    this.#reach(true)
    for (const operation of brokerOperations) this.#now(this.#brokerFaults.failNext(operation, { times: 0 }))
    this.#fleet.cure()
    for (const [entity, { stopped }] of [...this.#runs]) if (stopped) this.#resume(entity)
    for (const entity of [...this.#wishes.keys()]) this.#wish(entity, "full")
  }

  /** Until nothing more can happen by itself. */
  #rest(): void {
    const limit = this.kernel.nowMillis + PEACE
    let issues: ReadonlyArray<string> = []
    do {
      this.#pass(LOOK)
      issues = unsettled(this.knowledge, this.#inspections(), this.kernel.nowMillis)
      if (issues.length === 0) return
    } while (this.kernel.nowMillis < limit)
    throw new Violation("everything settles", issues.slice(0, 5).join("; "))
  }

  /** Persons retry what is overdue for no reason any more, and dismiss what has one. */
  #decide(): void {
    for (let round = 0; round < ROUNDS; round++) {
      this.#rest()
      let acted = false
      for (const inspection of this.#inspections()) {
        const mapped = new Set(inspection.mappings.map(({ flow, key }) => `${flow} ${key}`))
        for (const entry of inspection.held) {
          if (entry.state !== "parked") continue
          const { eventId, streamSequence } = entry.record
          const stored = this.knowledge.stored[streamSequence - 1]!
          const cause = causeOf(stored, entry, inspection)
          if (cause === undefined) {
            throw new Violation("exceptions have causes", `${eventId} is ${entry.code}: ${entry.detail}`)
          }
          acted = true
          const complete = stored.fact.references.every(({ flow, key }) => mapped.has(`${flow} ${key}`))
          if (cause === "overdue" && complete) this.#retry(inspection.entity, [eventId])
          else this.#dismiss(inspection.entity, eventId)
        }
      }
      if (acted) continue
      // Only what waits for something that never came is left.
      const waiting = this.#inspections().flatMap(({ entity, held }) => held.map(({ record }) => ({ entity, record })))
      if (waiting.length === 0) return
      for (const { entity, record } of waiting) this.#dismiss(entity, record.eventId)
    }
    throw new Violation("everything settles", `persons have decided ${ROUNDS} times and something is still held`)
  }

  #judge(): void {
    const inspections = this.#inspections()
    const tallies = this.#now(Effect.retry(this.#ledger.ledger.tallies(), { times: LEFT_OVER }))
    const lost = conservation(this.knowledge, inspections, tallies)
    if (lost.length > 0) throw new Violation("nothing is lost", lost.slice(0, 5).join("; "))
    for (const { entity, events } of inspections) {
      for (const { record, state } of events) {
        if (state === "dismissed" && !this.#dismissed.has(`${entity} ${record.eventId}`)) {
          throw new Violation("nothing is lost", `nobody dismissed ${record.eventId}`)
        }
      }
    }
    const wrong = booksIssues({
      standIn: this.#standIn,
      knowledge: this.knowledge,
      places: this.#plan.shape.places,
      inspections,
      before: this.#seeded,
      overtaken: this.#commits.overtaken,
    })
    if (wrong.length > 0) throw new Violation("books", wrong.slice(0, 5).join("; "))
    this.#outgoing(inspections)
  }

  /** Every applied event that tells the world of something has done so. */
  #outgoing(inspections: ReadonlyArray<MemoryLedger.Inspection>): void {
    const end = this.kernel.nowMillis + OUTBOX
    let missing: string | undefined
    do {
      this.#pass(LOOK)
      missing = this.#untold(inspections)
    } while (missing !== undefined && this.kernel.nowMillis < end)
    if (missing !== undefined) throw new Violation("outbox", missing)
    this.#acknowledged()
  }

  /** Where acks were lost, what they were for comes again, and is acknowledged then. */
  #acknowledged(): void {
    if (this.#plan.steps.some(({ _tag }) => _tag === "AcksLost")) this.#pass(ACK_WAIT)
    const end = this.kernel.nowMillis + SETTLING
    let places = this.observer.places()
    while (places.length > 0 && this.kernel.nowMillis < end) {
      this.#pass(LOOK)
      places = this.observer.places()
    }
    if (places.length > 0) throw new Violation("places come free", places.join("; "))
  }

  /** What has not been told yet. Fails when something is told that has not happened. */
  #untold(inspections: ReadonlyArray<MemoryLedger.Inspection>): string | undefined {
    const types: Readonly<Record<string, string>> = {
      engagements: "engagement.provisioned",
      invoices: "invoice.posted",
      payments: "payment.reconciled",
    }
    const told = new Map<string, number>()
    const read = Stream.runForEach(
      this.#broker.read({ subject: "erp-out.>", fromSequence: 1 }),
      ({ headers, subject }) =>
        Effect.sync(() => {
          const id = headers["nats-msg-id"] ?? ""
          // What the actor says of itself is not told of an event.
          if (!Object.values(types).some((type) => subject.endsWith(`.${type}`))) return
          told.set(id, (told.get(id) ?? 0) + 1)
        }),
    )
    this.#now(read)
    for (const { entity, events } of inspections) {
      for (const { record, state } of events) {
        const type = types[record.flow]
        if (state !== "applied" || type === undefined) continue
        const id = `weir/${entity}#${record.eventId}/${type}`
        const count = told.get(id) ?? 0
        told.delete(id)
        if (count === 0) return `${record.eventId} is applied and ${type} never went out`
      }
    }
    if (told.size > 0) throw new Violation("outbox", `${[...told.keys()].join(", ")} went out for nothing`)
    return undefined
  }

  #inspections(): ReadonlyArray<MemoryLedger.Inspection> {
    return Effect.runSync(this.#ledger.inspect)
  }

  /** Runs what takes no time. */
  #now<A>(effect: Effect.Effect<A, unknown>): A {
    let result: Exit.Exit<A, unknown> | undefined
    this.#outside.fork(effect, (exit) => result = exit)
    if (result === undefined) this.kernel.run(this.kernel.nowMillis)
    if (result === undefined || Exit.isFailure(result)) throw new Error(`it failed or takes time: ${String(result)}`)
    return result.value
  }
}
