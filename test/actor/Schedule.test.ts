import { assert, describe, it } from "@effect/vitest"
import type { Item } from "../../src/actor/Item.ts"
import { Parents } from "../../src/actor/Parents.ts"
import { type Batch, Schedule } from "../../src/actor/Schedule.ts"

const item = (key: string, sequence: number, parents: ReadonlyArray<string> = []): Item => ({
  event: {
    eventId: `e${sequence}`,
    type: "test.done",
    flow: "tests",
    key,
    version: null,
    streamSequence: sequence,
    storedAtMillis: 0,
    payloadHash: "",
    correlationId: null,
    attempts: 1,
  },
  message: { subject: "erp.be01.test.done", headers: {}, data: new Uint8Array() },
  delivery: null,
  payload: { spec: null as never, data: null, references: [], holds: [], consults: [], parents },
  rejection: null,
  traceparent: null,
  verdict: { _tag: "Behind" },
  attempts: 0,
  stale: false,
})
const sequences = (batch: Batch | null) => batch?.items.map(({ event }) => event.streamSequence) ?? null
const make = (flow = "tests", parents = new Parents(() => {})) => new Schedule(flow, parents)
const push = (schedule: Schedule, ...items: ReadonlyArray<Item>) => {
  schedule.admissionStarts()
  schedule.push(items)
}
const finish = (schedule: Schedule, batch: Batch) => {
  schedule.written(batch)
  schedule.done(batch)
}

