import { assert, describe, it } from "@effect/vitest"
import { fingerprint } from "../../src/actor/fingerprint.ts"

describe("the fingerprint of a payload", () => {
  it("is the same whatever the order of the fields, at every depth", () => {
    assert.strictEqual(
      fingerprint({ a: 1, b: [{ x: "1", y: null }] }),
      fingerprint({ b: [{ y: null, x: "1" }], a: 1 }),
    )
    assert.notStrictEqual(fingerprint({ a: [1, 2] }), fingerprint({ a: [2, 1] }))
    assert.notStrictEqual(fingerprint({ a: "1" }), fingerprint({ a: 1 }))
  })

  // The ledger keeps them for years: another text behind them would make every event that comes again look changed.
  it("never changes from version to version", () => {
    const kept: ReadonlyArray<readonly [payload: unknown, fingerprint: string]> = [
      [
        { key: "T-1", hours: "7.5", billable: true, task: null, lines: [1, 2.5, { b: 1, a: "x" }] },
        "24eba4860f79b2912f66d2e2ef520cdf",
      ],
      [
        {
          'quo"te': "back\\slash",
          "new\nline": "tab\t",
          "nul\u0000": "\u007f",
          "é": "日本 \u2028",
          lone: "\ud800",
        },
        "4efdeacfd460f893a5bfedebcaf02ab7",
      ],
      // An object keeps such names in another order than others.
      [{ "10": 1, "9": 2, "": {}, a: [] }, "ca92f137c613fc4f8822f330e3f1cf07"],
      ["text", "1e1d0f251d3a76fa2b1bfc8116407857"],
      [12, "6b51d431df5d7f141cbececcf79edf3d"],
      [null, "74234e98afe7498fb5daf1f36ac2d78a"],
      [true, "b5bea41b6c623f7c09f1bf24dcae58eb"],
    ]
    for (const [payload, expected] of kept) assert.strictEqual(fingerprint(payload), expected)
  })
})
