import { assert, describe, it } from "@effect/vitest"
import { BigDecimal, Effect, Layer, Schema } from "effect"
import { InvoiceReadyRequested, InvoiceRequested } from "../../schemas/invoice.ts"
import { Dependencies, makeMemory } from "../../src/actor/modes/Dependencies.ts"
import type { Row } from "../../src/flow/Step.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import type { Json } from "../../src/odoo/Odoo.ts"
import { readyOf } from "../../streams/ready.ts"
import { pass, ports, publication, publish, running, tallies } from "../simulation/World.ts"
import { company, customer, invoice } from "./samples.ts"
import { coordinates, outline, rowsOf, specOf, stepOf, writeOf } from "./specs.ts"

describe("invoice.requested", () => {
  const type = "invoice.requested"

  it("waits for customer and engagement and locks both, and itself", () => {
    assert.deepStrictEqual(coordinates(type, invoice), {
      key: "INV-1",
      parents: ["customer:CUS-0042", "invoice:INV-1", "engagement:ENG-7"],
      references: [{ flow: "customers", key: "CUS-0042" }, { flow: "engagements", key: "ENG-7" }],
      versions: "once",
    })
  })

  it("compares before it posts, and posts one call at a time per journal", () => {
    assert.deepStrictEqual(outline(type), [
      "Enrich prices",
      "Enrich tax",
      "Query exchangeRates res.currency.rate",
      "Check exchangeRate",
      "Load invoice account.move create",
      "Compare totals account.move",
      "Check release",
      "Transition post account.move",
    ])
    const post = stepOf(type, "post")
    assert.deepInclude(post, { method: "action_post", from: ["draft"], to: ["posted"], posts: true })
    assert.strictEqual(
      post._tag === "Transition" ? post.lock?.(writeOf(type, invoice)) : undefined,
      "journal:main:13",
    )
  })

  it("writes the draft with its business key for people and banks, and what each line bills", () => {
    assert.deepStrictEqual(rowsOf(type, "invoice", writeOf(type, invoice)), {
      externalId: "weir_be01.invoices_INV-1",
      values: {
        move_type: "out_invoice",
        "partner_id/id": "weir_be01.customers_CUS-0042",
        "journal_id/.id": "13",
        "currency_id/id": "base.EUR",
        invoice_date: "2026-10-31",
        invoice_date_due: "2026-11-30",
        ref: "INV-1",
        payment_reference: "INV-1",
      },
      lines: {
        field: "invoice_line_ids",
        rows: [
          {
            externalId: "weir_be01.invoices_INV-1.line-1",
            values: {
              name: "Senior",
              quantity: "7.25",
              price_unit: "125.5",
              "tax_ids/.id": "9",
              "sale_line_ids/id": "weir_be01.engagements_ENG-7.line-senior",
            },
          },
          {
            externalId: "weir_be01.invoices_INV-1.line-2",
            values: { name: "Travel", quantity: "1", price_unit: "2.23", "tax_ids/.id": "9" },
          },
        ],
      },
    })
  })

  it("expects of Odoo what was promised", () => {
    const step = stepOf(type, "totals")
    const expected = step._tag === "Compare" ? step.expect(writeOf(type, invoice)) : {}
    assert.deepStrictEqual(
      Object.fromEntries(Object.entries(expected).map(([field, amount]) => [field, BigDecimal.format(amount)])),
      { amount_untaxed: "912.11", amount_tax: "191.54", amount_total: "1103.65" },
    )
  })

  it("is refused without the tax or the sales journal in the configuration", () => {
    const lines = [{ ...invoice.lines[0], taxCode: "S99" }]
    const wire = { ...invoice, lines, totals: { untaxed: "909.88", tax: "0", total: "909.88" } }
    assert.deepInclude(rowsOf(type, "invoice", writeOf(type, wire)), { code: "MAPPING-MISSING" })
    const bare = writeOf(type, invoice, { company: { ...company, journals: {} } })
    assert.deepStrictEqual(rowsOf(type, "invoice", bare), {
      code: "MAPPING-MISSING",
      detail: "entity be01 maps no journal sales: add it to entities.be01.journals in weir.json",
    })
  })

  it("tells the number once it is posted, and nothing while it is a draft", () => {
    const { outcomes } = specOf(type)
    assert.deepStrictEqual(outcomes?.(writeOf(type, invoice)), [])
    assert.deepStrictEqual(
      outcomes?.(writeOf(type, invoice, {
        read: {
          post: {
            name: "INV/2026/00001",
            date: "2026-11-01",
            amount_untaxed: 912.11,
            amount_tax: 191.54,
            amount_total: 1103.6499999999999,
          },
        },
      })),
      [{
        type: "invoice.posted",
        data: {
          invoice: "INV-1",
          engagement: "ENG-7",
          number: "INV/2026/00001",
          invoiceDate: "2026-10-31",
          accountingDate: "2026-11-01",
          currency: "EUR",
          untaxed: "912.11",
          tax: "191.54",
          total: "1103.65",
        },
      }],
    )
  })
})

