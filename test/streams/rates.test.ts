import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { publication, tallies } from "../simulation/World.ts"
import { invoice, timesheet } from "./samples.ts"
import { coordinates, outline, writeOf } from "./specs.ts"
import { basis, codes, published, send, trial } from "./Trial.ts"

const type = "rate.assigned"
const rate = {
  key: "senior-2027",
  engagement: "ENG-7",
  role: "Senior consultant, 2027",
  consultants: ["c01@be01.example.test"],
  unitPrice: "145",
  standardPrice: "145",
  taxCode: "S21",
  from: "2027-01-01",
}
const special = { ...rate, unitPrice: "150", requestedBy: "sam@example.test" }
const LINE = "engagements_ENG-7.line-senior-2027"

const assigned = (changes: Partial<typeof special> = {}, sequence = 1) =>
  publication(type, { ...rate, ...changes }, { sequence })
const decided = (decision: "granted" | "rejected", by: string) =>
  publication(`approval.${decision}`, { flow: "rates", key: rate.key, by }, { sequence: 1 })
/** Price of the rate's order line; undefined while there is none. */
const price = (world: ReturnType<typeof trial>) => {
  const line = world.record("sale.order.line", LINE)
  return line === undefined ? undefined : Number(line["price_unit"]) / 1e6
}
const worked = (line: string, key = "T-1") =>
  publication("timesheet.approved", { ...timesheet, key, line }, { sequence: 1 })
const invoicedAt = (unitPrice: string) => {
  const line = { ...invoice.lines[0]!, engagementLine: rate.key, unitPrice, quantity: "1", timesheets: ["T-1"] }
  const tax = String(Number(unitPrice) * 0.21)
  return publication("invoice.requested", {
    ...invoice,
    lines: [line],
    totals: { untaxed: unitPrice, tax, total: String(Number(unitPrice) * 1.21) },
  })
}

describe("rate.assigned", () => {
  it("is ordered by its key, and waits for a decision only when it is not the rate card's", () => {
    assert.deepStrictEqual(coordinates(type, rate), {
      key: "senior-2027",
      parents: ["engagement:ENG-7"],
      references: [{ flow: "engagements", key: "ENG-7" }],
      versions: "gate",
    })
    assert.deepStrictEqual(coordinates(type, special).references.slice(1), [
      { flow: "approvals", key: "rates-senior-2027" },
    ])
    assert.deepStrictEqual(outline(type), [
      "Check allowed",
      "Query consultants hr.employee",
      "Check known",
      "Read standing sale.order.line",
      "Check unbilled",
      "Load line sale.order.line upsert",
    ])
  })

  it.effect("is an order line of its own, whose time is billed at its price and no other's", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(worked(rate.key), ...basis, assigned())
      const line = world.record("sale.order.line", LINE)!
      assert.deepStrictEqual([yield* codes, price(world), Number(line["product_uom_qty"])], [[], 145, 0])
      assert.deepStrictEqual(
        [world.quantities(LINE), world.quantities("engagements_ENG-7.line-senior")],
        [[7.25, 7.25], [0, 0]],
      )
      assert.deepStrictEqual((yield* published("rate.effective")).map(({ data }) => data), [{
        rate: "senior-2027",
        engagement: "ENG-7",
        lineId: line.id,
        consultants: ["c01@be01.example.test"],
        unitPrice: "145",
        from: "2027-01-01",
        until: null,
        decision: null,
      }])
    }))
  })

  it.effect("that is not the rate card's waits for somebody else's yes", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, assigned(special))
      assert.deepStrictEqual([yield* codes, price(world)], [["senior-2027 waiting REFERENCE-MISSING"], undefined])
      yield* send(decided("granted", "fin@example.test"))
      assert.deepStrictEqual([yield* codes, price(world)], [[], 150])
      const [told] = yield* published("rate.effective")
      assert.strictEqual(told?.data["decision"], "granted by fin@example.test")
    }))
  })

  for (
    const [what, decision, by, code] of [
      ["was rejected", "rejected", "fin@example.test", "APPROVAL-REJECTED"],
      ["its requester approved alone", "granted", "Sam@example.test", "APPROVAL-SAME-PERSON"],
    ] as const
  ) {
    it.effect(`that ${what} is an exception and makes no line`, () => {
      const world = trial()
      return world.layer(Effect.gen(function* () {
        yield* send(...basis, decided(decision, by), assigned(special))
        assert.deepStrictEqual([yield* codes, price(world)], [[`senior-2027 parked ${code}`], undefined])
      }))
    })
  }

  it.effect("has the price of its newest version, in whatever order they come", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, assigned({ unitPrice: "147", standardPrice: "147" }, 2))
      yield* send(assigned())
      assert.deepStrictEqual([yield* codes, price(world)], [[], 147])
      assert.deepInclude((yield* tallies()).get("rates"), { applied: 1, superseded: 1 })
    }))
  })

  it.effect("keeps its price once hours are invoiced at it", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, assigned(), publication("timesheet.approved", { ...timesheet, line: rate.key, hours: "1" }))
      yield* send(invoicedAt("145"))
      yield* send(assigned({ unitPrice: "147", standardPrice: "147" }, 2))
      assert.deepStrictEqual([yield* codes, price(world)], [["senior-2027 parked RATE-CONFLICT"], 145])
    }))
  })

  it.effect("may not take the place of a line of the agreement", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, assigned({ key: "senior" }))
      assert.deepStrictEqual(yield* codes, ["senior parked RATE-CONFLICT"])
      assert.strictEqual(
        Number(world.record("sale.order.line", "engagements_ENG-7.line-senior")!["price_unit"]),
        125.5e6,
      )
    }))
  })

  it.effect("of somebody whom the company does not employ, or of a closed engagement, is an exception", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, assigned({ consultants: ["c01@be01.example.test", "c99@be01.example.test"] }))
      yield* send(publication("engagement.closed", { key: "ENG-7", date: "2026-12-31" }, { sequence: 1 }))
      yield* send(assigned({ key: "late" }))
      assert.deepStrictEqual(yield* codes, [
        "senior-2027 parked MASTER-DATA-MISSING",
        "late parked ENGAGEMENT-CLOSED",
      ])
      assert.isUndefined(world.record("sale.order.line", LINE))
    }))
  })

  const refused: ReadonlyArray<readonly [string, object, RegExp]> = [
    ["a price off the rate card that nobody asked for", { unitPrice: "150" }, /must be there when unitPrice/u],
    ["a consultant twice", { consultants: [...rate.consultants, ...rate.consultants] }, /has c01.* twice/u],
    ["an end before its beginning", { until: "2026-12-31" }, /must not be before from/u],
  ]
  for (const [what, change, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(() => writeOf(type, { ...rate, ...change }), message)
    })
  }
})
