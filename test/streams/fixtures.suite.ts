/**
 * Every flow's fixture, replayed for a legal entity in USD, EUR and GBP at once: what stands in Odoo and in the ledger
 * afterwards is what the fixture expects, and publishing everything once more changes nothing. The stand-in replays them in
 * `fixtures.test.ts`, a real Odoo in `test/live/`.
 */
import { assert } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { type Expected, type Fixture, isAct, type Line } from "../../fixtures/replay/Fixture.ts"
import { configurationOf, filled, localised, type Place, places } from "../../fixtures/replay/Place.ts"
import { make, type Replay } from "../../fixtures/replay/replay.ts"
import { baseline, standing, wanted } from "../../fixtures/replay/standing.ts"
import type { Broker } from "../../src/broker/Broker.ts"
import type { Ledger } from "../../src/ledger/Ledger.ts"
import { type Json, Odoo } from "../../src/odoo/Odoo.ts"
import { catalog } from "../../streams/catalog.ts"
import { running } from "../simulation/World.ts"

type Ports = Odoo | Broker | Ledger

/** Messages of the fixture by flow. */
const messagesOf = ({ lines }: Fixture): ReadonlyMap<string, number> => {
  const flowOf = new Map(catalog.map(({ domain, name }) => [domain, name]))
  const byFlow = new Map<string, number>()
  for (const text of lines) {
    const line = JSON.parse(text) as Line
    if (isAct(line)) continue
    const flow = flowOf.get(line.subject.split(".")[2] ?? "")
    if (flow === undefined) throw new Error(`no flow for ${line.subject}`)
    byFlow.set(flow, (byFlow.get(flow) ?? 0) + 1)
  }
  return byFlow
}

/** What must be true after everything was published a second time: the same, and every message is a duplicate. */
const again = (expected: Expected, fixture: Fixture): Expected => {
  const flows = { ...expected.flows }
  for (const [flow, messages] of messagesOf(fixture)) {
    flows[flow] = { ...flows[flow], duplicate: (flows[flow]?.duplicate ?? 0) + messages }
  }
  return { ...expected, flows: inOrder(flows) }
}

/** Counts in one order, so that two objects with the same ones are equal. */
const inOrder = (flows: Expected["flows"]): Expected["flows"] =>
  Object.fromEntries(
    Object.entries(flows).map(([flow, own]) => [flow, Object.fromEntries(Object.entries(own).sort())]),
  )

/** Replays `fixture` and holds what stands against what it expects. `run` makes the entity codes unique. */
export const replayed = Effect.fnUntraced(function* (
  fixture: Fixture,
  run: string,
  replay: Replay,
): Effect.fn.Return<void, unknown, Ports> {
  const all = yield* places(yield* Odoo, run)
  const models = Object.keys((JSON.parse(fixture.expected) as Expected).records)
  const before = yield* Effect.forEach(all, (place) => baseline(place, models))
  yield* Effect.gen(function* () {
    const { idsMade, run } = make(all, replay)
    const expectedOf = (place: Place): Expected => {
      const text = filled(fixture.expected, place, idsMade(place))
      const expected = localised(JSON.parse(text) as Json, place.label) as unknown as Expected
      return { ...expected, flows: inOrder(expected.flows) }
    }
    const compare = Effect.fnUntraced(function* (change: (expected: Expected) => Expected) {
      for (const [at, place] of all.entries()) {
        const expected = change(expectedOf(place))
        const found = yield* standing(place, expected, before[at]!)
        const stands = { ...found, flows: inOrder(found.flows) }
        assert.deepStrictEqual(stands as unknown, wanted(expected) as unknown, `${fixture.name} in ${place.label}`)
      }
    })
    yield* run(fixture, { acts: true })
    yield* compare((expected) => expected)
    yield* run(fixture, { acts: false })
    yield* compare((expected) => again(expected, fixture))
  }).pipe(Effect.provide(running({ configuration: configurationOf(all) }) as Layer.Layer<never, unknown, Ports>))
})
