/**
 * Whether a payload's schema still takes all that it took before. Publishers are not changed with Weir, so what a version of
 * an event took once it takes for ever; what must be different is a new version with an upcaster.
 */

type Shape = { readonly [keyword: string]: unknown }
type Definitions = { readonly [name: string]: Shape }

const isShape = (value: unknown): value is Shape => typeof value === "object" && value !== null && !Array.isArray(value)
const shapesIn = (value: unknown): ReadonlyArray<Shape> => Array.isArray(value) ? value.filter(isShape) : []
const record = (value: unknown): { readonly [name: string]: Shape } => isShape(value) ? value as Definitions : {}
const names = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

/** A schema with its references followed. */
const resolved = (shape: Shape, definitions: Definitions): Shape => {
  const { $ref, ...rest } = shape
  if (typeof $ref !== "string") return shape
  return resolved({ ...definitions[$ref.slice("#/$defs/".length)], ...rest }, definitions)
}

/** What annotations say of a value changes nothing of what is taken. */
const ANNOTATIONS = new Set(["$schema", "$defs", "title", "description", "examples", "default"])
const LOWER = ["minLength", "minItems", "minimum", "exclusiveMinimum", "minProperties"]
const UPPER = ["maxLength", "maxItems", "maximum", "exclusiveMaximum", "maxProperties"]
const EXACT = ["type", "pattern", "format", "const", "uniqueItems", "multipleOf"]
const NESTED = ["properties", "required", "items", "anyOf", "allOf", "enum", "additionalProperties"]
const UNDERSTOOD = new Set([...ANNOTATIONS, ...LOWER, ...UPPER, ...EXACT, ...NESTED])

const bound = (shape: Shape, keyword: string, none: number): number => {
  const value = shape[keyword]
  return typeof value === "number" ? value : none
}

const issuesOf = (
  before: Shape,
  after: Shape,
  definitions: readonly [Definitions, Definitions],
  path: string,
): ReadonlyArray<string> => {
  const was = resolved(before, definitions[0])
  const is = resolved(after, definitions[1])
  const at = path === "" ? "data" : path
  const inside = (one: Shape, other: Shape, name: string) =>
    issuesOf(one, other, definitions, path === "" ? name : `${path}.${name}`)
  const wasFields = record(was["properties"])
  const isFields = record(is["properties"])
  const alternatives = shapesIn(is["anyOf"])
  const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)
  return [
    ...Object.keys(is).filter((keyword) => !UNDERSTOOD.has(keyword) && !same(was[keyword], is[keyword]))
      .map((keyword) => `${at}: ${keyword} is not compared, it must stay as it is`),
    ...EXACT.filter((keyword) => is[keyword] !== undefined && !same(was[keyword], is[keyword]))
      .map((keyword) => `${at}: ${keyword} was ${String(was[keyword])}, is ${String(is[keyword])}`),
    ...LOWER.filter((keyword) => bound(is, keyword, -Infinity) > bound(was, keyword, -Infinity))
      .map((keyword) => `${at}: ${keyword} is larger`),
    ...UPPER.filter((keyword) => bound(is, keyword, Infinity) < bound(was, keyword, Infinity))
      .map((keyword) => `${at}: ${keyword} is smaller`),
    ...(is["enum"] === undefined
      ? []
      : was["enum"] === undefined
      ? [`${at}: took any value, takes some`]
      : names(was["enum"]).filter((value) => !names(is["enum"]).includes(value))
        .map((value) => `${at}: no longer takes ${String(value)}`)),
    ...names(is["required"]).filter((name) => !names(was["required"]).includes(name))
      .map((name) => `${at}: ${String(name)} is required and was not`),
    ...Object.keys(wasFields).filter((name) => isFields[name] === undefined).map((name) => `${at}: ${name} is gone`),
    ...Object.entries(wasFields).flatMap(([name, shape]) =>
      isFields[name] === undefined ? [] : inside(shape, isFields[name], name)
    ),
    ...(isShape(was["items"]) && isShape(is["items"]) ? inside(was["items"], is["items"], "[]") : []),
    ...(was["items"] === undefined && is["items"] !== undefined ? [`${at}: items were of any kind`] : []),
    ...(was["additionalProperties"] !== false && is["additionalProperties"] === false
      ? [`${at}: further fields are refused`]
      : []),
    ...(isShape(is["additionalProperties"]) && !same(was["additionalProperties"], is["additionalProperties"])
      ? [`${at}: further fields are of another kind`]
      : []),
    // Each way that it took must be one of the ways that it takes.
    ...(alternatives.length === 0
      ? []
      : (was["anyOf"] === undefined ? [was] : shapesIn(was["anyOf"])).flatMap((way, index) =>
        alternatives.some((other) => issuesOf(way, other, definitions, at).length === 0)
          ? []
          : [`${at}: alternative ${index + 1} is no longer taken`]
      )),
    ...shapesIn(is["allOf"]).filter((rule) => !shapesIn(was["allOf"]).some((other) => same(other, rule)))
      .map(() => `${at}: has a rule that it had not`),
  ]
}

/** Why `after` does not take all that `before` took, one sentence each. Both are published documents. */
export const incompatibilities = (before: Shape, after: Shape): ReadonlyArray<string> =>
  issuesOf(before, after, [record(before["$defs"]), record(after["$defs"])], "")
