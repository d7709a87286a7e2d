/**
 * Every flow's fixtures show all cases that can happen to it. That they do show them, event by event, is asked of the ledger
 * wherever they are replayed (`fixtures.suite.ts`).
 */
import { assert, describe, it } from "@effect/vitest"
import { impossible, listed, shownIn } from "../../fixtures/replay/cases.ts"
import { cases, type Expected, fixtures } from "../../fixtures/replay/Fixture.ts"
import { catalog } from "../../streams/catalog.ts"

const all = fixtures()
const shown = all.flatMap(shownIn)

/** Not the run's own records: Odoo's currencies, a day's rate that all runs share, a wizard that Odoo throws away. */
const shared = new Set(["res.currency", "res.currency.rate", "base.partner.merge.automatic.wizard"])

describe("the cases of the flows' fixtures", () => {
  for (const { name } of catalog) {
    it(`${name}: each is shown, or cannot happen`, () => {
      const own = new Set(shown.filter(({ flow }) => flow === name).map((one) => one.case))
      const missing = cases.filter((one) => !own.has(one) && impossible[name]?.[one] === undefined)
      assert.deepStrictEqual(missing, [])
      const both = cases.filter((one) => own.has(one) && impossible[name]?.[one] !== undefined)
      assert.deepStrictEqual(both, [], "shown, and said to be impossible")
    })
  }

  it("are those that the pages of the flows list", () => assert.deepStrictEqual(listed, cases))

  it("say of every model that their flows write all that stands in it", () => {
    const unsaid = all.flatMap(({ expected, name }) => {
      const { records } = JSON.parse(expected) as Expected
      const flows = new Set(shown.filter(({ fixture }) => fixture === name).map(({ flow }) => flow))
      const written = catalog.filter((flow) => flows.has(flow.name)).flatMap(({ mask = {} }) => Object.keys(mask))
      return [...new Set(written)].filter((model) => records[model] === undefined && !shared.has(model)).map((model) =>
        `${name}: ${model}`
      )
    })
    assert.deepStrictEqual(unsaid, [])
  })
})
