import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { Checkpoint } from "../../src/actor/Checkpoint.ts"

describe("Checkpoint", () => {
  it("moves over what is settled and stops before the first gap", () => {
    const checkpoint = new Checkpoint(10)
    for (const sequence of [12, 15, 19]) checkpoint.delivered(sequence)
    checkpoint.settled(15)
    assert.strictEqual(checkpoint.value, 10)
    checkpoint.settled(12)
    assert.strictEqual(checkpoint.value, 15)
    checkpoint.settled(19)
    assert.strictEqual(checkpoint.value, 19)
    assert.strictEqual(checkpoint.size, 0)
  })

  it("recognises redeliveries of what it has seen", () => {
    const checkpoint = new Checkpoint(0)
    assert.isTrue(checkpoint.delivered(3))
    assert.isFalse(checkpoint.delivered(3))
    assert.isFalse(checkpoint.delivered(2))
    assert.strictEqual(checkpoint.size, 1)
  })

  it("keeps no memory of what lies below", () => {
    const checkpoint = new Checkpoint(0)
    for (let sequence = 1; sequence <= 100_000; sequence++) {
      checkpoint.delivered(sequence)
      checkpoint.settled(sequence)
    }
    assert.strictEqual(checkpoint.size, 0)
    assert.strictEqual(checkpoint.value, 100_000)
  })

  it.prop(
    "is always the largest sequence below which everything is settled, whatever the order of outcomes",
    { order: Arbitrary.schema(Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 40 })))) },
    ({ order }) => {
      const checkpoint = new Checkpoint(0)
      for (let sequence = 1; sequence <= 40; sequence++) checkpoint.delivered(sequence)
      const settled = new Set<number>()
      for (const sequence of order) {
        checkpoint.settled(sequence)
        settled.add(sequence)
        let expected = 0
        while (settled.has(expected + 1)) expected++
        assert.strictEqual(checkpoint.value, expected)
      }
    },
  )
})
