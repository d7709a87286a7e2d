/** Sentences of the contract about what flows do beside making records: merging, locking, archiving, pricing. */
import { assert, type layer } from "@effect/vitest"
import { Effect } from "effect"
import { draftOrder, engagement, first, idOf, nameOf, refused, World } from "./World.ts"

type It = Parameters<Parameters<ReturnType<typeof layer<World, never>>>[1]>[0]

const WIZARD = "base.partner.merge.automatic.wizard"

const contact = Effect.fnUntraced(function* (key: string, email: string) {
  const { entity, load, xid } = yield* World
  const [id = 0] = yield* load("res.partner", ["id", "name", "email", "ref"], [
    [xid("customers", key), key, email, `${entity}-${key}`],
  ], "upsert")
  return id
})

const merge = Effect.fnUntraced(function* (name: string, ending: number, remaining: number) {
  const { call, load, xid } = yield* World
  const [wizard = 0] = yield* load(WIZARD, ["id", "partner_ids/.id", "dst_partner_id/.id", "state"], [
    [xid("customers", `${name}.into-${remaining}`), `${ending},${remaining}`, String(remaining), "selection"],
  ], "upsert")
  yield* call(WIZARD, "action_merge", { ids: [wizard] })
})

const resolved = Effect.fnUntraced(function* (model: string, flow: string, key: string) {
  const { load, xid } = yield* World
  return first(yield* load(model, ["id"], [[xid(flow, key)]]))
})

export const masterSentences = (it: It): void => {
  it.effect("of two contacts that are merged one remains, and the external ids of both lead to it", () =>
    Effect.gen(function* () {
      const { call, load, xid } = yield* World
      const [ending, remaining] = [yield* contact("M-1", "m@one.test"), yield* contact("M-2", "m@one.test")]
      const [order = 0] = yield* load("sale.order", ["id", "partner_id/id"], [
        [xid("engagements", "M-O"), xid("customers", "M-1")],
      ])
      yield* merge("M-1", ending, remaining)
      assert.strictEqual(yield* resolved("res.partner", "customers", "M-1"), remaining)
      assert.strictEqual(yield* resolved("res.partner", "customers", "M-2"), remaining)
      assert.deepStrictEqual(yield* call("res.partner", "read", { ids: [ending], args: { fields: ["name"] } }), [])
      const { read } = yield* World
      const { partner_id } = yield* read("sale.order", order, "partner_id")
      assert.strictEqual(idOf(partner_id), remaining)
    }))

  it.effect("contacts with two addresses are merged by no technical user", () =>
    Effect.gen(function* () {
      const [ending, remaining] = [yield* contact("M-3", "m@three.test"), yield* contact("M-4", "m@four.test")]
      const error = yield* refused(merge("M-3", ending, remaining))
      assert.strictEqual(error.code, "ODOO-VALIDATION")
      assert.match(error.message, /same email/u)
      assert.strictEqual(yield* resolved("res.partner", "customers", "M-3"), ending)
    }))

  it.effect("a locked order keeps its lines as they are until it is unlocked; both may be repeated", () =>
    Effect.gen(function* () {
      const { call, load, read, xid } = yield* World
      const { order } = yield* engagement("L-1")
      const line = xid("engagements", "L-1.line-1")
      const priced = (price: string) => load("sale.order.line", ["id", "price_unit"], [[line, price]], "upsert")
      for (let n = 0; n < 2; n++) yield* call("sale.order", "action_lock", { ids: [order] })
      assert.strictEqual((yield* read("sale.order", order, "locked"))["locked"], true)
      const error = yield* refused(priced("99"))
      assert.strictEqual(error.code, "ODOO-VALIDATION")
      assert.match(error.message, /locked order/u)
      for (let n = 0; n < 2; n++) yield* call("sale.order", "action_unlock", { ids: [order] })
      assert.strictEqual((yield* read("sale.order", order, "locked"))["locked"], false)
      const [id = 0] = yield* priced("99")
      assert.strictEqual((yield* read("sale.order.line", id, "price_unit"))["price_unit"], 99)
    }))

  it.effect("an archived project or contact is found by its external id and its number, and by no search", () =>
    Effect.gen(function* () {
      const { call, read, search } = yield* World
      const { project = 0 } = yield* engagement("A-1")
      const partner = yield* contact("A-1", "a@one.test")
      for (
        const [model, id, flow, key] of [
          ["project.project", project, "engagements", "A-1.project"],
          ["res.partner", partner, "customers", "A-1"],
        ] as const
      ) {
        for (let n = 0; n < 2; n++) yield* call(model, "write", { ids: [id], args: { vals: { active: false } } })
        assert.strictEqual(yield* resolved(model, flow, key), id)
        assert.strictEqual((yield* read(model, id, "active"))["active"], false)
        assert.deepStrictEqual(yield* search(model, [["id", "=", id]], "id"), [])
        yield* call(model, "write", { ids: [id], args: { vals: { active: true } } })
        assert.strictEqual((yield* search(model, [["id", "=", id]], "id")).length, 1)
      }
    }))

  it.effect("an order has the currency of its price list, whatever currency it is given", () =>
    Effect.gen(function* () {
      const { call, company, entity, load, read, search, xid } = yield* World
      yield* draftOrder("P-1")
      const foreign = company.currency === "USD" ? "EUR" : "USD"
      const [currency = 0] = yield* load("res.currency", ["id", "active"], [[`base.${foreign}`, "1"]], "upsert")
      const made = yield* call("product.pricelist", "create", {
        args: { vals_list: [{ name: `${entity} ${foreign}`, currency_id: currency, company_id: company.id }] },
      })
      const [list = 0] = made as ReadonlyArray<number>
      const found = yield* search(
        "product.pricelist",
        [["currency_id.name", "=", foreign], ["company_id", "in", [company.id, false]], [
          "name",
          "=",
          `${entity} ${foreign}`,
        ]],
        "name",
      )
      assert.deepStrictEqual(found.map(({ id }) => id), [list])
      const head = ["id", "partner_id/id", "company_id/.id"]
      const row = (key: string) => [xid("engagements", key), xid("customers", "C-0"), String(company.id)]
      const [priced = 0] = yield* load("sale.order", [...head, "pricelist_id/.id"], [[...row("P-2"), String(list)]])
      assert.strictEqual(nameOf((yield* read("sale.order", priced, "currency_id"))["currency_id"]), foreign)
      const [ignored = 0] = yield* load("sale.order", [...head, "currency_id/id"], [[...row("P-3"), `base.${foreign}`]])
      assert.strictEqual(nameOf((yield* read("sale.order", ignored, "currency_id"))["currency_id"]), company.currency)
      yield* call("product.pricelist", "write", { ids: [list], args: { vals: { active: false } } })
    }))
}
