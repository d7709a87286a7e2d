import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { mutants } from "./mutants/mutants.ts"

describe("the planted bugs", () => {
  it("are at least ten, and each fits the sources as they are", () => {
    assert.isAtLeast(mutants.length, 10)
    for (const { file, find, name, replace } of mutants) {
      const source = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8")
      assert.strictEqual(source.split(find).length, 2, `${name}: adapt it to ${file}`)
      assert.notStrictEqual(find, replace, name)
    }
  })
})
