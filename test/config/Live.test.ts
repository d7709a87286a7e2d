import { assert, describe, it } from "@effect/vitest"
import { Effect, SubscriptionRef } from "effect"
import { TestClock } from "effect/testing"
import { fixed, follow } from "../../src/config/Live.ts"
import { check, FlowNames } from "../../src/config/load.ts"

const main = { url: "https://odoo.example.com", database: "prod", key: { env: "ODOO_KEY" } }
const be01 = { database: "main", company: 1, currency: "EUR" }
const nl01 = { database: "main", company: 2, currency: "EUR" }
const first = { databases: { main }, entities: { be01, nl01 } }

/** A file that changes under the process. */
const file = (text: { now: unknown }) =>
  Effect.gen(function* () {
    const load = Effect.suspend(() => check("weir.json", text.now, {})).pipe(
      Effect.map(({ configuration }) => ({ configuration, file: "weir.json" })),
    )
    const loaded = yield* load
    return yield* follow(loaded, loaded.configuration, load)
  })

describe("the configuration in force", () => {
  it.effect("takes up legal entities and databases, and says what changed", () =>
    Effect.gen(function* () {
      const text = { now: first as unknown }
      const live = yield* file(text)
      const before = SubscriptionRef.getUnsafe(live.settings)
      text.now = {
        databases: { main, other: { ...main, database: "other" } },
        entities: { be01, uk01: { database: "other", company: 3, currency: "GBP" } },
      }
      const { added, changed, databases, removed, restart } = yield* live.reload
      assert.deepStrictEqual({ added, changed, databases, removed, restart }, {
        added: ["uk01"],
        changed: [],
        databases: ["other"],
        removed: ["nl01"],
        restart: [],
      })
      const after = SubscriptionRef.getUnsafe(live.settings)
      assert.deepStrictEqual(Object.keys(after.entities), ["be01", "uk01"])
      assert.strictEqual(after.entities["be01"], before.entities["be01"], "what says the same is the same object")
      assert.strictEqual(after.databases["main"], before.databases["main"])
    }))

  it.effect("has the entities of a database start again when it is another place, not when its share or key is", () =>
    Effect.gen(function* () {
      const text = { now: first as unknown }
      const live = yield* file(text)
      text.now = { ...first, databases: { main: { ...main, share: 1, key: { env: "OTHER" } } } }
      assert.deepInclude(yield* live.reload, { changed: [], databases: ["main"] })
      text.now = { ...first, databases: { main: { ...main, database: "moved" } } }
      assert.deepInclude(yield* live.reload, { changed: ["be01", "nl01"], databases: ["main"] })
    }))

  it.effect("names what counts after a restart only, and leaves it as it is until then", () =>
    Effect.gen(function* () {
      const text = { now: first as unknown }
      const live = yield* file(text)
      text.now = { ...first, http: { port: 9000 }, grace: "1 minute" }
      assert.deepStrictEqual((yield* live.reload).restart, ["http", "grace"])
      assert.strictEqual(SubscriptionRef.getUnsafe(live.settings).http.port, 8787)
      assert.deepStrictEqual((yield* live.reload).restart, ["http", "grace"], "as long as it is so")
      text.now = first
      assert.deepStrictEqual((yield* live.reload).restart, [])
    }))

  it.effect("knows the regions that runners were started with", () =>
    Effect.gen(function* () {
      const servers = { nats: { url: "nats://n:4222" }, postgres: { url: { env: "PG" } }, cluster: { region: "eu" } }
      const text = { now: { ...first, ...servers } as unknown }
      const live = yield* file(text)
      text.now = {
        ...first,
        ...servers,
        entities: { be01: { ...be01, region: "eu" }, nl01: { ...nl01, region: "us" } },
      }
      assert.deepStrictEqual((yield* live.reload).restart, ["entities.nl01.region"])
    }))

  it.effect("refuses a wrong file with every problem that a start would name, and goes on", () =>
    Effect.gen(function* () {
      const text = { now: first as unknown }
      const live = yield* file(text)
      const before = SubscriptionRef.getUnsafe(live.settings)
      yield* TestClock.adjust("1 minute")
      text.now = { ...first, entities: { be01: { ...be01, database: "nowhere", company: 0 } } }
      const error = yield* Effect.flip(live.reload)
      assert.deepStrictEqual(error.problems, (yield* Effect.flip(check("weir.json", text.now, {}))).problems)
      assert.strictEqual(error.problems.length, 2)
      assert.strictEqual(SubscriptionRef.getUnsafe(live.settings), before)
      const standing = yield* live.standing
      assert.strictEqual(standing.refused?.atMillis, 60_000)
      assert.strictEqual(standing.taken.atMillis, 0)
      text.now = first
      yield* live.reload
      assert.isNull((yield* live.standing).refused)
    }))

  it.effect("takes only flows that there are", () =>
    Effect.gen(function* () {
      const text = { ...first, entities: { be01: { ...be01, flows: ["customers", "costumers"] } } }
      const { problems } = yield* Effect.flip(check("weir.json", text, {})).pipe(
        Effect.provideService(FlowNames, ["customers", "invoices"]),
      )
      assert.deepStrictEqual(problems.map(({ expected, path }) => [path, expected]), [
        ["entities.be01.flows.1", "one of customers, invoices"],
      ])
    }))

  it.effect("that is fixed never changes", () =>
    Effect.gen(function* () {
      const { configuration } = yield* check("weir.json", first, {})
      const live = yield* fixed(configuration)
      assert.deepInclude(yield* live.reload, { added: [], removed: [], changed: [], databases: [], restart: [] })
    }))
})
