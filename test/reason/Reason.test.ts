import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { page } from "../../src/reason/page.ts"
import { reasons } from "../../src/reason/Reason.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))
const codes = Object.keys(reasons)

/** Sources that may give a reason: everything but the table itself and what documents it. */
const sources = ["src", "streams"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !/^reason\//u.test(path.replaceAll("\\", "/")))
    .map((path) => readFileSync(join(root, folder, path), "utf8"))
)
const classifier = readFileSync(join(root, "src/odoo/classify.ts"), "utf8")
const table = readFileSync(join(root, "test/odoo/classify.test.ts"), "utf8")

describe("the list of reasons", () => {
  it("is closed: nothing in the code looks like a code and is none", () => {
    const words = sources.flatMap((text) => [...text.matchAll(/code: "([A-Z][A-Z-]+)"/gu)].map(([, code]) => code!))
    assert.isAbove(words.length, 20)
    assert.deepStrictEqual(words.filter((code) => !codes.includes(code)), [])
  })

  it("has no dead code: each is given somewhere", () => {
    assert.deepStrictEqual(codes.filter((code) => !sources.some((text) => text.includes(`"${code}"`))), [])
  })

  it("has all that the classifier of Odoo's answers can say, and each is proved by a recorded answer or a made one", () => {
    const said = new Set([...classifier.matchAll(/"(ODOO-[A-Z-]+)"/gu)].map(([, code]) => code!))
    assert.isAtLeast(said.size, 9)
    assert.deepStrictEqual([...said].filter((code) => !codes.includes(code)), [])
    assert.deepStrictEqual([...said].filter((code) => !table.includes(`"${code}"`)), [])
  })

  it("says what each means, what to do, and how it looks, in words that end where they should", () => {
    for (const [code, { action, example, title }] of Object.entries(reasons)) {
      assert.match(code, /^[A-Z]+(?:-[A-Z]+)*$/u)
      assert.notMatch(title, /\.$/u, code)
      assert.match(action, /\.$/u, code)
      assert.isNotEmpty(example, code)
    }
  })

  it("is published as it is", () => {
    const published = readFileSync(join(root, "docs/exceptions.md"), "utf8")
    assert.strictEqual(published, page(), "run: deno task exceptions")
    for (const code of codes) assert.include(published, `\n## ${code}\n`)
  })
})
