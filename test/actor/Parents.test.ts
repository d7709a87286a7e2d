import { assert, describe, it } from "@effect/vitest"
import { Parents } from "../../src/actor/Parents.ts"

const bulk = Symbol("bulk")
const critical = Symbol("critical")

describe("Parents", () => {
  it("wakes others once per batch, when all its parents are free", () => {
    const taken: Array<boolean> = []
    const parents = new Parents(() => {
      taken.push(parents.acquire(["order-1", "order-2"], critical, "critical"))
    })
    assert.isTrue(parents.acquire(["order-1"], bulk, "bulk"))
    assert.isTrue(parents.acquire(["order-2"], bulk, "bulk"))
    assert.isFalse(parents.acquire(["order-1", "order-2"], critical, "critical"))
    parents.release(["order-1", "order-2"], bulk)
    assert.deepStrictEqual(taken, [true])
  })

  it("lets a batch share parents, but not those that only one event may have", () => {
    const parents = new Parents(() => undefined)
    assert.isTrue(parents.acquire(["order-1", "=vat:BE1"], bulk, "bulk"))
    assert.isTrue(parents.acquire(["order-1", "=vat:BE2"], bulk, "bulk"))
    assert.isFalse(parents.acquire(["order-2", "=vat:BE1"], bulk, "bulk"))
    parents.release(["order-1", "=vat:BE1", "order-1", "=vat:BE2"], bulk)
    assert.isTrue(parents.acquire(["order-2", "=vat:BE1"], bulk, "bulk"))
    assert.strictEqual(parents.size, 2)
  })

  it("wakes those that were refused, and nobody else", () => {
    const woken: Array<string> = []
    const parents = new Parents((flows) => woken.push(...flows))
    for (const [name, flow] of [["order-1", "a"], ["order-1", "b"], ["order-1", "c"], ["order-2", "d"]] as const) {
      parents.acquire([name], Symbol(flow), flow)
    }
    const held = Symbol("held")
    parents.acquire(["order-3"], held, "a")
    parents.release(["order-3"], held)
    assert.deepStrictEqual(woken, ["b", "c"])
  })

  it("wakes those that respected the claim of a flow that stops", () => {
    const woken: Array<string> = []
    const parents = new Parents((flows) => woken.push(...flows))
    assert.isTrue(parents.acquire(["order-1"], bulk, "bulk"))
    assert.isFalse(parents.acquire(["order-1"], critical, "critical"))
    parents.release(["order-1"], bulk)
    assert.isFalse(parents.acquire(["order-1"], bulk, "bulk"), "critical goes first")
    parents.withdraw("critical")
    assert.deepStrictEqual(woken, ["critical", "bulk"])
    assert.isTrue(parents.acquire(["order-1"], bulk, "bulk"))
  })

  it("wakes nobody when nobody was refused", () => {
    let wakes = 0
    const parents = new Parents(() => wakes++)
    assert.isTrue(parents.acquire(["order-1"], bulk, "bulk"))
    parents.release(["order-1"], bulk)
    assert.strictEqual(wakes, 0)
  })

  it("wakes again for whoever was refused while others were woken", () => {
    let wakes = 0
    const parents = new Parents(() => {
      if (++wakes === 1) assert.isFalse(parents.acquire(["order-2"], critical, "critical"))
    })
    const other = Symbol("other")
    assert.isTrue(parents.acquire(["order-1"], bulk, "bulk"))
    assert.isTrue(parents.acquire(["order-2"], other, "bulk"))
    assert.isFalse(parents.acquire(["order-1"], critical, "critical"))
    parents.release(["order-1"], bulk)
    parents.release(["order-2"], other)
    assert.strictEqual(wakes, 2)
  })
})
