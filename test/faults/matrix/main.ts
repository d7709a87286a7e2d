/**
 * Every fault once, with the five-flow month passing through, and `docs/reliability.md` of it.
 *
 *   deno task faults [--quick] [--seed 7] [--only kill-weir,poison] [--out docs/reliability.md]
 *
 * `--quick`: a smaller month, servers away for two seconds instead of ten; about four minutes on two cores. With
 * `--only`, and with `--quick`, nothing is written unless `--out` says where. Ends with 1 when anything differs.
 */
import { Clock, Duration, Effect, Fiber } from "effect"
import { writeFile } from "node:fs/promises"
import process from "node:process"
import { parseArgs } from "node:util"
import { Random } from "../../../fixtures/generator/Random.ts"
import * as Input from "../Input.ts"
import * as Installation from "../Installation.ts"
import { seedOf } from "../seed.ts"
import { odooAnswers } from "./answers.ts"
import type { Fault, Strike } from "./Fault.ts"
import { input } from "./messages.ts"
import { outages } from "./outages.ts"
import { render, type Result } from "./report.ts"
import { storm } from "./storm.ts"

const faults: ReadonlyArray<Fault> = [...outages, ...odooAnswers, ...input, storm]

const full = { consultants: 15, days: 10, away: Duration.seconds(10), latency: 0.15 }
const quick = { consultants: 6, days: 5, away: Duration.seconds(2), latency: 0.15 }
const ODOO_TIMEOUT = "20 seconds"
const POLL = "25 millis"
const TARGET = "docs/reliability.md"

const seconds = Effect.map(Clock.currentTimeMillis, (millis) => millis / 1_000)

/** One fault, on an installation of its own. */
const attempt = Effect.fnUntraced(function* (fault: Fault, seed: number, size: typeof full) {
  const random = new Random(seed, fault.name)
  const { arrange } = fault
  const scenario = yield* Input.make({
    ...size,
    seed,
    ...(arrange === undefined ? {} : { arrange: (messages) => arrange(messages, random) }),
  })
  const { events } = scenario.expected
  const at = yield* Installation.make({
    scenario,
    latency: size.latency,
    durable: true,
    odooTimeout: fault.odooTimeout ?? ODOO_TIMEOUT,
  })
  // Little by little: many small batches, and publishers that feel the broker's troubles too.
  const publishing = yield* Effect.forkChild(at.trickle)
  const began = yield* seconds
  const strike: Strike = {
    at,
    random,
    weir: yield* at.weir,
    away: size.away,
    progress: (part) => Effect.suspend(() => at.until(Math.ceil(events * part), strike.weir)),
  }
  let strikes: number | null = null
  let recoverySeconds: number | null = null
  const wrong: Array<string> = []
  if (fault.strike !== undefined) {
    strikes = yield* fault.strike(strike)
    if (strikes === 0) wrong.push("the fault did not strike")
    const over = yield* seconds
    const before = yield* at.settled
    // What was on its way to Weir when the fault ended counts: there must be something left to do.
    if (before >= events) wrong.push("everything was settled before the fault was over")
    yield* at.until(Math.min(events, before + 1), strike.weir, POLL)
    recoverySeconds = (yield* seconds) - over
  }
  yield* Fiber.join(publishing)
  yield* at.until(events, strike.weir)
  const result: Result = {
    fault,
    scenario,
    figures: yield* at.figures,
    wrong: [...wrong, ...yield* at.wrong, ...yield* at.untold],
    strikes,
    recoverySeconds,
    seconds: (yield* seconds) - began,
  }
  return result
})

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    seed: { type: "string" },
    only: { type: "string" },
    out: { type: "string" },
  },
})

const main = Effect.gen(function* () {
  const size = values.quick ? quick : full
  const seed = values.seed === undefined ? seedOf("faults") : Number(values.seed)
  const only = values.only?.split(",")
  const chosen = faults.filter(({ name }) => only?.includes(name) ?? true)
  if (chosen.length === 0) {
    return yield* Effect.die(new Error(`no such fault, there are: ${faults.map(({ name }) => name).join(", ")}`))
  }
  const results: Array<Result> = []
  for (const fault of chosen) {
    const result = yield* Effect.scoped(attempt(fault, seed, size))
    results.push(result)
    const { recoverySeconds, strikes, wrong } = result
    const facts = [
      `${result.seconds.toFixed(1)} s`,
      ...strikes === null ? [] : [`struck ${strikes} times`],
      ...recoverySeconds === null ? [] : [`next event settled after ${recoverySeconds.toFixed(1)} s`],
    ]
    process.stderr.write(`${wrong.length === 0 ? "ok " : "NOT"} ${fault.name}: ${facts.join(", ")}\n`)
    for (const line of wrong) process.stderr.write(`      ${line}\n`)
  }
  const out = values.out ?? (values.quick || only !== undefined ? undefined : TARGET)
  if (out !== undefined) {
    const date = new Date(yield* Clock.currentTimeMillis).toISOString().slice(0, 10)
    const text = render({ date, seed, awaySeconds: Duration.toSeconds(size.away), results })
    yield* Effect.promise(() => writeFile(out, text))
    process.stderr.write(`wrote ${out}\n`)
  }
  return results.every(({ wrong }) => wrong.length === 0) ? 0 : 1
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
