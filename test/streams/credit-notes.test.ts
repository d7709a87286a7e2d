import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Row } from "../../src/flow/Step.ts"
import { publication } from "../simulation/World.ts"
import { invoice, timesheet } from "./samples.ts"
import { basis, codes, published, send, trial } from "./Trial.ts"
import { coordinates, mapping, refusalOf, rowsOf, specOf, stepOf, writeOf } from "./specs.ts"

const type = "credit-note.requested"

const whole = {
  key: "CN-1",
  invoice: "INV-1",
  customer: "CUS-0042",
  date: "2026-11-10",
  currency: "EUR",
  totals: { untaxed: "912.11", tax: "191.54", total: "1103.65" },
  requestedBy: "sam@example.test",
  reason: "agreed with the customer",
}
const part = {
  ...whole,
  engagement: "ENG-7",
  lines: [{
    key: "1",
    description: "Entered twice",
    quantity: "2",
    unitPrice: "125.50",
    taxCode: "S21",
    engagementLine: "senior",
    timesheets: ["T-2"],
  }],
  totals: { untaxed: "251.00", tax: "52.71", total: "303.71" },
}

const approval = (text: string) => ({ ...mapping("fact", 0), externalId: text })
const references = (decision = "granted by ann@example.test") => [
  mapping("res.partner", 1),
  mapping("account.move", 20),
  approval(decision),
  mapping("sale.order", 30),
  mapping("account.analytic.line", 42),
]

describe("credit-note.requested", () => {
  it("waits for what it cites, for its approval, and for the time that becomes billable again", () => {
    assert.deepStrictEqual(coordinates(type, part), {
      key: "CN-1",
      parents: ["customer:CUS-0042", "invoice:INV-1", "engagement:ENG-7"],
      references: [
        { flow: "customers", key: "CUS-0042" },
        { flow: "invoices", key: "INV-1" },
        { flow: "approvals", key: "credit-notes-CN-1" },
        { flow: "engagements", key: "ENG-7" },
        { flow: "timesheets", key: "T-2" },
      ],
      versions: "once",
    })
  })

  it("needs another person than its requester, who says yes", () => {
    const ask = (decision: string) =>
      refusalOf(type, "approval", writeOf(type, part, { references: references(decision) }))?.code
    assert.isUndefined(ask("granted by ann@example.test"))
    assert.strictEqual(ask("rejected by ann@example.test"), "APPROVAL-REJECTED")
    assert.strictEqual(ask("granted by Sam@Example.test"), "APPROVAL-SAME-PERSON")
  })

  it("credits no more than the invoice, with the credit notes that stand, and its own never twice", () => {
    const note = (id: number, external_id: string, amount_total: number) => ({ id, external_id, amount_total })
    const ask = (
      others: ReadonlyArray<object>,
      invoice: object | undefined = { id: 20, state: "posted", amount_total: 1103.65 },
    ) =>
      refusalOf(
        type,
        "room",
        writeOf(type, part, {
          references: references(),
          read: { invoice: { records: invoice === undefined ? [] : [invoice] }, others: { records: others } },
        }),
      )
    assert.isUndefined(ask([note(50, "weir_be01.credit-notes_CN-0", 799.94)]))
    assert.deepStrictEqual(ask([note(50, "weir_be01.credit-notes_CN-0", 799.95)]), {
      code: "CREDIT-EXCEEDS-INVOICE",
      detail: "INV-1 comes to 1103.65, its credit notes to 799.95 and this one to 303.71",
    })
    assert.isUndefined(ask([note(51, "weir_be01.credit-notes_CN-1", 1103.65)]))
    assert.strictEqual(ask([], { id: 20, state: "cancel", amount_total: 1 })?.code, "ODOO-UNEXPECTED-STATE")
  })

  it("writes the lines it gives on the order lines they came from", () => {
    const row = rowsOf(type, "note", writeOf(type, part, { references: references() })) as Row
    assert.deepStrictEqual(row, {
      externalId: "weir_be01.credit-notes_CN-1",
      values: {
        move_type: "out_refund",
        "partner_id/id": "weir_be01.customers_CUS-0042",
        "journal_id/.id": "13",
        "currency_id/id": "base.EUR",
        invoice_date: "2026-11-10",
        ref: "CN-1",
        narration: "agreed with the customer",
        "reversed_entry_id/id": "weir_be01.invoices_INV-1",
      },
      lines: {
        field: "invoice_line_ids",
        rows: [{
          externalId: "weir_be01.credit-notes_CN-1.line-1",
          values: {
            name: "Entered twice",
            quantity: "2",
            price_unit: "125.5",
            "tax_ids/.id": "9",
            "sale_line_ids/id": "weir_be01.engagements_ENG-7.line-senior",
          },
        }],
      },
    })
  })

  it("repeats the invoice's own lines when it gives none, on their order lines unless they stay billed", () => {
    const line = {
      id: 7,
      name: "Senior",
      quantity: 7.25,
      price_unit: 125.5,
      discount: 10,
      tax_ids: [9],
      account_id: [400, "Sales"],
      sale_line_ids: [70],
    }
    const linesOf = (wire: object) => {
      const write = writeOf(type, wire, { references: references(), read: { invoiceLines: { records: [line] } } })
      return (rowsOf(type, "note", write) as Row).lines?.rows.map(({ values }) => values)
    }
    const values = {
      name: "Senior",
      quantity: "7.25",
      price_unit: "125.5",
      discount: "10",
      "account_id/.id": "400",
      "tax_ids/.id": "9",
    }
    assert.deepStrictEqual(linesOf(whole), [{ ...values, "sale_line_ids/.id": "70" }])
    assert.deepStrictEqual(linesOf({ ...whole, rebill: false }), [{ ...values, "sale_line_ids/.id": "" }])
  })

  it("sets time that stays billed aside while it is posted, and puts it back on the invoice", () => {
    const read = (state: string) => ({
      timesheets: { records: [{ id: 41 }, { id: 42 }, { id: 43 }] },
      state: { records: [{ id: 60, state }] },
    })
    const written = (name: string, state: string, wire: object = part) => {
      const step = stepOf(type, name)
      if (step._tag !== "Update") throw new Error(`${name} is no update`)
      const write = writeOf(type, wire, { references: references(), ids: { note: 60 }, read: read(state) })
      return { records: step.records(write), values: step.values(write) }
    }
    assert.deepStrictEqual(written("aside", "draft"), { records: [41, 43], values: { timesheet_invoice_id: 60 } })
    assert.deepStrictEqual(written("aside", "posted").records, [])
    assert.deepStrictEqual(written("back", "posted"), { records: [41, 43], values: { timesheet_invoice_id: 20 } })
    assert.deepStrictEqual(written("back", "posted", whole).records, [])
  })

  it("is told once it is posted", () => {
    const read = { post: { name: "RINV/2026/00001", date: "2026-11-10" } }
    assert.deepInclude(specOf(type).outcomes?.(writeOf(type, part, { read }))[0], { type: "credit-note.posted" })
    assert.deepStrictEqual(specOf(type).outcomes?.(writeOf(type, part)), [])
  })

  const refused: ReadonlyArray<readonly [string, object, RegExp]> = [
    ["totals that do not add up", { totals: { ...part.totals, tax: "52.70" } }, /must be untaxed plus tax/u],
    ["a fraction of a cent", { totals: { untaxed: "1.001", tax: "0", total: "1.001" } }, /more decimals than EUR/u],
    ["a line twice", { lines: [part.lines[0], part.lines[0]] }, /has the key 1 twice/u],
    ["saying of single lines whether all is billed again", { rebill: false }, /is for whole invoices/u],
    [
      "time that is on no order line",
      { lines: [{ ...part.lines[0], engagementLine: undefined }] },
      /engagementLine|Expected/u,
    ],
  ]
  for (const [what, change, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(() => writeOf(type, { ...part, ...change }), message)
    })
  }
})

