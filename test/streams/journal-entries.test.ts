import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Row } from "../../src/flow/Step.ts"
import { publication } from "../simulation/World.ts"
import { company } from "./samples.ts"
import { basis, codes, published, send, trial } from "./Trial.ts"
import { coordinates, mapping, refusalOf, rowsOf, specOf, writeOf } from "./specs.ts"

const type = "journal-entry.requested"

const entry = {
  key: "JE-1",
  date: "2026-10-31",
  reverseOn: "2026-11-01",
  currency: "EUR",
  description: "Accrued work",
  items: [
    { key: "1", account: "accrued", debit: "910.00" },
    { key: "2", account: "revenue", credit: "910.00", engagement: "ENG-7" },
  ],
}
const known = {
  company: { ...company, journals: { ...company.journals, misc: 15 }, accounts: { accrued: 404, revenue: 700 } },
  references: [{ ...mapping("sale.order", 30), links: { analytic: 9 } }],
}
const amounts = (row: unknown) =>
  (row as Row).lines?.rows.map(({ values }) => [values["account_id/.id"], values["debit"], values["credit"]])

describe("journal-entry.requested", () => {
  it("waits for the engagements and customers of its items, each once", () => {
    const items = [
      { key: "1", account: "accrued", debit: "3", customer: "CUS-0042", engagement: "ENG-7" },
      { key: "2", account: "revenue", credit: "1", engagement: "ENG-7" },
      { key: "3", account: "revenue", credit: "2", engagement: "ENG-8" },
    ]
    assert.deepStrictEqual(coordinates(type, { ...entry, items }), {
      key: "JE-1",
      parents: ["engagement:ENG-7", "engagement:ENG-8", "customer:CUS-0042"],
      references: [
        { flow: "engagements", key: "ENG-7" },
        { flow: "engagements", key: "ENG-8" },
        { flow: "customers", key: "CUS-0042" },
      ],
      versions: "once",
    })
  })

  it("books each item to the account of its code, borne by its engagement", () => {
    const row = rowsOf(type, "entry", writeOf(type, entry, known)) as Row
    assert.deepStrictEqual(row.values, {
      move_type: "entry",
      date: "2026-10-31",
      ref: "JE-1",
      "journal_id/.id": "15",
    })
    assert.deepStrictEqual(amounts(row), [["404", "910.00", "0.00"], ["700", "0.00", "910.00"]])
    assert.deepStrictEqual(row.lines?.rows.map(({ values }) => values["analytic_distribution"]), ["", '{"9":100}'])
  })

  it("books the opposite on the day of the reversal, linked to what it reverses; without a day nothing", () => {
    const row = rowsOf(type, "reversal", writeOf(type, entry, known)) as Row
    assert.deepInclude(row.values, {
      date: "2026-11-01",
      ref: "JE-1 reversal",
      "reversed_entry_id/id": "weir_be01.journal-entries_JE-1",
    })
    assert.deepStrictEqual(amounts(row), [["404", "0.00", "910.00"], ["700", "910.00", "0.00"]])
    const { reverseOn: _day, ...lasting } = entry
    assert.deepStrictEqual(rowsOf(type, "reversal", writeOf(type, lasting, known)), [])
  })

  it("gives an amount in a foreign currency beside the company's, with its sign, also when it is reversed", () => {
    const items = [
      { key: "1", account: "accrued", debit: "910.00", foreign: { currency: "JPY", amount: "145600" } },
      { key: "2", account: "revenue", credit: "910.00" },
    ]
    const foreign = (step: string) =>
      (rowsOf(type, step, writeOf(type, { ...entry, items }, known)) as Row).lines?.rows
        .map(({ values }) => [values["currency_id/id"], values["amount_currency"]])
    assert.deepStrictEqual(foreign("entry"), [["base.JPY", "145600"], ["base.EUR", "-910.00"]])
    assert.deepStrictEqual(foreign("reversal"), [["base.JPY", "-145600"], ["base.EUR", "910.00"]])
  })

  it("is refused in other books than the company's, for an unknown account, and for an engagement that bears nothing", () => {
    assert.strictEqual(
      refusalOf(type, "currency", writeOf(type, { ...entry, currency: "USD" }, known))?.code,
      "EVENT-INVALID",
    )
    const unmapped = rowsOf(type, "entry", writeOf(type, entry, { ...known, company }))
    assert.strictEqual("code" in unmapped ? unmapped.code : "", "MAPPING-MISSING")
    const bare = rowsOf(type, "entry", writeOf(type, entry, { ...known, references: [mapping("sale.order", 30)] }))
    assert.strictEqual("code" in bare ? bare.code : "", "MASTER-DATA-MISSING")
  })

  it("tells both numbers once they are posted", () => {
    const read = {
      post: { name: "MISC/2026/10/0001", date: "2026-10-31" },
      postReversal: { name: "MISC/2026/11/0001", date: "2026-11-01" },
    }
    assert.deepStrictEqual(specOf(type).outcomes?.(writeOf(type, entry, { ...known, read })), [{
      type: "journal-entry.posted",
      data: {
        entry: "JE-1",
        number: "MISC/2026/10/0001",
        accountingDate: "2026-10-31",
        reversal: "MISC/2026/11/0001",
        reversalDate: "2026-11-01",
        currency: "EUR",
        amount: "910.00",
      },
    }])
  })

  const [debit, credit] = entry.items
  const refused: ReadonlyArray<readonly [string, object, RegExp]> = [
    ["items off by a cent", { items: [debit, { ...credit, credit: "910.01" }] }, /not balanced.*-0\.01/u],
    ["an item with both sides", { items: [{ ...debit, credit: "1" }, credit] }, /either a debit or a credit/u],
    ["an item with neither", { items: [{ key: "1", account: "accrued" }, credit] }, /either a debit or a credit/u],
    [
      "a fraction of a cent",
      { items: [{ ...debit, debit: "910.001" }, { ...credit, credit: "910.001" }] },
      /1 has more decimals/u,
    ],
    ["a reversal on its own day", { reverseOn: "2026-10-31" }, /must be after date/u],
    [
      "a foreign amount on the other side",
      { items: [{ ...debit, foreign: { currency: "JPY", amount: "-5" } }, credit] },
      /must be negative for a credit/u,
    ],
  ]
  for (const [what, change, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(() => writeOf(type, { ...entry, ...change }), message)
    })
  }
})