describe("invoice.requested, what may be left open", () => {
  const decode = Schema.decodeUnknownSync(InvoiceRequested)
  const { totals: _, ...bare } = invoice
  const open = { ...bare, lines: [{ key: "1", description: "Senior", quantity: "7.25" }] }

  it("needs no totals when a price or a tax code is asked for, and needs them otherwise", () => {
    assert.strictEqual(decode(open).totals, undefined)
    assert.throws(() => decode(bare), /must be there when every line has its price and its tax code/u)
  })

  it("refuses timesheets that are billed twice, or on no order line", () => {
    const line = { ...invoice.lines[0]!, timesheets: ["T-1"] }
    assert.throws(() => decode({ ...invoice, lines: [line, { ...line, key: "2" }] }), /bills the timesheet T-1 twice/u)
    const { engagementLine: __, ...loose } = line
    assert.throws(() => decode({ ...invoice, lines: [loose] }), /must name the engagementLine/u)
  })

  it("links the timesheets that it names, in the call that makes it, and waits for them", () => {
    const wire = { ...invoice, lines: [{ ...invoice.lines[0]!, timesheets: ["T-1", "T-2"] }, invoice.lines[1]!] }
    const row = rowsOf("invoice.requested", "invoice", writeOf("invoice.requested", wire)) as Row
    assert.strictEqual(row.values["timesheet_ids/id"], "weir_be01.timesheets_T-1,weir_be01.timesheets_T-2")
    assert.deepStrictEqual(coordinates("invoice.requested", wire).references.slice(2), [
      { flow: "timesheets", key: "T-1" },
      { flow: "timesheets", key: "T-2" },
    ])
  })

  it("books at the exchange rate that it gives", () => {
    const row = rowsOf(
      "invoice.requested",
      "invoice",
      writeOf("invoice.requested", { ...invoice, exchangeRate: "1.0842" }),
    )
    assert.strictEqual((row as Row).values["invoice_currency_rate"], "1.0842")
  })
})

describe("services that price and tax invoices", () => {
  const world = (answers: { readonly taxCode?: string; readonly tax?: string } = {}) => {
    const given = ports()
    const questions: Array<Json> = []
    const pricing = makeMemory("pricing", (question) => {
      questions.push(question)
      return { lines: [{ key: "1", unitPrice: "125.50" }] }
    })
    const tax = makeMemory("tax", (question) => {
      questions.push(question)
      return { lines: [{ key: "1", taxCode: answers.taxCode ?? "S21" }], tax: answers.tax ?? "52.71" }
    })
    const moves = () =>
      [...given.standIn.store.tables.get("account.move")!.rows.values()]
        .map((move) => [move["ref"], move["state"], Number(move["amount_total"]) / 1_000_000])
    const layer = running().pipe(
      Layer.provide(
        Layer.succeed(Dependencies, new Map([["pricing", pricing.dependency], ["tax", tax.dependency]])),
      ),
      Layer.provideMerge(given.layer),
    )
    return { ...given, pricing, tax, questions, moves, layer }
  }
  const base = { customer: "CUS-0042", invoiceDate: "2026-10-31", currency: "EUR" }
  const unpriced = (key: string) =>
    publication("invoice.requested", {
      ...base,
      key,
      lines: [{ key: "1", description: "Senior", quantity: "2" }],
    })
  const priced = (key: string) =>
    publication("invoice.requested", {
      ...base,
      key,
      lines: [{ key: "1", description: "Fee", quantity: "1", unitPrice: "100", taxCode: "S21" }],
      totals: { untaxed: "100", tax: "21", total: "121" },
    })
  const first = publication("customer.upserted", customer, { sequence: 1 })
  const codes = Effect.map(
    Ledger.use((ledger) => ledger.exceptions({ flow: "invoices", limit: 10 })),
    (all) => all.map(({ code, key }) => `${key} ${code}`),
  )

  it.effect("fill in what the request leaves open, the tax with the prices that were quoted", () => {
    const given = world()
    return Effect.gen(function* () {
      yield* publish(first, unpriced("INV-1"))
      yield* pass(5)
      assert.deepStrictEqual(given.moves(), [["INV-1", "posted", 303.71]])
      const about = { document: "invoice", key: "INV-1", customer: "CUS-0042", currency: "EUR", date: "2026-10-31" }
      assert.deepStrictEqual(given.questions, [
        { ...about, lines: [{ key: "1", description: "Senior", quantity: "2" }] },
        { ...about, lines: [{ key: "1", description: "Senior", quantity: "2", unitPrice: "125.5" }] },
      ])
    }).pipe(Effect.provide(given.layer))
  })

  it.effect("and Odoo must compute the tax that was quoted, or the draft stands", () => {
    const given = world({ tax: "52.70" })
    return Effect.gen(function* () {
      yield* publish(first, unpriced("INV-1"))
      yield* pass(5)
      assert.deepStrictEqual([given.moves(), yield* codes], [[["INV-1", "draft", 303.71]], ["INV-1 TAX-MISMATCH"]])
    }).pipe(Effect.provide(given.layer))
  })

  it.effect("that are away keep only the invoices waiting that ask them", () => {
    const given = world()
    return Effect.gen(function* () {
      yield* pass(2)
      given.tax.setWorking(false)
      yield* publish(first, unpriced("INV-1"), priced("INV-2"))
      yield* pass(60)
      assert.deepStrictEqual(given.moves(), [["INV-2", "posted", 121]])
      assert.deepStrictEqual(yield* codes, ["INV-1 DEPENDENCY-DOWN"])
      given.tax.setWorking(true)
      yield* pass(60)
      assert.deepStrictEqual([yield* codes, (yield* tallies()).get("invoices")?.applied], [[], 2])
    }).pipe(Effect.provide(given.layer))
  })
})

