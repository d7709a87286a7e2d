/**
 * Every fault once, with the month and every flow's story passing through, and `docs/reliability.md` of it.
 *
 *   deno task faults [--seed 7] [--only kill-weir,poison] [--out docs/reliability.md]
 *   deno task faults --quick [--seed 7]
 *   deno task faults --odoo [--seed 7]       a real Odoo 19 (docs/live-odoo.md)
 *
 * With `--only` nothing is written unless `--out` says where. `--quick`: all faults but the storm in turn on one
 * installation (`turns.ts`), as the tests do. Ends with 1 when anything differs.
 */
import "../../../src/cli/plainFibers.ts"

import { Clock, Duration, Effect } from "effect"
import { writeFile } from "node:fs/promises"
import process from "node:process"
import { parseArgs } from "node:util"
import { agrees } from "../../../fixtures/scenario.ts"
import * as RealOdoo from "../RealOdoo.ts"
import { seedOf } from "../seed.ts"
import { attempt, type Size } from "./attempt.ts"
import { faults } from "./faults.ts"
import { render } from "./report.ts"
import type { Result } from "./Result.ts"
import { realFaults } from "./real.ts"
import { inTurn, type Turn } from "./turns.ts"

const size: Size = { consultants: 15, days: 10, away: Duration.seconds(10), latency: 0.15 }
/** On a real Odoo: a few hundred events, and a timeout that is longer than Odoo's own limit. */
const REAL = { workers: 2, size: { consultants: 6, days: 6 }, odooTimeout: Duration.seconds(30) }
const TARGET = "docs/reliability.md"

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    odoo: { type: "boolean", default: false },
    seed: { type: "string" },
    only: { type: "string" },
    out: { type: "string" },
  },
})

const say = (line: string): void => void process.stderr.write(`${line}\n`)

const told = ({ fault, recoverySeconds, seconds, strikes, wrong }: Result): void => {
  const facts = [
    `${seconds.toFixed(1)} s`,
    ...strikes === null ? [] : [`struck ${strikes} times`],
    ...recoverySeconds === null ? [] : [`next event settled after ${recoverySeconds.toFixed(1)} s`],
  ]
  say(`${wrong.length === 0 ? "ok " : "NOT"} ${fault.name}: ${facts.join(", ")}`)
  for (const line of wrong) say(`      ${line}`)
}

const whole = Effect.fnUntraced(function* (seed: number) {
  const only = values.only?.split(",")
  const chosen = faults.filter(({ name }) => only?.includes(name) ?? true)
  if (chosen.length === 0) {
    return yield* Effect.die(new Error(`no such fault, there are: ${faults.map(({ name }) => name).join(", ")}`))
  }
  const out = values.out ?? (only !== undefined ? undefined : TARGET)
  const date = new Date(yield* Clock.currentTimeMillis).toISOString().slice(0, 10)
  const results: Array<Result> = []
  for (const fault of chosen) {
    const result = yield* Effect.scoped(attempt(fault, seed, size))
    results.push(result)
    told(result)
    if (out === undefined) continue
    // After each one: a run of many minutes that is ended has told what it knows.
    const report = {
      date,
      seed,
      awaySeconds: Duration.toSeconds(size.away),
      results,
      missing: chosen.length - results.length,
    }
    yield* Effect.promise(() => writeFile(out, render(report)))
  }
  return results.every(({ wrong }) => wrong.length === 0) ? 0 : 1
})

const turn = ({ fault, seconds, strikes }: Turn): void =>
  say(`${fault.name}: ${seconds.toFixed(1)} s, struck ${strikes} times`)

const judged = ({ turns, wrong }: { readonly turns: ReadonlyArray<Turn>; readonly wrong: ReadonlyArray<string> }) => {
  say(`${turns.length} faults in turn: ${wrong.length === 0 ? "everything stands as it must" : "NOT as it must"}`)
  for (const line of wrong) say(`      ${line}`)
  return wrong.length === 0 ? 0 : 1
}

const quick = (seed: number) => Effect.map(Effect.scoped(inTurn(seed, turn)), judged)

/** Prints what `docs/live-odoo.md` shows of it. */
const odoo = Effect.fnUntraced(function* (seed: number) {
  const real = yield* RealOdoo.start(seed, REAL.workers)
  const ended = yield* Effect.scoped(inTurn(seed, turn, { ...REAL, faults: realFaults(real), real }))
  const agreeing = ended.figures.filter(agrees).length
  say(`seed ${seed}, ${ended.events} events, ${agreeing} of ${ended.figures.length} figures agree`)
  const retried = ended.lines.filter(({ message }) => /went through at try \d+$/u.test(message)).length
  say(`${retried} batches went through only after a failure`)
  return judged(ended)
})

const main = Effect.suspend(() => {
  const seed = values.seed === undefined ? seedOf("faults") : Number(values.seed)
  return values.odoo ? odoo(seed) : values.quick ? quick(seed) : whole(seed)
})

const fiber = Effect.runFork(main)
// What was started must end with us.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => fiber.interruptUnsafe())
fiber.addObserver((exit) => {
  if (exit._tag === "Success") process.exit(exit.value)
  process.stderr.write(
    `${exit.cause.reasons.map((reason) => "defect" in reason ? String(reason.defect) : reason._tag).join("\n")}\n`,
  )
  process.exit(1)
})
