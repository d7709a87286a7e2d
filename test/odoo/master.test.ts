import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as CallGate from "../../src/odoo/CallGate.ts"
import { type CompanySettings, layer, MasterData, type MasterDataOptions } from "../../src/odoo/MasterData.ts"
import { TinyOdoo } from "./TinyOdoo.ts"

const settings: CompanySettings = {
  code: "be01",
  database: "main",
  company: 1,
  currency: "EUR",
  journals: { sales: "INV", bank: "BNK1" },
  taxes: { S21: "21%", S6: 5 },
}

/** A company with two journals and three sales taxes, of which two share a name. */
const belgium = (): TinyOdoo => {
  const odoo = new TinyOdoo()
  odoo.add("res.company", "", { name: "Entity BE", currency_id: [1, "EUR"] })
  for (const code of ["INV", "BNK1"]) odoo.add("account.journal", "", { code, name: code, company_id: 1 })
  for (const name of ["21%", "6%", "0%", "0%"]) {
    odoo.add("account.tax", "", { name, type_tax_use: "sale", company_id: 1 })
  }
  odoo.add("account.tax", "", { name: "12%", type_tax_use: "purchase", company_id: 1 })
  odoo.add("account.journal", "", { code: "UKB", name: "Bank UK", company_id: 2 })
  odoo.add("account.account", "", { code: "642000", name: "Losses" })
  return odoo
}

const masterOf = (odoo: TinyOdoo, options?: MasterDataOptions) =>
  layer(options).pipe(
    Layer.provide(CallGate.layer({ databases: new Map([["main", { workers: 2, share: 0.5 }]]) })),
    Layer.provide(odoo.layer),
  )

const be01 = { entity: "be01", database: "main", id: 1 }

describe("MasterData.company", () => {
  it.effect("turns the configuration's codes into the company's ids", () =>
    Effect.gen(function* () {
      const company = yield* MasterData.use((master) => master.company(settings)).pipe(
        Effect.provide(masterOf(belgium())),
      )
      assert.deepStrictEqual(company, {
        entity: "be01",
        database: "main",
        id: 1,
        currency: "EUR",
        journals: { sales: 2, bank: 3 },
        taxes: { S21: 4, S6: 5 },
      })
    }))

  it.effect("finds accounts by the company's own codes, one for several roles", () =>
    Effect.gen(function* () {
      const accounts = { "write-off": "642000", "bad-debt": "642000" }
      const company = yield* MasterData.use((master) => master.company({ ...settings, accounts })).pipe(
        Effect.provide(masterOf(belgium())),
      )
      assert.deepStrictEqual(company.accounts, { "write-off": 10, "bad-debt": 10 })
    }))

  const cases: ReadonlyArray<[string, Partial<CompanySettings>, ReadonlyArray<string>]> = [
    ["no such company", { company: 77 }, ["no company 77"]],
    ["another currency", { currency: "USD" }, ["EUR", "USD"]],
    ["a journal of another company", { journals: { bank: "UKB" } }, ['"UKB"', '"bank"', "BNK1 (BNK1), INV (INV)"]],
    ["a purchase tax", { taxes: { S12: "12%" } }, ["no sales tax", '"12%"', '"S12"', '5 "6%"']],
    ["a tax that is not unique", { taxes: { S0: "0%" } }, ["2 sales taxes", '"0%"']],
    ["an account that is none", { accounts: { fees: "999" } }, ['"999"', '"fees"']],
    ["a tax id that is none", { taxes: { S0: 99 } }, ["id 99"]],
  ]
  for (const [what, change, words] of cases) {
    it.effect(`refuses ${what} and names what there is`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(MasterData.use((master) => master.company({ ...settings, ...change })))
        assert.strictEqual(error.code, "MASTER-DATA-MISSING")
        for (const word of words) assert.include(error.message, word)
      }).pipe(Effect.provide(masterOf(belgium()))))
  }
})

describe("MasterData.seed", () => {
  it.effect("loads seeds in their order, create-or-skip, neighbours of one shape in one call", () =>
    Effect.gen(function* () {
      const odoo = belgium()
      const seeds = ["time", "fixed"].map((name) => ({
        model: "product.product",
        externalId: `weir.product_${name}`,
        values: { name, type: "service" },
      }))
      const later = {
        model: "product.product",
        externalId: "weir.variant",
        values: { "parent_id/id": "weir.product_time" },
      }
      const company = { ...be01, currency: "EUR", journals: {}, taxes: {} }
      yield* Effect.gen(function* () {
        const master = yield* MasterData
        const first = yield* master.seed(company, [...seeds, later])
        const again = yield* master.seed(company, [...seeds, later])
        assert.deepStrictEqual(again, first)
        assert.strictEqual(first.get("weir.variant"), odoo.find("weir.variant")!.id)
      }).pipe(Effect.provide(masterOf(odoo)))
      assert.deepStrictEqual(
        odoo.calls.slice(0, 2).map(({ args }) => (args!["data"] as ReadonlyArray<unknown>).length),
        [2, 1],
      )
      assert.strictEqual(odoo.calls.length, 4)
    }))
})

describe("MasterData.find", () => {
  const find = (values: ReadonlyArray<string>) =>
    MasterData.use((master) => master.find(be01, "bulk", "hr.employee", "work_email", values))

  const staff = () => {
    const odoo = new TinyOdoo()
    for (const name of ["ann", "bob"]) odoo.add("hr.employee", "", { work_email: `${name}@x` })
    return odoo
  }

  it.effect("asks once for each value and remembers who was found", () => {
    const odoo = staff()
    return Effect.gen(function* () {
      assert.deepStrictEqual([...yield* find(["ann@x", "bob@x", "ann@x"])], [["ann@x", [1]], ["bob@x", [2]]])
      assert.deepStrictEqual(odoo.calls[0]!.args!["domain"], [["work_email", "in", ["ann@x", "bob@x"]]])
      assert.deepStrictEqual([...yield* find(["bob@x"])], [["bob@x", [2]]])
      assert.strictEqual(odoo.calls.length, 1)
      yield* TestClock.adjust("10 minutes")
      yield* find(["bob@x"])
      assert.strictEqual(odoo.calls.length, 2)
    }).pipe(Effect.provide(masterOf(odoo)))
  })

  it.effect("does not believe for long that there is nobody", () => {
    const odoo = staff()
    return Effect.gen(function* () {
      assert.strictEqual((yield* find(["new@x"])).size, 0)
      yield* find(["new@x"])
      assert.strictEqual(odoo.calls.length, 1)
      odoo.add("hr.employee", "", { work_email: "new@x" })
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual((yield* find(["new@x"])).get("new@x"), [3])
    }).pipe(Effect.provide(masterOf(odoo)))
  })

  it.effect("remembers no more than its capacity, the oldest go first", () => {
    const odoo = staff()
    return Effect.gen(function* () {
      yield* find(["ann@x"])
      yield* find(["bob@x"])
      yield* find(["bob@x"])
      assert.strictEqual(odoo.calls.length, 2)
      yield* find(["ann@x"])
      assert.strictEqual(odoo.calls.length, 3)
    }).pipe(Effect.provide(masterOf(odoo, { capacity: 1 })))
  })
})
