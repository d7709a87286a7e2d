import { assert, describe, it } from "@effect/vitest"
import { type EventTimes, measuresOf } from "../../../src/cli/surge/measure.ts"
import type { Posting } from "../../../src/cli/surge/postings.ts"
import { percentilesOf } from "../../../src/cli/surge/Report.ts"
import { Track } from "../../../src/cli/surge/Track.ts"
import { catalog } from "../../../streams/catalog.ts"

const publication = { subject: "erp.be01.x.y", headers: {}, data: new Uint8Array(), messageId: "m" }
const posting = (flow: string, key: string, ...references: Array<readonly [flow: string, key: string]>): Posting => ({
  publication,
  atMillis: 0,
  event: { entity: "be01", flow, key, references: references.map(([flow, key]) => ({ flow, key })) },
})
const times = (flow: string, sequence: number, storedMillis: number, settledMillis: number, state = "applied") =>
  ({ flow, sequence, storedMillis, settledMillis, state }) satisfies EventTimes

/** An invoice long before its customer, and the invoice's payment. */
const track = (after = 0): Track => {
  const made = new Track(after)
  const postings = [
    posting("invoices", "I1", ["customers", "C1"]),
    posting("payments", "P1", ["invoices", "I1"]),
    posting("customers", "C1"),
  ]
  made.note(postings, postings.map((_, index) => ({ streamSequence: index + 1, duplicate: false })))
  return made
}
const stored = [
  times("invoices", 1, 1_000, 9_500),
  times("payments", 2, 2_000, 9_900),
  times("customers", 3, 9_000, 9_100),
]
const options = { flows: catalog, millis: 10_000, startedMillis: 0 }

describe("the latency of an event", () => {
  it("counts from the moment at which the last thing that it needs was in the stream", () => {
    const { latencies } = measuresOf(stored, { ...options, track: track() })
    const of = (flow: string) => latencies.find((one) => one.flow === flow)!
    assert.strictEqual(of("customers").latency.max, 100)
    assert.strictEqual(of("invoices").latency.max, 500)
    // It needs the invoice, and so the customer, too.
    assert.strictEqual(of("payments").latency.max, 900)
    assert.strictEqual(of("payments").fromStored.max, 7_900)
  })

  it("is not told of what is held, which is counted", () => {
    const { latencies } = measuresOf([times("payments", 2, 2_000, 9_900, "held")], { ...options, track: track() })
    assert.deepInclude(latencies[0]!, { lane: "critical", flow: null, held: 1 })
    assert.strictEqual(latencies[0]!.latency.count, 0)
  })

  it("leaves out what was published before the paced part", () => {
    const { buckets, latencies } = measuresOf(stored, { ...options, track: track(1) })
    assert.isUndefined(latencies.find(({ flow }) => flow === "invoices"))
    assert.strictEqual(buckets.reduce((sum, { lanes }) => sum + (lanes["critical"]?.published ?? 0), 0), 1)
  })
})

describe("stretches of time", () => {
  it("add up to what was published and settled, and end without a backlog", () => {
    const { bucketMillis, buckets } = measuresOf(stored, { ...options, track: track() })
    assert.strictEqual(bucketMillis, 250)
    const sum = (lane: string, what: "published" | "settled") =>
      buckets.reduce((all, { lanes }) => all + (lanes[lane]?.[what] ?? 0), 0)
    assert.deepStrictEqual([sum("critical", "published"), sum("critical", "settled")], [2, 2])
    assert.strictEqual(buckets[10]!.lanes["critical"]!.backlog, 2)
    assert.strictEqual(buckets.at(-1)!.lanes["critical"]!.backlog, 0)
  })
})

describe("percentiles", () => {
  it("are the nearest rank", () => {
    const hundred = percentilesOf(Array.from({ length: 100 }, (_, index) => 100 - index))
    assert.deepStrictEqual(hundred, { count: 100, p50: 50, p90: 90, p95: 95, p99: 99, max: 100 })
    assert.deepStrictEqual(percentilesOf([7]), { count: 1, p50: 7, p90: 7, p95: 7, p99: 7, max: 7 })
    assert.deepStrictEqual(percentilesOf([]), { count: 0, p50: null, p90: null, p95: null, p99: null, max: null })
  })
})
