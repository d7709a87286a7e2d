/** What is different between the data of an event and its correction, leaf by leaf. */
import type { Schema, SchemaAST } from "effect"
import { CLASSIFICATION } from "../../../schemas/classification.ts"
import type { FieldChange, JsonValue } from "../../ledger/Amendments.ts"
import { classificationAt } from "../masking.ts"

type Path = ReadonlyArray<string | number>

const leaves = (value: JsonValue, path: Path, found: Map<string, readonly [Path, JsonValue]>): void => {
  const parts: ReadonlyArray<readonly [string | number, JsonValue]> = Array.isArray(value)
    ? (value as ReadonlyArray<JsonValue>).map((part, index) => [index, part] as const)
    : typeof value === "object" && value !== null
    ? Object.entries(value)
    : []
  for (const [name, part] of parts) leaves(part, [...path, name], found)
  // An empty list or object is a leaf, too: that it is there is all that it says.
  if (parts.length === 0) found.set(path.join("."), [path, value])
}

const leavesOf = (value: JsonValue): ReadonlyMap<string, readonly [Path, JsonValue]> => {
  const found = new Map<string, readonly [Path, JsonValue]>()
  leaves(value, [], found)
  return found
}

/** Changes in the order of their paths. */
export const differences = (
  schema: Schema.Codec<unknown, unknown>,
  before: JsonValue,
  after: JsonValue,
): ReadonlyArray<FieldChange> => {
  const [from, to] = [leavesOf(before), leavesOf(after)]
  return [...new Set([...from.keys(), ...to.keys()])].toSorted().flatMap((name): ReadonlyArray<FieldChange> => {
    const [old, fresh] = [from.get(name), to.get(name)]
    if (JSON.stringify(old?.[1]) === JSON.stringify(fresh?.[1])) return []
    return [{
      path: name,
      ...(old === undefined ? {} : { from: old[1] }),
      ...(fresh === undefined ? {} : { to: fresh[1] }),
      classification: classificationAt(schema, (old ?? fresh)?.[0] ?? []),
    }]
  })
}

const carriesMoney = (ast: SchemaAST.AST, seen = new Set<SchemaAST.AST>()): boolean => {
  if (seen.has(ast)) return false
  seen.add(ast)
  const said = [ast.annotations, ...(ast.checks ?? []).map(({ annotations }) => annotations)]
  if (said.some((annotations) => annotations?.[CLASSIFICATION] === "financial")) return true
  switch (ast._tag) {
    case "Objects":
      return ast.propertySignatures.some(({ type }) => carriesMoney(type, seen))
    case "Arrays":
      return [...ast.elements, ...ast.rest].some((part) => carriesMoney(part, seen))
    case "Union":
      return ast.types.some((part) => carriesMoney(part, seen))
    case "Suspend":
      return carriesMoney(ast.thunk(), seen)
    default:
      return false
  }
}

/**
 * Whether these changes move money. In an event that carries money everything does but personal texts: an account, a date, a
 * tax code or a customer moves it as well as an amount does.
 */
export const moveMoney = (schema: Schema.Codec<unknown, unknown>, changes: ReadonlyArray<FieldChange>): boolean =>
  carriesMoney(schema.ast) && changes.some(({ classification }) => classification !== "personal")
