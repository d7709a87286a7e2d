/** A fiber that never ends holds nothing of what it waited for: no async resources (docs/decisions/0006-plain-fibers.md). */
import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import process from "node:process"
import { fileURLToPath } from "node:url"

const pathOf = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const runtime = "Deno" in globalThis ? ["run", "-A"] : []

describe("plain fibers", () => {
  it("make no async resources", () => {
    const printed = execFileSync(process.execPath, [...runtime, pathOf("test/cli/plainFibers.main.ts")], {
      encoding: "utf8",
    })
    assert.strictEqual(printed, "0")
  })

  it("are what the programs that stay have: it is the first thing they load", () => {
    for (const program of ["src/cli/weir.ts", "fixtures/odoo/server.ts", "test/faults/campaign/main.ts"]) {
      const [first = ""] = /^import .*$/mu.exec(readFileSync(pathOf(program), "utf8")) ?? []
      assert.match(first, /\/plainFibers\.ts"$/u, program)
    }
  })
})
