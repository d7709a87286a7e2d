import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { catalog } from "../../streams/catalog.ts"
import { follow, Live } from "../../src/config/Live.ts"
import { check } from "../../src/config/load.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { engine } from "../../src/main.ts"
import { Actors, live as liveActors } from "../../src/operate/Actors.ts"
import { customer } from "../streams/samples.ts"
import { configuration, pass, ports, publication, publish, tallies } from "./World.ts"

const { be01 } = configuration.entities
const uk01 = { ...be01, company: 4, currency: "GBP", taxes: { S21: "20%", S6: "5%" } }
const both = { ...configuration, entities: { be01, uk01 } }

/** The product under a file that changes. */
const following = (text: { now: unknown }) =>
  liveActors.pipe(Layer.provideMerge(Layer.unwrap(Effect.gen(function* () {
    const load = Effect.suspend(() => check("weir.json", text.now, {})).pipe(
      Effect.map(({ configuration }) => ({ configuration, file: "weir.json" })),
    )
    const loaded = yield* Effect.orDie(load)
    return engine(yield* follow(loaded, loaded.configuration, load), catalog)
  }))))

const reload = Effect.flatMap(Live, (live) => live.reload)
const epochs = Effect.map(
  Effect.flatMap(Ledger, (ledger) => ledger.owners),
  (owners) => new Map(owners.map(({ entity, epoch }) => [entity, epoch])),
)
const stateOf = (entity: string) =>
  Effect.map(Effect.flatMap(Actors, (actors) => actors.statuses), (found) => found.get(entity)?.state)
const held = Effect.map(
  Effect.flatMap(Ledger, (ledger) => ledger.exceptions({ limit: 100 })),
  (rows) => rows.map(({ code, detail }) => `${code} ${detail}`),
)
const { vat: _, ...plain } = customer
const event = (entity: string, number: number) =>
  publication("customer.upserted", { ...plain, key: `CUS-${number}`, name: `Customer ${number}` }, {
    entity,
    sequence: 1,
    id: `${entity}-${number}`,
  })
const events = (entity: string, from: number, count: number) =>
  Array.from({ length: count }, (_, n) => event(entity, from + n))
const applied = (entity: string) => Effect.map(tallies(entity), (flows) => flows.get("customers")?.applied ?? 0)

