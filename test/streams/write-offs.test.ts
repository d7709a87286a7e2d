import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Row } from "../../src/flow/Step.ts"
import { publication } from "../simulation/World.ts"
import { company, invoice } from "./samples.ts"
import { basis, codes, published, send, trial } from "./Trial.ts"
import { coordinates, mapping, outline, refusalOf, rowsOf, specOf, stepOf, writeOf } from "./specs.ts"

const type = "write-off.requested"

const writeOff = {
  key: "WO-1",
  invoice: "INV-1",
  customer: "CUS-0042",
  amount: "2.5",
  currency: "EUR",
  date: "2026-11-20",
  requestedBy: "sam@example.test",
  reason: "bank charges",
}
const accounted = {
  ...company,
  journals: { ...company.journals, misc: 15 },
  accounts: { "write-off": 642, lawsuit: 643 },
}
const receivable = (residual: number, currency = "EUR") => ({
  id: 5,
  account_id: [400, "Customers"],
  currency_id: [1, currency],
  amount_residual_currency: residual,
})
const references = [
  mapping("res.partner", 1),
  mapping("account.move", 20),
  { ...mapping("fact", 0), externalId: "granted by ann@example.test" },
]
const known = (records: ReadonlyArray<object>, own: ReadonlyArray<object> = []) => ({
  company: accounted,
  references,
  ids: { entry: 60 },
  read: { receivable: { records }, own: { records: own } },
})

describe("write-off.requested", () => {
  it("waits for its invoice and its approval, and looks at what is open before it writes", () => {
    assert.deepStrictEqual(coordinates(type, writeOff).references, [
      { flow: "customers", key: "CUS-0042" },
      { flow: "invoices", key: "INV-1" },
      { flow: "approvals", key: "write-offs-WO-1" },
    ])
    assert.deepStrictEqual(outline(type), [
      "Check approval",
      "Query exchangeRates res.currency.rate",
      "Check exchangeRate",
      "Query receivable account.move.line",
      "Query own account.move",
      "Check open",
      "Load entry account.move create",
      "Transition post account.move",
      "Reconcile reconcile",
    ])
  })

  it("gives up no more than is open, in the invoice's currency, unless it is booked already", () => {
    const ask = (...args: Parameters<typeof known>) => refusalOf(type, "open", writeOf(type, writeOff, known(...args)))
    assert.isUndefined(ask([receivable(2.5)]))
    assert.deepStrictEqual(ask([receivable(2.49)]), {
      code: "WRITE-OFF-EXCEEDS-OPEN",
      detail: "INV-1 has 2.49 open, 2.50 EUR are to be written off",
    })
    assert.match(ask([receivable(100, "USD")])?.detail ?? "", /INV-1 is in USD/u)
    assert.isUndefined(ask([receivable(0)], [{ id: 60, external_id: "weir_be01.write-offs_WO-1" }]))
    // `ref` begins alike: another's.
    assert.isDefined(ask([receivable(0)], [{ id: 61, external_id: "weir_be01.write-offs_WO-11" }]))
  })

  it("is a balanced entry against the invoice's own receivable account, matched with it", () => {
    const row = rowsOf(type, "entry", writeOf(type, writeOff, known([receivable(10)]))) as Row
    assert.deepStrictEqual(
      row.lines?.rows.map(({ values }) => [values["account_id/.id"], values["debit"], values["credit"]]),
      [["642", "2.50", "0.00"], ["400", "0.00", "2.50"]],
    )
    const step = stepOf(type, "reconcile")
    if (step._tag !== "Reconcile") throw new Error("reconcile is no reconcile step")
    assert.deepStrictEqual(step.sets(writeOf(type, writeOff, known([receivable(10)]))), [{ entries: [60], owed: [20] }])
  })

  it("books to the account that it names, by the entity's mapping", () => {
    const accountOf = (account: string) =>
      rowsOf(type, "entry", writeOf(type, { ...writeOff, account }, known([receivable(10)])))
    assert.strictEqual((accountOf("lawsuit") as Row).lines?.rows[0]?.values["account_id/.id"], "643")
    const refusal = accountOf("nowhere")
    assert.strictEqual("code" in refusal ? refusal.code : "", "MAPPING-MISSING")
  })

  it("is told once it is posted", () => {
    const read = { post: { name: "MISC/2026/11/0001", date: "2026-11-20" } }
    assert.deepStrictEqual(specOf(type).outcomes?.(writeOf(type, writeOff, { read })), [{
      type: "write-off.posted",
      data: {
        writeOff: "WO-1",
        invoice: "INV-1",
        number: "MISC/2026/11/0001",
        accountingDate: "2026-11-20",
        currency: "EUR",
        amount: "2.50",
        requestedBy: "sam@example.test",
      },
    }])
  })
})

describe("a write-off on its way into Odoo", () => {
  const start = () =>
    trial({
      entity: {
        journals: { sales: "INV", bank: "BNK1", misc: "MISC" },
        accounts: { "write-off": "642000" },
      },
    })
  const approved = (by: string) =>
    publication("approval.granted", { flow: "write-offs", key: writeOff.key, by }, { sequence: 1 })
  const open = (world: ReturnType<typeof trial>) => {
    const [move] = world.ask("account.move", "search_read", {
      domain: [["ref", "=", "INV-1"]],
      fields: ["amount_residual", "payment_state"],
    }) as ReadonlyArray<{ amount_residual: number; payment_state: string }>
    return [move?.amount_residual, move?.payment_state]
  }
  const request = publication(type, writeOff)

  it.effect("takes nothing from the invoice before somebody else agrees, and its amount once afterwards", () => {
    const world = start()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, publication("invoice.requested", invoice), request)
      assert.deepStrictEqual([yield* codes, open(world)], [["WO-1 waiting REFERENCE-MISSING"], [1103.65, "not_paid"]])
      yield* send(approved("ann@example.test"))
      yield* send(request)
      assert.deepStrictEqual([yield* codes, open(world)], [[], [1101.15, "partial"]])
      assert.deepInclude(world.record("account.move", "write-offs_WO-1"), { state: "posted", date: "2026-11-20" })
      assert.strictEqual((yield* published("write-off.posted")).length, 1)
    }))
  })

  it.effect("leaves the invoice as it is when its requester agrees alone", () => {
    const world = start()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, publication("invoice.requested", invoice), request, approved("sam@example.test"))
      assert.deepStrictEqual([yield* codes, open(world)], [["WO-1 parked APPROVAL-SAME-PERSON"], [1103.65, "not_paid"]])
      assert.isUndefined(world.record("account.move", "write-offs_WO-1"))
      assert.deepStrictEqual(yield* published("write-off.posted"), [])
    }))
  })
})
