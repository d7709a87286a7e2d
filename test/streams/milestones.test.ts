import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { publication, tallies } from "../simulation/World.ts"
import { engagement } from "./samples.ts"
import { coordinates, outline, specOf, stepOf, writeOf } from "./specs.ts"
import { basis, codes, published, send, trial } from "./Trial.ts"

const about = { engagement: "ENG-7", milestone: "go-live" }
const completed = (sequence: number, milestone = about.milestone) =>
  publication(
    "milestone.completed",
    { ...about, milestone, key: milestone, date: "2026-11-28", acceptedBy: "Ms Peeters" },
    { sequence },
  )
const reopened = (sequence: number) =>
  publication("milestone.reopened", { ...about, key: "go-live", reason: "defects" }, { sequence })

const SETUP = "engagements_ENG-7.line-setup"
const reached = (world: ReturnType<typeof trial>) =>
  world.record("project.milestone", "engagements_ENG-7.milestone-go-live")?.["is_reached"]

describe("milestone.completed", () => {
  const type = "milestone.completed"

  it("is ordered by its milestone, and waits for it, whoever brings it", () => {
    assert.deepStrictEqual(coordinates(type, { ...about, date: "2026-11-28" }), {
      key: "ENG-7.go-live",
      parents: ["engagement:ENG-7"],
      references: [
        { flow: "engagements", key: "ENG-7" },
        { flow: "engagements", key: "ENG-7.milestone-go-live" },
      ],
      versions: "gate",
    })
    assert.deepStrictEqual(outline(type), ["Update milestone project.milestone", "Read line sale.order.line"])
    const step = stepOf(type, "milestone")
    assert.strictEqual(step._tag === "Update" && step.posts === true, false)
    assert.strictEqual(
      specOf(type).fact?.(writeOf(type, { ...about, date: "2026-11-28" }).data),
      "completed on 2026-11-28",
    )
  })

  it.effect("releases its part of the order line, says so, and does it once", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis)
      assert.deepStrictEqual([reached(world), world.quantities(SETUP)], [false, [0, 0]])
      yield* send(completed(1))
      yield* send(completed(1))
      assert.deepStrictEqual([yield* codes, reached(world), world.quantities(SETUP)], [[], true, [0.4, 0.4]])
      assert.deepStrictEqual((yield* published("milestone.billable")).map(({ data }) => data), [{
        ...about,
        lineId: world.record("sale.order.line", SETUP)!.id,
        delivered: "0.40",
        toInvoice: "0.40",
        date: "2026-11-28",
        acceptedBy: "Ms Peeters",
      }])
    }))
  })

  it.effect("waits for its engagement, and for the amendment that brings it", () => {
    const world = trial()
    const { legalEntity: _, ...agreement } = engagement
    const end = { key: "end", name: "End", line: "setup", fraction: "0.6" }
    return world.layer(Effect.gen(function* () {
      yield* send(completed(1), completed(1, "end"))
      yield* send(...basis)
      assert.deepStrictEqual([yield* codes, world.quantities(SETUP)], [["ENG-7.end waiting REFERENCE-MISSING"], [
        0.4,
        0.4,
      ]])
      yield* send(publication(
        "engagement.amended",
        { ...agreement, milestones: [...agreement.milestones, end] },
        { sequence: 2 },
      ))
      assert.deepStrictEqual([yield* codes, world.quantities(SETUP)], [[], [1, 1]])
    }))
  })
})

describe("milestone.reopened", () => {
  it.effect("takes its part back before it is invoiced", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, completed(1))
      yield* send(reopened(2))
      assert.deepStrictEqual([reached(world), world.quantities(SETUP)], [false, [0, 0]])
      const [told] = yield* published("milestone.withdrawn")
      assert.deepInclude(told?.data, { ...about, delivered: "0.00", toInvoice: "0.00", reason: "defects" })
    }))
  })

  it.effect("after it is invoiced asks for a credit note: less than nothing is to be invoiced", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, completed(1))
      yield* send(publication("invoice.requested", {
        key: "INV-1",
        customer: "CUS-0042",
        engagement: "ENG-7",
        invoiceDate: "2026-11-30",
        currency: "EUR",
        lines: [{
          key: "1",
          description: "Go live",
          quantity: "0.4",
          unitPrice: "5000",
          taxCode: "S6",
          engagementLine: "setup",
        }],
        totals: { untaxed: "2000.00", tax: "120.00", total: "2120.00" },
      }))
      assert.deepStrictEqual([yield* codes, world.quantities(SETUP)], [[], [0.4, 0]])
      yield* send(reopened(2))
      assert.deepStrictEqual(world.quantities(SETUP), [0, -0.4])
      const [told] = yield* published("milestone.withdrawn")
      assert.deepInclude(told?.data, { delivered: "0.00", toInvoice: "-0.40" })
    }))
  })

  it.effect("that was overtaken by a completion changes nothing", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, completed(3))
      yield* send(reopened(2), completed(1))
      assert.deepStrictEqual([reached(world), world.quantities(SETUP)], [true, [0.4, 0.4]])
      assert.deepInclude((yield* tallies()).get("milestones"), { applied: 1, superseded: 2 })
      assert.deepStrictEqual(yield* published("milestone.withdrawn"), [])
    }))
  })
})
