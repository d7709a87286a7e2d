/**
 * Watches a running world from outside and says at once when something happens that must never happen:
 *
 * - a process has more calls to Odoo under way than its share of workers, or two that write below the same parent
 * - a flow has more events in hand than its bound
 * - an ack for an event that the ledger does not know, or a checkpoint above one
 * - in the end, an event that has its outcome and keeps its place in flight
 * - a settlement under an epoch that is over, an outcome taken back, a version that goes down
 * - an event written although an earlier one of its key is held
 * - an event that waits for what is applied already, or follows nobody
 */
import { Effect, Exit } from "effect"
import type { ConsumeRequest, Delivery } from "../../../src/broker/Broker.ts"
import type { Claim, EventRecord, Fence, Question, Settlement } from "../../../src/ledger/Ledger.ts"
import type { Inspection, MemoryLedger } from "../../../src/ledger/MemoryLedger.ts"
import type { Json, OdooCall } from "../../../src/odoo/Odoo.ts"
import type { Process } from "../kernel/Kernel.ts"
import type { Knowledge } from "./Knowledge.ts"
import { Touched } from "./Touched.ts"
import { Violation } from "./Violation.ts"

export interface Limits {
  /** Calls to Odoo of one process at once. */
  readonly calls: number
  /** Events of one flow in hand, the held ones that go through again included. */
  readonly inFlight: number
}

/** A call to Odoo as the process that makes it sees it. */
interface Call {
  readonly process: Process
  readonly entity: string
  /** Nobody waits for it any more. */
  abandoned: boolean
}

interface Consuming {
  readonly delivered: (chunk: ReadonlyArray<Delivery>) => void
  readonly acknowledged: (delivery: Delivery) => void
}

export class Observer {
  violation: Violation | undefined
  readonly coverage = new Map<string, number>()
  readonly #knowledge: Knowledge
  readonly #handle: typeof MemoryLedger.Service
  readonly #limits: Limits
  readonly #touched: Touched
  readonly #trace: (line: string) => void
  /** Last inspection of each entity. */
  readonly #seen = new Map<string, Inspection>()
  readonly #epochs = new Map<string, { readonly epoch: number; readonly process: Process }>()
  readonly #running = new Map<Process, number>()
  /** What is being written now: process, entity and parent -> how often. */
  readonly #writing = new Map<string, string>()
  /** Admitted and not settled, by process, entity, flow and epoch. */
  readonly #inHand = new Map<string, Set<string>>()
  /** Highest sequence delivered, by the same. */
  readonly #last = new Map<string, number>()
  readonly #calls = new WeakMap<object, Call>()
  /** Delivered and not acknowledged, by entity and flow, of the newest owner's last consumer. */
  readonly #unacknowledged = new Map<string, { readonly epoch: number; readonly places: Set<number> }>()

  constructor(
    knowledge: Knowledge,
    handle: typeof MemoryLedger.Service,
    limits: Limits,
    touched: Touched,
    trace: (line: string) => void,
  ) {
    this.#knowledge = knowledge
    this.#handle = handle
    this.#limits = limits
    this.#touched = touched
    this.#trace = trace
  }

  /** The first one counts. */
  report(rule: string, detail: string): void {
    this.violation ??= new Violation(rule, detail)
  }

  cover(what: string): void {
    this.coverage.set(what, (this.coverage.get(what) ?? 0) + 1)
  }

  /** The call that carries this context, when a process of Weir makes it. */
  callOf(context: object): Call | undefined {
    return this.#calls.get(context)
  }

  /** Whether `process` is the one that claimed the entity last. */
  owns(process: Process, entity: string): boolean {
    return this.#epochs.get(entity)?.process === process
  }

  // Odoo

