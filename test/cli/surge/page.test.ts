import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { compare, renderComparison } from "../../../src/cli/surge/compare.ts"
import { page } from "../../../src/cli/surge/page/page.ts"
import { clock, count, decades, moments, ticks, time } from "../../../src/cli/surge/page/scale.ts"
import { percentilesOf, SurgeReport } from "../../../src/cli/surge/Report.ts"
import { summary } from "../../../src/cli/surge/summary.ts"
import { plain } from "../../../src/cli/table.ts"

const part = { published: 5, settled: 4, backlog: 1, p50: 20, p99: 80 }

const report: SurgeReport = {
  version: 1,
  weir: "0.1.0",
  scenario: { name: "month-<end>", seed: 7, events: 40, entities: 1 },
  startedAt: "2026-10-30T16:00:00.000Z",
  speed: 60,
  paced: { fromMillis: 0, untilMillis: null },
  target: { kind: "lab", description: "a stand-in", odooWorkers: 4, processors: 2 },
  seconds: 20,
  published: 40,
  settled: 40,
  settledAfterSeconds: 1.5,
  lag: percentilesOf([1]),
  peaks: { publishedPerSecond: 5, settledPerSecond: 4, backlog: 9, residentMiB: 201 },
  cpuSeconds: 3,
  latencies: [{
    lane: "critical",
    flow: "payments",
    latency: percentilesOf([10, 20]),
    fromStored: percentilesOf([10, 20]),
    held: 1,
  }],
  bucketMillis: 1_000,
  buckets: Array.from({ length: 20 }, (_, index) => ({ atMillis: index * 1_000, lanes: { critical: part } })),
  samples: [
    {
      atMillis: 500,
      calls: 1.5,
      limit: 2,
      busy: 1,
      userMillis: 30,
      inFlight: 3,
      retrying: 0,
      residentMiB: 180,
      cores: 0.5,
    },
    {
      atMillis: 1_000,
      calls: null,
      limit: null,
      busy: null,
      userMillis: null,
      inFlight: null,
      retrying: null,
      residentMiB: null,
      cores: null,
    },
  ],
  user: { quiet: percentilesOf([20]), surge: percentilesOf([30]) },
  faults: [{ what: "odoo-slow ×2 for 5s", fromMillis: 2_000, untilMillis: 7_000 }],
  modes: [
    { entity: "be01", mode: "full", fromMillis: 0, untilMillis: 5_000 },
    { entity: "be01", mode: "hold", fromMillis: 5_000, untilMillis: 9_000 },
  ],
  incidents: [{ fromMillis: 2_500, untilMillis: null, entity: "be01", cause: "odoo", steps: ["away", "away", "back"] }],
  exceptions: [{ entity: "be01", code: "MAPPING-MISSING", expected: 1, actual: 1 }],
  totals: {
    compared: 80,
    different: [{ entity: "be01", flow: "invoices", what: "odoo total", expected: "1.00", actual: "2.00" }],
  },
  objectives: [{ objective: "every count", measured: "1 of 80 differ", met: false }],
  met: false,
}

describe("the page", () => {
  const html = page([report])

  it("needs nothing from anywhere else", () => {
    for (const foreign of ["<script", "http:", "https:", "src=", "@import", "url("]) assert.notInclude(html, foreign)
    assert.isAtLeast(html.split("<svg").length - 1, 7)
  })

  it("shows what the report has, and takes no text for markup", () => {
    const told = [
      "month-&lt;end&gt;",
      "1 of 1 objectives missed",
      "odoo-slow ×2 for 5s",
      "away (2 times); back",
      "MAPPING-MISSING",
      "payments",
      "2.00",
      'class="hold"',
    ]
    for (const text of told) assert.include(html, text)
    assert.notInclude(html, "month-<end>")
  })

  it("draws no number that is none", () => {
    assert.notMatch(html, /NaN|Infinity|undefined/u)
  })

  it("puts two reports side by side on the same axes", () => {
    const pair = page([report, { ...report, seconds: 40, scenario: { ...report.scenario, name: "other" } }])
    assert.include(pair, 'class="pair"')
    assert.include(pair, "other")
    assert.strictEqual(pair.split("<figure>").length, 2 * html.split("<figure>").length - 1)
  })
})

describe("a report", () => {
  it("is what its schema says, before and after it was a file", () => {
    const decoded = Schema.decodeUnknownSync(SurgeReport)(JSON.parse(JSON.stringify(report)))
    assert.deepStrictEqual(decoded, report)
  })

  it("is told in a terminal with its verdict and what differs", () => {
    const text = summary(report, plain)
    for (const part of ["MISSED", "every count", "be01 invoices odoo total: 2.00, expected 1.00", "payments"]) {
      assert.include(text, part)
    }
  })
})

describe("a comparison", () => {
  const faster = { ...report, seconds: 10, peaks: { ...report.peaks, settledPerSecond: 8 } }

  it("tells what is better and what is worse", () => {
    const rows = new Map(compare(report, faster).map((row) => [row.what, row]))
    assert.deepInclude(rows.get("until the last settled")!, { change: -50, better: true })
    assert.deepInclude(rows.get("settled a second, at most")!, { change: 100, better: true })
    assert.deepInclude(rows.get("largest backlog")!, { change: 0, better: null })
    const back = new Map(compare(faster, report).map((row) => [row.what, row]))
    assert.deepInclude(back.get("until the last settled")!, { change: 100, better: false })
    assert.include(renderComparison(report, faster, plain), "-50 %")
  })
})

describe("axes", () => {
  it("have round numbers that reach as far as the values", () => {
    assert.deepStrictEqual(ticks(7), [0, 2, 4, 6, 8])
    assert.deepStrictEqual(ticks(1_000), [0, 500, 1_000])
    assert.deepStrictEqual(ticks(0), [0, 1])
    assert.deepStrictEqual(moments(60_000, 6), [0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000])
    assert.deepStrictEqual(decades(30, 4_000), [10, 100, 1_000, 10_000])
  })

  it("write them as people read them", () => {
    assert.deepStrictEqual([count(950), count(1_200), count(34_000), count(2e6)], ["950", "1.2k", "34k", "2M"])
    assert.deepStrictEqual([time(40), time(2_500), time(180_000)], ["40 ms", "2.5 s", "3 min"])
    assert.deepStrictEqual([clock(5_000), clock(3_750_000)], ["0:05", "1:02:30"])
  })
})
