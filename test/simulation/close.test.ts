import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { LegalEntity } from "../../src/actor/LegalEntity.ts"
import { verifyAudit } from "../../src/ledger/Governance.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { CallGate } from "../../src/odoo/CallGate.ts"
import { configuration, pass, ports, running } from "./World.ts"

const be01 = configuration.entities.be01
const withCalendar = {
  ...configuration,
  entities: {
    be01: { ...be01, close: { timeZone: "Europe/Brussels", days: [-1, 1, 2] } },
    be02: { ...be01, company: 4 },
  },
}
const favoured = Effect.map(CallGate.use((gate) => gate.snapshot), ([door]) => door!.favoured)
const statusOf = (entity: string) => Effect.flatMap(LegalEntity.client, (client) => client(entity).Status())
const close = (entity: string, untilMillis: number | null, reason = "November close") =>
  Effect.gen(function* () {
    const client = yield* LegalEntity.client
    yield* client(entity).Close({ untilMillis, actor: "ada", reason }).pipe(Effect.forkChild)
    yield* pass(1)
  })
const trail = (entity: string) =>
  Effect.map(Effect.flatMap(Ledger, (ledger) => ledger.audit({ entity, after: 0, limit: 100 })), (records) => {
    assert.isNull(verifyAudit(records))
    return records.map(({ action, actor, detail }) => [action, actor, JSON.parse(detail)])
  })

describe("an entity that closes its books", () => {
  it.effect("gets its larger share on the days of its calendar", () =>
    Effect.gen(function* () {
      const at = (iso: string, seconds: number) =>
        Effect.gen(function* () {
          yield* TestClock.setTime(Date.parse(iso))
          return yield* Effect.gen(function* () {
            yield* pass(seconds)
            return [yield* favoured, (yield* statusOf("be01")).close]
          }).pipe(Effect.provide(running({ configuration: withCalendar })))
        })
      const calendar = { actor: "calendar", reason: "close calendar", untilMillis: null }
      assert.deepStrictEqual(yield* at("2026-11-29T22:30:00Z", 3), [[], null])
      // Midnight in Brussels passes: the last day of November begins.
      assert.deepStrictEqual(yield* at("2026-11-29T22:59:55Z", 40), [["be01"], calendar])
      assert.deepStrictEqual(yield* at("2026-12-02T12:00:00Z", 3), [["be01"], calendar])
      assert.deepStrictEqual(yield* at("2026-12-02T22:59:55Z", 40), [[], null])
      assert.deepStrictEqual(yield* trail("be01"), [], "nobody decided anything")
    }).pipe(Effect.provide(ports().layer)))

  it.effect("gets it because a person says so, until then, over a restart, and in the trail", () =>
    Effect.gen(function* () {
      const noon = Date.parse("2026-11-15T12:00:00Z")
      yield* TestClock.setTime(noon)
      const until = noon + 60_000
      yield* Effect.gen(function* () {
        yield* pass(2)
        yield* close("be02", until)
        assert.deepStrictEqual(yield* favoured, ["be02"])
        const { close: status } = yield* statusOf("be02")
        assert.deepStrictEqual(status, { actor: "ada", reason: "November close", untilMillis: until })
      }).pipe(Effect.provide(running({ configuration: withCalendar })))
      yield* Effect.gen(function* () {
        yield* pass(2)
        assert.deepStrictEqual(yield* favoured, ["be02"], "whoever owns it next knows")
        yield* pass(60)
        assert.deepStrictEqual(yield* favoured, [], "it is over")
        yield* close("be02", until + 600_000)
        assert.deepStrictEqual(yield* favoured, ["be02"])
        yield* close("be02", null, "books are closed")
        assert.deepStrictEqual(yield* favoured, [])
      }).pipe(Effect.provide(running({ configuration: withCalendar })))
      assert.deepStrictEqual(yield* trail("be02"), [
        ["close.begun", "ada", { reason: "November close", until: "2026-11-15T12:01:00.000Z" }],
        ["close.begun", "ada", { reason: "November close", until: "2026-11-15T12:11:00.000Z" }],
        ["close.ended", "ada", { reason: "books are closed" }],
      ])
      yield* Effect.gen(function* () {
        yield* pass(2)
        assert.deepStrictEqual(yield* favoured, [], "what is over is not taken up again")
      }).pipe(Effect.provide(running({ configuration: withCalendar })))
    }).pipe(Effect.provide(ports().layer)))
})
