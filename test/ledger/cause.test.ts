import { assert, describe, it } from "@effect/vitest"
import { causeOf, fingerprintOf, MAX_CAUSE } from "../../src/ledger/cause.ts"

describe("the cause of an exception", () => {
  it("is the same for all that differ in numbers, dates, keys, names in quotes and addresses", () => {
    const same: ReadonlyArray<readonly [string, string, string]> = [
      [
        "account.move 96: amount_tax: promised 191.54, Odoo computes 191.55",
        "account.move 1207: amount_tax: promised 0.10, Odoo computes 0.11",
        "account.move # amount_tax: promised #, Odoo computes #",
      ],
      [
        'Odoo has no hr.employee with work_email "c01@be01.example.test" in company 3',
        'Odoo has no hr.employee with work_email "zoë@nl01.example.test" in company 14',
        'Odoo has no hr.employee with work_email "*" in company #',
      ],
      ["waits for engagements ENG-0007", "waits for engagements ENG-9", "waits for engagements #"],
      [
        "You can't modify 'Journal Entry' of ada@example.test on 2026-10-31",
        "You can't modify 'Payment' of eve@example.test on 2027-01-02",
        "You can't modify '*' of @ on #",
      ],
    ]
    for (const [one, other, cause] of same) {
      assert.strictEqual(causeOf(one), cause)
      assert.strictEqual(causeOf(other), cause)
      assert.strictEqual(fingerprintOf("DEFECT", one), fingerprintOf("DEFECT", other))
    }
  })

  it("is another one under another code, and for other words", () => {
    assert.notStrictEqual(fingerprintOf("DEFECT", "no"), fingerprintOf("EVENT-INVALID", "no"))
    assert.notStrictEqual(fingerprintOf("DEFECT", "no way"), fingerprintOf("DEFECT", "no how"))
  })

  it("is short, however long the text is", () => {
    assert.strictEqual(causeOf("word ".repeat(10_000)).length, MAX_CAUSE)
    assert.match(fingerprintOf("DEFECT", ""), /^[0-9a-f]{16}$/u)
  })
})
