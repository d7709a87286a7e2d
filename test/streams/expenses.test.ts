import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { ExpenseApproved } from "../../schemas/expense.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { pass, publication, tallies } from "../simulation/World.ts"
import { basis, codes, held, published, send, trial } from "./Trial.ts"

const expense = {
  key: "EXP-1",
  consultant: "c01@be01.example.test",
  engagement: "ENG-7",
  date: "2026-10-05",
  description: "Train to Rotterdam",
  category: "travel",
  paidBy: "employee",
  amount: "121.01",
  currency: "EUR",
  taxCode: "P21",
  tax: "21.00",
} as const satisfies typeof ExpenseApproved.Encoded

type Wire = typeof ExpenseApproved.Encoded

const approved = (changes: Partial<Wire> = {}, id?: string) =>
  publication("expense.approved", { ...expense, ...changes }, id === undefined ? {} : { id })

const charged = { rebill: { price: "100.01", taxCode: "S21" } } as const

const receipts = (world: ReturnType<typeof trial>) =>
  world.rows("account.move").filter((row) => row["move_type"] === "in_receipt")
const entries = (world: ReturnType<typeof trial>) =>
  world.rows("account.move").filter((row) => row["move_type"] === "entry")

describe("expense.approved", () => {
  it.effect("that an employee paid becomes a posted receipt of ours, on the engagement's cost", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, approved())
      const [receipt] = receipts(world)
      assert.deepInclude(receipt, { state: "posted", date: "2026-10-05", ref: "EXP-1", name: "BILL/2026/10/0001" })
      assert.strictEqual(receipt?.["_external_id"], "weir_be01.expenses_EXP-1.receipt")
      assert.strictEqual(receipt?.["amount_total"], 121_010_000n)
      const employee = world.rows("hr.employee").find((row) => row["work_email"] === expense.consultant)
      assert.strictEqual(receipt?.["partner_id"], employee?.["work_contact_id"])
      const record = world.record("hr.expense", "expenses_EXP-1")!
      const analytic = world.record("account.analytic.account", "engagements_ENG-7.analytic")!.id
      assert.deepInclude(record, {
        account_move_id: receipt?.id,
        analytic_distribution: JSON.stringify({ [analytic]: 100 }),
      })
      const account = world.rows("account.account").find((row) => row["code"] === "616505" && row["company_id"] === 3)
      assert.strictEqual(record["account_id"], account?.id)
      assert.deepStrictEqual((yield* published("expense.posted")).map(({ data }) => data), [{
        expense: "EXP-1",
        engagement: "ENG-7",
        paidBy: "employee",
        number: "BILL/2026/10/0001",
        accountingDate: "2026-10-05",
        currency: "EUR",
        tax: "21.00",
        total: "121.01",
      }])
      assert.deepStrictEqual(yield* published("engagement.billing-ready"), [])
    }))
  })

  it.effect("that the company paid is posted by Odoo, and no receipt is made", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, approved({ paidBy: "company", category: "hotel" }))
      assert.deepStrictEqual([yield* codes, receipts(world)], [[], []])
      assert.deepInclude(entries(world)[0], { state: "posted", date: "2026-10-05", name: "PBNK1/2026/00001" })
      const [posted] = yield* published("expense.posted")
      assert.deepInclude(posted?.data, { paidBy: "company", number: "PBNK1/2026/00001" })
    }))
  })

  it.effect("that the customer pays for adds a line to the order, ready at once, at the price that was agreed", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, approved(charged))
      const line = world.record("sale.order.line", "expenses_EXP-1.rebill")!
      assert.deepInclude(line, { name: "Train to Rotterdam", price_unit: 100_010_000n, product_uom_qty: 1_000_000n })
      assert.strictEqual(line["order_id"], world.record("sale.order", "engagements_ENG-7")!.id)
      assert.deepStrictEqual(world.quantities("expenses_EXP-1.rebill"), [0, 1])
      const [ready] = yield* published("engagement.billing-ready")
      assert.deepStrictEqual(ready?.data, {
        engagement: "ENG-7",
        source: { flow: "expenses", key: "EXP-1" },
        lineId: line.id,
        toInvoice: "1.00",
        unitPrice: "100.01",
      })
    }))
  })

  it.effect("of the company's own is no engagement's cost and waits for nothing", () => {
    const world = trial()
    const { engagement: _, ...own } = expense
    return world.layer(Effect.gen(function* () {
      yield* send(publication("expense.approved", own))
      assert.deepStrictEqual(yield* codes, [])
      assert.deepInclude(world.record("hr.expense", "expenses_EXP-1"), { analytic_distribution: null })
    }))
  })

  it.effect("in another currency is booked at the amount that comes with it", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      const foreign = { amount: "100", currency: "GBP", companyAmount: "121.01" }
      yield* send(...basis, approved(foreign), approved({ key: "EXP-2", amount: "100", currency: "GBP" }))
      assert.strictEqual(receipts(world)[0]?.["amount_total"], 121_010_000n)
      assert.deepInclude(world.record("hr.expense", "expenses_EXP-1"), { total_amount_currency: 100_000_000n })
      assert.deepStrictEqual(yield* codes, ["EXP-2 parked EVENT-INVALID"])
    }))
  })

  it.effect("comes once, however often it is published, and another one of its key is an exception", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, approved(charged))
      yield* pass(121)
      yield* send(approved(charged), approved({ ...charged, amount: "5" }, "other"))
      assert.strictEqual(receipts(world).length, 1)
      assert.deepStrictEqual(yield* codes, ["EXP-1 parked EVENT-CHANGED"])
      assert.deepInclude((yield* tallies()).get("expenses"), { applied: 1, duplicate: 1 })
    }))
  })

  it.effect("waits for its engagement, and is refused after the engagement is closed", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(approved())
      assert.deepStrictEqual(yield* codes, ["EXP-1 waiting REFERENCE-MISSING"])
      yield* send(...basis, publication("engagement.closed", { key: "ENG-7", date: "2026-10-31" }, { sequence: 1 }))
      yield* send(approved({ key: "EXP-2", date: "2026-11-02" }))
      assert.deepStrictEqual([yield* codes, receipts(world).length], [["EXP-2 parked ENGAGEMENT-CLOSED"], 1])
    }))
  })

  it.effect("with another tax than was promised is not booked", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, approved({ tax: "20.99" }), approved({ key: "EXP-2", taxCode: "P6" }))
      assert.deepStrictEqual(yield* codes, ["EXP-1 parked TAX-MISMATCH", "EXP-2 parked TAX-MISMATCH"])
      assert.deepStrictEqual([receipts(world), entries(world)], [[], []])
    }))
  })

  it.effect("without an account, a tax, a journal or an employee says which is missing", () => {
    const world = trial({ entity: { journals: { sales: "INV", bank: "BNK1" } } })
    return world.layer(Effect.gen(function* () {
      yield* send(
        ...basis,
        approved({ category: "gifts" }),
        approved({ key: "EXP-2", taxCode: "P99" }),
        approved({ key: "EXP-3" }),
        approved({ key: "EXP-4", paidBy: "company", consultant: "nobody@be01.example.test" }),
        approved({ key: "EXP-5", paidBy: "company", rebill: { price: "1", taxCode: "S99" } }),
      )
      const details = (yield* held).map(({ code, detail, key }) => `${key} ${code}: ${detail.split(":")[0]}`)
      assert.deepStrictEqual(details.sort(), [
        "EXP-1 MAPPING-MISSING: entity be01 maps no account expense-gifts",
        "EXP-2 MAPPING-MISSING: entity be01 maps no purchase tax code P99",
        "EXP-3 MAPPING-MISSING: entity be01 maps no journal purchase",
        'EXP-4 MASTER-DATA-MISSING: Odoo has no hr.employee with work_email "nobody@be01.example.test" in company 3',
        "EXP-5 MAPPING-MISSING: entity be01 maps no tax code S99",
      ])
      assert.deepStrictEqual(world.rows("hr.expense"), [])
    }))
  })

  it.effect("is not charged to an order that is not under way, and then not booked either", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis)
      world.ask("sale.order", "action_cancel", { ids: [world.record("sale.order", "engagements_ENG-7")!.id] })
      yield* send(approved(charged))
      assert.deepStrictEqual([yield* codes, world.rows("hr.expense")], [["EXP-1 parked NOT-BILLABLE"], []])
    }))
  })

  it.effect("in a locked period stays unbooked; with the policy it is booked on the first open day", () => {
    const strict = trial()
    const lenient = trial({ entity: { latePolicy: "next-open-day" } })
    const locked = Effect.fnUntraced(function* (world: ReturnType<typeof trial>) {
      world.standIn.lock(3, "purchase", "2026-10-31")
      world.standIn.lock(3, "tax", "2026-10-31")
      yield* send(...basis, approved(), approved({ key: "EXP-2", paidBy: "company" }))
      return [yield* codes, [...receipts(world), ...entries(world)].map(({ date, state }) => [state, date])]
    })
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* strict.layer(locked(strict)), [
        ["EXP-1 parked ODOO-LOCKED-PERIOD", "EXP-2 parked ODOO-LOCKED-PERIOD"],
        [["draft", "2026-10-05"]],
      ])
      assert.deepStrictEqual(yield* lenient.layer(locked(lenient)), [
        [],
        [["posted", "2026-11-01"], ["posted", "2026-11-01"]],
      ])
      assert.deepInclude(receipts(lenient)[0], { ref: "EXP-1 (2026-10-05)", invoice_date: "2026-10-05" })
      assert.deepInclude(lenient.record("hr.expense", "expenses_EXP-2"), { description: "EXP-2 (2026-10-05)" })
    })
  })

  it.effect("that Odoo takes for a possible duplicate waits for a person, and goes on once they approved it", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis)
      const employee = world.rows("hr.employee").find((row) => row["work_email"] === expense.consultant)!
      world.ask("hr.employee", "write", { ids: [employee.id], vals: { expense_manager_id: 5 } })
      yield* send(approved())
      yield* send(approved({ key: "EXP-2" }))
      assert.deepStrictEqual(yield* codes, ["EXP-2 parked ODOO-UNEXPECTED-STATE"])
      assert.match((yield* held)[0]!.detail, /is submitted; action_approve takes submitted to approved/u)
      // The window in which a person confirms does just that.
      const stuck = world.record("hr.expense", "expenses_EXP-2")!
      world.ask("hr.expense", "write", { ids: [stuck.id], vals: { approval_state: "approved" } })
      yield* Effect.flatMap(Ledger, (ledger) => Effect.flatMap(held, ([one]) => ledger.retry("be01", [one!.eventId])))
      yield* pass(10)
      assert.deepStrictEqual([yield* codes, receipts(world).length], [[], 2])
    }))
  })

  it.effect("is drafted and not posted in mode drafts", () => {
    const world = trial({ entity: { mode: "drafts" } })
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, approved(charged), approved({ key: "EXP-2", paidBy: "company" }))
      assert.deepStrictEqual([receipts(world).map(({ state }) => state), entries(world)], [["draft"], []])
      assert.isUndefined(world.record("sale.order.line", "expenses_EXP-1.rebill"))
      assert.deepStrictEqual((yield* held).map(({ state }) => state), ["waiting", "waiting"])
    }))
  })
})

describe("what an expense says", () => {
  const refuses = (change: Partial<Record<keyof Wire, unknown>>, about: RegExp) =>
    assert.throws(() => Schema.decodeUnknownSync(ExpenseApproved)({ ...expense, ...change }), about)

  it("fits together", () => {
    refuses({ amount: "121.005" }, /has more decimals than EUR/u)
    refuses({ amount: "0" }, /amount/u)
    refuses({ engagement: undefined, ...charged }, /engagement/u)
    refuses({ taxCode: undefined }, /taxCode/u)
    refuses({ category: "Travel" }, /must be 1 to 32 of a-z/u)
    refuses({ paidBy: "customer" }, /paidBy/u)
  })
})
