/** External ids looked up by name: one by one while they are few, by a sweep when they are many. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { CompanyCalls } from "../../src/odoo/CompanyCalls.ts"
import { externalIds } from "../../src/odoo/ExternalIds.ts"
import type { Json } from "../../src/odoo/Odoo.ts"

/** 100 products of the company and one that all share. */
const records = [
  ...Array.from({ length: 100 }, (_, n) => ({ id: n + 1, xmlid: `weir_be01.seed_${n}` })),
  { id: 101, xmlid: "weir.product_time" },
]

const asked: Array<string> = []
const calls = {
  call: (
    _: string,
    method: string,
    { args = {}, ids = [] }: { args?: { [name: string]: Json }; ids?: Array<number> },
  ) =>
    Effect.sync((): Json => {
      asked.push(method)
      if (method === "get_metadata") {
        return records.filter(({ id }) => ids.includes(id)).map(({ id, xmlid }) => ({ id, xmlids: [{ xmlid }] }))
      }
      const found = records.find(({ xmlid }) => xmlid === `${String(args["module"])}.${String(args["xml_id"])}`)
      return ["product.product", found?.id ?? 0]
    }),
  searchRead: (_: string, domain: ReadonlyArray<readonly [string, string, number]>) =>
    Effect.sync(() => records.filter(({ id }) => id > domain[0]![2]).map(({ id }) => ({ id }))),
} as unknown as CompanyCalls

describe("external ids by name", () => {
  it.effect("are found in a sweep and beside it: what all companies share is in none", () =>
    Effect.gen(function* () {
      const { idsOf } = externalIds(calls, "weir_be01.")
      const shared = "weir.product_time"
      for (let n = 0; n < 100; n++) {
        const own = `weir_be01.seed_${n}`
        const found = yield* idsOf("product.product", [own, shared])
        assert.deepStrictEqual([...found].toSorted(), [[shared, 101], [own, n + 1]].toSorted(), `question ${n}`)
      }
      assert.include(asked, "get_metadata", "so many that they were swept")
      const singles = asked.filter((method) => method === "check_object_reference").length
      assert.isBelow(singles, 100, "what was found is not asked for again")
    }))
})
