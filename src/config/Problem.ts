/** What is wrong with a configuration, field by field, without ever repeating a value. */
import { Runtime, Schema, type SchemaAST, type SchemaIssue } from "effect"
import { CliError } from "effect/cli"
import { elementOf, isSecret, type Shape, shape as root } from "./jsonSchema.ts"

export interface Problem {
  /** `databases.main.key`, empty for the file as a whole. */
  readonly path: string
  /** The kind of the value, never the value: `a text`, `nothing`. */
  readonly found: string
  readonly expected: string
}

/** The configuration cannot be used; nothing has been started. All problems at once. Exit code 2. */
export class ConfigurationInvalid extends Schema.TaggedError<ConfigurationInvalid>()("ConfigurationInvalid", {
  /** The file, or where else the values came from. */
  source: Schema.String,
  problems: Schema.Array(Schema.Struct({ path: Schema.String, found: Schema.String, expected: Schema.String })),
}) {
  override readonly [Runtime.errorExitCode] = 2
  override get message(): string {
    return this.told("nothing was started")
  }
  /** All problems, and what becomes of it. */
  told(consequence: string): string {
    const lines = this.problems.map(({ expected, found, path }) =>
      `  ${path === "" ? "" : `${path}: `}found ${found}, expected ${expected}`
    )
    const count = this.problems.length === 1 ? "1 problem" : `${this.problems.length} problems`
    return [`${count} in ${this.source}; ${consequence}.`, ...lines].join("\n")
  }
  override get [CliError.userMessage](): string {
    return this.message
  }
}

/** The kind of `value` in words. */
export const kindOf = (value: unknown): string => {
  if (value === undefined) return "nothing"
  if (value === null) return "null"
  if (Array.isArray(value)) return "a list"
  if (typeof value === "string") return value === "" ? "an empty text" : "a text"
  return typeof value === "object" ? "an object" : `a ${typeof value}`
}

const at = (value: unknown, path: ReadonlyArray<PropertyKey>): unknown =>
  path.reduce<unknown>(
    (part, key) => typeof part === "object" && part !== null ? (part as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  )

const shapeAt = (path: ReadonlyArray<PropertyKey>): Shape | null =>
  path.reduce<Shape | null>(
    (shape, key) => shape === null ? null : shape.properties?.[String(key)] ?? elementOf(shape),
    root,
  )

const secret = 'a reference to the secret, {"env": "NAME"} or {"file": "/path"}, because secrets are never written here'

/** What the field at `path` takes, from the published shape. */
const expectedAt = (path: ReadonlyArray<PropertyKey>): string => {
  const shape = shapeAt(path)
  if (shape === null) return "a known field"
  if (isSecret(shape)) return secret
  if (shape.enum !== undefined && shape.enum.length <= 10) return `one of ${shape.enum.join(", ")}`
  const kind = shape.type === "object"
    ? "an object"
    : shape.type === "string"
    ? "a text"
    : `one ${shape.type ?? "value"}`
  return shape.description === undefined ? kind : `${kind} (${shape.description.replace(/\.$/u, "")})`
}

interface Leaf {
  readonly path: ReadonlyArray<PropertyKey>
  readonly tag: string
  readonly expected: string | undefined
}

const annotation = (annotations: { readonly [key: string]: unknown } | undefined): string | undefined => {
  const text = annotations?.["expected"] ?? annotations?.["message"]
  return typeof text === "string" ? text : undefined
}

/** `.check(…).annotate(…)` annotates the last check, not the type below it. */
const annotated = (ast: SchemaAST.AST): string | undefined =>
  annotation(ast.annotations) ?? annotation(ast.checks?.at(-1)?.annotations)

const leaves = (issue: SchemaIssue.Issue, path: ReadonlyArray<PropertyKey>, expected?: string): Array<Leaf> => {
  switch (issue._tag) {
    case "Pointer":
      return leaves(issue.issue, [...path, ...issue.path], expected)
    case "Encoding":
      return leaves(issue.issue, path, expected)
    case "Filter":
      return leaves(issue.issue, path, annotation(issue.filter.annotations) ?? expected)
    case "Composite":
      return issue.issues.flatMap((inner) => leaves(inner, path, expected))
    case "AnyOf":
    case "InvalidType":
      return [{ path, tag: issue._tag, expected: expected ?? annotated(issue.ast) }]
    default:
      return [{ path, tag: issue._tag, expected }]
  }
}

/** Field names of the object around `path`, for a field that does not exist. */
const siblingsOf = (path: ReadonlyArray<PropertyKey>): string => {
  const shape = shapeAt(path.slice(0, -1))
  const pattern = Object.keys(shape?.patternProperties ?? {})[0]
  return pattern === undefined
    ? `one of ${Object.keys(shape?.properties ?? {}).join(", ")}`
    : "a code of 2 to 16 of a-z, 0-9 and -, a letter first"
}

/** `issue` as problems of `values`; `origins` names the variables that set fields. */
export const problemsOf = (
  issue: SchemaIssue.Issue,
  values: unknown,
  origins: ReadonlyMap<string, string>,
): ReadonlyArray<Problem> =>
  leaves(issue, []).map((leaf) => {
    // Whatever is wrong inside a reference, the field is what the operator knows.
    const inSecret = leaf.path.findIndex((_, index) => isSecret(shapeAt(leaf.path.slice(0, index)) ?? {}))
    const fields = inSecret === -1 ? leaf.path : leaf.path.slice(0, inSecret)
    const path = fields.map(String).join(".")
    const variable = origins.get(path)
    const unknownField = leaf.tag === "UnexpectedKey" && inSecret === -1
    return {
      path,
      found: `${unknownField ? "an unknown field" : kindOf(at(values, fields))}${
        variable === undefined ? "" : ` in ${variable}`
      }`,
      expected: unknownField
        ? siblingsOf(fields)
        : isSecret(shapeAt(fields) ?? {})
        ? secret
        : leaf.expected ?? expectedAt(fields),
    }
  }).filter((problem, index, all) => all.findIndex((other) => other.path === problem.path) === index)
