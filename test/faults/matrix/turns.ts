/**
 * The matrix in short: one installation, one long month with all that publishers get wrong, every flow's story, and one
 * fault after the other, each while a part of the month is published. What stands is compared once, at the end.
 */
import { type Duration, Effect, Fiber } from "effect"
import type { Message } from "../../../fixtures/generator/Message.ts"
import { type LogLine, tail } from "../../../src/cli/lab/Program.ts"
import { Random } from "../../../fixtures/generator/Random.ts"
import * as Input from "../Input.ts"
import * as Installation from "../Installation.ts"
import type { RealOdoo } from "../RealOdoo.ts"
import { seconds } from "./attempt.ts"
import type { Fault, Strike } from "./Fault.ts"
import { inputFaults, striking } from "./faults.ts"

/** Of the month: about 60 events a fault. */
const SIZE = { consultants: 10, days: 19 }
/** Part of a fault's events after which it is the next one's turn: the others go on beside it. */
const ENOUGH = 0.6
const LATENCY = 0.15
const AWAY = "2 seconds"
/** Longer than a busy machine takes, shorter than faults that outlast it. */
const ODOO_TIMEOUT = "1500 millis"

export interface Turn {
  readonly fault: Fault
  readonly strikes: number
  readonly seconds: number
}

export interface Turns {
  readonly faults: ReadonlyArray<Fault>
  readonly size: Pick<Input.InputOptions, "consultants" | "days">
  /** How long Weir waits for an answer of Odoo. */
  readonly odooTimeout: Duration.Input
  /** In place of the stand-in; then without the stories, which need companies of their own. */
  readonly real?: RealOdoo
}

const defaults: Turns = { faults: striking, size: SIZE, odooTimeout: ODOO_TIMEOUT }

/** Everything, in turn; `told` hears of each. Answers what does not stand as it must. */
export const inTurn = Effect.fnUntraced(function* (
  seed: number,
  told: (turn: Turn) => void,
  { faults, odooTimeout, real, size }: Turns = defaults,
) {
  const random = new Random(seed, "turns")
  const arrange = (messages: ReadonlyArray<Message>) =>
    inputFaults.reduce((all, fault) => fault.arrange?.(all, random) ?? all, messages)
  const scenario = yield* Input.make({ ...size, seed, arrange })
  const { events } = scenario.expected
  const at = yield* Installation.make({
    scenario,
    latency: LATENCY,
    durable: true,
    odooTimeout,
    ...real !== undefined
      ? { real }
      : { stories: { twice: true, poisoned: true, random: new Random(seed, "stories") } },
  })
  const { stories } = at
  const lines: Array<LogLine> = []
  let weir = yield* at.weir
  const turns: Array<Turn> = []
  const wrong: Array<string> = []
  const telling: Array<Fiber.Fiber<void>> = []
  const placeOf = (turn: number, of: number): number => Math.floor(of * turn / faults.length)

  for (const [turn, fault] of faults.entries()) {
    const [from, to] = [placeOf(turn, events), placeOf(turn + 1, events)]
    const began = yield* seconds
    const [earlier, own] = [yield* at.settled, to - from]
    if (stories !== undefined) {
      for (let story = placeOf(turn, stories.count); story < placeOf(turn + 1, stories.count); story++) {
        telling.push(yield* Effect.forkChild(stories.tell(story)))
      }
    }
    const strike: Strike = {
      at,
      random,
      weir,
      second: null,
      away: AWAY,
      brief: true,
      progress: (part) => Effect.suspend(() => at.until(earlier + Math.ceil(own * part), strike.weir)),
      before: (part) => Effect.map(at.settled, (settled) => settled < earlier + own * part),
    }
    yield* fault.prepare?.(strike) ?? Effect.void
    const publishing = yield* Effect.forkChild(at.tricklePart(from, to))
    const strikes = yield* fault.strike?.(strike) ?? Effect.succeed(0)
    if (strike.weir !== weir) lines.push(...weir.lines)
    weir = strike.weir
    yield* Fiber.join(publishing)
    yield* at.until(earlier + Math.ceil(own * ENOUGH), weir)
    if (strikes === 0) wrong.push(`${fault.name} did not strike`)
    const done: Turn = { fault, strikes, seconds: (yield* seconds) - began }
    turns.push(done)
    told(done)
  }
  yield* Effect.forEach(telling, Fiber.join, { discard: true }).pipe(
    Effect.onError(() => Effect.logError(tail(weir.lines))),
  )
  yield* at.until(events, weir)
  const unlike = stories === undefined ? [] : (yield* stories.wrong).map(({ line }) => line)
  return {
    turns,
    figures: yield* at.figures,
    events,
    wrong: [...wrong, ...yield* at.wrong, ...yield* at.untold, ...unlike],
    /** What the Weirs said, one after the other. */
    lines: [...lines, ...weir.lines],
  }
})
