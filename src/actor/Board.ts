/** What an actor shows of itself: kept in memory by its session, read by `Status`. */
import { Schema } from "effect"
import type { Checkpoint } from "./Checkpoint.ts"
import type { Writer } from "../odoo/Health.ts"
import type { Retry } from "./persevere.ts"
import type { Schedule } from "./Schedule.ts"

/**
 * - `starting`: claims, looks up its company in Odoo.
 * - `running`
 * - `troubled`: a dependency is away or busy; goes on by itself.
 * - `draining`: finishes what is in flight.
 * - `stopped`: mode `hold`, drained by an operator, or a flow outside the entity's mode.
 * - `fenced`: another process owns the entity.
 */
export const State = Schema.Literals(["starting", "running", "troubled", "draining", "stopped", "fenced"])
export type State = typeof State.Type

/** A person's decision and how long it holds. */
export const OverrideStatus = Schema.Struct({
  actor: Schema.String,
  reason: Schema.String,
  /** Epoch milliseconds; null: until it is lifted. */
  untilMillis: Schema.NullOr(Schema.Int),
})
export type OverrideStatus = typeof OverrideStatus.Type

/** How the feed of a flow goes. */
export const FeedStatus = Schema.Struct({
  /** When it had last seen all that changed in Odoo until then, epoch milliseconds; null: not yet in this session. */
  seenAtMillis: Schema.NullOr(Schema.Int),
  /** Why the last look did not succeed; empty otherwise. */
  trouble: Schema.String,
})
export type FeedStatus = typeof FeedStatus.Type

export const FlowStatus = Schema.Struct({
  flow: Schema.String,
  state: State,
  /** Events admitted and not settled. */
  inFlight: Schema.Int,
  checkpoint: Schema.Int,
  /** Events settled a second, mean over the last ten seconds. */
  ratePerSecond: Schema.Finite,
  /** Why it is troubled: the last cause of what is tried again longest; empty otherwise. */
  trouble: Schema.String,
  /** Events whose last try did not go through and that are tried again. */
  retrying: Schema.Int,
  /** Most failed tries of one of them. */
  attempts: Schema.Int,
  /** When the next one of them is tried, epoch milliseconds; null when there is none. */
  nextTryMillis: Schema.NullOr(Schema.Int),
  restarts: Schema.Int,
  /** Consumers replaced because they had gone silent. */
  rebuilds: Schema.Int,
  /** A person paused it; null: nobody did. */
  paused: Schema.NullOr(OverrideStatus),
  /** Left out: it has no feed, or it is off. */
  feed: Schema.optionalKey(FeedStatus),
})
export type FlowStatus = typeof FlowStatus.Type

export const CircuitStatus = Schema.Struct({
  dependency: Schema.String,
  state: Schema.Literals(["closed", "open", "half-open"]),
  /** Since when it is not closed, epoch milliseconds; null when it is. */
  openedAtMillis: Schema.NullOr(Schema.Int),
  /** The last failure; empty when there was none. */
  trouble: Schema.String,
})

export const CloseStatus = Schema.Struct({
  /** A person's name, or `calendar`. */
  actor: Schema.String,
  reason: Schema.String,
  /** Epoch milliseconds; null: as long as the calendar has it. */
  untilMillis: Schema.NullOr(Schema.Int),
})
export type CloseStatus = typeof CloseStatus.Type

export const EntityStatus = Schema.Struct({
  entity: Schema.String,
  state: State,
  mode: Schema.Literals(["full", "essential", "drafts", "hold", "shadow"]),
  /** Who decided the mode; null: Weir itself. */
  override: Schema.NullOr(OverrideStatus),
  circuits: Schema.Array(CircuitStatus),
  /** Incidents that are not over. */
  incidents: Schema.Int,
  /** The entity closes its books now: its calls get a larger share. Null: it does not. */
  close: Schema.NullOr(CloseStatus),
  epoch: Schema.Int,
  owner: Schema.String,
  /** `digestOf` the settings that it goes by; left out: it does not say. */
  configuration: Schema.optionalKey(Schema.String),
  trouble: Schema.String,
  flows: Schema.Array(FlowStatus),
})
export type EntityStatus = typeof EntityStatus.Type

