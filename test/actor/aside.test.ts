import { assert, describe, it } from "@effect/vitest"
import { part, shareOf } from "../../src/actor/aside.ts"
import type { Item, Verdict } from "../../src/actor/Item.ts"

const WRITE: Verdict = { _tag: "Write", references: [], previous: null }
const itemOf = (key: string, n: number, verdict: Verdict = WRITE, more: Partial<Item> = {}) =>
  ({ event: { key, eventId: `${key}-${n}` }, verdict, delivery: {}, ...more }) as unknown as Item
const ids = (items: ReadonlyArray<Item>) => items.map(({ event }) => event.eventId)
const nobody = { queued: () => 0, meets: () => false }
/** So many places are free that a key's share is four, the least. */
const CROWDED = 16

describe("a key's share of the places in flight", () => {
  it("is a quarter of the free ones, and four at least", () => {
    assert.deepStrictEqual([0, 16, 40, 400].map(shareOf), [4, 4, 10, 100])
  })

  it("is not touched by keys with few events, which pass as they are", () => {
    const items = [itemOf("A", 1), itemOf("B", 1), itemOf("A", 2)]
    assert.strictEqual(part(items, nobody, CROWDED).here, items)
  })

  it("counts what is here already, and sets aside all that follows", () => {
    const items = [itemOf("A", 1), itemOf("B", 1), itemOf("A", 2), itemOf("A", 3)]
    const { aside, here } = part(items, { ...nobody, queued: (key) => key === "A" ? 3 : 0 }, CROWDED)
    assert.deepStrictEqual(ids(here), ["A-1", "B-1"])
    assert.deepStrictEqual(ids(aside), ["A-2", "A-3"])
  })

  it("leaves places free however many keys are busy", () => {
    const places = 400
    const items = Array.from({ length: 10_000 }, (_, n) => itemOf(`K${n % 40}`, n))
    const { here } = part(items, nobody, places)
    assert.isBelow(here.length, places * 0.95)
    assert.strictEqual(new Set(here.map(({ event }) => event.key)).size, 40, "each has some")
  })

  it("is for what has to wait: a duplicate or a rejected event is settled at its turn", () => {
    const items = [
      itemOf("A", 1, { _tag: "Duplicate" }),
      itemOf("A", 2, { _tag: "Park", code: "EVENT-CHANGED", detail: "" }),
      itemOf("A", 3, { _tag: "Behind" }),
    ]
    const { aside, here } = part(items, { ...nobody, queued: () => 4 }, CROWDED)
    assert.deepStrictEqual(ids(here), ["A-1", "A-2"])
    assert.deepStrictEqual(ids(aside), ["A-3"])
  })

  it("is not asked of what the ledger has just handed back", () => {
    const items = [itemOf("A", 1, WRITE, { delivery: null })]
    assert.strictEqual(part(items, { ...nobody, queued: () => 100 }, CROWDED).here, items)
  })

  it("never parts an identity from its bearer, here or in the same breath", () => {
    const items = [itemOf("A", 1), itemOf("A", 2), itemOf("A", 2)]
    const { aside, here } = part(items, { queued: () => 4, meets: (id) => id === "A-1" }, CROWDED)
    assert.deepStrictEqual(ids(aside), ["A-2"])
    assert.deepStrictEqual(ids(here), ["A-1", "A-2"], "it is asked about again once the other one is held")
  })
})
