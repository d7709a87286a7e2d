import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { publication, tallies } from "../simulation/World.ts"
import { customer } from "./samples.ts"
import { coordinates, outline, writeOf } from "./specs.ts"
import { codes, published, send, trial } from "./Trial.ts"

const plan = {
  key: "team-1",
  description: "Team plan, 10 seats",
  from: "2026-10-01",
  quantity: "10",
  periods: 12,
  unitPrice: "19",
  taxCode: "S21",
}
const contract = {
  key: "SUB-1",
  customer: "CUS-0042",
  legalEntity: "be01",
  contract: "ORD-1",
  name: "Team plan",
  currency: "EUR",
  startDate: "2026-10-01",
  termEnd: "2027-09-30",
  billing: { rhythm: "monthly" },
  plans: [plan],
}
/** Five seats more from January on, with what the rest of the month costs. */
const upgraded = {
  ...contract,
  plans: [
    { ...plan, until: "2027-01-09", periods: 3 },
    { ...plan, key: "team-2", description: "Team plan, 15 seats", from: "2027-01-10", quantity: "15", periods: 9 },
  ],
  prorations: [{ key: "up-1", description: "10 to 31 January", date: "2027-01-10", amount: "61.30", taxCode: "S21" }],
}
const owed = { ...upgraded, plans: [upgraded.plans[0]!, { ...upgraded.plans[1]!, periods: 2 }] }

const basis = publication("customer.upserted", customer, { sequence: 1 })
const started = publication("subscription.started", contract, { sequence: 1 })
const amended = publication("subscription.amended", { ...upgraded, effective: "2027-01-10" }, { sequence: 2 })
const renewed = publication("subscription.renewed", { ...upgraded, termEnd: "2028-09-30" }, { sequence: 3 })
const cancelled = publication("subscription.cancelled", { ...owed, effective: "2027-03-10" }, { sequence: 4 })

const order = (world: ReturnType<typeof trial>) => world.record("sale.order", "subscriptions_SUB-1")
/** Its lines by key: quantity and price. */
const lines = (world: ReturnType<typeof trial>) =>
  Object.fromEntries(
    ["team-1", "team-2", "up-1"].flatMap((key) => {
      const line = world.record("sale.order.line", `subscriptions_SUB-1.line-${key}`)
      return line === undefined
        ? []
        : [[key, [Number(line["product_uom_qty"]), Number(line["price_unit"])].map((n) => n / 1e6)]]
    }),
  )
const AFTER_UPGRADE = { "team-1": [30, 19], "team-2": [135, 19], "up-1": [1, 61.3] }

describe("subscription events", () => {
  it("are ordered by the contract, and the newest version stands; only the start comes once", () => {
    const expected = {
      key: "SUB-1",
      parents: ["customer:CUS-0042", "subscription:SUB-1"],
      references: [{ flow: "customers", key: "CUS-0042" }],
    }
    assert.deepStrictEqual(coordinates("subscription.started", contract), { ...expected, versions: "once" })
    assert.deepStrictEqual(coordinates("subscription.renewed", contract), { ...expected, versions: "gate" })
    assert.deepStrictEqual(outline("subscription.cancelled").slice(-4), [
      "Invoke open sale.order",
      "Load lines sale.order.line upsert",
      "Transition confirm sale.order",
      "Invoke lock sale.order",
    ])
  })

  const refused: ReadonlyArray<readonly [string, object, RegExp]> = [
    ["a plan version and a proration of one key", {
      prorations: [{ ...upgraded.prorations[0], key: "team-1" }],
    }, /the key team-1 twice/u],
    ["a term that ends before it begins", { termEnd: "2026-09-30" }, /must not be before startDate/u],
    [
      "a plan that ends before it begins",
      { plans: [{ ...plan, until: "2026-09-30" }] },
      /team-1 ends before it begins/u,
    ],
  ]
  for (const [what, change, message] of refused) {
    it(`refuse ${what}`, () => {
      assert.throws(() => writeOf("subscription.started", { ...contract, ...change }), message)
    })
  }
})

