/**
 * Who is next: lanes by weight, entities of a lane in turn, first come first served within an entity.
 *
 * Lanes: start-time fair queueing with unit cost (Goyal, Vin, Cheng, "Start-time Fair Queuing", SIGCOMM 1996). Each lane
 * counts up by 1/weight per turn and the lowest count is next, so over any busy stretch the lanes get turns as 8:4:2:1
 * and none starves. A lane that was empty starts again at the present count: idling saves up nothing.
 */
import type { Lane } from "../flow/Flow.ts"

export const laneWeights: Readonly<Record<Lane, number>> = { critical: 8, normal: 4, bulk: 2, backfill: 1 }
export const lanes = Object.keys(laneWeights) as ReadonlyArray<Lane>

interface LaneState<A> {
  readonly step: number
  /** Virtual time of the lane's next turn. */
  turn: number
  size: number
  /** By entity; the first entity of the map is next. */
  readonly entities: Map<string, Set<A>>
}

export class FairQueue<A extends object> {
  readonly #lanes = new Map<Lane, LaneState<A>>(
    lanes.map((lane) => [lane, { step: 1 / laneWeights[lane], turn: 0, size: 0, entities: new Map() }]),
  )
  /** Virtual time: the count of the lane that had the last turn. */
  #now = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  sizeOf(lane: Lane): number {
    return this.#lanes.get(lane)!.size
  }

  add(lane: Lane, entity: string, item: A): void {
    const state = this.#lanes.get(lane)!
    if (state.size === 0) state.turn = Math.max(state.turn, this.#now)
    const waiting = state.entities.get(entity)
    if (waiting === undefined) state.entities.set(entity, new Set([item]))
    else waiting.add(item)
    state.size++
    this.#size++
  }

  /** Takes out an item that does not wait any longer; does nothing when it is not in the queue. */
  remove(lane: Lane, entity: string, item: A): void {
    const state = this.#lanes.get(lane)!
    const waiting = state.entities.get(entity)
    if (waiting === undefined || !waiting.delete(item)) return
    if (waiting.size === 0) state.entities.delete(entity)
    state.size--
    this.#size--
  }

  take(): A | undefined {
    let next: LaneState<A> | undefined
    for (const state of this.#lanes.values()) {
      if (state.size > 0 && (next === undefined || state.turn < next.turn)) next = state
    }
    if (next === undefined) return undefined
    this.#now = next.turn
    next.turn += next.step
    for (const [entity, waiting] of next.entities) {
      for (const item of waiting) {
        waiting.delete(item)
        // To the back of the turn, or out when it has nothing more.
        next.entities.delete(entity)
        if (waiting.size > 0) next.entities.set(entity, waiting)
        next.size--
        this.#size--
        return item
      }
    }
    return undefined
  }
}
