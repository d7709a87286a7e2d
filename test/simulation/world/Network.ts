/**
 * The way from a process to a port and back. The port lives outside: what it was asked to do it does, even when whoever
 * asked is gone, and its answer reaches a process that is still there, when it is there.
 */
import { Effect } from "effect"
import type { Random } from "../../../fixtures/generator/Random.ts"
import type { Process } from "../kernel/Kernel.ts"

export interface Network {
  /** Runs `effect` outside and brings its result into `process`. `abandoned` is called when nobody waits any longer. */
  readonly call: <A, E>(process: Process, effect: Effect.Effect<A, E>, options: CallOptions) => Effect.Effect<A, E>
}

export interface CallOptions {
  /** What is asked: `ledger settle`. */
  readonly operation: string
  /** Additional milliseconds that the answer takes. */
  readonly slowMillis?: () => number
  readonly abandoned?: () => void
}

/** Whether a process ends with this call, and then whether what it asks for gets through. */
export type Fate = (process: Process, operation: string) => "goes on" | "ends" | "ends, and it is lost"

export const makeNetwork = (outside: Process, numbers: Random, most: number, fate: Fate): Network => {
  const way = (): number => most === 0 ? 0 : numbers.int(0, most)
  return {
    call: (process, effect, options) =>
      Effect.callback((resume) => {
        let waiting = true
        if (fate(process, options.operation) === "ends, and it is lost") return
        const ask = () => {
          outside.fork(effect, (exit) => {
            const answer = () => {
              process.post(() => {
                if (!waiting) return
                waiting = false
                resume(exit)
              })
            }
            outside.kernel.after(way() + (options.slowMillis?.() ?? 0), answer)
          })
        }
        outside.kernel.after(way(), ask)
        return Effect.sync(() => {
          if (!waiting) return
          waiting = false
          options.abandoned?.()
        })
      }),
  }
}
