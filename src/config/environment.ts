/**
 * Environment variables over `weir.json`: `WEIR_` and the field's path in constant case. `WEIR_HTTP_PORT` is
 * `http.port`, `WEIR_DATABASES_MAIN_URL` is `databases.main.url`. The value of a secret's variable is the secret itself
 * (`WEIR_POSTGRES_URL`), that of the variable with `_FILE` behind it the path of the file that holds it.
 */
import { elementOf, isSecret, type Shape, shape as root } from "./jsonSchema.ts"

type Values = { [key: string]: unknown }

const PREFIX = "WEIR_"

/** Variables with this prefix that are not fields: where the file is, what the command line and what tests and tools use. */
const reserved = /^WEIR_(?:CONFIG$|URL$|TOKEN$|TEST_|BENCH_)/u

/** `callsPerSecond` and `be-01` as part of a variable: `CALLS_PER_SECOND`, `BE_01`. */
export const constantCase = (name: string): string =>
  name.replace(/([a-z0-9])([A-Z])/gu, "$1_$2").replace(/[^A-Za-z0-9]+/gu, "_").toUpperCase()

interface Target {
  readonly path: ReadonlyArray<string>
  readonly shape: Shape
  /** The variable names the file that holds the secret. */
  readonly file: boolean
}

const isObject = (value: unknown): value is Values =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** What is left of `name` below the field `key`; null when `name` is about something else. */
const below = (name: string, key: string): string | null =>
  name === key ? "" : name.startsWith(`${key}_`) ? name.slice(key.length + 1) : null

/** Finds the field that the rest of a variable's name means, given what the file says (it knows the records' names). */
const find = (name: string, shape: Shape, value: unknown, path: ReadonlyArray<string>): Target | null => {
  if (isSecret(shape)) return name === "" || name === "FILE" ? { path, shape, file: name === "FILE" } : null
  if (shape.type === "array") return null
  const element = elementOf(shape)
  if (shape.properties === undefined && element === null) return name === "" ? { path, shape, file: false } : null
  const known = isObject(value) ? value : {}
  const fields = shape.properties ?? Object.fromEntries(Object.keys(known).map((key) => [key, element ?? {}]))
  for (const [key, field] of Object.entries(fields)) {
    const rest = below(name, constantCase(key))
    const target = rest === null ? null : find(rest, field, known[key], [...path, key])
    if (target !== null) return target
  }
  // A record that the file does not name yet: its name is what stands before one of the element's fields.
  if (element?.properties === undefined) return null
  for (let at = name.indexOf("_"); at > 0; at = name.indexOf("_", at + 1)) {
    const key = name.slice(0, at).toLowerCase().replaceAll("_", "-")
    const target = find(name.slice(at + 1), element, {}, [...path, key])
    if (target !== null) return target
  }
  return null
}

const numeric = (shape: Shape): boolean =>
  shape.type === "number" || shape.type === "integer" || (shape.anyOf?.some(numeric) ?? false)

const valueOf = (variable: string, text: string, { file, shape }: Target): unknown =>
  isSecret(shape)
    ? file ? { file: text } : { env: variable }
    // What is no number stays text, so that the Schema names it as a problem.
    : numeric(shape) && text.trim() !== "" && Number.isFinite(Number(text))
    ? Number(text)
    : shape.type === "array"
    ? text.split(",").map((one) => one.trim()).filter((one) => one !== "")
    : text

const put = (values: Values, [head, ...rest]: ReadonlyArray<string>, value: unknown): Values =>
  head === undefined ? values : {
    ...values,
    [head]: rest.length === 0 ? value : put(isObject(values[head]) ? values[head] : {}, rest, value),
  }

export interface Overlaid {
  readonly values: unknown
  /** Which variable set a field, by its path joined with dots. */
  readonly origins: ReadonlyMap<string, string>
  /** `WEIR_` variables that mean no field: perhaps misspelt. */
  readonly unknown: ReadonlyArray<string>
}

/** `file` with the fields that `environment` sets. */
export const overlay = (file: unknown, environment: Readonly<Record<string, string | undefined>>): Overlaid => {
  const origins = new Map<string, string>()
  const unknown: Array<string> = []
  if (!isObject(file)) return { values: file, origins, unknown }
  let values = file
  const used = JSON.stringify(file)
  for (const [variable, text] of Object.entries(environment).sort(([a], [b]) => a < b ? -1 : 1)) {
    if (text === undefined || !variable.startsWith(PREFIX) || reserved.test(variable)) continue
    // A variable that the file points at as a secret is nobody's misspelling.
    if (used.includes(JSON.stringify({ env: variable }))) continue
    const target = find(variable.slice(PREFIX.length), root, values, [])
    if (target === null) unknown.push(variable)
    else {
      values = put(values, target.path, valueOf(variable, text, target))
      origins.set(target.path.join("."), variable)
    }
  }
  return { values, origins, unknown }
}
