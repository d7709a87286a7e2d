import { assert, describe, it } from "@effect/vitest"
import type { StatusRow } from "../../src/operate/StatusReport.ts"
import { renderFindings } from "../../src/cli/findings.ts"
import { serviceUrl } from "../../src/cli/door.ts"
import { ageOf, render, renderOwners } from "../../src/cli/statusReport.ts"
import { painted, paintFor, plain, table } from "../../src/cli/table.ts"

const row: StatusRow = {
  entity: "be01",
  flow: "invoices",
  state: "running",
  mode: "full",
  decided: "",
  paused: "",
  close: "",
  circuit: "closed",
  incidents: 0,
  rebuilds: 0,
  backlog: null,
  inFlight: 2,
  applied: 1_000,
  superseded: 0,
  dismissed: 0,
  duplicate: 1,
  waiting: 3,
  parked: 1,
  behind: 2,
  ratePerSecond: 1.5,
  oldestAgeSeconds: 7_300,
  epoch: 4,
  owner: "host-1:71",
  since: "2026-12-31T10:00:00.000Z",
  trouble: "",
  retrying: 0,
  attempts: 0,
  nextTry: null,
  feedAgeSeconds: null,
  feedTrouble: "",
}

describe("tables", () => {
  it("are aligned, numbers to the right, without spaces at the end", () => {
    const text = table(
      [{ title: "NAME", cell: ([name]) => name }, { title: "N", align: "right", cell: ([, count]) => String(count) }],
      [["a", 5], ["longer", 1_000]] as ReadonlyArray<readonly [string, number]>,
      plain,
    )
    assert.strictEqual(text, ["NAME       N", "a          5", "longer  1000"].join("\n"))
  })

  it("are coloured on a terminal only, and not against NO_COLOR", () => {
    assert.strictEqual(paintFor(true, undefined), painted)
    assert.strictEqual(paintFor(true, ""), painted)
    assert.strictEqual(paintFor(true, "1"), plain)
    assert.strictEqual(paintFor(false, undefined), plain)
  })

  it("have the same width with and without colours", () => {
    const escapes = new RegExp(`${"\u001b"}\\[\\d+m`, "gu")
    const report = { version: "0", at: "", live: true, rows: [row] }
    assert.strictEqual(render(report, painted).replace(escapes, ""), render(report, plain))
  })
})

describe("the status table", () => {
  it("shows what is held together and what the broker does not tell as unknown", () => {
    const [, line = ""] = render({ version: "0", at: "", live: true, rows: [row] }, plain).split("\n")
    assert.deepStrictEqual(line.trim().split(/\s+/u), [
      "be01",
      "invoices",
      "running",
      "full",
      "?",
      "2",
      "1000",
      "5",
      "1",
      "1.5",
      "2h",
    ])
  })

  it("shows who owns each legal entity once, whatever the number of its flows", () => {
    const rows = [row, { ...row, flow: "payments" }, { ...row, entity: "nl01", owner: "", since: null, epoch: 0 }]
    const lines = renderOwners({ version: "0", at: "", live: true, rows }, plain).split("\n")
    assert.deepStrictEqual(lines.map((line) => line.trim().split(/\s+/u)), [
      ["ENTITY", "OWNER", "EPOCH", "SINCE"],
      ["be01", "host-1:71", "4", "2026-12-31T10:00:00Z"],
      ["nl01", "-", "0", "-"],
    ])
  })

  it("says below who decided what", () => {
    const rows = [{ ...row, decided: "ada: upgrade", mode: "hold" as const, close: "calendar: close calendar" }, row]
    const text = render({ version: "0", at: "", live: true, rows: [...rows.slice(1), rows[0]!] }, plain)
    assert.deepStrictEqual(text.split("\n").slice(-3), [
      "",
      "* be01 hold, decided by ada: upgrade",
      "* be01 closes its books, by calendar: close calendar",
    ])
  })

  it("says when no service answers", () => {
    assert.include(render({ version: "0", at: "", live: false, rows: [row] }, plain), "No weir answers")
    assert.include(render({ version: "0", at: "", live: true, rows: [] }, plain), "weir.json")
  })

  it("tells ages in the unit that fits", () => {
    assert.deepStrictEqual([null, 5, 600, 7_200, 200_000].map(ageOf), ["-", "5s", "10m", "2h", "2d"])
  })

  it("asks the service where this machine can reach it", () => {
    assert.strictEqual(serviceUrl({ http: { host: "0.0.0.0", port: 1 } }), "http://127.0.0.1:1")
    assert.strictEqual(serviceUrl({ http: { host: "::1", port: 1 } }), "http://[::1]:1")
    assert.strictEqual(serviceUrl({ http: { host: "10.0.0.7", port: 1 } }), "http://10.0.0.7:1")
  })
})

describe("findings", () => {
  it("end with what to do", () => {
    const text = renderFindings([
      { area: "broker", check: "version", level: "ok", detail: "2.12.1", action: "" },
      { area: "main", check: "key", level: "fail", detail: "refused", action: "Put a new key there." },
    ], plain)
    assert.include(text, "- main, key: Put a new key there.")
    assert.include(text, "1 failed, 0 to look at.")
    assert.isTrue(renderFindings([], plain).endsWith("All is well."))
  })
})
