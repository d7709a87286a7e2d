import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { pass, publication, publish, tallies } from "../simulation/World.ts"
import { customer } from "../streams/samples.ts"
import { command, configuration, office, request, tokenFor, weir } from "./Office.ts"

const { be01, uk01 } = configuration.entities
const alone = { ...configuration, entities: { be01 } }
const wrong = { ...configuration, entities: { be01, uk01: { ...uk01, database: "nowhere" } } }

const claims = Effect.map(
  Effect.flatMap(Ledger, (ledger) => ledger.owners),
  (owners) => Object.fromEntries(owners.map(({ entity, epoch }) => [entity, epoch])),
)

describe("the configuration, through both doors", () => {
  it.effect("is read again when somebody asks, and every runner is asked", () => {
    const file = { now: alone as unknown }
    return Effect.gen(function* () {
      yield* pass(3)
      const admin = yield* tokenFor("ada", ["admin"])
      file.now = configuration
      const said = yield* weir(["configuration", "reload"], { token: admin })
      assert.strictEqual(said.code, 0, said.message)
      assert.include(said.stdout, "added: uk01")
      yield* publish(publication("customer.upserted", customer, { entity: "uk01", sequence: 1 }))
      yield* pass(8)
      assert.strictEqual((yield* tallies("uk01")).get("customers")?.applied, 1)
      assert.deepInclude(yield* claims, { be01: 1, uk01: 1 })

      const { body } = yield* request("/v1/configuration", { token: admin })
      assert.strictEqual(body.file, "weir.json")
      assert.isNull(body.refused)
      assert.deepStrictEqual(
        body.entities.map(({ configuration, entity }: Record<string, string>) => [entity, configuration]),
        [["be01", "same"], ["uk01", "same"]],
      )
    }).pipe(Effect.provide(office({ file }).layer))
  })

  it.effect("that is wrong is refused with its problems, and what was before goes on", () => {
    const file = { now: configuration as unknown }
    return Effect.gen(function* () {
      yield* pass(3)
      file.now = wrong
      const { body, status } = yield* request("/v1/configuration/reload", { body: {} })
      assert.strictEqual(status, 422)
      assert.include(body.detail, "entities.uk01.database: found a name that databases does not have")
      assert.include(body.detail, "the one before goes on")
      const shown = yield* weir(["configuration", "show"])
      assert.include(shown.stdout, "entities.uk01.database")
      yield* pass(3)
      assert.deepInclude(yield* claims, { be01: 1, uk01: 1 })
    }).pipe(Effect.provide(office({ file }).layer))
  })

  it.effect("shows whoever sees some legal entities those only", () =>
    Effect.gen(function* () {
      yield* pass(3)
      const token = yield* tokenFor("bob", ["viewer"], ["uk01"])
      const { body } = yield* request("/v1/configuration", { token })
      assert.deepStrictEqual(body.entities.map(({ entity }: { readonly entity: string }) => entity), ["uk01"])
    }).pipe(Effect.provide(office().layer)))

  it.effect("has nobody to read it where no service runs", () =>
    Effect.gen(function* () {
      const said = yield* command(["--url", "http://127.0.0.1:9", "configuration", "reload"])
      assert.strictEqual(said.code, 4)
    }))
})
