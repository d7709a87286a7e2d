import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { catalog } from "../../streams/catalog.ts"
import { incompatibilities } from "../../streams/compatible.ts"
import { asyncApi, payloadSchemas } from "../../streams/published.ts"

const folder = new URL("../../schemas/published/", import.meta.url)
const published = readdirSync(folder)
const read = (name: string): string => readFileSync(new URL(name, folder), "utf8")
const schemas = payloadSchemas(catalog)

describe("published schemas", () => {
  for (const name of published) {
    it(`${name}: whatever was taken when it was published is taken still`, () => {
      const now = schemas.get(name)
      // An older version is taken by its upcaster and has no schema any more.
      if (now === undefined) {
        const [, type, version] = /^(.+)\.v(\d+)\.json$/u.exec(name)!
        const spec = catalog.flatMap(({ events }) => events).find((one) => one.type === type)
        assert.isDefined(spec?.upcasts?.[Number(version)], "neither taken nor brought to a newer version")
        return
      }
      assert.deepStrictEqual(incompatibilities(JSON.parse(read(name)), JSON.parse(now)), [])
    })
  }

  it("are all there and up to date: `deno task events` writes them", () => {
    for (const [name, text] of schemas) {
      assert.include(published, name)
      assert.strictEqual(read(name), text, name)
    }
  })

  it("are in the catalogue of events, which is up to date", () => {
    const text = readFileSync(new URL("../../docs/asyncapi.json", import.meta.url), "utf8")
    assert.strictEqual(text, asyncApi(catalog))
    const { channels } = JSON.parse(text) as { readonly channels: { readonly [type: string]: unknown } }
    for (const { type } of catalog.flatMap(({ events }) => events)) assert.property(channels, type)
  })
})

describe("incompatibilities", () => {
  const code = { type: "string", enum: ["A", "B"] }
  const schema = {
    type: "object",
    properties: { key: { $ref: "#/$defs/Key" }, code, lines: { type: "array", items: code, minItems: 1 } },
    required: ["key"],
    $defs: { Key: { type: "string", pattern: "^[a-z]+$" } },
  }
  /** A copy of the schema above with its fields open. */
  interface Copy {
    $defs: { Key: { pattern?: string } }
    properties: {
      code?: { type?: string; enum?: Array<string>; anyOf?: ReadonlyArray<unknown> }
      lines: { items: { enum: Array<string> }; minItems?: number; maxItems?: number }
      note?: unknown
    }
    required: Array<string>
    additionalProperties?: boolean
    not?: unknown
  }
  type Change = (copy: Copy) => void
  const changed = (change: Change) => {
    const copy = JSON.parse(JSON.stringify(schema)) as Copy
    change(copy)
    return incompatibilities(schema, { ...copy })
  }

  it("are none when a field is added, a rule is loosened or a word is changed", () => {
    assert.deepStrictEqual(changed(() => {}), [])
    assert.deepStrictEqual(changed((copy) => copy.properties.note = { type: "string" }), [])
    assert.deepStrictEqual(changed((copy) => copy.properties.code!.enum!.push("C")), [])
    assert.deepStrictEqual(changed((copy) => delete copy.properties.lines.minItems), [])
    assert.deepStrictEqual(changed((copy) => delete copy.$defs.Key.pattern), [])
    assert.deepStrictEqual(changed((copy) => copy.required = []), [])
    assert.deepStrictEqual(changed((copy) => copy.properties.code = { anyOf: [code, { type: "null" }] }), [])
  })

  const breaking: ReadonlyArray<readonly [string, Change]> = [
    ["data: code is required and was not", (copy) => copy.required.push("code")],
    ["data: code is gone", (copy) => delete copy.properties.code],
    ["code: no longer takes B", (copy) => copy.properties.code!.enum!.pop()],
    ["lines.[]: no longer takes B", (copy) => copy.properties.lines.items.enum.pop()],
    ["lines: minItems is larger", (copy) => copy.properties.lines.minItems = 2],
    ["lines: maxItems is smaller", (copy) => copy.properties.lines.maxItems = 9],
    ["key: pattern was ^[a-z]+$, is ^[a-y]+$", (copy) => copy.$defs.Key.pattern = "^[a-y]+$"],
    ["data: further fields are refused", (copy) => copy.additionalProperties = false],
    ["code: type was string, is number", (copy) => copy.properties.code!.type = "number"],
    ["data: not is not compared, it must stay as it is", (copy) => copy.not = { required: ["code"] }],
  ]
  for (const [issue, change] of breaking) {
    it(`are found: ${issue}`, () => assert.deepStrictEqual(changed(change), [issue]))
  }
})
