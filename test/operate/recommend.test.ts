import { assert, describe, it } from "@effect/vitest"
import type { Resolution } from "../../src/ledger/Desk.ts"
import { recommend } from "../../src/operate/exceptions/recommend.ts"
import { reasons } from "../../src/reason/Reason.ts"

const endings = (...counts: ReadonlyArray<readonly [Resolution["how"], number]>): ReadonlyArray<Resolution> =>
  counts.flatMap(([how, count]) =>
    Array.from({ length: count }, (_, n) => ({ entity: "be01", eventId: `${how}-${n}`, atMillis: n, by: "ada", how }))
  )

describe("the recommended action", () => {
  it("is what the code is documented with, as long as there is nothing to learn from", () => {
    const advice = recommend("MASTER-DATA-MISSING", endings(["retried", 2]))
    assert.deepInclude(advice, { action: "mend", learned: false, text: reasons["MASTER-DATA-MISSING"].action })
    assert.strictEqual(recommend("EVENT-INVALID", []).action, "edit")
  })

  it("is what helped most, with what was counted and the newest examples", () => {
    const advice = recommend("ODOO-VALIDATION", endings(["retried", 14], ["recurred", 1], ["dismissed", 2]))
    assert.deepInclude(advice, { action: "retry", learned: true })
    assert.include(advice.text, "14 of 15")
    assert.deepInclude(advice.evidence, { looked: 17, retried: 14, recurred: 1, dismissed: 2, edited: 0 })
    assert.deepStrictEqual(advice.evidence.examples.map(({ eventId }) => eventId), [
      "retried-0",
      "retried-1",
      "retried-2",
    ])
    assert.strictEqual(recommend("ODOO-VALIDATION", endings(["edited", 4], ["retried", 1])).action, "edit")
    assert.strictEqual(recommend("ODOO-VALIDATION", endings(["dismissed", 5], ["edited", 2])).action, "dismiss")
  })

  it("is to mend the cause first where retries fail again", () => {
    const advice = recommend("ODOO-VALIDATION", endings(["retried", 1], ["recurred", 8]))
    assert.deepInclude(advice, { action: "mend", learned: true })
    assert.include(advice.text, "8 of 9 failed again")
  })

  it("looks at so many endings and no more, the newest ones", () => {
    const advice = recommend("DEFECT", endings(["dismissed", 200], ["retried", 1_000]))
    assert.deepInclude(advice, { action: "dismiss" })
    assert.strictEqual(advice.evidence.looked, 200)
  })
})
