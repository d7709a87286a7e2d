import { assert, describe, it } from "@effect/vitest"
import type { Row } from "../../src/flow/Step.ts"
import { payment } from "./samples.ts"
import { coordinates, mapping, outline, rowsOf, specOf, stepOf, writeOf } from "./specs.ts"

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
    const write = writeOf(type, payment, {
      read: {
        post: { name: "PBNK1/2026/00001", date: "2026-11-03" },
        reconcile: {
          owed: [
            { payment_state: "paid", amount_residual: 0 },
            { payment_state: "partial", amount_residual: 0.30000000000000004 },
          ],
        },
      },
    })
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
          { invoice: "INV-1", status: "paid", statusVersion: 1, residual: "0.00" },
          { invoice: "INV-2", status: "partly-paid", statusVersion: 1, residual: "0.30" },
        ],
      },
    }])
  })

  it("is divided as its allocations say, the rest on account, each part under a key of its own", () => {
    const wire = {
      ...payment,
      invoices: [],
      allocations: [{ invoice: "INV-2", amount: "700" }, { invoice: "INV-1", amount: "400.5" }],
    }
    const rows = rowsOf(type, "payment", writeOf(type, wire)) as ReadonlyArray<Row>
    assert.deepStrictEqual(rows.map(({ as, externalId, values }) => [externalId, values["amount"], as?.key]), [
      ["weir_be01.payments_PAY-1.for-INV-2", "700.00", "PAY-1.for-INV-2"],
      ["weir_be01.payments_PAY-1.for-INV-1", "400.50", "PAY-1.for-INV-1"],
      ["weir_be01.payments_PAY-1.rest", "3.15", "PAY-1.rest"],
    ])
    const references = [mapping("res.partner", 1), mapping("account.move", 20), mapping("account.move", 10)]
    const step = stepOf(type, "reconcile")
    const ids = { payment: 5, "payment.1": 6, "payment.2": 7 }
    assert.deepStrictEqual(
      step._tag === "Reconcile" ? step.sets(writeOf(type, wire, { references, ids })) : [],
      [{ payments: [5], owed: [20] }, { payments: [6], owed: [10] }],
    )
  })

  const refused: ReadonlyArray<readonly [string, object, RegExp]> = [
    [
      "more allocated than arrived",
      { invoices: [], allocations: [{ invoice: "INV-1", amount: "1103.66" }] },
      /more than/u,
    ],
    ["allocations beside invoices", { allocations: [{ invoice: "INV-1", amount: "1" }] }, /must be empty/u],
    ["more decimals than the currency has", { amount: "1.005" }, /more decimals than EUR/u],
    ["a fraction of a yen", { currency: "JPY", amount: "100.5" }, /more decimals than JPY/u],
  ]
  for (const [what, change, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(() => writeOf(type, { ...payment, ...change }), message)
    })
  }
})
