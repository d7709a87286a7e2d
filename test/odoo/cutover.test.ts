/** Whose an event is, by flow, journal and day. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { Company } from "../../src/odoo/Company.ts"
import { cutoverOf } from "../../src/odoo/Cutover.ts"
import { catalog } from "../../streams/catalog.ts"
import { customer, invoice, payment, timesheet } from "../streams/samples.ts"

const company: Company = {
  entity: "be01",
  database: "main",
  id: 3,
  currency: "EUR",
  journals: { sales: 7, exports: 8, bank: 9 },
  taxes: {},
  cutover: {
    from: { customers: "2026-12-01", invoices: "2026-12-01", timesheets: "2026-12-01" },
    journals: { exports: "2027-01-01" },
  },
}
const stored = (day: string): number => Date.parse(`${day}T12:00:00Z`)
const ours = (type: string, data: object, day = "2026-12-15"): boolean => {
  const flow = catalog.find(({ events }) => events.some((spec) => spec.type === type))!
  const spec = flow.events.find((one) => one.type === type)!
  return cutoverOf(spec, flow.name, Schema.decodeUnknownSync(spec.schema)(data), stored(day), company) === null
}
const dated = (invoiceDate: string, more: object = {}) => ({ ...invoice, invoiceDate, dueDate: "2027-03-31", ...more })

describe("a cut-over", () => {
  it("goes by the day of a document, whenever its event came", () => {
    assert.isFalse(ours("invoice.requested", dated("2026-11-30")))
    assert.isTrue(ours("invoice.requested", dated("2026-12-01"), "2026-11-20"))
  })

  it("may come later for a journal", () => {
    assert.isFalse(ours("invoice.requested", dated("2026-12-31", { journal: "exports" })))
    assert.isTrue(ours("invoice.requested", dated("2027-01-01", { journal: "exports" })))
  })

  it("goes by the day of work, and by the day of its coming for what corrects", () => {
    assert.isFalse(ours("timesheet.approved", { ...timesheet, date: "2026-11-30" }))
    assert.isTrue(ours("timesheet.corrected", { ...timesheet, date: "2026-11-30" }))
    assert.isFalse(ours("timesheet.corrected", { ...timesheet, date: "2026-11-30" }, "2026-11-30"))
    assert.isFalse(ours("customer.upserted", customer, "2026-11-30"))
  })

  it("leaves alone what is not named", () => {
    assert.isTrue(ours("payment.received", { ...payment, date: "2020-01-01" }))
  })
})
