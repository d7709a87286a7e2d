import { assert, describe, it } from "@effect/vitest"
import { Duration, Schema } from "effect"
import { type Facts, judge } from "../../../src/cli/surge/judge.ts"
import { defaults, Objectives } from "../../../src/cli/surge/Objectives.ts"
import { percentilesOf } from "../../../src/cli/surge/Report.ts"

const hundred = Array.from({ length: 100 }, (_, index) => index + 1)

const facts: Facts = {
  published: 100,
  settled: 100,
  settledAfterSeconds: 4,
  latencies: [
    { lane: "critical", flow: null, latency: percentilesOf(hundred), fromStored: percentilesOf(hundred), held: 0 },
    {
      lane: "critical",
      flow: "payments",
      latency: percentilesOf(hundred),
      fromStored: percentilesOf(hundred),
      held: 0,
    },
  ],
  exceptions: [{ entity: "be01", code: "MAPPING-MISSING", expected: 2, actual: 2 }],
  totals: { compared: 80, different: [] },
  user: { quiet: percentilesOf([20, 20, 20]), surge: percentilesOf([30, 30, 49]) },
  peaks: { publishedPerSecond: 10, settledPerSecond: 10, backlog: 5, residentMiB: 200 },
}
const wanted = (objectives: unknown): Objectives => Schema.decodeUnknownSync(Objectives)(objectives)
const missed = (changes: Partial<Facts>, objectives: Objectives = defaults): ReadonlyArray<string> =>
  judge(objectives, { ...facts, ...changes }).filter(({ met }) => !met).map(({ objective }) => objective)

describe("the verdict", () => {
  it("is met when everything is as it should be", () => {
    assert.deepStrictEqual(missed({}), [])
    assert.isAtLeast(judge(defaults, facts).length, 6)
  })

  it("is missed when something was never settled, or too late", () => {
    assert.strictEqual(missed({ settledAfterSeconds: null, settled: 99 }).length, 1)
    assert.strictEqual(missed({ settledAfterSeconds: 601 }).length, 1)
    assert.strictEqual(missed({ settledAfterSeconds: 600 }).length, 0)
  })

  it("is missed by one figure that differs, and when nothing was compared", () => {
    const different = [{ entity: "be01", flow: "invoices", what: "odoo total", expected: "1.00", actual: "2.00" }]
    assert.strictEqual(missed({ totals: { compared: 80, different } }).length, 1)
    assert.strictEqual(missed({ totals: { compared: 0, different: [] } }).length, 1)
  })

  it("counts exceptions beyond the expected ones, not fewer", () => {
    const exceptions = [
      { entity: "be01", code: "MAPPING-MISSING", expected: 2, actual: 0 },
      { entity: "be01", code: "ODOO-VALIDATION", expected: 0, actual: 2 },
    ]
    assert.strictEqual(missed({ exceptions }).length, 1)
    assert.strictEqual(missed({ exceptions }, wanted({ unexpectedExceptions: 2 })).length, 0)
  })

  it("looks at the percentile that is asked for, of a flow or of a lane", () => {
    const at = (percentile: number, atMost: string, of: object = { flow: "payments" }) =>
      missed({}, wanted({ latency: [{ ...of, percentile, atMost }] })).length
    assert.strictEqual(at(50, "50 millis"), 0)
    assert.strictEqual(at(50, "49 millis"), 1)
    assert.strictEqual(at(99, "99 millis", { lane: "critical" }), 0)
    assert.strictEqual(at(99, "98 millis", { lane: "critical" }), 1)
    // A scenario without them has missed nothing.
    assert.strictEqual(at(99, "1 millis", { flow: "expenses" }), 0)
  })

  it("lets a person wait longer than before only where nobody notices", () => {
    assert.strictEqual(missed({ user: { quiet: percentilesOf([20]), surge: percentilesOf([51]) } }).length, 1)
    assert.strictEqual(missed({ user: { quiet: percentilesOf([100]), surge: percentilesOf([150]) } }).length, 0)
    assert.strictEqual(missed({ user: { quiet: percentilesOf([100]), surge: percentilesOf([151]) } }).length, 1)
    assert.strictEqual(missed({ user: { quiet: percentilesOf([100]), surge: percentilesOf([]) } }).length, 1)
    assert.strictEqual(missed({ user: null }, wanted({ user: null })).length, 0)
  })

  it("holds memory to a limit when there is one", () => {
    assert.strictEqual(missed({}, wanted({ memoryMiB: 199 })).length, 1)
    assert.strictEqual(missed({}, wanted({ memoryMiB: 200 })).length, 0)
  })
})

describe("objectives", () => {
  it("have defaults for everything", () => {
    assert.strictEqual(Duration.toMinutes(defaults.settledWithin), 10)
    assert.isTrue(defaults.totalsAgree)
  })

  it("refuse a latency of nothing, of both a flow and a lane, and words they do not know", () => {
    const decode = Schema.decodeUnknownExit(Objectives, { onExcessProperty: "error" })
    const wrong = [
      { latency: [{ percentile: 99, atMost: "1 second" }] },
      { latency: [{ flow: "payments", lane: "critical", percentile: 99, atMost: "1 second" }] },
      { latency: [{ flow: "payments", percentile: 98, atMost: "1 second" }] },
      { latency: [{ flow: "payments", percentile: 99, atMost: 1 }] },
      { settledIn: "1 minute" },
    ]
    for (const one of wrong) assert.strictEqual(decode(one)._tag, "Failure", JSON.stringify(one))
  })
})
