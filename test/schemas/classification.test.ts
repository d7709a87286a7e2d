import { assert, describe, it } from "@effect/vitest"
import type { SchemaAST } from "effect"
import { Schema } from "effect"
import { CLASSIFICATION, financial, personal } from "../../schemas/classification.ts"
import { catalog } from "../../streams/catalog.ts"

const said = (ast: SchemaAST.AST) => [ast.annotations, ...(ast.checks ?? []).map(({ annotations }) => annotations)]
const isClassified = (ast: SchemaAST.AST): boolean => said(ast).some((one) => one?.[CLASSIFICATION] !== undefined)

/** What may be shown to everybody who sees the event at all: choices, and codes by their schema's name. */
const names = new Set(["BusinessKey", "Day", "Currency", "TaxCode", "EntityCode", "EngagementKind"])
const isOpen = (ast: SchemaAST.AST): boolean =>
  ast._tag === "Literal" || ast._tag === "Boolean" || ast._tag === "Undefined" ||
  (ast._tag === "Union" && ast.types.every(isOpen)) ||
  said(ast).some((one) => names.has(String(one?.["identifier"])))

/** Keys, references, days, codes and counts whose own description hides the name of their schema. */
const openFields = new RegExp(
  `\\.(?:${
    [
      "key|customer|engagement|line|task|invoices\\[\\]|country|engagementLine|\\w*[dD]ate|at|period",
      "flow|account|journal|category|odooPartner|periods|records|late|events|field",
    ].join("|")
  })$`,
  "u",
)

/** Paths of fields that say nothing of what they hold. */
const silent = (ast: SchemaAST.AST, path: string, found: Array<string>): ReadonlyArray<string> => {
  if (isClassified(ast) || isOpen(ast)) return found
  if (ast._tag === "Objects") {
    for (const { name, type } of ast.propertySignatures) silent(type, `${path}.${String(name)}`, found)
  } else if (ast._tag === "Arrays") {
    for (const part of [...ast.elements, ...ast.rest]) silent(part, `${path}[]`, found)
  } else found.push(path)
  return found
}

describe("the schemas of events", () => {
  it("say of every field what it holds, unless it is a key, a day, a code or a choice", () => {
    const silentFields = catalog.flatMap(({ events }) =>
      events.flatMap(({ schema, type }) => silent(schema.ast, type, []))
    )
    assert.deepStrictEqual(
      silentFields.filter((path) => !openFields.test(path)),
      [],
    )
  })

  it("are the same for whoever sends events", () => {
    const decode = Schema.decodeUnknownSync(Schema.Struct({ a: personal(Schema.String), b: financial(Schema.Finite) }))
    assert.deepStrictEqual(decode({ a: "x", b: 1 }), { a: "x", b: 1 })
  })
})
