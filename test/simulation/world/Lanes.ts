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
 * Turns of others in a row: what the weights 8, 4, 2, 1 allow, twice; twelve calls by which the critical lane may be ahead
 * of its share, which it gives back afterwards; and eight short ones of other entities, while a long one of its own holds
 * its entity's part. Turns are seen a little later than they are given: as many as there are places may have been given
 * before the lane began to wait, and as many before its own was seen.
 */
const PATIENCE: Readonly<Record<Lane, number>> = { critical: 18, normal: 26, bulk: 33, backfill: 48 }

interface Door {
  /** Callers that wait, by lane. */
  readonly waiting: Map<Lane, number>
  /** Turns of others since the lane began to wait or had its last turn. */
  readonly passed: Map<Lane, number>
}

/** Puts itself between the callers of `gate` and the gate. */
export const watchLanes = (
  gate: CallGate["Service"],
  process: Process,
  observer: Observer,
  places: number,
): void => {
  const doors = new Map<string, Door>()
  const doorOf = (database: string): Door => {
    const door = doors.get(database) ?? { waiting: new Map(), passed: new Map() }
    doors.set(database, door)
    return door
  }
  const change = ({ passed, waiting }: Door, lane: Lane, by: 1 | -1): void => {
    const count = (waiting.get(lane) ?? 0) + by
    waiting.set(lane, count)
    if (count === 0 || (count === 1 && by === 1)) passed.set(lane, 0)
  }
  const turn = (door: Door, lane: Lane): void => {
    door.passed.set(lane, 0)
    for (const [other, count] of door.waiting) {
      if (other === lane || count === 0) continue
      const passed = (door.passed.get(other) ?? 0) + 1
      door.passed.set(other, passed)
      if (passed > PATIENCE[other] + 2 * places) {
        observer.report("no lane starves", `${process.name}: ${passed} calls went before a waiting ${other} one`)
      }
    }
  }
  const { run } = gate
  const watched: CallGate["Service"]["run"] = (database, caller, effect) =>
    Effect.suspend(() => {
      const door = doorOf(database)
      let waits = true
      const leave = (): void => {
        if (waits) change(door, caller.lane, -1)
        waits = false
      }
      change(door, caller.lane, 1)
      const began = Effect.sync(() => {
        leave()
        turn(door, caller.lane)
      })
      return Effect.ensuring(run(database, caller, Effect.andThen(began, effect)), Effect.sync(leave))
    })
  Object.assign(gate, { run: watched })
}
