import { assert, describe, it } from "@effect/vitest"
import { depthOf, part } from "../../src/actor/aside.ts"
import type { Item, Verdict } from "../../src/actor/Item.ts"

const itemOf = (key: string, n: number, verdict: Verdict = { _tag: "Write", references: [], previous: null }) =>
  ({ event: { key, eventId: `${key}-${n}` }, verdict }) as unknown as Item
const ids = (items: ReadonlyArray<Item>) => items.map(({ event }) => event.eventId)
const nobody = { queued: () => 0 }

describe("a key's share of the places in flight", () => {
  it("is an eighth, and eight at least", () => {
    assert.deepStrictEqual([1, 64, 100, 400, 1_200].map(depthOf), [8, 8, 12, 50, 150])
  })

  it("is not touched by keys with few events, which pass as they are", () => {
    const items = [itemOf("A", 1), itemOf("B", 1), itemOf("A", 2)]
    assert.strictEqual(part(items, nobody, 2).here, items)
  })

  it("counts what is here already, and sets aside all that follows", () => {
    const items = [itemOf("A", 1), itemOf("B", 1), itemOf("A", 2), itemOf("A", 3)]
    const { aside, here } = part(items, { queued: (key) => key === "A" ? 2 : 0 }, 3)
    assert.deepStrictEqual(ids(here), ["A-1", "B-1"])
    assert.deepStrictEqual(ids(aside), ["A-2", "A-3"])
  })

  it("is for what has to wait: a duplicate or a rejected event is settled at its turn", () => {
    const items = [
      itemOf("A", 1),
      itemOf("A", 2, { _tag: "Duplicate" }),
      itemOf("A", 3, { _tag: "Park", code: "EVENT-CHANGED", detail: "" }),
      itemOf("A", 4, { _tag: "Behind" }),
    ]
    const { aside, here } = part(items, nobody, 1)
    assert.deepStrictEqual(ids(here), ["A-1", "A-2", "A-3"])
    assert.deepStrictEqual(ids(aside), ["A-4"])
  })
})
