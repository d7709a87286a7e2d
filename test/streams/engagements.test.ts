import { assert, describe, it } from "@effect/vitest"
import type { Row } from "../../src/flow/Step.ts"
import { engagement } from "./samples.ts"
import { coordinates, outline, refusalOf, rowsOf, specOf, writeOf } from "./writes.ts"

const type = "engagement.activated"
const closing = (externalId: string) => ({ model: "fact", id: 0, externalId, version: 1, links: {} })

describe("engagement.activated", () => {
  it("waits for its customer, locks customer and engagement, and is written once", () => {
    assert.deepStrictEqual(coordinates(type, engagement), {
      key: "ENG-7",
      parents: ["customer:CUS-0042", "engagement:ENG-7"],
      references: [{ flow: "customers", key: "CUS-0042" }],
      versions: "once",
    })
  })

  it("asks before it writes, and confirms the order before anything names its lines", () => {
    assert.deepStrictEqual(outline(type), [
      "Check complete",
      "Query priceLists product.pricelist",
      "Check priced",
      "Load analytic account.analytic.account create",
      "Load project project.project create",
      "Load order sale.order create",
      "Load projectTerms project.project upsert",
      "Load orderTerms sale.order upsert",
      "Load lines sale.order.line upsert",
      "Transition confirm sale.order",
      "Load milestones project.milestone upsert",
      "Load tasks project.task upsert",
    ])
  })

  it("gives every line an external id, a key of its own, and never a quantity without a price", () => {
    assert.deepStrictEqual((rowsOf(type, "lines", writeOf(type, engagement)) as ReadonlyArray<Row>)[0], {
      externalId: "weir_be01.engagements_ENG-7.line-senior",
      as: { flow: "engagements", key: "ENG-7.line-senior" },
      values: {
        "order_id/id": "weir_be01.engagements_ENG-7",
        "product_id/id": "weir.product_time",
        name: "Senior consultant",
        product_uom_qty: "160",
        price_unit: "125.5",
        "tax_ids/.id": "9",
      },
    })
  })

  it("writes milestones and tasks on the lines they release and deliver, and clears what is on none", () => {
    const write = writeOf(type, engagement)
    assert.deepStrictEqual(rowsOf(type, "milestones", write), [{
      externalId: "weir_be01.engagements_ENG-7.milestone-go-live",
      as: { flow: "engagements", key: "ENG-7.milestone-go-live" },
      values: {
        name: "Go live",
        "project_id/id": "weir_be01.engagements_ENG-7.project",
        "sale_line_id/id": "weir_be01.engagements_ENG-7.line-setup",
        quantity_percentage: "0.4",
        deadline: "2026-11-30",
      },
    }])
    const tasks = rowsOf(type, "tasks", write) as ReadonlyArray<Row>
    assert.deepStrictEqual(tasks.map(({ values }) => values["sale_line_id/id"]), [
      "weir_be01.engagements_ENG-7.line-senior",
      "",
    ])
  })

  it("brings project and order to its version only when they stood before", () => {
    const previous = { model: "sale.order", id: 5, externalId: "weir_be01.engagements_ENG-7", version: 1, links: {} }
    assert.deepStrictEqual(rowsOf(type, "projectTerms", writeOf(type, engagement)), [])
    assert.deepStrictEqual(rowsOf(type, "projectTerms", writeOf(type, engagement, { previous })), {
      externalId: "weir_be01.engagements_ENG-7.project",
      values: {
        name: "Fleet planning",
        date_start: "2026-10-01",
        date: "2026-12-31",
        description: "invoiced monthly",
      },
    })
  })

  it("is refused with its reason when the agreement is not complete", () => {
    const { billing: _billing, ...unbilled } = engagement
    const { contract: _contract, ...unsigned } = engagement
    const cases: ReadonlyArray<readonly [wire: unknown, code: string, detail: RegExp]> = [
      [{ ...engagement, legalEntity: "us01" }, "LEGAL-ENTITY-MISMATCH", /ENG-7 is a contract of us01/u],
      [
        { ...engagement, lines: [{ ...engagement.lines[0], taxCode: "S99" }], milestones: [], tasks: [] },
        "MAPPING-MISSING",
        /S99/u,
      ],
      [unsigned, "AGREEMENT-INCOMPLETE", /has no contract number/u],
      [unbilled, "BILLING-SCHEDULE-MISSING", /line senior \(time-and-materials\) needs a rhythm/u],
      [{ ...engagement, milestones: [] }, "BILLING-SCHEDULE-MISSING", /line setup \(milestones\) needs a milestone/u],
    ]
    for (const [wire, code, detail] of cases) {
      const refusal = refusalOf(type, "complete", writeOf(type, wire))
      assert.strictEqual(refusal?.code, code)
      assert.match(refusal?.detail ?? "", detail)
    }
    assert.isUndefined(refusalOf(type, "complete", writeOf(type, engagement)))
  })

  it("needs a price list in another currency than the company's, and exactly one", () => {
    const wire = { ...engagement, currency: "USD" }
    const lists = (...names: ReadonlyArray<string>) => ({
      priceLists: { records: names.map((name, at) => ({ id: at + 4, name })) },
    })
    const ask = (...names: ReadonlyArray<string>) =>
      refusalOf(type, "priced", writeOf(type, wire, { read: lists(...names) }))
    assert.strictEqual(ask()?.detail, "ENG-7 is in USD: Odoo has no price list in USD for be01")
    assert.match(ask("A", "B")?.detail ?? "", /more than one price list in USD for be01: "A", "B"/u)
    assert.isUndefined(ask("A"))
    const row = rowsOf(type, "order", writeOf(type, wire, { read: lists("A") })) as Row
    assert.strictEqual(row.values["pricelist_id/.id"], "4")
  })
})

describe("engagement.amended", () => {
  it("has the plan of the activation, gated by version, and is refused while the engagement is closed", () => {
    const amended = "engagement.amended"
    assert.strictEqual(specOf(amended).plan, specOf(type).plan)
    assert.strictEqual(specOf(amended).versions, "gate")
    const ask = (fact: string) =>
      refusalOf(amended, "complete", writeOf(amended, engagement, { consulted: [closing(fact)] }))
    assert.deepStrictEqual(ask("closed on 2026-11-30"), {
      code: "ENGAGEMENT-CLOSED",
      detail: "ENG-7 was closed on 2026-11-30",
    })
    assert.isUndefined(ask("reopened"))
  })
})
