/**
 * Who is next: lanes by weight, entities of a lane by weight, first come first served within an entity.
 *
 * Start-time fair queueing with unit cost (Goyal, Vin, Cheng, "Start-time Fair Queuing", SIGCOMM 1996), twice: each lane
 * counts up by 1/weight per turn and the lowest count is next, so over any busy stretch the lanes get turns as 8:4:2:1
 * and none starves; and so do the entities within a lane, one by one, but for those that are favoured. Who was empty
 * starts again at the present count: idling saves up nothing.
 *
 * Favoured is an entity that closes its books: it gets several turns for one of the others. As long as there is one,
 * backfills step back: their lane counts for an eighth of what it does otherwise.
 */
import type { Lane } from "../flow/Flow.ts"

export const laneWeights: Readonly<Record<Lane, number>> = { critical: 8, normal: 4, bulk: 2, backfill: 1 }
export const lanes = Object.keys(laneWeights) as ReadonlyArray<Lane>
/** Weight of lane `backfill` while somebody is favoured. */
export const BACKFILL_IN_CLOSE = 1 / 8
/** Turns of a favoured entity for one of another. */
export const FAVOUR = 4

/** The lowest count among those that have something, or undefined. */
const lowest = <S extends { readonly turn: number; readonly size: number }>(states: Iterable<S>): S | undefined => {
  let next: S | undefined
  for (const state of states) if (state.size > 0 && (next === undefined || state.turn < next.turn)) next = state
  return next
}

/** What one entity has waiting in one lane; kept when it is empty, so that it comes back at its count. */
class EntityState<A> {
  readonly entity: string
  readonly waiting = new Set<A>()
  /** Virtual time of its next turn within the lane. */
  turn = 0

  constructor(entity: string) {
    this.entity = entity
  }

  get size(): number {
    return this.waiting.size
  }
}

class LaneState<A> {
  readonly lane: Lane
  /** Virtual time of the lane's next turn. */
  turn = 0
  size = 0
  readonly entities = new Map<string, EntityState<A>>()
  /** Virtual time within the lane: the count of the entity that had the last turn. */
  now = 0

  constructor(lane: Lane) {
    this.lane = lane
  }

  of(entity: string): EntityState<A> {
    const known = this.entities.get(entity)
    if (known !== undefined) return known
    const fresh = new EntityState<A>(entity)
    this.entities.set(entity, fresh)
    return fresh
  }
}

export class FairQueue<A extends object> {
  readonly #lanes = new Map<Lane, LaneState<A>>(lanes.map((lane) => [lane, new LaneState<A>(lane)]))
  readonly #favoured = new Set<string>()
  /** Virtual time: the count of the lane that had the last turn. */
  #now = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  sizeOf(lane: Lane): number {
    return this.#lanes.get(lane)!.size
  }

  /** Entities that get more than their turn. */
  get favoured(): ReadonlySet<string> {
    return this.#favoured
  }

  favour(entity: string, favoured: boolean): void {
    if (favoured) this.#favoured.add(entity)
    else this.#favoured.delete(entity)
  }

  add(lane: Lane, entity: string, item: A): void {
    const state = this.#lanes.get(lane)!
    if (state.size === 0) state.turn = Math.max(state.turn, this.#now)
    const own = state.of(entity)
    if (own.size === 0) own.turn = Math.max(own.turn, state.now)
    own.waiting.add(item)
    state.size++
    this.#size++
  }

  /** Takes out an item that does not wait any longer; does nothing when it is not in the queue. */
  remove(lane: Lane, entity: string, item: A): void {
    const state = this.#lanes.get(lane)!
    if (state.entities.get(entity)?.waiting.delete(item) !== true) return
    state.size--
    this.#size--
  }

  take(): A | undefined {
    const lane = lowest(this.#lanes.values())
    const own = lane === undefined ? undefined : lowest(lane.entities.values())
    if (lane === undefined || own === undefined) return undefined
    this.#now = lane.turn
    lane.turn += 1 / this.#weightOf(lane.lane)
    lane.now = own.turn
    own.turn += this.#favoured.has(own.entity) ? 1 / FAVOUR : 1
    const [item] = own.waiting
    own.waiting.delete(item!)
    lane.size--
    this.#size--
    return item
  }

  #weightOf(lane: Lane): number {
    return lane === "backfill" && this.#favoured.size > 0 ? BACKFILL_IN_CLOSE : laneWeights[lane]
  }
}
