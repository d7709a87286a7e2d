import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { toMessage } from "../../src/broker/cloudevents.ts"
import { pass, publication, publish, tallies } from "../simulation/World.ts"
import { usageFlow, type UsagePolicy } from "../../streams/usage.ts"
import { customers } from "../../streams/customers.ts"
import { engagements } from "../../streams/engagements.ts"
import { codes, published, send, trial } from "./Trial.ts"
import { customer, engagement } from "./samples.ts"

/** The clock of these tests begins in 1970: the months before are over. */
const policy: UsagePolicy = { grace: "0 seconds", quiet: "60 seconds", late: "next-window" }

const metered = {
  ...engagement,
  lines: [
    ...engagement.lines,
    { key: "tokens", description: "Tokens", quantity: "0", unitPrice: "0.25", taxCode: "S21", kind: "usage" },
  ],
}

const basis = [
  publication("customer.upserted", customer, { sequence: 1 }),
  publication("engagement.activated", metered),
]

const world = (given: Partial<UsagePolicy> = {}) =>
  trial({ flows: [customers, engagements, usageFlow({ ...policy, ...given })] })

const used = (key: string, quantity: string, changes: Record<string, unknown> = {}) =>
  publication("usage.recorded.v2", {
    key,
    engagement: "ENG-7",
    line: "tokens",
    at: "1969-11-05T14:03:00Z",
    quantity,
    ...changes,
  }, { id: key })

const trueUp = (quantity: string, sequence: number) =>
  toMessage({
    specversion: "1.0",
    id: `true-up-${sequence}`,
    source: "test",
    type: "usage.trued-up",
    sequence,
    data: { engagement: "ENG-7", line: "tokens", period: "1969-11", quantity },
  }, "erp.be01.usage.trued-up")

const PERIOD = "usage_ENG-7.tokens.1969-11"

describe("usage", () => {
  it.effect("of a month adds up to one order line at the agreed price, delivered as a whole", () => {
    const here = world()
    return here.layer(Effect.gen(function* () {
      yield* send(...basis, used("U-1", "100.1"), used("U-2", "20.02"), used("U-3", "-0.12"))
      assert.isUndefined(here.record("sale.order.line", PERIOD), "not while records may be on their way")
      yield* pass(90)
      assert.deepStrictEqual(yield* codes, [])
      const line = here.record("sale.order.line", PERIOD)!
      assert.deepInclude(line, {
        name: "Tokens 1969-11",
        order_id: here.record("sale.order", "engagements_ENG-7")!.id,
        price_unit: 250_000n,
        product_uom_qty: 0n,
      })
      assert.deepStrictEqual(here.quantities(PERIOD), [120, 120])
      assert.deepStrictEqual((yield* published("engagement.billing-ready")).map(({ data }) => data), [{
        engagement: "ENG-7",
        source: { flow: "usage", key: "ENG-7.tokens.1969-11" },
        lineId: line.id,
        toInvoice: "120.00",
        unitPrice: "0.25",
      }])
    }))
  })

  it.effect("counts a record once, however often it is published", () => {
    const here = world()
    return here.layer(Effect.gen(function* () {
      yield* send(...basis, used("U-1", "100"))
      yield* pass(20)
      yield* send(used("U-1", "100"))
      yield* publish({ ...used("U-1", "100"), messageId: "sent again" })
      yield* pass(90)
      assert.deepStrictEqual(here.quantities(PERIOD), [100, 100])
      assert.deepInclude((yield* tallies()).get("usage"), { applied: 2, duplicate: 1 })
    }))
  })

  it.effect("of a closed month counts in the month in which it comes", () => {
    const here = world()
    return here.layer(Effect.gen(function* () {
      yield* send(...basis, used("U-1", "100"))
      yield* pass(90)
      yield* send(used("U-2", "7"))
      yield* pass(90)
      assert.deepStrictEqual(yield* codes, [])
      assert.deepStrictEqual(here.quantities(PERIOD), [100, 100], "what was told stays as it was told")
      assert.isUndefined(here.record("sale.order.line", "usage_ENG-7.tokens.1970-01"), "this month is not over")
    }))
  })

  it.effect("of a closed month is an exception where the policy says so", () => {
    const here = world({ late: "exception" })
    return here.layer(Effect.gen(function* () {
      yield* send(...basis, used("U-1", "100"))
      yield* pass(90)
      yield* send(used("U-2", "7"), used("U-3", "1", { at: "1969-12-31T23:59:59Z" }))
      yield* pass(90)
      assert.deepStrictEqual(yield* codes, ["U-2 parked USAGE-LATE"])
      assert.deepStrictEqual(here.quantities(PERIOD), [100, 100])
      assert.deepStrictEqual(here.quantities("usage_ENG-7.tokens.1969-12"), [1, 1])
    }))
  })

  it.effect("that is trued up gets a line of the difference, and the last word counts", () => {
    const here = world()
    return here.layer(Effect.gen(function* () {
      yield* send(...basis, trueUp("104.5", 1), used("U-1", "100"))
      assert.deepStrictEqual(yield* codes, ["ENG-7.tokens.1969-11.true-up waiting REFERENCE-MISSING"])
      yield* pass(90)
      assert.deepStrictEqual(here.quantities(`${PERIOD}.true-up`), [4.5, 4.5])
      yield* send(trueUp("98", 3), trueUp("500", 2))
      assert.deepStrictEqual(here.quantities(`${PERIOD}.true-up`), [-2, -2])
      assert.deepStrictEqual([yield* codes, here.quantities(PERIOD)], [[], [100, 100]])
    }))
  })

  it.effect("in version 1, which knew days only, counts beside version 2", () => {
    const here = world()
    return here.layer(Effect.gen(function* () {
      const old = { key: "U-1", engagement: "ENG-7", line: "tokens", date: "1969-11-30", quantity: "3" }
      yield* send(...basis, publication("usage.recorded", old), used("U-2", "4"))
      yield* pass(90)
      assert.deepStrictEqual([yield* codes, here.quantities(PERIOD)], [[], [7, 7]])
    }))
  })

  it.effect("waits for its engagement, and is refused on a line that is billed by something else", () => {
    const here = world()
    return here.layer(Effect.gen(function* () {
      yield* send(used("U-1", "5"), used("U-2", "5", { line: "senior" }))
      assert.deepStrictEqual(yield* codes, ["U-1 waiting REFERENCE-MISSING", "U-2 waiting REFERENCE-MISSING"])
      yield* send(...basis)
      yield* pass(90)
      assert.deepStrictEqual(yield* codes, ["ENG-7.senior.1969-11 parked NOT-BILLABLE"])
      assert.deepStrictEqual(here.quantities(PERIOD), [5, 5])
    }))
  })

  it.effect("of a day after the engagement was closed is refused", () => {
    const here = world()
    return here.layer(Effect.gen(function* () {
      const closed = publication("engagement.closed", { key: "ENG-7", date: "1969-11-10" }, { sequence: 1 })
      yield* send(...basis)
      yield* send(closed)
      yield* send(used("U-1", "5"), used("U-2", "6", { at: "1969-11-11T00:00:00Z" }))
      yield* pass(90)
      assert.deepStrictEqual(yield* codes, ["U-2 parked ENGAGEMENT-CLOSED"])
      assert.deepStrictEqual(here.quantities(PERIOD), [5, 5])
    }))
  })
})
