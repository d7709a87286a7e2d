/** Some hundred random worlds on every run. The base seed is printed; `SIM_SEED` sets it, `SIM_SEEDS` how many. */
import { assert, describe, it } from "@effect/vitest"
import process from "node:process"
import { Random } from "../../fixtures/generator/Random.ts"
import { campaign } from "./campaign.ts"
import { Kernel, Process } from "./kernel/Kernel.ts"
import { describe as inWords, planOf } from "./plan/Plan.ts"
import { only, shrink } from "./shrink.ts"
import { simulate } from "./Simulation.ts"
import { Effect } from "effect"

const from = Number(process.env["SIM_SEED"] ?? 1)
const count = Number(process.env["SIM_SEEDS"] ?? 150)

describe("the simulation", () => {
  it(`keeps all rules in the worlds of seeds ${from} to ${from + count - 1}`, () => {
    const { coverage, failures } = campaign({ from, count })
    const [failure] = failures
    if (failure !== undefined) {
      const { kept, plan } = shrink(planOf(failure.seed), failure.rule, 100)
      assert.fail(
        [
          `seed ${failure.seed} breaks a rule. ${failure.message}`,
          ...plan.steps.map(inWords),
          `Again: deno task sim --seed ${failure.seed} --only ${kept.join(",")}`,
        ].join("\n"),
      )
    }
    // Worlds in which nothing goes wrong would prove nothing.
    for (const what of ["takeover", "weir killed", "weir stands still", "settled Waiting", "odoo ODOO-NO-ANSWER"]) {
      assert.isAbove(coverage[what] ?? 0, 0, what)
    }
  }, 120_000)

  it("does the same, line by line, for the same seed", () => {
    for (const seed of [from, from + 1, from + 2, from + 3]) {
      const [first, second] = [simulate(planOf(seed), { trace: true }), simulate(planOf(seed), { trace: true })]
      assert.isAbove(first.trace.length, 20)
      assert.deepStrictEqual(first.trace, second.trace, `seed ${seed}`)
    }
  })

  it("finds the few steps of a plan that matter", () => {
    const plan = planOf(7)
    const publications = plan.steps.flatMap((step, at) => step._tag === "Publish" ? [at] : [])
    assert.deepStrictEqual(only(plan, publications.slice(0, 2)).steps.map(({ _tag }) => _tag), ["Publish", "Publish"])
  })
})

describe("a simulated process", () => {
  const start = () => {
    const kernel = new Kernel(0)
    const process = new Process(kernel, {
      name: "p",
      numbers: new Random(1),
      loggers: new Set(),
      maxOpsBeforeYield: 2_048,
    })
    const seen: Array<number> = []
    process.fork(
      Effect.sleep("1 second").pipe(
        Effect.andThen(Effect.sync(() => seen.push(kernel.nowMillis))),
        Effect.forever,
        Effect.ensuring(Effect.sync(() => seen.push(-1))),
      ),
    )
    return { kernel, process, seen }
  }

  it("does nothing more once it is killed, not even its finalizers", () => {
    const { kernel, process, seen } = start()
    kernel.run(2_500)
    process.kill()
    kernel.run(10_000)
    assert.deepStrictEqual(seen, [1_000, 2_000])
  })

  it("goes on late after it stood still", () => {
    const { kernel, process, seen } = start()
    kernel.run(1_500)
    process.freeze()
    kernel.run(5_000)
    process.thaw()
    kernel.run(6_500)
    assert.deepStrictEqual(seen, [1_000, 5_000, 6_000])
  })
})