/** Seconds over which a rate is taken. */
const WINDOW = 10

/** Events a second over the last whole seconds. */
class Rate {
  #buckets = new Array<number>(WINDOW + 1).fill(0)
  #second = 0

  add(count: number, nowMillis: number): void {
    this.#advance(nowMillis)
    this.#buckets[this.#second % (WINDOW + 1)]! += count
  }

  at(nowMillis: number): number {
    this.#advance(nowMillis)
    const current = this.#buckets[this.#second % (WINDOW + 1)]!
    return Math.round((this.#buckets.reduce((sum, count) => sum + count, 0) - current) / WINDOW * 10) / 10
  }

  #advance(nowMillis: number): void {
    const second = Math.floor(nowMillis / 1_000)
    const steps = Math.min(second - this.#second, WINDOW + 1)
    for (let step = 0; step < steps; step++) this.#buckets[(second - step) % (WINDOW + 1)] = 0
    this.#second = Math.max(this.#second, second)
  }
}

/** One flow's line. */
export class FlowBoard {
  state: State = "starting"
  #trouble = ""
  restarts = 0
  rebuilds = 0
  paused: OverrideStatus | null = null
  /** Undefined: there is none. */
  feed: FeedStatus | undefined = undefined
  readonly #retries = new Map<Writer, Retry>()
  readonly flow: string
  #rate = new Rate()
  #schedule: Schedule | null = null
  #checkpoint: Checkpoint | null = null

  constructor(flow: string) {
    this.flow = flow
  }

  observe(schedule: Schedule, checkpoint: Checkpoint): void {
    this.#schedule = schedule
    this.#checkpoint = checkpoint
    this.state = "running"
    this.#trouble = ""
    this.#retries.clear()
  }

  /** It stopped for this reason and is restarted. */
  troubled(trouble: string): void {
    if (this.state === "running") this.state = "troubled"
    this.#trouble = trouble
  }

  /** A batch is tried again, or no longer. */
  retrying(writer: Writer, retry: Retry | null): void {
    if (retry === null) this.#retries.delete(writer)
    else this.#retries.set(writer, retry)
    if (this.state === "running" || this.state === "troubled") {
      this.state = this.#retries.size === 0 && this.#trouble === "" ? "running" : "troubled"
    }
  }

  get trouble(): string {
    if (this.#trouble !== "") return this.#trouble
    let longest: Retry | null = null
    for (const retry of this.#retries.values()) {
      if (longest === null || retry.attempts > longest.attempts) longest = retry
    }
    return longest === null ? "" : `${longest.error.code}: ${longest.error.message}`
  }

  /** Its pump does not run. */
  halted(): void {
    this.state = "stopped"
    this.#schedule = null
  }

  /** Its consumer was replaced. */
  readonly rebuilt = (): void => {
    this.rebuilds++
  }

  /** When the broker stored the oldest event in flight, epoch milliseconds; infinity when none is. */
  get oldestStoredMillis(): number {
    let oldest = Infinity
    for (const { delivery } of this.#schedule?.items() ?? []) {
      if (delivery !== null) oldest = Math.min(oldest, delivery.storedAtMillis)
    }
    return oldest
  }

  settled(count: number, nowMillis: number): void {
    this.#rate.add(count, nowMillis)
  }

  get inFlight(): number {
    return this.#schedule?.size ?? 0
  }

  status(nowMillis: number): FlowStatus {
    const retries = [...this.#retries.values()]
    return {
      flow: this.flow,
      state: this.state,
      inFlight: this.inFlight,
      checkpoint: this.#checkpoint?.value ?? 0,
      ratePerSecond: this.#rate.at(nowMillis),
      trouble: this.trouble,
      retrying: retries.reduce((sum, { events }) => sum + events, 0),
      attempts: retries.reduce((most, { attempts }) => Math.max(most, attempts), 0),
      nextTryMillis: retries.length === 0 ? null : Math.min(...retries.map(({ nextTryMillis }) => nextTryMillis)),
      restarts: this.restarts,
      rebuilds: this.rebuilds,
      paused: this.paused,
      ...(this.feed !== undefined && { feed: this.feed }),
    }
  }
}