  calling(process: Process, call: OdooCall, context: { readonly [name: string]: Json }) {
    const entity = this.#knowledge.entityOf(context)
    const known: Call = { process, entity, abandoned: false }
    this.#calls.set(context, known)
    const name = `${call.model}/${call.method}`
    const running = (this.#running.get(process) ?? 0) + 1
    this.#running.set(process, running)
    if (running > this.#limits.calls) {
      this.report("calls at once", `${process.name} has ${running} calls under way, its share is ${this.#limits.calls}`)
    }
    const names = this.#touched.by(entity, call).map((parent) => `${process.name} ${entity} ${parent}`)
    for (const parent of names) {
      const other = this.#writing.get(parent)
      if (other !== undefined) this.report("one call a parent", `${name} meets ${other} on ${parent}`)
      this.#writing.set(parent, name)
    }
    this.#trace(`${process.name} ${entity} calls ${name} ${names.join(", ")}`)
    return {
      abandoned: () => {
        known.abandoned = true
        this.cover("call abandoned")
      },
      ended: (exit: Exit.Exit<Json, { readonly code: string }>) => {
        this.#running.set(process, this.#running.get(process)! - 1)
        for (const parent of names) this.#writing.delete(parent)
        const reason = Exit.isSuccess(exit) ? undefined : exit.cause.reasons[0]
        const outcome = reason === undefined ? "ok" : reason._tag === "Fail" ? reason.error.code : reason._tag
        // Given up by its client, it may still be carried out.
        if (outcome === "ODOO-NO-ANSWER") known.abandoned = true
        this.cover(`odoo ${outcome}`)
        this.#trace(`${process.name} ${entity} ${name} ${outcome}`)
      },
    }
  }

  // Broker

  consuming(process: Process, request: ConsumeRequest): Consuming {
    const { afterSequence, entity, epoch, flow } = request
    const name = `${process.name} ${entity} ${flow} ${epoch}`
    // A pump that starts anew from its checkpoint has nothing in hand.
    if (afterSequence < (this.#last.get(name) ?? 0)) this.#inHand.delete(name)
    this.#trace(`${name} consumes after ${afterSequence}`)
    const places = new Set<number>()
    // A stale owner opens one, too, and never hears of it again.
    const newest = this.#unacknowledged.get(`${entity} ${flow}`)?.epoch ?? 0
    if (epoch >= newest) this.#unacknowledged.set(`${entity} ${flow}`, { epoch, places })
    return {
      delivered: (chunk) => {
        for (const { redelivered, streamSequence } of chunk) {
          places.add(streamSequence)
          this.cover(redelivered ? "delivered again" : "delivered")
          this.#last.set(name, Math.max(streamSequence, this.#last.get(name) ?? 0))
        }
        this.#trace(`${name} gets ${chunk.map(({ streamSequence }) => streamSequence).join(" ")}`)
      },
      acknowledged: ({ streamSequence }) => {
        places.delete(streamSequence)
        const known = this.#seen.get(entity)
        if (known === undefined || !this.#knowledge.isSettled(known, streamSequence)) {
          this.report("ack after settle", `${name} acknowledges ${streamSequence}, which has no outcome`)
        }
      },
    }
  }

  /** What came, perhaps again, and was never answered although nothing is left to do: it keeps a place in flight. */
  places(): ReadonlyArray<string> {
    return [...this.#unacknowledged].flatMap(([consumer, { places }]) =>
      places.size === 0 ? [] : [`${consumer} does not acknowledge ${[...places].join(", ")}`]
    )
  }

  // Ledger

  claimed(process: Process, { entity, epoch }: Claim): void {
    this.#epochs.set(entity, { epoch, process })
    this.#trace(`${process.name} claims ${entity} at epoch ${epoch}`)
    this.cover(epoch === 1 ? "first claim" : "takeover")
  }

  admitting(process: Process, { entity, epoch }: Fence, flow: string, questions: ReadonlyArray<Question>): void {
    const name = `${process.name} ${entity} ${flow} ${epoch}`
    const inHand = this.#inHand.get(name) ?? new Set<string>()
    this.#inHand.set(name, inHand)
    for (const { eventId } of questions) inHand.add(eventId)
    if (inHand.size > this.#limits.inFlight) {
      this.report("in flight", `${name} has ${inHand.size} events in hand, its bound is ${this.#limits.inFlight}`)
    }
  }

  settled(process: Process, { entity, epoch }: Fence, settlement: Settlement): void {
    const current = this.#epochs.get(entity)?.epoch
    if (epoch !== current) {
      this.report("fence", `${process.name} settles ${entity} at epoch ${epoch}, the owner's is ${current}`)
    }
    for (const outcome of settlement.outcomes) {
      const name = `${process.name} ${entity} ${outcome.event.flow} ${epoch}`
      this.#inHand.get(name)?.delete(outcome.event.eventId.replace(/@\d+$/u, ""))
      this.#inHand.get(name)?.delete(outcome.event.eventId)
      this.cover(`settled ${outcome._tag}${outcome._tag === "Parked" ? ` ${outcome.code}` : ""}`)
      this.#trace(`${process.name} ${entity} settled ${outcome.event.eventId} ${outcome._tag}`)
    }
  }

  /** After every call, whatever its caller hears of it. */
  ledgerCalled(process: Process, operation: string, exit: Exit.Exit<unknown, unknown>, entity?: string): void {
    if (Exit.isFailure(exit)) {
      this.#trace(`${process.name} ${entity ?? ""} ledger ${operation} failed`)
      const error = exit.cause.reasons[0]
      const reason = error?._tag === "Fail" && typeof error.error === "object" && error.error !== null &&
          "reason" in error.error
        ? String(error.error.reason)
        : error?._tag
      this.cover(`ledger ${operation} ${reason}`)
    }
    if (operation === "settle" && entity !== undefined) this.inspect(entity)
  }

  inspect(entity: string): void {
    const all = Effect.runSync(this.#handle.inspect)
    const now = all.find((one) => one.entity === entity)
    if (now === undefined) return
    const before = this.#seen.get(entity)
    this.#seen.set(entity, now)
    if (before !== undefined) this.#compare(before, now)
    this.#waits(before, now)
    for (const [flow, checkpoint] of now.checkpoints) {
      const from = before?.checkpoints.get(flow) ?? 0
      for (const sequence of this.#knowledge.sequences(entity, flow, from, checkpoint)) {
        if (!this.#knowledge.isSettled(now, sequence)) {
          this.report("checkpoint", `${entity} ${flow}: checkpoint ${checkpoint} is above ${sequence}, not settled`)
        }
      }
    }
  }

  /** Whoever is held knows for what, and what it waits for has not come. */
  #waits(before: Inspection | undefined, now: Inspection): void {
    const states = new Map(before?.held.map(({ record, state }) => [record.eventId, state]))
    const mapped = new Set(now.mappings.map(({ flow, key }) => `${flow} ${key}`))
    for (const { on, record, state } of now.held) {
      if (states.get(record.eventId) !== state) this.cover(`held, ${state}`)
      if (state === "waiting" && on !== null && mapped.has(`${on.flow} ${on.key}`)) {
        this.report("every wait ends", `${record.eventId} waits for ${on.flow} ${on.key}, which is applied`)
      }
      if (state !== "behind") continue
      // Not an earlier one in every case: whatever a key holds stops those that come to it.
      const other = now.held.some((one) =>
        one.record !== record && one.record.flow === record.flow && one.record.key === record.key
      )
      if (!other) this.report("every wait ends", `${record.eventId} is behind nothing`)
    }
  }

  #compare(before: Inspection, now: Inspection): void {
    const states = new Map(now.events.map(({ record, state }) => [record.eventId, state]))
    for (const { record, state } of before.events) {
      const next = states.get(record.eventId)
      const final = state === "applied" || state === "superseded" || state === "dismissed"
      if (next === undefined || (final && next !== state)) {
        this.report("outcome stands", `${record.eventId} was ${state} and is ${next ?? "gone"}`)
      }
    }
    const mappings = new Map(now.mappings.map(({ flow, key, mapping }) => [`${flow} ${key}`, mapping]))
    for (const { flow, key, mapping } of before.mappings) {
      const next = mappings.get(`${flow} ${key}`)
      if (next === undefined || next.id !== mapping.id || (next.version ?? 0) < (mapping.version ?? 0)) {
        this.report("mapping", `${flow} ${key} was ${mapping.id} v${mapping.version}, is ${next?.id} v${next?.version}`)
      }
    }
    this.#overtaking(before, now)
    for (const [flow, checkpoint] of before.checkpoints) {
      if ((now.checkpoints.get(flow) ?? 0) < checkpoint) this.report("checkpoint", `${flow}: it went down`)
    }
  }

  /** An event is written although an earlier one of its key is held, or has no outcome yet. */
  #overtaking(before: Inspection, now: Inspection): void {
    const held = new Set(before.held.map(({ record }) => record.eventId))
    const applied = new Set(before.events.flatMap(({ record, state }) => state === "applied" ? [record.eventId] : []))
    for (const { record, state } of now.events) {
      if (state !== "applied" || applied.has(record.eventId)) continue
      const earlier = now.held.find((other) =>
        held.has(other.record.eventId) && other.record.flow === record.flow && other.record.key === record.key &&
        isBefore(other.record, record)
      )
      if (earlier !== undefined) {
        this.report("order of a key", `${record.eventId} is applied before ${earlier.record.eventId}, which is held`)
      }
      for (const { eventId, sequence } of this.#knowledge.before(now.entity, record)) {
        if (this.#knowledge.isSettled(now, sequence)) continue
        this.report("order of a key", `${record.eventId} is applied before ${eventId}, which has no outcome`)
      }
    }
  }
}

/** In the stream, and not newer by the source's version: an older one that comes later has been overtaken by its source. */
const isBefore = (a: EventRecord, b: EventRecord): boolean =>
  a.streamSequence < b.streamSequence && (a.version ?? 0) <= (b.version ?? 0)
