/**
 * Who is next: lanes by weight, entities of a lane by weight, first come first served within an entity.
 *
 * Start-time fair queueing with unit cost (Goyal, Vin, Cheng, "Start-time Fair Queuing", SIGCOMM 1996), twice: each lane
 * counts up by 1/weight per turn and the lowest count is next, so over any busy stretch the lanes get turns as 8:4:2:1
 * and none starves; and so do the entities within a lane, one by one, but for those that are favoured. Who was empty
 * starts again at the present count: idling saves up nothing, and neither does being passed over.
 *
 * Favoured is an entity that closes its books: it gets several turns for one of the others. As long as there is one,
 * backfills step back: their lane counts for an eighth of what it does otherwise.
 */
import type { Lane } from "../flow/Lane.ts"

export const laneWeights: Readonly<Record<Lane, number>> = { critical: 8, normal: 4, bulk: 2, backfill: 1 }
export const lanes = Object.keys(laneWeights) as ReadonlyArray<Lane>
/** Weight of lane `backfill` while somebody is favoured. */
export const BACKFILL_IN_CLOSE = 1 / 8
/** Turns of a favoured entity for one of another. */
export const FAVOUR = 4

/** Whether an entity may have a turn in a lane now. */
export type May = (entity: string, lane: Lane) => boolean
const everybody: May = () => true
const nobody: May = () => false

/** Who was passed over, at a count below the one that had the turn, goes on from there. */
const passOver = (states: Iterable<{ turn: number; readonly size: number }>, turn: number): void => {
  for (const state of states) if (state.size > 0 && state.turn < turn) state.turn = turn
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

  /** The lowest count among the entities that wait and may have a turn. Adds those to `owed` whose turn has to wait. */
  next(may: May, waits: May, owed: Set<string>): EntityState<A> | undefined {
    let next: EntityState<A> | undefined
    for (const state of this.entities.values()) {
      if (state.size === 0 || owed.has(state.entity) || (next !== undefined && state.turn >= next.turn)) continue
      if (may(state.entity, this.lane)) next = state
      else if (waits(state.entity, this.lane)) owed.add(state.entity)
    }
    return next
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

  /** Whether a lane that has nothing waiting is less than `ahead` beyond its share: what it does next may go first. */
  isDue(lane: Lane, ahead: number): boolean {
    const state = this.#lanes.get(lane)!
    return state.size === 0 && state.turn < this.#now + ahead
  }

  /** A turn that is taken without having waited. */
  charge(lane: Lane): void {
    const state = this.#lanes.get(lane)!
    state.turn = Math.max(state.turn, this.#now) + 1 / this.#shareOf(lane)
  }

  /**
   * The next of those that may; undefined when none may or nothing waits. `waits`: who may not, and whose entity has no turn
   * in a lane of a higher count either until it may; or the entity's more urgent calls would take each place that it gives
   * back.
   */
  take(may: May = everybody, waits: May = nobody): A | undefined {
    let lane: LaneState<A> | undefined
    let own: EntityState<A> | undefined
    const owed = new Set<string>()
    // The more urgent one first where counts are equal.
    for (const state of [...this.#lanes.values()].sort((a, b) => a.turn - b.turn)) {
      if (state.size === 0) continue
      own = state.next(may, waits, owed)
      if (own === undefined) continue
      lane = state
      break
    }
    if (lane === undefined || own === undefined) return undefined
    passOver(this.#lanes.values(), lane.turn)
    passOver(lane.entities.values(), own.turn)
    this.#now = lane.turn
    lane.turn += 1 / this.#shareOf(lane.lane)
    lane.now = own.turn
    own.turn += 1 / this.weightOf(own.entity)
    const [item] = own.waiting
    own.waiting.delete(item!)
    lane.size--
    this.#size--
    return item
  }

  /** Turns of an entity for one of another. */
  weightOf(entity: string): number {
    return this.#favoured.has(entity) ? FAVOUR : 1
  }

  /** The weights of all entities that wait in `lane` or a more urgent one, together. */
  contending(lane: Lane): number {
    const entities = new Set<string>()
    for (const state of this.#lanes.values()) {
      for (const { entity, size } of state.size === 0 ? [] : state.entities.values()) if (size > 0) entities.add(entity)
      if (state.lane === lane) break
    }
    let weight = 0
    for (const entity of entities) weight += this.weightOf(entity)
    return weight
  }

  #shareOf(lane: Lane): number {
    return lane === "backfill" && this.#favoured.size > 0 ? BACKFILL_IN_CLOSE : laneWeights[lane]
  }
}
