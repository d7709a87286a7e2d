/**
 * A look at every flow's fixture after it was carried out. A dry run goes by the plans' own steps: what an event has made is
 * found there, whatever kinds of steps made it, and looking changes nothing.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { TestClock } from "effect/testing"
import { type Fixture, fixtures } from "../../fixtures/replay/Fixture.ts"
import { configurationOf, places } from "../../fixtures/replay/Place.ts"
import { make } from "../../fixtures/replay/replay.ts"
import type { Broker } from "../../src/broker/Broker.ts"
import type { Ports } from "../../src/ledger/MemoryLedger.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { Runs } from "../../src/ledger/Runs.ts"
import { Odoo } from "../../src/odoo/Odoo.ts"
import { pass, ports, running } from "../simulation/World.ts"

/** A day on which none of the fixtures' documents is late. */
const TODAY = Date.UTC(2026, 10, 22)

const looked = Effect.fnUntraced(function* (entity: string) {
  const runs = yield* Runs
  yield* runs.open({
    entity,
    runId: "look",
    kind: "replay",
    state: "examining",
    request: {
      selection: { subject: "erp.>" },
      source: "stream",
      onChanged: "skip",
      ratePerSecond: 0,
      concurrency: 10,
      keepAll: true,
    },
    requestedBy: "ada",
    reason: "test",
  })
  yield* pass(10)
  const run = (yield* runs.run(entity, "look"))!
  assert.strictEqual(run.state, "examined", run.trouble)
  return yield* runs.events({ entity, runId: "look", after: 0, limit: 1_000 })
})

/** Carries `fixture` out for one place, and looks at it then. */
const lookedAfter = (fixture: Fixture) => {
  const world = ports()
  const books = () => [...world.standIn.store.dump()].join("\n")
  return Effect.gen(function* () {
    yield* TestClock.setTime(TODAY)
    const [place] = yield* places(yield* Odoo, "01")
    const { run } = make([place!], {
      moment: pass(1),
      patience: 600,
      lock: (company, lock, day) => Effect.sync(() => world.standIn.lock(company, lock, day)),
    })
    return yield* Effect.gen(function* () {
      yield* run(fixture, { acts: true })
      const before = books()
      const found = yield* looked(place!.entity)
      assert.strictEqual(books(), before, "looking changes nothing")
      const tallies = yield* Ledger.use((ledger) => ledger.tallies(place!.entity))
      return { found, tallies }
    }).pipe(
      Effect.provide(
        running({ configuration: configurationOf([place!]) }) as Layer.Layer<never, unknown, Odoo | Broker | Ports>,
      ),
    )
  }).pipe(Effect.provide(world.layer))
}

describe("a dry run after each flow's fixture", () => {
  for (const fixture of fixtures()) {
    it.effect(fixture.name, () =>
      Effect.gen(function* () {
        const { found, tallies } = yield* lookedAfter(fixture)
        const strange = found.filter(({ finding }) => !["there", "superseded", "held", "dismissed"].includes(finding))
        assert.deepStrictEqual(
          strange.map(({ detail, finding, key, type }) => ({ type, key, finding, detail })),
          [],
          "everything that was applied is there as it was made",
        )
        const applied = tallies.reduce((sum, tally) => sum + tally.applied, 0)
        assert.isAbove(applied, 0)
        assert.isAtLeast(found.filter(({ finding }) => finding === "there" || finding === "superseded").length, applied)
      }), 60_000)
  }
})
