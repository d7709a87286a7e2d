/**
 * Payloads as a caller may see them. What a field holds is said by its schema (`schemas/classification.ts`); what no schema
 * knows is shown to those only who may see everything, because nobody has said that it is harmless.
 */
import type { Schema, SchemaAST } from "effect"
import { CLASSIFICATION, type Classification } from "../../schemas/classification.ts"
import type { JsonValue } from "../ledger/Amendments.ts"
import { causeOf } from "../ledger/cause.ts"
import { type ReasonCode, reasons } from "../reason/Reason.ts"

export type Clearance = ReadonlySet<Classification>

/** In place of a value of a finding or a mismatch, where no schema tells what it is. */
export const HIDDEN = "•••"

/** What stands for a value that is not shown. */
export const markOf = (classification: Classification | null): string => `(${classification ?? "not shown"})`

const seesEverything = (clearance: Clearance): boolean => clearance.has("personal") && clearance.has("financial")

/** What a schema says of itself, whether it was said before its checks or after them. */
export const classificationOf = (ast: SchemaAST.AST): Classification | null => {
  const said = [ast.annotations, ...(ast.checks ?? []).map(({ annotations }) => annotations)]
    .map((annotations) => annotations?.[CLASSIFICATION])
    .find((value) => value !== undefined)
  return said === undefined ? null : said as Classification
}

const isObject = (value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The schema of a part; null: none is known. `alternatives` that do not fit the value say nothing of it. */
export const partOf = (ast: SchemaAST.AST, name: string | number): SchemaAST.AST | null => {
  switch (ast._tag) {
    case "Objects":
      return ast.propertySignatures.find((signature) => signature.name === name)?.type ??
        ast.indexSignatures[0]?.type ?? null
    case "Arrays":
      return typeof name === "number" ? ast.elements[name] ?? ast.rest[0] ?? null : null
    case "Suspend":
      return partOf(ast.thunk(), name)
    case "Union":
      return ast.types.map((type) => partOf(type, name)).find((part) => part !== null) ?? null
    default:
      return null
  }
}

/** A leaf may be shown as it is; an object or a list where a leaf should be is something that nobody knows. */
const isLeaf = (ast: SchemaAST.AST): boolean =>
  ast._tag === "Union"
    ? ast.types.every(isLeaf)
    : ast._tag !== "Objects" && ast._tag !== "Arrays" && ast._tag !== "Suspend"

const mask = (ast: SchemaAST.AST | null, value: JsonValue, clearance: Clearance): JsonValue => {
  const classification = ast === null ? null : classificationOf(ast)
  if (classification !== null && !clearance.has(classification)) return markOf(classification)
  if (Array.isArray(value)) {
    return (value as ReadonlyArray<JsonValue>).map((part, index) =>
      mask(ast === null ? null : partOf(ast, index), part, clearance)
    )
  }
  if (isObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map((
        [name, part],
      ) => [name, mask(ast === null ? null : partOf(ast, name), part, clearance)]),
    )
  }
  return seesEverything(clearance) || (ast !== null && isLeaf(ast)) ? value : markOf(null)
}

/** `data` of an event as it travels; `schema` null: its type is not known. */
export const maskData = (
  schema: Schema.Codec<unknown, unknown> | null,
  data: JsonValue,
  clearance: Clearance,
): JsonValue => mask(schema === null ? null : schema.ast, data, clearance)

/** What the field at `path` holds: its own word, or that of what it is in; null: nobody says anything. */
export const classificationAt = (
  schema: Schema.Codec<unknown, unknown>,
  path: ReadonlyArray<string | number>,
): Classification | null => {
  let ast: SchemaAST.AST | null = schema.ast
  let found = classificationOf(ast)
  for (const name of path) {
    ast = ast === null ? null : partOf(ast, name)
    found = (ast === null ? null : classificationOf(ast)) ?? found
  }
  return found
}

/** Whose texts are not ours: they may name anybody. */
const speaksForOthers = (code: ReasonCode): boolean => code.startsWith("ODOO-") || code === "DEFECT"

/**
 * Why an event is an exception. Without clearance for what is personal and financial: the cause without names and numbers,
 * and nothing at all of what Odoo said.
 */
export const maskDetail = (code: ReasonCode, detail: string, clearance: Clearance): string =>
  seesEverything(clearance) ? detail : speaksForOthers(code) ? `${reasons[code].title}.` : causeOf(detail)

/** The cause of a group, which has no numbers and quoted names in it any more. */
export const maskCause = (code: ReasonCode, cause: string, clearance: Clearance): string =>
  seesEverything(clearance) || !speaksForOthers(code) ? cause : `${reasons[code].title}.`