describe("a credit note on its way into Odoo", () => {
  const approved = (key: string, by = "ann@example.test") =>
    publication("approval.granted", { flow: "credit-notes", key, by }, { sequence: 1 })
  const billed = [
    ...basis,
    publication("timesheet.approved", timesheet, { sequence: 1 }),
    publication("invoice.requested", {
      ...invoice,
      lines: [{ ...invoice.lines[0], timesheets: ["T-1"] }, invoice.lines[1]],
    }),
  ]
  const SENIOR = "engagements_ENG-7.line-senior"
  const standing = (world: ReturnType<typeof trial>) => {
    const [move] = world.ask("account.move", "search_read", {
      domain: [["ref", "=", "INV-1"]],
      fields: ["amount_residual", "payment_state"],
    }) as ReadonlyArray<{ amount_residual: number; payment_state: string }>
    return [move?.amount_residual, move?.payment_state]
  }

  it.effect("of the whole invoice closes it once, and the hours are to be billed again", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...billed, publication(type, whole))
      assert.deepStrictEqual([yield* codes, standing(world), world.quantities(SENIOR)], [
        ["CN-1 waiting REFERENCE-MISSING"],
        [1103.65, "not_paid"],
        [7.25, 0],
      ])
      yield* send(approved("CN-1"))
      yield* send(publication(type, whole))
      assert.deepStrictEqual([yield* codes, standing(world), world.quantities(SENIOR)], [
        [],
        [0, "reversed"],
        [7.25, 7.25],
      ])
      assert.strictEqual((yield* published("credit-note.posted")).length, 1)
    }))
  })

  it.effect("of a part leaves the rest open, and a second one may not exceed it", () => {
    const world = trial()
    const { timesheets: _, ...line } = part.lines[0]!
    const half = { ...part, lines: [line] }
    const rest = { ...whole, key: "CN-2" }
    return world.layer(Effect.gen(function* () {
      yield* send(...billed, publication(type, half), approved("CN-1"))
      yield* send(publication(type, rest), approved("CN-2"))
      assert.deepStrictEqual([yield* codes, standing(world)], [
        ["CN-2 parked CREDIT-EXCEEDS-INVOICE"],
        [799.94, "partial"],
      ])
      assert.isUndefined(world.record("account.move", "credit-notes_CN-2"))
    }))
  })
})
