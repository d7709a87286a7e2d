/**
 * The seeded simulation on the command line.
 *
 *   deno task sim                       100 seeds from 1 on
 *   deno task sim --seeds 1000          so many; --from N: the first one; --jobs N: processes at once
 *   deno task sim --seed 42             one seed, with its trace; --only 3,7: these steps of its plan only
 *   deno task sim --seed 42 --shrink    the fewest steps with which it still fails
 *   deno task sim --mutants             plants known bugs, each in a copy, and counts the seeds until it is found;
 *                                       --jobs N: so many at once; --named TEXT: only those with TEXT in their name
 */
import "../../src/cli/plainFibers.ts"

import process from "node:process"
import { parseArgs } from "node:util"
import { describe, type Plan, planOf } from "./plan/Plan.ts"
import { campaign } from "./campaign.ts"
import { only, shrink } from "./shrink.ts"
import { simulate } from "./Simulation.ts"

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== "--"),
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    jobs: { type: "string", default: "1" },
    only: { type: "string" },
    shrink: { type: "boolean", default: false },
    mutants: { type: "boolean", default: false },
    named: { type: "string", default: "" },
    /** For the processes that `--jobs` and `--mutants` start: results as JSON. */
    worker: { type: "boolean", default: false },
    /** Ends at the first failure. */
    first: { type: "boolean", default: false },
  },
})

const say = (line: string): void => void process.stdout.write(`${line}\n`)

const whole = (name: string, text: string): number => {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0) return value
  throw new Error(`--${name} wants a whole number, not ${text}.`)
}

const steps = (plan: Plan): void => {
  say(`shape ${JSON.stringify(plan.shape)}`)
  for (const step of plan.steps) say(describe(step))
}

/** Runs one seed and tells what happened, line by line. */
const one = (seed: number): boolean => {
  const whole = planOf(seed)
  const plan = values.only === undefined ? whole : only(whole, values.only.split(",").map(Number))
  const { coverage, trace, violation } = simulate(plan, { trace: true })
  for (const line of trace) say(line)
  if (violation === undefined) {
    say(`seed ${seed}: all rules hold, ${coverage.size} faults, outcomes and states visited`)
    return true
  }
  say(`seed ${seed} breaks a rule. ${violation.message}`)
  return false
}

/** The plan's smallest part that still fails, and how to run it. */
const shrunk = (seed: number): void => {
  const { violation } = simulate(planOf(seed))
  if (violation === undefined) return say(`seed ${seed}: all rules hold, there is nothing to shrink`)
  const { kept, plan, runs } = shrink(planOf(seed), violation.rule)
  say(`seed ${seed} breaks a rule. ${violation.message}`)
  say(`${plan.steps.length} of ${planOf(seed).steps.length} steps are enough (${runs} runs):`)
  steps(plan)
  say(`Again, with the trace: deno task sim --seed ${seed} --only ${kept.join(",")}`)
}

const main = async (): Promise<boolean> => {
  if (values.mutants) {
    const { hunt } = await import("./mutants/hunt.ts")
    const most = whole("seeds", values.seeds === "100" ? "1000" : values.seeds)
    return hunt({ most, jobs: Math.max(1, whole("jobs", values.jobs)), named: values.named }, say)
  }
  if (values.seed !== undefined) {
    const seed = whole("seed", values.seed)
    if (!values.shrink) return one(seed)
    shrunk(seed)
    return true
  }
  const range = { from: whole("from", values.from), count: whole("seeds", values.seeds) }
  if (values.worker) {
    say(JSON.stringify(campaign(range, { stopAtFailure: values.first })))
    return true
  }
  const { parallel } = await import("./parallel.ts")
  const { failures, report } = await parallel(range, Math.max(1, whole("jobs", values.jobs)))
  for (const line of report) say(line)
  for (const { seed } of failures.slice(0, 1)) shrunk(seed)
  return failures.length === 0
}

process.exitCode = await main() ? 0 : 1
