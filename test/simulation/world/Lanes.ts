/**
 * Whose turn it is at the door to Odoo: while a lane waits, the others may have so many turns before it has one. Watches
 * the door's callers, and knows nothing of how it decides.
 */
import { Effect } from "effect"
import type { Lane } from "../../../src/flow/Lane.ts"
import type { CallGate } from "../../../src/odoo/CallGate.ts"
import type { Process } from "../kernel/Kernel.ts"
import type { Observer } from "./Observer.ts"

/**
 * Turns of others in a row: what the weights 8, 4, 2, 1 allow, twice, and twelve calls by which the critical lane may be
 * ahead of its share, which it gives back afterwards. Turns are seen a little later than they are given: as many as there
 * are places may have been given before the lane began to wait, and as many before its own was seen.
 *
 * Whose entity has a call under way may wait for that one: it may hold its entity's part, for as long as it hangs.
 */
const PATIENCE: Readonly<Record<Lane, number>> = { critical: 10, normal: 18, bulk: 25, backfill: 40 }

class Door {
  /** Callers that wait, by lane and entity. */
  readonly #waiting = new Map<Lane, Map<string, number>>()
  /** Turns of others since somebody who could have had it began to wait, or had one. */
  readonly #passed = new Map<Lane, number>()
  /** Calls under way, by entity. */
  readonly #running = new Map<string, number>()

  waits(lane: Lane, entity: string, by: 1 | -1): void {
    const entities = this.#waiting.get(lane) ?? new Map<string, number>()
    this.#waiting.set(lane, entities)
    entities.set(entity, (entities.get(entity) ?? 0) + by)
    if (entities.get(entity) === 0) entities.delete(entity)
    if (entities.size === 0 || (entities.size === 1 && by === 1)) this.#passed.set(lane, 0)
  }

  runs(entity: string, by: 1 | -1): void {
    this.#running.set(entity, (this.#running.get(entity) ?? 0) + by)
  }

  /** Somebody of `lane` has a turn. Answers how often the others have been passed over. */
  turn(lane: Lane): ReadonlyArray<readonly [Lane, number]> {
    this.#passed.set(lane, 0)
    const over: Array<readonly [Lane, number]> = []
    for (const [other, entities] of this.#waiting) {
      if (other === lane || ![...entities.keys()].some((entity) => (this.#running.get(entity) ?? 0) === 0)) continue
      const passed = (this.#passed.get(other) ?? 0) + 1
      this.#passed.set(other, passed)
      over.push([other, passed])
    }
    return over
  }
}

/** Puts itself between the callers of `gate` and the gate. `places`: calls at once. */
export const watchLanes = (
  gate: CallGate["Service"],
  process: Process,
  observer: Observer,
  places: number,
): void => {
  const doors = new Map<string, Door>()
  const doorOf = (database: string): Door => {
    const door = doors.get(database) ?? new Door()
    doors.set(database, door)
    return door
  }
  const { run } = gate
  const watched: CallGate["Service"]["run"] = (database, caller, effect) =>
    Effect.suspend(() => {
      const door = doorOf(database)
      const { entity, lane } = caller
      let state: "waits" | "runs" | "left" = "waits"
      door.waits(lane, entity, 1)
      const began = Effect.sync(() => {
        door.waits(lane, entity, -1)
        for (const [other, passed] of door.turn(lane)) {
          if (passed <= PATIENCE[other] + 2 * places) continue
          observer.report("no lane starves", `${process.name}: ${passed} calls went before a waiting ${other} one`)
        }
        door.runs(entity, 1)
        state = "runs"
      })
      const leaves = Effect.sync(() => {
        if (state === "waits") door.waits(lane, entity, -1)
        else if (state === "runs") door.runs(entity, -1)
        state = "left"
      })
      return Effect.ensuring(run(database, caller, Effect.andThen(began, effect)), leaves)
    })
  Object.assign(gate, { run: watched })
}
