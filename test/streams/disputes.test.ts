import { assert, describe, it } from "@effect/vitest"
import { coordinates, mapping, specOf, stepOf, writeOf } from "./specs.ts"

const dispute = { key: "DIS-1", engagement: "ENG-7", invoices: ["INV-1", "INV-2"] }
const references = [mapping("account.move", 20), mapping("account.move", 21), mapping("sale.order", 30)]

const updateOf = (type: string, name: string) => {
  const step = stepOf(type, name)
  if (step._tag !== "Update") throw new Error(`${name} is no update`)
  return step
}

describe("dispute.opened", () => {
  const type = "dispute.opened"

  it("is ordered by the engagement that it holds, and by itself when it names none", () => {
    assert.deepStrictEqual(coordinates(type, dispute), {
      key: "ENG-7",
      parents: ["invoice:INV-1", "invoice:INV-2"],
      references: [
        { flow: "invoices", key: "INV-1" },
        { flow: "invoices", key: "INV-2" },
        { flow: "engagements", key: "ENG-7" },
      ],
      versions: "gate",
    })
    assert.strictEqual(coordinates(type, { key: "DIS-1", invoices: ["INV-1"] }).key, "dispute#DIS-1")
  })

  it("marks its invoices, sets a hold, and says so", () => {
    const write = writeOf(type, dispute, { references })
    const step = updateOf(type, "block")
    assert.deepStrictEqual(step.records(write), [20, 21])
    assert.deepStrictEqual(step.values(write, { id: 20 }), { payment_state: "blocked" })
    assert.strictEqual(specOf(type).hold?.(write.data), "set")
    assert.deepStrictEqual(specOf(type).outcomes?.(write), [
      { type: "engagement.billing-held", data: { engagement: "ENG-7", dispute: "DIS-1" } },
    ])
  })

  it("holds back whatever bills its engagement, and nothing else", () => {
    const held = (type: string, data: object) => specOf(type).holds?.(data) ?? []
    const key = { flow: "disputes", key: "ENG-7" }
    assert.deepInclude(held("invoice.requested", { key: "INV-9", engagement: "ENG-7", lines: [] }), key)
    assert.deepInclude(held("invoice.ready-requested", { key: "INV-9", engagement: "ENG-7" }), key)
    assert.deepStrictEqual(held("payment.received", { key: "PAY-1", invoices: ["INV-1"] }), [])
    assert.deepStrictEqual(held("credit-note.requested", { key: "CN-1", engagement: "ENG-7" }), [])
  })

  it("refuses an invoice twice", () => {
    assert.throws(() => writeOf(type, { ...dispute, invoices: ["INV-1", "INV-1"] }), /has INV-1 twice/u)
  })
})

describe("dispute.lifted", () => {
  const type = "dispute.lifted"

  it("takes the mark from those that have it and lets billing go on", () => {
    const write = writeOf(type, dispute, { references })
    const step = updateOf(type, "unblock")
    assert.deepStrictEqual(step.records(write), [20, 21])
    assert.deepStrictEqual(["blocked", "paid"].map((payment_state) => step.only?.({ id: 20, payment_state })), [true, false])
    assert.strictEqual(specOf(type).hold?.(write.data), "lift")
    assert.deepStrictEqual(specOf(type).outcomes?.(write), [
      { type: "engagement.billing-released", data: { engagement: "ENG-7", dispute: "DIS-1" } },
    ])
  })

  it("leaves the hold while the engagement has other disputes", () => {
    const write = writeOf(type, { ...dispute, othersOpen: true }, { references })
    assert.isUndefined(specOf(type).hold?.(write.data))
    assert.deepStrictEqual(specOf(type).outcomes?.(write), [])
  })
})