describe("what is ready of an engagement", () => {
  const data = Schema.decodeUnknownSync(InvoiceReadyRequested)({
    key: "INV-1",
    customer: "CUS-0042",
    engagement: "ENG-7",
    until: "2026-10-31",
    invoiceDate: "2026-10-31",
    currency: "EUR",
  })
  const line = (id: number, name: string, product: number, toInvoice: number, ordered = 1) => ({
    id,
    external_id: `weir_be01.engagements_ENG-7.line-${name}`,
    name,
    product_id: [product, "x"],
    product_uom_qty: ordered,
    qty_to_invoice: toInvoice,
    price_unit: 100,
    discount: 0,
    tax_ids: [9],
  })
  const product = (id: number, external_id: string, invoice_policy: string, service_type: string) => ({
    id,
    external_id,
    invoice_policy,
    service_type,
  })
  const products = [
    product(1, "weir.product_time", "delivery", "timesheet"),
    product(2, "weir.product_fixed", "order", "manual"),
    product(3, "weir.product_milestones", "delivery", "milestones"),
    product(4, "weir.product_expense", "order", "manual"),
  ]
  const sheet = (id: number, date: string, unit_amount: number) => ({ id, so_line: [1, "x"], date, unit_amount })
  const ready = (
    lines: ReadonlyArray<ReturnType<typeof line>>,
    timesheets: ReadonlyArray<ReturnType<typeof sheet>> = [],
    fractions: InvoiceReadyRequested["fractions"] = [],
  ) => {
    const found = readyOf({ data: { ...data, fractions }, entity: "be01", lines, products, timesheets })
    return "code" in found
      ? found.code
      : found.map((one) => [one.line, BigDecimal.format(one.quantity), ...one.timesheets])
  }
  const half = [{ line: "fixed", fraction: BigDecimal.fromStringUnsafe("0.5") }]

  it("is what was delivered: hours up to the day with their timesheets, reached milestones, charged costs", () => {
    const lines = [line(1, "time", 1, 10.5), line(3, "phases", 3, 0.4), line(4, "costs", 4, 1), line(2, "fixed", 2, 1)]
    const timesheets = [sheet(71, "2026-10-05", 7.25), sheet(72, "2026-10-31", 1.25), sheet(73, "2026-11-01", 2)]
    assert.deepStrictEqual(ready(lines, timesheets), [[1, "8.5", 71, 72], [3, "0.4"], [4, "1"]])
  })

  it("takes fixed prices by the fraction that is asked for, as far as it is left", () => {
    assert.deepStrictEqual(ready([line(2, "fixed", 2, 0.5)], [], half), [[2, "0.5"]])
    assert.strictEqual(ready([line(2, "fixed", 2, 0.4)], [], half), "READY-MISMATCH")
    assert.strictEqual(ready([line(1, "time", 1, 0)], [], half), "READY-MISMATCH")
  })

  it("leaves nothing behind of hours that were rounded", () => {
    // Odoo rounds what was delivered as a whole: 3 × 0.333 are 1.00.
    const thirds = [sheet(71, "2026-10-05", 0.333), sheet(72, "2026-10-06", 0.333), sheet(73, "2026-10-07", 0.333)]
    assert.deepStrictEqual(ready([line(1, "time", 1, 1)], thirds), [[1, "1", 71, 72, 73]])
  })

  it("is refused when the hours are in no timesheet, when there is nothing, and when it would be a credit", () => {
    assert.strictEqual(ready([line(1, "time", 1, 12)], [sheet(71, "2026-10-05", 8)]), "READY-MISMATCH")
    assert.strictEqual(ready([line(1, "time", 1, 0)]), "NOTHING-READY")
    assert.strictEqual(ready([line(1, "time", 1, -2)], [sheet(71, "2026-10-05", -2)]), "NOTHING-READY")
  })
})
