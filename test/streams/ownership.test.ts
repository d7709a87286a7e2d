import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import type { Flow } from "../../src/flow/Flow.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { catalog, validateCatalog } from "../../streams/catalog.ts"
import { page } from "../../streams/docs/page.ts"
import { sources } from "../../streams/docs/sources.ts"
import { ownership } from "../../streams/ownership.ts"
import { pass, ports, publication, publish, running } from "../simulation/World.ts"
import { customer } from "./samples.ts"

const customers = catalog.find(({ name }) => name === "customers")!

describe("the ownership table", () => {
  it("is the mask of every flow that writes, and nobody else's", () => {
    for (const { mask, name } of catalog) {
      const own = ownership.find(({ flow }) => flow === name)
      assert.strictEqual(mask, own?.writes, name)
    }
    const names = catalog.map(({ name }) => name)
    for (const { flow } of ownership) assert.include(names, flow)
  })

  it("names each column once", () => {
    for (const { flow, writes } of ownership) {
      for (const [model, { always, first }] of Object.entries(writes)) {
        const columns = `${always ?? ""} ${first ?? ""}`.trim().split(/ +/u)
        assert.strictEqual(new Set(columns).size, columns.length, `${flow} ${model}`)
      }
    }
  })
})

describe("a flow's mask", () => {
  const written = (mask: Flow["mask"]) => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(publication("customer.upserted", customer, { sequence: 1 }))
      yield* pass(10)
      const held = yield* Ledger.use((ledger) => ledger.exceptions({ limit: 10 }))
      return {
        held: held.map(({ code, detail, key }) => [key, code, detail]),
        partners: world.standIn.store.externalIds.get("res.partner")?.has("weir_be01.customers_CUS-0042") === true,
      }
    }).pipe(
      Effect.provide(running({ flows: [{ ...customers, ...(mask !== undefined && { mask }) }] })),
      Effect.provide(world.layer),
    )
  }

  it.effect("lets through what it names", () =>
    Effect.map(written(customers.mask), (found) => assert.deepStrictEqual(found, { held: [], partners: true })))

  it.effect("stops a call that writes anything else, before Odoo hears of it, and the event is an exception", () =>
    Effect.gen(function* () {
      const { always = "" } = customers.mask!["res.partner"]!
      const without = always.split(" ").filter((column) => column !== "vat").join(" ")
      const { held, partners } = yield* written({ ...customers.mask, "res.partner": { always: without } })
      assert.isFalse(partners)
      assert.deepStrictEqual(held.map(([key, code]) => [key, code]), [["CUS-0042", "DEFECT"]])
      assert.include(held[0]?.[2], "customers may not write res.partner vat (load)")
    }))

  it("is asked for at the start, by every plan that writes", () => {
    const { mask: _, ...bare } = customers
    assert.include(
      validateCatalog([bare]).join("; "),
      "customer.upserted: it writes res.partner, which the flow's mask does not name",
    )
    const timesheets = catalog.find(({ name }) => name === "timesheets")!
    const kept = { ...timesheets, mask: { "account.analytic.line": { always: "date" } } }
    assert.include(validateCatalog([kept]).join("; "), "it deletes account.analytic.line")
    const invoices = catalog.find(({ name }) => name === "invoices")!
    const fixed = { ...invoices, mask: { "account.move": { first: "move_type" } } }
    assert.include(validateCatalog([fixed]).join("; "), "may move account.move.date")
  })
})

describe("docs/flows", () => {
  it("is what deno task flows writes", () => {
    const from = sources()
    for (const flow of catalog) {
      const file = new URL(`../../docs/flows/${flow.name}.md`, import.meta.url)
      assert.strictEqual(readFileSync(file, "utf8"), page(flow, from), `docs/flows/${flow.name}.md is not up to date`)
    }
  })
})
