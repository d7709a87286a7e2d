/** The ledger of every flow's fixture, lost and rebuilt: each key that was recorded maps to what it mapped to. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { StandIn } from "../../fixtures/odoo/StandIn.ts"
import { make as makeOdoo } from "../../fixtures/odoo/StandInOdoo.ts"
import { type Expected, type Fixture, fixtures } from "../../fixtures/replay/Fixture.ts"
import { configurationOf, DATABASE, places } from "../../fixtures/replay/Place.ts"
import { make } from "../../fixtures/replay/replay.ts"
import { LegalEntity } from "../../src/actor/LegalEntity.ts"
import { Broker } from "../../src/broker/Broker.ts"
import * as MemoryBroker from "../../src/broker/MemoryBroker.ts"
import * as MemoryLedger from "../../src/ledger/MemoryLedger.ts"
import { Recall } from "../../src/ledger/Recall.ts"
import { Runs } from "../../src/ledger/Runs.ts"
import { Odoo } from "../../src/odoo/Odoo.ts"
import { pass, running } from "../simulation/World.ts"

/** A day on which none of the fixtures' documents is late. */
const TODAY = Date.UTC(2026, 10, 22)

/** What became of every event, and what its key maps to. */
const known = Effect.fnUntraced(function* (entity: string) {
  const recall = yield* Recall
  const events = yield* recall.events({ entity, fromMillis: 0, toMillis: TODAY * 2, after: "", limit: 10_000 })
  return new Map(
    yield* Effect.forEach(events, ({ eventId, flow, key, state }) =>
      Effect.map(
        recall.answers(entity, flow, [{ eventId, key, references: [] }]),
        ([answer]) => [eventId, { state, mapping: answer!.mapping }] as const,
      )),
  )
})

const rebuiltAfter = Effect.fnUntraced(function* (fixture: Fixture) {
  yield* TestClock.setTime(TODAY)
  const standIn = new StandIn({ now: () => 0 })
  const context = yield* Layer.build(
    Layer.provideMerge(
      Layer.effectDiscard(Effect.flatMap(Broker, (broker) => broker.provision)),
      Layer.mergeAll(MemoryBroker.layer(), Layer.succeed(Odoo, makeOdoo(standIn))),
    ),
  )
  const withNewLedger = <A, E, R>(body: Effect.Effect<A, E, R>) =>
    body.pipe(Effect.provide(MemoryLedger.layer), Effect.provideContext(context))
  const [place] = yield* Effect.provideContext(Effect.flatMap(Odoo, (odoo) => places(odoo, "01")), context)
  const { entity } = place!
  const configuration = configurationOf([place!])
  const { run } = make([place!], {
    moment: pass(1),
    patience: 600,
    lock: (company, lock, day) => Effect.sync(() => standIn.lock(company, lock, day)),
  })
  const before = yield* withNewLedger(
    Effect.andThen(run(fixture, { acts: true }), known(entity)).pipe(Effect.provide(running({ configuration }))),
  )
  const books = [...standIn.store.dump()].join("\n")
  const held = {
    ...configuration,
    entities: { [entity]: { ...configuration.entities[entity], database: DATABASE, mode: "hold" } },
  }
  return yield* withNewLedger(
    Effect.gen(function* () {
      yield* pass(3)
      yield* Effect.flatMap(LegalEntity.client, (client) => client(entity).Drain({ actor: "ada" }))
      const runs = yield* Runs
      const order = { entity, runId: "rebuild", kind: "rebuild", state: "examining", request: {} } as const
      yield* runs.open({ ...order, requestedBy: "ada", reason: "test" })
      yield* pass(15)
      const done = (yield* runs.run(entity, "rebuild"))!
      assert.strictEqual(done.state, "done", done.trouble)
      assert.strictEqual([...standIn.store.dump()].join("\n"), books, "nothing was written")
      return { before, after: yield* known(entity) }
    }).pipe(Effect.provide(running({ configuration: held }))),
  )
})

describe("a ledger rebuilt after each flow's fixture", () => {
  for (const fixture of fixtures()) {
    it.effect(fixture.name, () =>
      Effect.gen(function* () {
        const { after, before } = yield* rebuiltAfter(fixture)
        // Facts without records are left to their flow, which takes them in again.
        const { records } = JSON.parse(fixture.expected) as Expected
        const writes = Object.values(records).some((own) => Object.keys(own).length > 0)
        assert.strictEqual(after.size > 0, writes)
        for (const [eventId, { mapping, state }] of after) {
          const was = before.get(eventId)!
          // Dismissed and overtaken by a later version: that stands, and so does the key.
          assert.include(["applied", "superseded", "dismissed"], was.state, `${eventId} is no exception`)
          assert.include(["applied", "superseded"], state, eventId)
          // A later event of the key, which is left to its flow, may have made another record of it.
          if (was.mapping!.version !== mapping!.version) continue
          assert.deepStrictEqual([mapping!.model, mapping!.id], [was.mapping!.model, was.mapping!.id], eventId)
        }
      }).pipe(Effect.scoped), 60_000)
  }
})