describe("Schedule", () => {
  it("gives out one event at a time per key, in the order of arrival", () => {
    const schedule = make()
    push(schedule, item("a", 1), item("a", 2), item("b", 3))
    const first = schedule.take(10)!
    assert.deepStrictEqual(sequences(first), [1, 3])
    assert.isNull(schedule.take(10))
    finish(schedule, first)
    assert.deepStrictEqual(sequences(schedule.take(10)), [2])
  })

  it("keeps what follows an event behind it when that queues behind its identity under another key", () => {
    const schedule = make()
    const again = { ...item("a", 2), event: { ...item("a", 2).event, eventId: "e1" } }
    push(schedule, item("b", 1), again, item("a", 3))
    for (const sequence of [1, 2, 3]) {
      const batch = schedule.take(10)!
      assert.deepStrictEqual(sequences(batch), [sequence])
      assert.isNull(schedule.take(10))
      finish(schedule, batch)
    }
    push(schedule, item("a", 4), item("b", 5))
    assert.deepStrictEqual(sequences(schedule.take(10)), [4, 5])
  })

  it("tells whether an event that may be written has others of its key behind it", () => {
    const schedule = make()
    push(schedule, item("a", 1), item("b", 2), item("a", 3))
    assert.isTrue(schedule.hasFollowers)
    const first = schedule.take(1)!
    assert.isFalse(schedule.hasFollowers, "what is being written is no reason to hurry")
    finish(schedule, first)
    assert.isFalse(schedule.hasFollowers)
  })

  it("queues an identity that comes again under another key behind the first, to be asked about again", () => {
    const schedule = make()
    const same = (key: string, sequence: number): Item => {
      const made = item(key, sequence)
      return { ...made, event: { ...made.event, eventId: "same" } }
    }
    const [a, b, c] = [same("a", 1), same("b", 2), same("c", 4)]
    push(schedule, a, b, item("c", 3))
    const first = schedule.take(10)!
    assert.deepStrictEqual(sequences(first), [1, 3])
    assert.deepStrictEqual([a.stale, b.stale], [false, true])
    schedule.admissionStarts()
    finish(schedule, first)
    const second = schedule.take(10)!
    assert.deepStrictEqual(sequences(second), [2])
    finish(schedule, second)
    schedule.push([c])
    assert.isTrue(c.stale, "it was settled while the ledger was asked")
    finish(schedule, schedule.take(10)!)
    assert.strictEqual(schedule.size, 0)
  })

  it("lets other keys overtake one that holds ninety percent of the events", () => {
    const schedule = make()
    push(schedule, ...Array.from({ length: 100 }, (_, n) => item(n % 10 === 9 ? `k${n}` : "hot", n + 1)))
    const keys = schedule.take(50)!.items.map(({ event }) => event.key)
    assert.strictEqual(keys.filter((key) => key === "hot").length, 1)
    assert.strictEqual(keys.length, 11)
  })

  it("puts events of one parent into one batch and never into two at once", () => {
    const schedule = make()
    push(schedule, item("a", 1, ["order-1"]), item("b", 2, ["order-1"]), item("c", 3, ["order-1"]), item("d", 4))
    const first = schedule.take(2)!
    assert.deepStrictEqual(sequences(first), [1, 2])
    const second = schedule.take(2)!
    assert.deepStrictEqual(sequences(second), [4])
    finish(schedule, first)
    assert.deepStrictEqual(sequences(schedule.take(2)), [3])
  })

  it("fills a batch with the events of few parents, so that another one finds others free", () => {
    const schedule = make()
    push(schedule, ...Array.from({ length: 40 }, (_, n) => item(`k${n}`, n + 1, [`order-${n % 4}`])))
    const parentsIn = (batch: Batch | null) => new Set(batch?.items.flatMap(({ payload }) => payload!.parents))
    const [first, second] = [schedule.take(20), schedule.take(20)]
    assert.deepStrictEqual([first?.items.length, second?.items.length], [20, 20])
    assert.deepStrictEqual([parentsIn(first), parentsIn(second)], [
      new Set(["order-0", "order-1"]),
      new Set(["order-2", "order-3"]),
    ])
  })

  it("lets a parent with more events than a batch takes wait for its next turn", () => {
    const schedule = make()
    push(schedule, ...Array.from({ length: 6 }, (_, n) => item(`a${n}`, n + 1, ["busy"])), item("b", 7, ["other"]))
    const batches = [4, 4].map((size) => {
      const batch = schedule.take(size)!
      finish(schedule, batch)
      return sequences(batch)
    })
    assert.deepStrictEqual(batches, [[1, 2, 3, 4], [7, 5, 6]])
  })

  it("keeps a busy parent from starving the flow that asked first", () => {
    const parents = new Parents(() => {})
    const [bulk, critical] = [make("bulk", parents), make("critical", parents)]
    push(bulk, item("a", 1, ["order-1"]), item("b", 2, ["order-1"]))
    push(critical, item("c", 3, ["order-1"]))
    const first = bulk.take(1)!
    assert.isNull(critical.take(1))
    finish(bulk, first)
    assert.isNull(bulk.take(1), "the bulk flow may not take the parent that the critical flow waits for")
    const second = critical.take(1)!
    finish(critical, second)
    assert.deepStrictEqual(sequences(bulk.take(1)), [2])
  })

  it("takes all parents of an event or none", () => {
    const parents = new Parents(() => {})
    const [one, two] = [make("one", parents), make("two", parents)]
    push(one, item("a", 1, ["x"]))
    push(two, item("b", 2, ["y", "x"]))
    const first = one.take(1)!
    assert.isNull(two.take(1))
    assert.strictEqual(parents.size, 1)
    finish(one, first)
    assert.deepStrictEqual(sequences(two.take(1)), [2])
  })

  it("marks as stale what was admitted behind or during a settlement of its key", () => {
    const schedule = make()
    const [first, second, third] = [item("a", 1), item("a", 2), item("a", 3)]
    push(schedule, first, second)
    assert.isFalse(first.stale)
    assert.isTrue(second.stale)
    const batch = schedule.take(1)!
    schedule.admissionStarts()
    finish(schedule, batch)
    finish(schedule, schedule.take(1)!)
    schedule.push([third])
    assert.isTrue(third.stale, "its key was settled after the ledger had been asked")
    const fourth = item("a", 4)
    finish(schedule, schedule.take(1)!)
    push(schedule, fourth)
    assert.isFalse(fourth.stale)
  })

  it("is empty when everything is done", () => {
    const schedule = make()
    push(schedule, item("a", 1), item("a", 2))
    finish(schedule, schedule.take(1)!)
    finish(schedule, schedule.take(1)!)
    assert.strictEqual(schedule.size, 0)
    assert.strictEqual(schedule.runnable, 0)
    assert.deepStrictEqual(schedule.heldEventIds, [])
  })
})
