import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Metric } from "effect"
import { TestClock } from "effect/testing"
import { StandIn } from "../../fixtures/odoo/StandIn.ts"
import { make } from "../../fixtures/odoo/StandInOdoo.ts"
import { fixed, Live } from "../../src/config/Live.ts"
import { check } from "../../src/config/load.ts"
import { Access } from "../../src/ledger/Access.ts"
import * as MemoryLedger from "../../src/ledger/MemoryLedger.ts"
import { Odoo } from "../../src/odoo/Odoo.ts"
import { adviceOf, Credentials, layer, stateOf } from "../../src/operate/Credentials.ts"
import { odooKeyAge, odooKeyRemaining, tokensEnding } from "../../src/telemetry/Metrics.ts"
import { configuration } from "../simulation/World.ts"
import { office, request, tokenFor } from "./Office.ts"

const DAY = 86_400_000
const START = Date.UTC(2026, 9, 1, 8)

const token = (id: string, days: number) => ({
  id,
  hash: "0",
  owner: "ada",
  roles: ["viewer"],
  entities: null,
  createdBy: "admin",
  createdAtMillis: START,
  expiresAtMillis: START + days * DAY,
})

/** A running watch over a stand-in whose key ends so; what it logs. */
const watching = (expirationDate: string | null) => {
  const logged: Array<string> = []
  const standIn = new StandIn({ now: () => START })
  for (const key of standIn.store.tables.get("res.users.apikeys")!.rows.values()) {
    key["expiration_date"] = expirationDate
  }
  const ports = Layer.mergeAll(
    MemoryLedger.layer,
    Layer.succeed(Odoo, make(standIn, {})),
    Layer.effect(
      Live,
      Effect.flatMap(Effect.orDie(check("test", configuration, {})), ({ configuration }) => fixed(configuration)),
    ),
    Logger.layer([Logger.make(({ logLevel, message }) => void logged.push(`${logLevel} ${String(message)}`))]),
  )
  return { logged, layer: Layer.provideMerge(layer, ports) }
}

const standing = Effect.flatMap(Credentials, (credentials) => credentials.standing)
const hours = (count: number) =>
  Effect.andThen(
    TestClock.adjust(`${count} hours`),
    Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve))),
  )
const valueOf = (metric: Metric.Gauge<number>, attributes: Record<string, string> = {}) =>
  Effect.map(Metric.value(Metric.withAttributes(metric, attributes)), ({ value }) => value)

describe("credentials", () => {
  it("are well until two weeks before they end, and old after a year", () => {
    assert.strictEqual(stateOf(START, START - 10 * DAY, null), "ok")
    assert.strictEqual(stateOf(START, START, START + 15 * DAY), "ok")
    assert.strictEqual(stateOf(START, START, START + 14 * DAY), "ending")
    assert.strictEqual(stateOf(START, START, START), "ended")
    assert.strictEqual(stateOf(START, START - 366 * DAY, null), "old")
    assert.strictEqual(stateOf(START, null, null), "ok")
  })

  it.effect("are told in metrics and status, and in the log as the end comes near, once a day", () => {
    const { layer, logged } = watching("2026-10-21 08:00:00")
    return Effect.gen(function* () {
      yield* TestClock.setTime(START)
      yield* Effect.gen(function* () {
        yield* Access.use((access) => access.issue(token("aaaaaaaaaaaa", 8)))
        yield* hours(1)
        const [key, api] = yield* standing
        assert.deepStrictEqual([key?.name, key?.state, key?.endsAt], ["main", "ok", "2026-10-21T08:00:00.000Z"])
        assert.deepStrictEqual([api?.owner, api?.state], ["ada", "ending"])
        assert.strictEqual(yield* valueOf(odooKeyRemaining, { database: "main" }), 20 * 86_400 - 3_600)
        assert.strictEqual(yield* valueOf(odooKeyAge, { database: "main" }), 3_600)
        assert.strictEqual(yield* valueOf(tokensEnding), 1)
        assert.strictEqual(logged.filter((line) => line.includes("API token aaaaaaaaaaaa of ada ends")).length, 1)

        for (let hour = 0; hour < 7 * 24; hour++) yield* hours(1)
        const lines = logged.filter((line) => line.includes("the API key of Odoo main ends"))
        assert.strictEqual(lines.length, 2, "once a day from the fourteenth day before on")
        assert.isTrue(lines.every((line) => line.startsWith("Warn")))
        for (let day = 0; day < 10; day++) yield* hours(24)
        assert.isTrue(logged.some((line) => line.startsWith("Error") && line.includes("databases.main.key")))
        for (let day = 0; day < 4; day++) yield* hours(24)
        assert.strictEqual((yield* standing)[0]?.state, "ended")
      }).pipe(Effect.provide(layer))
    })
  })

  it.effect("of an Odoo that does not answer stay as they were known", () => {
    const { layer } = watching(null)
    return Effect.gen(function* () {
      yield* TestClock.setTime(START)
      yield* Effect.gen(function* () {
        yield* hours(1)
        const [before] = yield* standing
        assert.deepStrictEqual([before?.state, before?.endsAt, adviceOf(before!)], ["ok", null, null])
        yield* hours(2)
        assert.deepStrictEqual((yield* standing).map(({ name }) => name), ["main"])
      }).pipe(Effect.provide(layer))
    })
  })

  it.live("are shown in status where somebody looks, an empty list elsewhere", () =>
    Effect.gen(function* () {
      const { body } = yield* request("/v1/status", { token: yield* tokenFor("ada", ["viewer"]) })
      assert.deepStrictEqual(body.credentials, [])
    }).pipe(Effect.provide(office().layer)))
})
