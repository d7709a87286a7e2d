/** Delta debugging: the fewest steps of a plan that still break the same rule (Zeller, Hildebrandt, TSE 28(2), 2002). */
import { simulate } from "./Simulation.ts"
import type { Plan, Step } from "./plan/Plan.ts"

/** Runs at most: shrinking is a service, not a proof. */
const MAX_RUNS = 400

export interface Shrunk {
  readonly plan: Plan
  /** Places of the steps that are left, in the whole plan. */
  readonly kept: ReadonlyArray<number>
  readonly runs: number
}

/** The plan with some of its steps only. */
export const only = (plan: Plan, kept: ReadonlyArray<number>): Plan => ({
  ...plan,
  steps: kept.flatMap((at): ReadonlyArray<Step> => plan.steps[at] === undefined ? [] : [plan.steps[at]]),
})

export const shrink = (plan: Plan, rule: string, maxRuns = MAX_RUNS): Shrunk => {
  let kept: ReadonlyArray<number> = plan.steps.map((_, at) => at)
  let runs = 0
  const fails = (candidate: ReadonlyArray<number>): boolean => {
    runs++
    return simulate(only(plan, candidate)).violation?.rule === rule
  }
  let parts = 2
  while (kept.length > 1 && runs < maxRuns) {
    const size = Math.ceil(kept.length / parts)
    let smaller: ReadonlyArray<number> | undefined
    for (let from = 0; from < kept.length && smaller === undefined && runs < maxRuns; from += size) {
      const rest = [...kept.slice(0, from), ...kept.slice(from + size)]
      if (rest.length > 0 && fails(rest)) smaller = rest
    }
    if (smaller !== undefined) {
      kept = smaller
      parts = Math.max(2, parts - 1)
    } else if (size === 1) break
    else parts = Math.min(kept.length, parts * 2)
  }
  return { plan: only(plan, kept), kept, runs }
}
