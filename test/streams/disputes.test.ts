import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { publication } from "../simulation/World.ts"
import { invoice } from "./samples.ts"
import { basis, codes, published, send, trial } from "./Trial.ts"
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
    assert.deepStrictEqual(step.values(write), { payment_state: "blocked" })
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
    assert.deepStrictEqual(["blocked", "paid"].map((payment_state) => step.only?.({ id: 20, payment_state }, write)), [
      true,
      false,
    ])
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

describe("a dispute on its way into Odoo", () => {
  const about = { key: "DIS-1", engagement: "ENG-7", invoices: ["INV-1"] }
  const opened = publication("dispute.opened", about, { sequence: 1 })
  const lifted = publication("dispute.lifted", about, { sequence: 2 })
  const next = publication("invoice.requested", { ...invoice, key: "INV-2" })
  const states = (world: ReturnType<typeof trial>) =>
    ["INV-1", "INV-2"].map((key) => world.record("account.move", `invoices_${key}`)?.["payment_state"])

  it.effect("stops the billing of its engagement until it is lifted, and nothing of it is lost", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, publication("invoice.requested", invoice))
      yield* send(opened)
      yield* send(next)
      assert.deepStrictEqual([yield* codes, states(world)], [["INV-2 waiting ON-HOLD"], ["blocked", undefined]])
      yield* send(lifted)
      assert.deepStrictEqual([yield* codes, states(world)], [[], ["not_paid", "not_paid"]])
      assert.strictEqual((yield* published("engagement.billing-held")).length, 1)
      assert.strictEqual((yield* published("engagement.billing-released")).length, 1)
    }))
  })

  it.effect("that was lifted before it was heard of is superseded and holds nothing", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, publication("invoice.requested", invoice))
      yield* send(lifted)
      yield* send(opened)
      yield* send(next)
      assert.deepStrictEqual([yield* codes, states(world)], [[], ["not_paid", "not_paid"]])
      assert.deepStrictEqual(yield* published("engagement.billing-held"), [])
    }))
  })
})
