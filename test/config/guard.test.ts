/** A configuration for one environment, a ledger or an Odoo of another. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { StandIn } from "../../fixtures/odoo/StandIn.ts"
import { make } from "../../fixtures/odoo/StandInOdoo.ts"
import type { EnvironmentName, Settings } from "../../src/config/Configuration.ts"
import { guard } from "../../src/config/guard.ts"
import { check } from "../../src/config/load.ts"
import { Access } from "../../src/ledger/Access.ts"
import * as MemoryLedger from "../../src/ledger/MemoryLedger.ts"
import { guarded } from "../../src/odoo/guarded.ts"
import { Odoo } from "../../src/odoo/Odoo.ts"
import { configuration } from "../simulation/World.ts"

const settingsFor = (environment: EnvironmentName | undefined): Effect.Effect<Settings> =>
  check("weir.json", { ...configuration, ...environment !== undefined && { environment } }, {}).pipe(
    Effect.map((loaded) => loaded.configuration),
    Effect.orDie,
  )

/** An Odoo with these contact tags. */
const odooWith = (...tags: ReadonlyArray<string>) => {
  const standIn = new StandIn({ now: () => 0 })
  const odoo = make(standIn, {})
  return Effect.as(
    Effect.forEach(
      tags,
      (name) =>
        odoo.call({
          database: "main",
          model: "res.partner.category",
          method: "create",
          args: { vals_list: [{ name }] },
        }),
    ),
    { odoo, standIn },
  )
}

/** Whether the guard lets it start, the ledger marked or not. */
const starts = (environment: EnvironmentName | undefined, ledger: string | null, tags: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { odoo } = yield* odooWith(...tags)
    const settings = yield* settingsFor(environment)
    return yield* Effect.gen(function* () {
      const access = yield* Access
      if (ledger !== null) yield* access.mark(ledger, "ada")
      const exit = yield* Effect.exit(guard(settings))
      return {
        passed: Exit.isSuccess(exit),
        mark: (yield* access.environment)?.environment ?? null,
        said: String(exit),
      }
    }).pipe(Effect.provide(MemoryLedger.layer), Effect.provideService(Odoo, odoo))
  })

describe("the guard at the start", () => {
  const cases: ReadonlyArray<readonly [EnvironmentName | undefined, string | null, ReadonlyArray<string>, boolean]> = [
    ["production", null, [], true],
    ["production", "production", ["weir: production", "VIP"], true],
    ["production", "staging", [], false],
    ["production", null, ["weir: staging"], false],
    ["production", null, ["weir: production", "weir: test"], false],
    ["staging", "production", [], false],
    ["staging", null, ["weir: production"], false],
    ["staging", "test", [], false],
    ["test", "test", ["weir: test"], true],
    [undefined, null, [], true],
    [undefined, "staging", ["weir: test"], true],
    [undefined, "production", [], false],
    [undefined, null, ["weir: production"], false],
  ]
  for (const [environment, ledger, tags, passes] of cases) {
    it.effect(
      `${passes ? "lets" : "does not let"} a configuration for ${
        environment ?? "nothing in particular"
      } work on a ledger ` +
        `for ${ledger ?? "nothing"} and an Odoo with ${tags.join(", ") || "no mark"}`,
      () =>
        Effect.gen(function* () {
          const { passed, said } = yield* starts(environment, ledger, tags)
          assert.strictEqual(passed, passes, said)
          if (!passes) assert.match(said, /postgres\.url|databases\.main/u)
        }),
    )
  }

  it.effect("marks a ledger that has no mark, once", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* starts("production", null, [])).mark, "production")
      assert.strictEqual((yield* starts(undefined, null, [])).mark, null)
      assert.strictEqual((yield* starts("staging", "test", [])).mark, "test")
    }))
})

describe("the guard at every Odoo", () => {
  it.effect("holds the first call to one that the start could not look at, until its mark is right", () =>
    Effect.gen(function* () {
      const { odoo, standIn } = yield* odooWith("weir: production")
      const { databases } = yield* settingsFor("staging")
      const safe = guarded(odoo, { environment: "staging", database: (name) => databases[name] })
      const write = safe.call({
        database: "main",
        model: "res.partner",
        method: "create",
        args: { vals_list: [{ name: "Nobody" }] },
      })
      const error = yield* Effect.flip(write)
      assert.strictEqual(error.code, "ODOO-AUTH")
      assert.include(error.message, "marked production")
      const partners = () =>
        [...standIn.store.tables.get("res.partner")!.rows.values()].filter((row) => row["name"] === "Nobody").length
      assert.strictEqual(partners(), 0)
      const tags = standIn.store.tables.get("res.partner.category")!.rows
      for (const tag of tags.values()) tag["name"] = "weir: staging"
      yield* write
      assert.strictEqual(partners(), 1)
      // Looked at once: what is marked afterwards counts from the next start or the next change of the configuration.
      const before = standIn.calls
      yield* write
      assert.strictEqual(standIn.calls, before + 1)
    }))
})
