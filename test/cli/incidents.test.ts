import { assert, describe, it } from "@effect/vitest"
import { renderIncidents } from "../../src/cli/incidents.ts"
import { plain } from "../../src/cli/table.ts"

describe("the list of incidents", () => {
  it("counts from the detection", () => {
    const text = renderIncidents({
      next: null,
      items: [{
        id: "odoo-0",
        entity: "be01",
        cause: "odoo",
        detectedAtMillis: 0,
        containedAtMillis: 2_500,
        restoredAtMillis: 600_000,
        steps: [{ atMillis: 600_000, what: "restored" }],
      }, {
        id: "tax-0",
        entity: "be02",
        cause: "tax",
        detectedAtMillis: 0,
        containedAtMillis: 0,
        restoredAtMillis: null,
        steps: [],
      }],
    }, plain)
    assert.deepStrictEqual(text.split("\n").map((line) => line.split(/ {2,}/u)), [
      ["ENTITY", "CAUSE", "DETECTED", "CONTAINED", "RESTORED", "LAST"],
      ["be01", "odoo", "1970-01-01T00:00:00Z", "2.5 s", "10.0 min", "restored"],
      ["be02", "tax", "1970-01-01T00:00:00Z", "0.0 s", "-"],
    ])
    assert.strictEqual(renderIncidents({ next: null, items: [] }, plain), "No incidents.")
  })
})
