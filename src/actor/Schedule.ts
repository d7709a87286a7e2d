/**
 * Fourth stage: what of one flow may be written now. One event at a time per business key, in the order of arrival; one
 * batch at a time per parent.
 *
 *     push ─► queue of its key ──(key idle)──► runnable ──(parents free)──► take ─► … ─► done ─► next of its key
 *
 * A batch takes all it can of one parent before it touches the next. Two full batches then run side by side on different
 * parents; events taken as they come would touch every parent, and leave nothing for a second batch.
 *
 * Plain data, no effects: the flow's workers wait on `wake`. Bounded by the intake, which never has more than the
 * flow's `inFlight` events unsettled.
 */
import type { Holder, Parents } from "./Parents.ts"
import type { Item } from "./Item.ts"

export interface Batch {
  readonly holder: Holder
  readonly items: ReadonlyArray<Item>
}

/** The ledger handed it out. */
const isHeld = ({ delivery, replay }: Item): boolean => delivery === null && replay === undefined

export class Schedule {
  /** Items of each key, the first one possibly in a batch. Who comes with a known identity queues behind its bearer. */
  #queues = new Map<string, Array<Item>>()
  /** Keys that have an item and none in a batch, by the parents of that item. Whoever waits longest is first. */
  #runnable = new Map<string, Set<string>>()
  #runnableKeys = 0
  #eventIds = new Set<string>()
  /** Name of the queue in which an identity is. */
  #queueOf = new Map<string, string>()
  /** Keys of which an event queues behind its identity in another queue, by its name: what follows queues there too. */
  #guests = new Map<string, string>()
  /** Keys and identities settled while an admission was under way: its answers about them are stale. */
  #settledMeanwhile = new Set<string>()
  #admissions = 0
  #size = 0
  readonly #flow: string
  readonly #parents: Parents

  constructor(flow: string, parents: Parents) {
    this.#flow = flow
    this.#parents = parents
  }

  /** Events here, in batches or not. */
  get size(): number {
    return this.#size
  }

  /** Keys that may have an event to write now. */
  get runnable(): number {
    return this.#runnableKeys
  }

  /** Whether behind an event that may be written now another one of its key waits. */
  get hasFollowers(): boolean {
    for (const names of this.#runnable.values()) {
      for (const name of names) if (this.#queues.get(name)!.length > 1) return true
    }
    return false
  }

  /** Events of `key` that are here. */
  queued(key: string): number {
    return this.#queues.get(key)?.length ?? 0
  }

  /** Whether an event of this identity is here, or was settled since the admission under way began. */
  meets(eventId: string): boolean {
    return this.#queueOf.has(eventId) || this.#settledMeanwhile.has(eventId)
  }

  /** Whether this identity is here under another key. */
  isElsewhere(eventId: string, key: string): boolean {
    return (this.#queueOf.get(eventId) ?? key) !== key
  }

  /** The held events that are here already. */
  get heldEventIds(): ReadonlyArray<string> {
    return [...this.#eventIds]
  }

  /** Everything here. */
  *items(): Iterable<Item> {
    for (const queue of this.#queues.values()) yield* queue
  }

  /** To be called before the ledger is asked about events that will be pushed; `push` ends it. */
  admissionStarts(): void {
    this.#admissions++
  }

  admissionFails(): void {
    this.#admissions--
  }

  push(items: ReadonlyArray<Item>): void {
    for (const item of items) {
      const { eventId, key } = item.event
      // One identity under two keys would be two events in Odoo and one in the ledger: the second must see the first.
      const name = this.#queueOf.get(eventId) ?? (this.#queues.has(key) ? key : this.#guests.get(key) ?? key)
      if (name !== key) this.#guests.set(key, name)
      const queue = this.#queues.get(name)
      if (isHeld(item)) this.#eventIds.add(eventId)
      this.#queueOf.set(eventId, name)
      item.stale = queue !== undefined || this.#settledMeanwhile.has(key) || this.#settledMeanwhile.has(eventId)
      this.#size++
      if (queue === undefined) {
        this.#queues.set(name, [item])
        this.#mayRun(name, item)
      } else queue.push(item)
    }
    if (--this.#admissions === 0) this.#settledMeanwhile.clear()
  }

  /** These were admitted, and held in the ledger in place of being pushed: what comes with their identity is stale. */
  setAside(items: ReadonlyArray<Item>): void {
    for (const { event } of items) this.#settledMeanwhile.add(event.eventId)
  }

  /**
   * Up to `size` items of different keys whose parents are free, or null. They are the batch's until `done`. `replayed`:
   * of those that a replay brings, which never share a batch with what is live.
   */
  take(size: number, replayed = false): Batch | null {
    const holder: Holder = Symbol(this.#flow)
    const items: Array<Item> = []
    for (const [siblings, names] of this.#runnable) {
      for (const name of names) {
        const item = this.#queues.get(name)![0]!
        if ((item.replay !== undefined) !== replayed) continue
        if (!this.#parents.acquire(parentsOf(item), holder, this.#flow)) break
        names.delete(name)
        if (items.push(item) === size) break
      }
      if (names.size === 0) this.#runnable.delete(siblings)
      if (items.length < size) continue
      // What is left of them has its next turn after the others.
      if (names.size > 0 && this.#runnable.delete(siblings)) this.#runnable.set(siblings, names)
      break
    }
    this.#runnableKeys -= items.length
    return items.length === 0 ? null : { holder, items }
  }

  /** Writing is over: others may have the parents, although the outcome is not durable yet. */
  written(batch: Batch): void {
    this.#parents.release(batch.items.flatMap(parentsOf), batch.holder)
  }

  /** The outcomes are durable: the keys may go on. */
  done(batch: Batch): void {
    for (const item of batch.items) {
      const { eventId, key } = item.event
      const name = this.#queueOf.get(eventId)!
      const queue = this.#queues.get(name)!
      queue.shift()
      this.#size--
      if (isHeld(item)) this.#eventIds.delete(eventId)
      if (!queue.some(({ event }) => event.eventId === eventId)) this.#queueOf.delete(eventId)
      if (name !== key && !queue.some(({ event }) => event.key === key)) this.#guests.delete(key)
      if (queue.length === 0) this.#queues.delete(name)
      else this.#mayRun(name, queue[0]!)
      if (this.#admissions > 0) this.#settledMeanwhile.add(key).add(eventId)
    }
  }

  /** `item` is the first of the queue of that name, and in no batch. */
  #mayRun(name: string, item: Item): void {
    const siblings = parentsOf(item).join("\n")
    const names = this.#runnable.get(siblings)
    if (names === undefined) this.#runnable.set(siblings, new Set([name]))
    else names.add(name)
    this.#runnableKeys++
  }
}

const NONE: ReadonlyArray<string> = []

const parentsOf = (item: Item): ReadonlyArray<string> => item.payload?.parents ?? NONE