describe("a configuration that changes while Weir runs", () => {
  it.effect("runs entities of every region when it is the only process", () => {
    const world = ports()
    const text = { now: { ...both, entities: { be01: { ...be01, region: "eu" }, uk01: { ...uk01, region: "uk" } } } }
    return Effect.gen(function* () {
      yield* publish(...events("be01", 1, 5), ...events("uk01", 1, 5))
      yield* pass(3)
      assert.deepStrictEqual([yield* applied("be01"), yield* applied("uk01")], [5, 5])
    }).pipe(Effect.provide(following(text)), Effect.provide(world.layer))
  })

  it.effect("starts a legal entity that is added, and disturbs no other", () => {
    const world = ports()
    const text = { now: configuration as unknown }
    return Effect.gen(function* () {
      yield* publish(...events("be01", 1, 5))
      yield* pass(3)
      text.now = both
      yield* reload
      yield* publish(...events("uk01", 1, 5), ...events("be01", 6, 5))
      yield* pass(8)
      assert.strictEqual(yield* applied("uk01"), 5)
      assert.strictEqual(yield* applied("be01"), 10)
      const owners = yield* epochs
      assert.deepStrictEqual([owners.get("be01"), owners.get("uk01")], [1, 1])
      assert.deepStrictEqual(yield* held, [])
    }).pipe(Effect.provide(following(text)), Effect.provide(world.layer))
  })

  it.effect("restarts the legal entity that is changed at a new epoch, in the middle of its work, and loses nothing", () => {
    const world = ports({ odoo: { latency: { workers: 4, cost: () => 20 } } })
    const text = { now: both as unknown }
    return Effect.gen(function* () {
      yield* pass(3)
      yield* publish(...events("be01", 1, 60), ...events("uk01", 1, 20))
      yield* pass(0.2)
      assert.isBelow(yield* applied("be01"), 60, "it is at work")
      text.now = { ...both, entities: { uk01, be01: { ...be01, latePolicy: "approval" } } }
      assert.deepStrictEqual((yield* reload).changed, ["be01"])
      yield* pass(30)
      assert.strictEqual(yield* applied("be01"), 60)
      assert.strictEqual(yield* applied("uk01"), 20)
      const owners = yield* epochs
      assert.deepStrictEqual([owners.get("be01"), owners.get("uk01")], [2, 1])
      const partners = [...world.standIn.store.tables.get("res.partner")!.rows.values()]
      assert.strictEqual(partners.filter((row) => String(row["ref"]).startsWith("CUS-")).length, 80)
      assert.deepStrictEqual(yield* held, [])
    }).pipe(Effect.provide(following(text)), Effect.provide(world.layer))
  })

  it.effect("stops a legal entity that is removed and makes exceptions of what comes later, never of what was done", () => {
    const world = ports()
    const text = { now: both as unknown }
    return Effect.gen(function* () {
      yield* publish(...events("uk01", 1, 5))
      yield* pass(5)
      text.now = configuration
      yield* reload
      yield* pass(3)
      yield* publish(event("uk01", 6))
      yield* pass(90)
      assert.strictEqual(yield* applied("uk01"), 5)
      assert.deepStrictEqual(yield* held, [
        "EVENT-UNKNOWN-ENTITY subject erp.uk01.customer.upserted: no legal entity uk01 in the configuration",
      ])
      assert.strictEqual((yield* epochs).get("be01"), 1)

      text.now = both
      yield* reload
      yield* pass(5)
      assert.strictEqual(yield* applied("uk01"), 6, "what came meanwhile lies in the stream")
      assert.strictEqual((yield* epochs).get("uk01"), 2)
    }).pipe(Effect.provide(following(text)), Effect.provide(world.layer))
  })

  it.effect("leaves a flow that an entity no longer takes alone, and goes on where it stood when it is back", () => {
    const world = ports()
    const others = catalog.map(({ name }) => name).filter((name) => name !== "customers")
    const text = { now: configuration as unknown }
    return Effect.gen(function* () {
      yield* publish(...events("be01", 1, 3))
      yield* pass(5)
      text.now = { ...configuration, entities: { be01: { ...be01, flows: others } } }
      yield* reload
      yield* pass(3)
      yield* publish(event("be01", 4))
      yield* pass(10)
      assert.strictEqual(yield* applied("be01"), 3)
      assert.strictEqual(yield* stateOf("be01"), "running")
      text.now = configuration
      yield* reload
      yield* pass(5)
      assert.strictEqual(yield* applied("be01"), 4)
    }).pipe(Effect.provide(following(text)), Effect.provide(world.layer))
  })

  it.effect("keeps a legal entity drained that a person drained, whatever changes", () => {
    const world = ports()
    const text = { now: configuration as unknown }
    return Effect.gen(function* () {
      yield* pass(3)
      const actors = yield* Actors
      yield* actors.order("be01", { _tag: "Drain" }, "ada")
      text.now = { ...configuration, entities: { be01: { ...be01, latePolicy: "approval" } } }
      yield* reload
      yield* publish(event("be01", 1))
      yield* pass(5)
      assert.strictEqual(yield* stateOf("be01"), "stopped")
      assert.strictEqual(yield* applied("be01"), 0)
      yield* actors.order("be01", { _tag: "Resume" }, "ada")
      yield* pass(5)
      assert.strictEqual(yield* applied("be01"), 1)
    }).pipe(Effect.provide(following(text)), Effect.provide(world.layer))
  })
})
