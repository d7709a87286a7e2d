import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { Dependencies, makeMemory } from "../../src/actor/modes/Dependencies.ts"
import { event, type Flow } from "../../src/flow/Flow.ts"
import { enrich, load } from "../../src/flow/Step.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { pass, ports, publication, publish, running, tallies } from "./World.ts"

const Thing = Schema.Struct({ key: Schema.String, asks: Schema.optionalKey(Schema.String) })
type Thing = typeof Thing.Type

/** Partners named by what a service says; a thing that asks nothing is named by its key. */
const things: Flow = {
  name: "things",
  domain: "thing",
  description: "",
  lane: "normal",
  batch: { size: 10, linger: 0, concurrency: 1 },
  inFlight: 20,
  referenceDeadline: "1 hour",
  mask: { "res.partner": { always: "name ref" } },
  events: [event<Thing>({
    type: "thing.made",
    version: 1,
    schema: Thing,
    key: ({ key }) => key,
    parents: () => [],
    references: () => [],
    versions: "gate",
    record: "partner",
    plan: [
      enrich({
        name: "name",
        dependency: "naming",
        question: ({ data }) => data.asks ?? null,
        accept: (answer) =>
          typeof answer === "string" ? { said: answer } : { code: "DEPENDENCY-REFUSED", detail: "no name" },
      }),
      load({
        name: "partner",
        model: "res.partner",
        mode: "upsert",
        rows: ({ data, read }) => ({
          externalId: `weir_be01.things_${data.key}`,
          values: { name: String(read["name"]?.["said"] ?? data.key), ref: data.key },
        }),
      }),
    ],
  })],
}

const world = () => {
  const given = ports()
  const naming = makeMemory(
    "naming",
    (question) =>
      question === "unknown"
        ? { refused: "nobody has this name" }
        : question === "odd"
        ? 7
        : `named ${String(question)}`,
  )
  const names = (): ReadonlyArray<unknown> =>
    [...given.standIn.store.tables.get("res.partner")!.rows.values()]
      .filter((row) => String(row["_external_id"]).includes(".things_")).map((row) => row["name"])
  return { ...given, naming, names }
}

const thing = (key: string, sequence: number, asks?: string) =>
  publication("thing.made", { key, ...(asks !== undefined && { asks }) }, { sequence })

const held = Effect.map(
  Ledger.use((ledger) => ledger.exceptions({ flow: "things", limit: 10 })),
  (all) => all.map(({ code, key, state }) => `${key} ${state} ${code}`).sort(),
)
const applied = Effect.map(tallies(), (flows) => flows.get("things")?.applied ?? 0)

describe("a dependency that plans ask", () => {
  it.effect("answers; what it refuses, or says in words that nobody understands, is an exception", () => {
    const given = world()
    return Effect.gen(function* () {
      yield* publish(thing("A", 1, "ann"), thing("B", 1), thing("C", 1, "unknown"), thing("D", 1, "odd"))
      yield* pass(3)
      assert.deepStrictEqual(given.names(), ["named ann", "B"])
      assert.deepStrictEqual(yield* held, ["C parked DEPENDENCY-REFUSED", "D parked DEPENDENCY-REFUSED"])
    }).pipe(provided(given))
  })

  it.effect("costs only the events that ask it while it does not work, and those behind them, and they go on by themselves", () => {
    const given = world()
    return Effect.gen(function* () {
      yield* pass(2)
      given.naming.setWorking(false)
      yield* publish(thing("A", 1, "ann"), thing("A", 2), thing("B", 1), thing("C", 1, "cid"))
      yield* pass(3)
      assert.deepStrictEqual(given.names(), ["B"])
      // Long enough for its circuit to open: then it is not even asked.
      yield* pass(120)
      yield* publish(thing("D", 1, "dan"), thing("E", 1))
      yield* pass(3)
      assert.deepStrictEqual(given.names(), ["B", "E"])
      assert.deepStrictEqual(yield* held, [
        "A behind BEHIND-EXCEPTION",
        "A waiting DEPENDENCY-DOWN",
        "C waiting DEPENDENCY-DOWN",
        "D waiting DEPENDENCY-DOWN",
      ])
      given.naming.setWorking(true)
      yield* pass(60)
      assert.deepStrictEqual(yield* held, [])
      assert.strictEqual(yield* applied, 6)
      assert.deepStrictEqual([...given.names()].sort(), ["A", "B", "E", "named cid", "named dan"])
    }).pipe(provided(given))
  })

  it.effect("failing once delays an event by seconds", () => {
    const given = world()
    return Effect.gen(function* () {
      yield* pass(2)
      given.naming.setWorking(false)
      yield* publish(thing("A", 1, "ann"))
      yield* pass(1)
      given.naming.setWorking(true)
      yield* pass(12)
      assert.deepStrictEqual(given.names(), ["named ann"])
    }).pipe(provided(given))
  })

  it.effect("that is not configured is an exception of the events that ask it", () => {
    const given = world()
    return Effect.gen(function* () {
      yield* publish(thing("A", 1, "ann"), thing("B", 1))
      yield* pass(3)
      assert.deepStrictEqual([given.names(), yield* held], [["B"], ["A parked MAPPING-MISSING"]])
    }).pipe(Effect.provide(running({ flows: [things] })), Effect.provide(given.layer))
  })
})

const provided =
  (given: ReturnType<typeof world>) => <A, E>(test: Effect.Effect<A, E, Layer.Success<ReturnType<typeof layerOf>>>) =>
    Effect.provide(test, layerOf(given))

const layerOf = (given: ReturnType<typeof world>) =>
  running({ flows: [things] }).pipe(
    Layer.provide(Layer.succeed(Dependencies, new Map([["naming", given.naming.dependency]]))),
    Layer.provideMerge(given.layer),
  )
