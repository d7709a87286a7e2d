/** Every flow's fixtures show all cases that can happen to it, and what they say they show is what becomes of the event. */
import { assert, describe, it } from "@effect/vitest"
import { impossible, listed, type Shown, shownIn } from "../../fixtures/replay/cases.ts"
import { type Case, cases, type Expected, fixtures } from "../../fixtures/replay/Fixture.ts"
import { catalog } from "../../streams/catalog.ts"

const all = fixtures()
const shown = all.flatMap(shownIn)
const expectedOf = new Map(all.map(({ expected, name }) => [name, JSON.parse(expected) as Expected]))

/** Codes of the exception that the event of a case becomes; the others are no exceptions. */
const codes: Partial<Record<Case, ReadonlyArray<string>>> = {
  "missing-reference": ["REFERENCE-MISSING", "MASTER-DATA-MISSING"],
  "wrong-company": ["LEGAL-ENTITY-MISMATCH", "MASTER-DATA-MISSING"],
  "wrong-tax": ["TAX-MISMATCH", "MAPPING-MISSING"],
  "closed-period": ["ODOO-LOCKED-PERIOD"],
}

/** Whether the fixture expects of the flow what the case comes to. */
const isExpected = ({ case: one, data, fixture, flow }: Shown): boolean => {
  const { exceptions = [], flows } = expectedOf.get(fixture)!
  const own = flows[flow] ?? {}
  const held = exceptions.filter((exception) => exception.flow === flow)
  switch (one) {
    case "happy":
      return (own.applied ?? 0) > 0
    case "duplicate":
      return (own.duplicate ?? 0) > 0
    // Waited for, or older than what stands.
    case "reordered":
      return (own.applied ?? 0) + (own.superseded ?? 0) > 0
    case "corrected":
      return (own.applied ?? 0) > 1 || held.some(({ code }) => code === "EVENT-CHANGED")
    default: {
      // The key of an event may be made of several of its fields.
      const isOf = (key: string) => {
        const names = key.split(/[.#]/u)
        const values = Object.values(data).map(String)
        return values.includes(key) || names.some((name) => values.includes(name)) ||
          values.some((v) => key.endsWith(v))
      }
      // A person may have decided about it since: then it is among the dismissed, or the applied.
      return held.some(({ code, key }) => isOf(key) && codes[one]!.includes(code)) ||
        ((own.dismissed ?? 0) > 0 && (one === "wrong-tax" || one === "closed-period"))
    }
  }
}

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

  it("are what the fixtures expect of them", () => {
    assert.deepStrictEqual(shown.filter((one) => !isExpected(one)), [])
  })
})
