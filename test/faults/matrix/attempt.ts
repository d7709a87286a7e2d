/** One fault, on an installation of its own: the month and every flow's story pass through it. */
import { Clock, type Duration, Effect, Fiber, Schedule } from "effect"
import { Random } from "../../../fixtures/generator/Random.ts"
import { tail } from "../../../src/cli/lab/Program.ts"
import * as Input from "../Input.ts"
import * as Installation from "../Installation.ts"
import type { Fault, Strike } from "./Fault.ts"
import { outcomesOf, type Result } from "./Result.ts"

export interface Size {
  /** Of the month. */
  readonly consultants: number
  readonly days: number
  /** How long servers are away or frozen. */
  readonly away: Duration.Duration
  /** The stand-in's milliseconds: those of a real Odoo times this. */
  readonly latency: number
}

const ODOO_TIMEOUT = "20 seconds"
const POLL = "25 millis"
/** Part of the events that is published when so many of them are settled: less than at the first moment of most faults. */
const KEPT_BACK = 0.4
const BEGUN = 0.25
/** Stories that go on at the same time: all. */
const STORIES = 32

export const seconds = Effect.map(Clock.currentTimeMillis, (millis) => millis / 1_000)

export const attempt = Effect.fnUntraced(function* (fault: Fault, seed: number, size: Size) {
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
    stories: { ...fault.telling, random: new Random(seed, `${fault.name} stories`) },
  })
  const stories = at.stories!
  // Little by little: many small batches, and publishers that feel the broker's troubles too. The last of them only when
  // the fault is about to strike, so that none finds everything delivered.
  const kept = Math.floor(events * KEPT_BACK)
  const begun = Effect.repeat(at.settled, {
    until: (settled) => settled >= events * BEGUN,
    schedule: Schedule.spaced(POLL),
  })
  const publishing = yield* Effect.forkChild(
    at.tricklePart(0, events - kept).pipe(
      Effect.andThen(begun),
      Effect.andThen(at.tricklePart(events - kept, Infinity)),
    ),
  )
  const telling = yield* Effect.forkChild(
    Effect.forEach(Array.from({ length: stories.count }, (_, n) => n), stories.tell, { concurrency: STORIES }),
  )
  const began = yield* seconds
  const strike: Strike = {
    at,
    random,
    weir: yield* at.weir,
    second: null,
    away: size.away,
    brief: false,
    progress: (part) => Effect.suspend(() => at.until(Math.ceil(events * part), strike.weir)),
    before: (part) => Effect.map(at.settled, (settled) => settled < events * part),
  }
  let strikes: number | null = null
  let recoverySeconds: number | null = null
  const wrong: Array<string> = []
  if (fault.strike !== undefined) {
    yield* fault.prepare?.(strike) ?? Effect.void
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
  yield* Fiber.join(telling).pipe(Effect.onError(() => Effect.logError(tail(strike.weir.lines))))
  const lines = yield* stories.wrong
  const result: Result = {
    fault,
    events: scenario.expected.events,
    outcomes: outcomesOf(scenario, yield* at.figures, yield* stories.outcomes, lines.flatMap(({ flows }) => flows)),
    wrong: [...wrong, ...yield* at.wrong, ...yield* at.untold, ...lines.map(({ line }) => line)],
    strikes,
    recoverySeconds,
    seconds: (yield* seconds) - began,
  }
  return result
})
