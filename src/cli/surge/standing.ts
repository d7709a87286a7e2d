/** What stands in ledger and Odoo beside what the scenario expects. On servers of others: what the surge has added. */
import { Effect } from "effect"
import { agrees, compare, type Figure, type Scenario } from "../../../fixtures/scenario.ts"
import { Ledger } from "../../ledger/Ledger.ts"
import { Odoo } from "../../odoo/Odoo.ts"
import type { SurgeReport } from "./Report.ts"
import type { Target } from "./Target.ts"

/** Held events that are looked at. */
const MOST_HELD = 100_000

export interface Standing {
  readonly figures: ReadonlyArray<Figure>
  /** Held events by `<entity> <code>`. */
  readonly held: ReadonlyMap<string, number>
}

export const standing = Effect.fnUntraced(function* (scenario: Scenario, target: Target) {
  const figures = yield* compare(scenario).pipe(
    Effect.provideService(Ledger, target.ledger),
    Effect.provideService(Odoo, target.odoo),
  )
  const held = new Map<string, number>()
  for (const entity of Object.keys(scenario.expected.entities)) {
    for (const { code } of yield* target.ledger.exceptions({ entity, limit: MOST_HELD })) {
      held.set(`${entity} ${code}`, (held.get(`${entity} ${code}`) ?? 0) + 1)
    }
  }
  const result: Standing = { figures, held }
  return result
})

/** Counts are numbers; sums are decimals with two places. */
const less = (after: Figure["actual"], before: Figure["actual"] | undefined): Figure["actual"] => {
  if (before === undefined) return after
  if (typeof after === "number") return after - Number(before)
  const cents = (text: string): bigint => BigInt(text.replace(".", ""))
  const rest = cents(after) - cents(String(before))
  const digits = (rest < 0n ? -rest : rest).toString().padStart(3, "0")
  return `${rest < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

/** What has come in between. */
export const since = (before: Standing, after: Standing): Standing => ({
  figures: after.figures.map((figure, index) => ({
    ...figure,
    actual: less(figure.actual, before.figures[index]?.actual),
  })),
  held: new Map([...after.held].map(([name, count]) => [name, count - (before.held.get(name) ?? 0)])),
})

export const totalsOf = ({ figures }: Standing): SurgeReport["totals"] => ({
  compared: figures.length,
  different: figures.filter((figure) => !agrees(figure)).map(({ actual, entity, expected, flow, what }) => ({
    entity,
    flow,
    what,
    expected: String(expected),
    actual: String(actual),
  })),
})

export const exceptionsOf = ({ held }: Standing, { expected }: Scenario): SurgeReport["exceptions"] =>
  Object.entries(expected.entities).flatMap(([entity, { exceptions }]) => {
    const own = [...held.keys()].filter((name) => name.startsWith(`${entity} `)).map((name) =>
      name.slice(entity.length + 1)
    )
    return [...new Set([...own, ...Object.keys(exceptions)])].sort().map((code) => ({
      entity,
      code,
      expected: exceptions[code] ?? 0,
      actual: held.get(`${entity} ${code}`) ?? 0,
    }))
  })
