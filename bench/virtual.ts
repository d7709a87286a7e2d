/**
 * Virtual time for benchmarks: what waits, waits on a clock that jumps, so that minutes of Odoo's latency pass in seconds
 * and the figures are the same on every machine, busy or not. For programs on ports in memory only.
 */
import { Cause, Effect, Exit, Logger, Scope } from "effect"
import process from "node:process"
import { Random } from "../fixtures/generator/Random.ts"
import { Kernel, Process } from "../test/simulation/kernel/Kernel.ts"

/** Virtual time after which a benchmark has failed. */
const LIMIT_MILLIS = 4 * 3_600_000
const STEP_MILLIS = 1_000
/** 2026-10-31, the last day of a month. */
const START = Date.UTC(2026, 9, 31, 16)

/** Warnings only: they are what a benchmark may not hide. */
const warnings = Logger.make(({ logLevel, message }) => {
  if (logLevel === "Warn" || logLevel === "Error" || logLevel === "Fatal") {
    process.stderr.write(`${logLevel}: ${String(message).slice(0, 300)}\n`)
  }
})

/** Runs it to its end. The same seed gives the same steps. */
export const inVirtualTime = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>, seed = 1): A => {
  const kernel = new Kernel(START)
  const machine = new Process(kernel, {
    name: "bench",
    numbers: new Random(seed, "bench"),
    loggers: new Set([warnings]),
    maxOpsBeforeYield: 2_048,
  })
  let exit: Exit.Exit<A, E> | undefined
  // The engine's own shutdown takes time that nobody asks about: it is left as it stands.
  machine.fork(Effect.provideService(effect, Scope.Scope, Scope.makeUnsafe()), (ended) => exit = ended)
  while (exit === undefined && kernel.nowMillis < START + LIMIT_MILLIS) kernel.run(kernel.nowMillis + STEP_MILLIS)
  if (exit === undefined) throw new Error("it does not come to an end")
  if (Exit.isFailure(exit)) throw new Error(Cause.pretty(exit.cause))
  return exit.value
}
