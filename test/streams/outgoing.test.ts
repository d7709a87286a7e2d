import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { factSchemas } from "../../schemas/facts.ts"
import { catalog } from "../../streams/catalog.ts"
import { outgoing } from "../../streams/outgoing.ts"

const root = new URL("../../", import.meta.url)
const types = outgoing(catalog).map(({ type }) => type)

describe("what Weir publishes", () => {
  it("is in docs/events.md, type by type", () => {
    const page = readFileSync(new URL("docs/events.md", root), "utf8")
    const [, section = ""] = page.split("\n## What Weir publishes\n")
    for (const type of types) assert.include(section, `\`${type}\``)
  })

  it("has a schema each, and no schema is left over", () => {
    assert.deepStrictEqual(Object.keys(factSchemas).toSorted(), types.toSorted())
  })

  it("is on the page of the flow that it comes from", () => {
    for (const { events, feed, name } of catalog) {
      const page = readFileSync(new URL(`docs/flows/${name}.md`, root), "utf8")
      for (const type of events.flatMap(({ publishes = [] }) => publishes)) assert.include(page, `\`${type}\``)
      for (const { type } of feed?.facts ?? []) assert.include(page, `| \`${type}\``)
    }
  })

  it("is all that the flows' fixtures see published", () => {
    const folder = new URL("fixtures/flows/", root)
    const seen = readdirSync(folder, { withFileTypes: true }).filter((one) => one.isDirectory()).flatMap(({ name }) => {
      const text = readFileSync(new URL(`${name}/expected.json`, folder), "utf8")
      return Object.keys((JSON.parse(text) as { readonly told?: object }).told ?? {})
    })
    assert.isNotEmpty(seen)
    for (const type of seen) assert.include(types, type)
  })
})