describe("subscription.started", () => {
  it.effect("is a confirmed order of what is agreed for the term, once", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(started)
      assert.deepStrictEqual(yield* codes, ["SUB-1 waiting REFERENCE-MISSING"])
      yield* send(basis)
      yield* send(started)
      assert.deepStrictEqual([yield* codes, lines(world)], [[], { "team-1": [120, 19] }])
      assert.deepInclude(order(world), { state: "sale", client_order_ref: "ORD-1", origin: "SUB-1" })
      const [told, ...more] = yield* published("subscription.activated")
      assert.deepInclude(told?.data, { subscription: "SUB-1", orderId: order(world)!.id, termEnd: "2027-09-30" })
      assert.deepStrictEqual(more, [])
    }))
  })

  it.effect("of another legal entity, or without its contract's number, is an exception before any call", () => {
    const world = trial()
    const { contract: _, ...unsigned } = contract
    return world.layer(Effect.gen(function* () {
      yield* send(
        basis,
        publication("subscription.started", { ...contract, legalEntity: "uk01" }),
        publication("subscription.started", { ...unsigned, key: "SUB-2" }),
      )
      assert.deepStrictEqual(yield* codes, ["SUB-1 parked LEGAL-ENTITY-MISMATCH", "SUB-2 parked AGREEMENT-INCOMPLETE"])
      assert.deepStrictEqual(world.rows("sale.order"), [])
    }))
  })
})

describe("later versions of a subscription", () => {
  it.effect("end one plan, begin the next, and charge the proration as it was given", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(basis, started)
      yield* send(amended)
      assert.deepStrictEqual([yield* codes, lines(world)], [[], AFTER_UPGRADE])
      const [told] = yield* published("subscription.amended")
      assert.deepInclude(told?.data, { effective: "2027-01-10" })
    }))
  })

  it.effect("stand by their sequence: what is older and comes later changes nothing", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(basis, renewed)
      yield* send(started, amended)
      assert.deepStrictEqual([yield* codes, lines(world)], [[], AFTER_UPGRADE])
      assert.deepInclude((yield* tallies()).get("subscriptions"), { applied: 1, superseded: 2 })
      // The first version that comes makes the records, whichever it is.
      assert.strictEqual((yield* published("subscription.activated")).length, 1)
      assert.strictEqual((yield* published("subscription.renewed")).length, 1)
    }))
  })

  it.effect("lock the order when it is cancelled, with no more than is owed, and open it when it goes on", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(basis, started, amended)
      yield* send(cancelled)
      assert.deepStrictEqual([order(world)!["locked"], lines(world)["team-2"]], [true, [30, 19]])
      yield* send(publication("subscription.renewed", upgraded, { sequence: 5 }))
      assert.deepStrictEqual([yield* codes, order(world)!["locked"], lines(world)], [[], false, AFTER_UPGRADE])
    }))
  })
})

describe("a recurring invoice of a subscription", () => {
  it.effect("names the plan's line, so that what is left to bill is what is left of the term", () => {
    const world = trial()
    const request = publication("invoice.requested", {
      key: "INV-1",
      customer: "CUS-0042",
      subscription: "SUB-1",
      invoiceDate: "2026-10-31",
      currency: "EUR",
      lines: [{
        key: "1",
        description: "October",
        quantity: "10",
        unitPrice: "19",
        taxCode: "S21",
        subscriptionLine: "team-1",
      }],
      totals: { untaxed: "190.00", tax: "39.90", total: "229.90" },
    })
    return world.layer(Effect.gen(function* () {
      yield* send(request)
      yield* send(basis, started)
      yield* send(request)
      assert.deepStrictEqual(yield* codes, [])
      assert.deepStrictEqual(world.quantities("subscriptions_SUB-1.line-team-1"), [0, 110])
    }))
  })
})
