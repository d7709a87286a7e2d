/** What came of one fault, by flow. */
import { agrees, type Figure, type Scenario } from "../../../fixtures/scenario.ts"
import { catalog } from "../../../streams/catalog.ts"
import type { Counts } from "../Stories.ts"
import type { Fault } from "./Fault.ts"

export interface Outcome {
  readonly flow: string
  readonly published: number
  readonly applied: number
  readonly superseded: number
  readonly duplicate: number
  readonly waiting: number
  /** Held as exceptions, followers included, or dismissed by a person. */
  readonly exceptions: number
  readonly asExpected: boolean
}

export interface Result {
  readonly fault: Fault
  /** Of the month. */
  readonly events: number
  readonly outcomes: ReadonlyArray<Outcome>
  readonly wrong: ReadonlyArray<string>
  /** How often the fault struck; null where the input is the fault. */
  readonly strikes: number | null
  /** From the end of the fault until the next event was settled; null where the fault does not end. */
  readonly recoverySeconds: number | null
  readonly seconds: number
}

const sum = (figures: ReadonlyArray<Figure>, flow: string, ...what: ReadonlyArray<string>): number =>
  figures.filter((figure) => figure.flow === flow && what.includes(figure.what)).reduce(
    (total, { actual }) => total + Number(actual),
    0,
  )

/** Month and stories together, in the catalogue's order. `wrongFlows`: flows of stories that do not stand as they must. */
export const outcomesOf = (
  scenario: Scenario,
  figures: ReadonlyArray<Figure>,
  stories: ReadonlyMap<string, Counts>,
  wrongFlows: ReadonlyArray<string>,
): ReadonlyArray<Outcome> =>
  catalog.map(({ name: flow }) => {
    const published = Object.values(scenario.expected.entities).reduce(
      (all, { flows }) => all + ((flows as Readonly<Record<string, { published: number }>>)[flow]?.published ?? 0),
      0,
    )
    const told = stories.get(flow)
    const count = (...what: ReadonlyArray<keyof Counts>): number =>
      sum(figures, flow, ...what) + what.reduce((all, name) => all + (told?.[name] ?? 0), 0)
    const counts = {
      applied: count("applied"),
      superseded: count("superseded"),
      duplicate: count("duplicate"),
      waiting: count("waiting"),
      exceptions: count("parked", "behind", "dismissed"),
    }
    const ofStories = told === undefined ? 0 : Object.values(told).reduce((all, each) => all + each, 0)
    const whole = Object.values(counts).reduce((all, each) => all + each, 0) === published + ofStories
    return {
      flow,
      published: published + ofStories,
      ...counts,
      asExpected: whole && !wrongFlows.includes(flow) && figures.filter((one) => one.flow === flow).every(agrees),
    }
  })