describe("a journal entry on its way into Odoo", () => {
  const entity = {
    journals: { sales: "INV", bank: "BNK1", misc: "MISC" },
    accounts: { accrued: "642000", revenue: "616505" },
  }
  const entries = (world: ReturnType<typeof trial>) =>
    world.rows("account.move").filter((move) => move["move_type"] === "entry").map((move) => [
      move["ref"],
      move["state"],
      move["date"],
    ])

  it.effect("is posted with its reversal once, however often it comes", () => {
    const world = trial({ entity })
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, publication(type, entry))
      yield* send(publication(type, entry))
      assert.deepStrictEqual([yield* codes, entries(world)], [[], [
        ["JE-1", "posted", "2026-10-31"],
        ["JE-1 reversal", "posted", "2026-11-01"],
      ]])
      assert.strictEqual((yield* published("journal-entry.posted")).length, 1)
    }))
  })

  it.effect("leaves no draft behind when it does not balance or its account is unknown", () => {
    const world = trial({ entity })
    const [debit, credit] = entry.items
    return world.layer(Effect.gen(function* () {
      yield* send(
        ...basis,
        publication(type, { ...entry, items: [debit, { ...credit, credit: "910.01" }] }),
        publication(type, { ...entry, key: "JE-2", items: [{ ...debit, account: "nowhere" }, credit] }),
      )
      assert.deepStrictEqual([yield* codes, entries(world)], [
        ["stream-3 parked EVENT-INVALID", "JE-2 parked MAPPING-MISSING"],
        [],
      ])
    }))
  })
})
