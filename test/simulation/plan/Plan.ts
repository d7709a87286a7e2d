/** Everything that one seed decides beforehand. What is left to chance while it runs comes from the same seed. */
import { Random } from "../../../fixtures/generator/Random.ts"
import { business } from "./Business.ts"
import type { Posting } from "./Fact.ts"
import { allPlaces, type Place } from "./Place.ts"
import { type Trouble, trouble } from "./Trouble.ts"

export type Step = Posting | Trouble

/** Sizes that differ from world to world. */
export interface Shape {
  readonly places: readonly [Place, ...ReadonlyArray<Place>]
  /** Time in which everything is published and goes wrong, milliseconds. */
  readonly spanMillis: number
  readonly workers: number
  readonly batchSize: number
  readonly concurrency: number
  readonly inFlight: number
  readonly lingerMillis: number
  readonly referenceDeadlineMillis: number
  readonly maxOpsBeforeYield: number
  /** Most calls to Odoo in a second; 0: no limit. */
  readonly callsPerSecond: number
  /** Ways to and from the ports take up to so long, milliseconds. */
  readonly networkMillis: number
  /** Customers that one entity announces at once, one call each, beyond its own: others have to get their turn. */
  readonly crowd: number
}

export interface Plan {
  readonly seed: number
  readonly shape: Shape
  /** In order of time. */
  readonly steps: ReadonlyArray<Step>
}

/** Part of the worlds in which one entity has so much of one kind that lanes and keys have to share. */
const CROWDED = 0.04

const shapeOf = (seed: number): Shape => {
  const numbers = new Random(seed, "shape")
  const [first, ...others] = allPlaces
  const batchSize = numbers.pick([1, 2, 5, 20])
  const shape: Shape = {
    places: [first, ...others.slice(0, numbers.pick([0, 0, 0, 1, 1, 2]))],
    spanMillis: numbers.pick([8_000, 20_000, 45_000]),
    workers: numbers.int(1, 5),
    batchSize,
    concurrency: numbers.int(1, 3),
    inFlight: batchSize + numbers.pick([0, 2, 20]),
    lingerMillis: numbers.pick([0, 20, 200]),
    referenceDeadlineMillis: numbers.pick([10_000, 60_000, 3_600_000]),
    maxOpsBeforeYield: numbers.pick([2_048, 2_048, 128]),
    networkMillis: numbers.pick([0, 4, 40]),
    callsPerSecond: numbers.pick([0, 0, 0, 12]),
    crowd: 0,
  }
  if (!numbers.chance(CROWDED)) return shape
  return { ...shape, crowd: 60, workers: 1, batchSize: 1, inFlight: 21, callsPerSecond: 0 }
}

export const planOf = (seed: number): Plan => {
  const shape = shapeOf(seed)
  return {
    seed,
    shape,
    steps: [
      ...business(seed, shape.places, shape.spanMillis, shape.crowd),
      ...trouble(seed, shape.places, shape.spanMillis),
    ]
      .sort((a, b) => a.atMillis - b.atMillis),
  }
}

/** One line a person can read. */
export const describe = (step: Step): string => {
  const at = `${(step.atMillis / 1_000).toFixed(3).padStart(8)} s`
  if (step._tag === "Publish") {
    const { effect: _, ...fact } = step.fact
    return `${at}  publish ${step.publication.messageId} on ${step.publication.subject}${
      fact.flaw === null ? "" : ` (${fact.flaw})`
    }`
  }
  const { _tag, atMillis: _, ...rest } = step
  return `${at}  ${_tag} ${JSON.stringify(rest)}`
}
