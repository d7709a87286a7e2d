/**
 * Every flow's fixture, replayed for a legal entity in USD, EUR and GBP at once: what stands in Odoo and in the ledger
 * afterwards is what the fixture expects, of each event that shows a case the ledger says what the case asks for, and
 * publishing everything once more changes nothing. The stand-in replays them in
 * `fixtures.test.ts`, a real Odoo in `test/live/`.
 */
import { assert } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { unshown } from "../../fixtures/replay/cases.ts"
import { again, expectedAt, inOrder } from "../../fixtures/replay/expected.ts"
import type { Expected, Fixture } from "../../fixtures/replay/Fixture.ts"
import { configurationOf, places } from "../../fixtures/replay/Place.ts"
import { make, type Replay } from "../../fixtures/replay/replay.ts"
import { baseline, standing, wanted } from "../../fixtures/replay/standing.ts"
import type { Broker } from "../../src/broker/Broker.ts"
import type { Desk } from "../../src/ledger/Desk.ts"
import type { Ledger } from "../../src/ledger/Ledger.ts"
import type { Recall } from "../../src/ledger/Recall.ts"
import { Odoo } from "../../src/odoo/Odoo.ts"
import { running } from "../simulation/World.ts"

type Ports = Odoo | Broker | Ledger | Recall | Desk

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
    const compare = Effect.fnUntraced(function* (change: (expected: Expected) => Expected) {
      for (const [at, place] of all.entries()) {
        const expected = change(expectedAt(fixture, place, idsMade(place)))
        const found = yield* standing(place, expected, before[at]!)
        const stands = { ...found, flows: inOrder(found.flows) }
        assert.deepStrictEqual(stands as unknown, wanted(expected) as unknown, `${fixture.name} in ${place.label}`)
      }
    })
    yield* run(fixture, { acts: true })
    yield* compare((expected) => expected)
    for (const place of all) {
      assert.deepStrictEqual(yield* unshown(fixture, place, idsMade(place)), [], `${fixture.name} in ${place.label}`)
    }
    yield* run(fixture, { acts: false })
    yield* compare((expected) => again(expected, fixture.lines))
  }).pipe(Effect.provide(running({ configuration: configurationOf(all) }) as Layer.Layer<never, unknown, Ports>))
})
