import { assert, describe, it } from "@effect/vitest"
import { countryOf } from "../../streams/codes.ts"
import { customer } from "./samples.ts"
import { coordinates, outline, refusalOf, rowsOf, writeOf } from "./writes.ts"

const own = { model: "res.partner", id: 5, externalId: "weir_be01.customers_CUS-0042", version: 1, links: {} }

describe("customer.upserted", () => {
  const type = "customer.upserted"

  it("is gated by version and locks its customer, its VAT number and its reference", () => {
    assert.deepStrictEqual(coordinates(type, customer), {
      key: "CUS-0042",
      parents: ["customer:CUS-0042", "=ref:CUS-0042", "=vat:BE0477472701"],
      references: [],
      versions: "gate",
    })
  })

  it("looks for twins before it writes", () => {
    const steps = outline(type)
    assert.isBelow(steps.indexOf("Check single"), steps.indexOf("Load partner res.partner upsert"))
  })

  it("writes the columns that the source owns", () => {
    assert.deepStrictEqual(rowsOf(type, "partner", writeOf(type, customer)), {
      externalId: "weir_be01.customers_CUS-0042",
      values: {
        name: "Delft Marine BV",
        is_company: true,
        ref: "CUS-0042",
        "company_id/.id": "3",
        "country_id/id": "base.be",
        street: "Kaai 1",
        city: "Brussel",
        zip: "1000",
        vat: "BE0477472701",
        email: "accounts@delft-marine.example",
        phone: "+32 2 123 45 67",
      },
    })
  })

  it("leaves out what the source does not know, so that Odoo keeps it", () => {
    const sparse = { key: "C1", name: "Ada", kind: "person", address: { country: "GB" }, reference: "ada-1" }
    assert.deepStrictEqual(rowsOf(type, "partner", writeOf(type, sparse)), {
      externalId: "weir_be01.customers_C1",
      values: { name: "Ada", is_company: false, ref: "ada-1", "company_id/.id": "3", "country_id/id": "base.uk" },
    })
  })

  it("leaves a partner that it took over in its company", () => {
    const row = rowsOf(type, "partner", writeOf(type, { ...customer, odooPartner: 9 }))
    assert.notProperty("values" in row ? row.values : {}, "company_id/.id")
    const later = rowsOf(type, "partner", writeOf(type, customer, { previous: { ...own, links: { stub: 5 } } }))
    assert.notProperty("values" in later ? later.values : {}, "company_id/.id")
  })

  it("takes what it made itself for no twin, and anybody else's for one", () => {
    const found = (external_id: string) => ({
      twins: { records: [{ id: 9, name: "Delft", vat: "BE0477472701", external_id }] },
    })
    const ask = (external_id: string) =>
      refusalOf(type, "single", writeOf(type, customer, { read: found(external_id) }))
    assert.isUndefined(ask("weir_be01.customers_CUS-0042"))
    assert.deepStrictEqual(ask("weir_be01.customers_CUS-0041"), {
      code: "CUSTOMER-DUPLICATE",
      detail: 'the VAT number BE0477472701 is that of res.partner 9 "Delft" (weir_be01.customers_CUS-0041)',
    })
    assert.deepInclude(ask(""), { code: "CUSTOMER-DUPLICATE" })
  })

  it("is refused once the customer was merged into another one", () => {
    const merged = { ...own, externalId: "weir_be01.customers_CUS-0007" }
    assert.deepStrictEqual(refusalOf(type, "current", writeOf(type, customer, { previous: merged })), {
      code: "CUSTOMER-MERGED",
      detail: "CUS-0042 was merged into CUS-0007",
    })
    assert.isUndefined(refusalOf(type, "current", writeOf(type, customer, { previous: own })))
  })

  it("names countries as Odoo does", () => {
    assert.deepStrictEqual(["BE", "GB", "US"].map(countryOf), ["base.be", "base.uk", "base.us"])
  })
})

describe("customer.merged", () => {
  const type = "customer.merged"

  it("waits for the customer that remains, locks both, and maps the one that ends to it", () => {
    assert.deepStrictEqual(coordinates(type, { key: "C-2", into: "C-1" }), {
      key: "C-2",
      parents: ["customer:C-2", "customer:C-1"],
      references: [{ flow: "customers", key: "C-1" }],
      versions: "gate",
    })
    assert.deepStrictEqual(rowsOf(type, "survivor", writeOf(type, { key: "C-2", into: "C-1" })), {
      externalId: "weir_be01.customers_C-1",
      values: {},
    })
  })

  it("merges two, and nothing when they are one already", () => {
    const write = (ending: number) =>
      writeOf(type, { key: "C-2", into: "C-1" }, { ids: { survivor: 7, ending }, read: {} })
    assert.deepStrictEqual(rowsOf(type, "wizard", write(8)), {
      externalId: "weir_be01.customers_C-2.into-7",
      values: { "partner_ids/.id": "8,7", "dst_partner_id/.id": "7", state: "selection" },
    })
    assert.deepStrictEqual(rowsOf(type, "wizard", write(7)), [])
  })
})
