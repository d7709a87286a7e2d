import { assert, describe, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import { statusOf } from "../../src/flow/Status.ts"
import type { OdooRecord } from "../../src/odoo/CompanyCalls.ts"
import { tellsPosted } from "../../streams/documentFeed.ts"
import { invoiceFeed } from "../../streams/invoiceFeed.ts"
import { invoiceStatuses } from "../../streams/statuses.ts"

const record = (state: string, payment_state: string, residual: number, total = 100, currency = "EUR"): OdooRecord => ({
  id: 7,
  name: "INV/2026/00001",
  state,
  payment_state,
  ref: false,
  invoice_date: "2026-11-20",
  date: "2026-11-20",
  currency_id: [1, currency],
  amount_untaxed: total,
  amount_tax: 0,
  amount_total: total,
  amount_residual: residual,
})
const [posting, payment] = invoiceFeed.aspects
/** What is told when a record that was noted as `before` is found like this. */
const facts = (before: OdooRecord | null, after: OdooRecord, isNew = false) =>
  [posting!, payment!].flatMap((aspect) => {
    const was = before === null ? null : aspect.content(before) ?? null
    const is = aspect.content(after)
    if (is === undefined || is === was) return []
    return aspect.fact({ record: after, key: null, before: was, after: is, isNew })?.type.slice("invoice.".length) ?? []
  })

const draft = record("draft", "not_paid", 100)
const open = record("posted", "not_paid", 100)
const part = record("posted", "partial", 40)
const paid = record("posted", "paid", 0)
const reversed = record("posted", "reversed", 0)
const cancelled = record("cancel", "not_paid", 100)

describe("the statuses of invoices", () => {
  it("count from 1 up, and a released table is never changed", () => {
    assert.deepStrictEqual(invoiceStatuses.map(({ version }) => version), invoiceStatuses.map((_, at) => at + 1))
    const digests = invoiceStatuses.map((table) => createHash("sha256").update(JSON.stringify(table)).digest("hex"))
    assert.deepStrictEqual(digests.map((digest) => digest.slice(0, 16)), ["8d5fa66ae9e26960"])
  })

  it("of a disputed invoice are those that its amounts say, and what Odoo may invent is none", () => {
    const of = (open: "all" | "some" | "none", paymentState = "blocked") =>
      statusOf(invoiceStatuses, { state: "posted", paymentState, open })?.status
    assert.deepStrictEqual([of("all"), of("some"), of("none")], ["posted", "partly-paid", "paid"])
    assert.isUndefined(of("all", "invoicing_legacy"))
    assert.isUndefined(posting!.content(record("posted", "invoicing_legacy", 1)))
  })
})

describe("the feed of invoices", () => {
  it("tells each step of a document and of its payment", () => {
    const steps: ReadonlyArray<readonly [OdooRecord, OdooRecord, ReadonlyArray<string>]> = [
      [draft, open, ["posted"]],
      [draft, paid, ["posted", "paid"]],
      [open, part, ["partly-paid"]],
      [part, record("posted", "partial", 30), ["partly-paid"]],
      [part, paid, ["paid"]],
      [open, reversed, ["reversed"]],
      [paid, open, ["reopened"]],
      [paid, part, ["partly-paid"]],
      [open, draft, ["withdrawn"]],
      [paid, draft, ["withdrawn"]],
      [draft, cancelled, ["cancelled"]],
      [open, cancelled, ["cancelled"]],
      [cancelled, draft, []],
      [open, record("posted", "not_paid", 120, 120), ["posted"]],
      [open, record("posted", "blocked", 100), []],
    ]
    for (const [before, after, told] of steps) {
      assert.deepStrictEqual(facts(before, after), told, `${before["payment_state"]} to ${after["payment_state"]}`)
    }
  })

  it("tells of a new one all that it has become, and of an old one that it did not know only that it is open again", () => {
    assert.deepStrictEqual(
      [draft, open, part, paid, cancelled].map((after) => facts(null, after, true)),
      [[], ["posted"], ["posted", "partly-paid"], ["posted", "paid"], []],
    )
    assert.deepStrictEqual(
      [draft, open, part, paid, reversed, cancelled].map((after) => facts(null, after)),
      [[], ["reopened"], ["partly-paid"], [], [], []],
    )
  })

  it("sees in what the flow told what it would tell itself, in any currency", () => {
    const yen = record("posted", "not_paid", 1200, 1200, "JPY")
    assert.strictEqual(posting!.content(yen), tellsPosted("invoices", 7, "1200").content)
    assert.strictEqual(posting!.content(open), tellsPosted("invoices", 7, "100.00").content)
  })
})
