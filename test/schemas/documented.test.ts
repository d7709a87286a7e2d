import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Envelope } from "../../schemas/envelope.ts"
import { catalog } from "../../streams/catalog.ts"
import { exampleOf, page, sectionOf } from "../streams/examples.ts"

const specs = catalog.flatMap((flow) => flow.events)

/** Names of a payload's fields; every payload is a struct. */
const fieldsOf = (schema: Schema.Top): ReadonlyArray<string> => {
  if (!("fields" in schema)) throw new Error("the payload is no struct")
  return Object.keys(schema.fields as object)
}

describe("docs/events.md", () => {
  for (const { schema, type } of specs) {
    it(`documents every field of ${type}, and shows each in its example`, () => {
      const section = sectionOf(type)
      for (const name of fieldsOf(schema)) {
        assert.include(section, `\`${name}\``, `${name} is not documented`)
        assert.include(section, `"${name}":`, `${name} is not in the example`)
      }
    })
  }

  it("has examples that the flows read", () => {
    for (const spec of specs) {
      const { data, type } = exampleOf(spec.type)
      assert.match(type, new RegExp(`^${spec.type}(\\.v\\d+)?$`, "u"))
      assert.isNotEmpty(spec.key(Schema.decodeUnknownSync(spec.schema)(data)))
    }
  })

  it("names every envelope attribute", () => {
    for (const name of Object.keys(Envelope.fields)) {
      if (name === "subject" || name === "datacontenttype" || name === "dataschema") continue
      assert.include(page, `\`${name}\``)
    }
  })
})
