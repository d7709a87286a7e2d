import { assert, describe, it } from "@effect/vitest"
import { BigDecimal, Schema } from "effect"
import { catalog } from "../../streams/catalog.ts"
import type { EventSpec } from "../../src/flow/Flow.ts"
import type { Row, Step } from "../../src/flow/Step.ts"
import type { Write } from "../../src/flow/Write.ts"
import type { Mapping } from "../../src/ledger/Ledger.ts"
import { company, invoice, payment } from "./samples.ts"

const specOf = (type: string): EventSpec<unknown> => {
  const spec = catalog.flatMap((flow) => flow.events).find((candidate) => candidate.type === type)
  if (spec === undefined) throw new Error(`no spec of ${type}`)
  return spec
}

const mapping = (model: string, id: number): Mapping => ({
  model,
  id,
  externalId: `weir_be01.x${id}`,
  version: 1,
  links: {},
})

/** A write as the engine would hand it to the steps. */
const writeOf = (type: string, wire: unknown, known: Partial<Write<unknown>> = {}): Write<unknown> => {
  const spec = specOf(type)
  const data = Schema.decodeUnknownSync(spec.schema)(wire)
  return { data, key: spec.key(data), company, references: [], previous: null, ids: {}, read: {}, ...known }
}

const stepOf = (type: string, name: string): Step<unknown> => {
  const step = specOf(type).plan.find((candidate) => candidate.name === name)
  if (step === undefined) throw new Error(`no step ${name} of ${type}`)
  return step
}

const rowsOf = (type: string, name: string, write: Write<unknown>) => {
  const step = stepOf(type, name)
  if (step._tag !== "Load") throw new Error(`${name} is no load step`)
  return step.rows(write)
}

const outline = (type: string): ReadonlyArray<string> =>
  specOf(type).plan.map((step) =>
    [step._tag, step.name, "model" in step ? step.model : "", "mode" in step ? step.mode : ""].filter(Boolean).join(" ")
  )

const coordinates = (type: string, wire: unknown) => {
  const spec = specOf(type)
  const data = Schema.decodeUnknownSync(spec.schema)(wire)
  return {
    key: spec.key(data),
    parents: spec.parents(data),
    references: spec.references(data),
    versions: spec.versions,
  }
}

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
            amount_total: 1103.65,
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

describe("payment.received", () => {
  const type = "payment.received"

  it("waits for customer and invoices and locks them all", () => {
    assert.deepStrictEqual(coordinates(type, payment), {
      key: "PAY-1",
      parents: ["customer:CUS-0042", "invoice:INV-1", "invoice:INV-2"],
      references: [
        { flow: "customers", key: "CUS-0042" },
        { flow: "invoices", key: "INV-1" },
        { flow: "invoices", key: "INV-2" },
      ],
      versions: "once",
    })
    assert.deepStrictEqual(outline(type), [
      "Query exchangeRates res.currency.rate",
      "Check exchangeRate",
      "Load payment account.payment create",
      "Transition post account.payment",
      "Query receivable account.move.line",
      "Load fee account.move create",
      "Transition postFee account.move",
      "Reconcile reconcile",
    ])
  })

  it("writes an inbound customer payment", () => {
    assert.deepStrictEqual(rowsOf(type, "payment", writeOf(type, payment)), [{
      externalId: "weir_be01.payments_PAY-1",
      values: {
        payment_type: "inbound",
        partner_type: "customer",
        "partner_id/id": "weir_be01.customers_CUS-0042",
        amount: "1103.65",
        "currency_id/id": "base.EUR",
        date: "2026-11-03",
        "journal_id/.id": "18",
        memo: "transfer PAY-1",
        payment_reference: "PAY-1",
      },
    }])
  })

  it("pays the invoices in the order in which the payment names them", () => {
    const step = stepOf(type, "reconcile")
    const references = [mapping("res.partner", 1), mapping("account.move", 20), mapping("account.move", 10)]
    assert.deepStrictEqual(
      step._tag === "Reconcile" ? step.sets(writeOf(type, payment, { references, ids: { payment: 5 } })) : [],
      [{ payments: [5], owed: [20, 10] }],
    )
  })

  it("tells what it settled once it is posted", () => {
    const write = writeOf(type, payment, { read: { post: { name: "PBNK1/2026/00001", date: "2026-11-03" } } })
    assert.deepStrictEqual(specOf(type).outcomes?.(write), [{
      type: "payment.reconciled",
      data: {
        payment: "PAY-1",
        number: "PBNK1/2026/00001",
        valueDate: "2026-11-03",
        accountingDate: "2026-11-03",
        currency: "EUR",
        amount: "1103.65",
        invoices: ["INV-1", "INV-2"],
        open: [
          { invoice: "INV-1", state: null, residual: "0.00" },
          { invoice: "INV-2", state: null, residual: "0.00" },
        ],
      },
    }])
  })
})
