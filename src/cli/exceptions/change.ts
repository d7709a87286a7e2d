/** The corrected data of an event, as a person gives it on the command line: a whole file, or single fields. */
import { Effect } from "effect"
import { readFile } from "node:fs/promises"
import type { JsonValue } from "../../ledger/Amendments.ts"
import { CommandFailed, exitCodes } from "../Failure.ts"

const usage = (message: string) => new CommandFailed({ exit: exitCodes.usage, message })

const parse = (text: string): JsonValue | undefined => {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    return undefined
  }
}

/** The data in a file: what `data` of the event is to be. */
export const fromFile = (path: string): Effect.Effect<JsonValue, CommandFailed> =>
  Effect.tryPromise({
    try: () => readFile(path, "utf8"),
    catch: () => usage(`${path} cannot be read.`),
  }).pipe(Effect.flatMap((text) => {
    const value = parse(text)
    return value === undefined ? usage(`${path} holds no JSON.`) : Effect.succeed(value)
  }))

const put = (value: JsonValue, [name = "", ...rest]: ReadonlyArray<string>, leaf: JsonValue): JsonValue => {
  const next = (part: JsonValue | undefined) => rest.length === 0 ? leaf : put(part ?? {}, rest, leaf)
  if (Array.isArray(value)) {
    const list = [...value as ReadonlyArray<JsonValue>]
    list[Number(name)] = next(list[Number(name)])
    return list
  }
  const object = typeof value === "object" && value !== null ? value as { readonly [key: string]: JsonValue } : {}
  return { ...object, [name]: next(object[name]) }
}

/** A value stays text where text stands now; else it is taken as JSON where it is JSON. */
const leafOf = (text: string, now: JsonValue | undefined): JsonValue =>
  typeof now === "string" ? text : parse(text) ?? text

const at = (value: JsonValue | undefined, path: ReadonlyArray<string>): JsonValue | undefined =>
  path.reduce<JsonValue | undefined>(
    (part, name) =>
      typeof part === "object" && part !== null && Object.hasOwn(part, name)
        ? (part as { readonly [key: string]: JsonValue })[name]
        : undefined,
    value,
  )

/** `data` with each `path=value` put in: `totals.total=12.50`, `lines.0.taxCode=S6`. */
export const withFields = (
  data: JsonValue,
  assignments: ReadonlyArray<string>,
): Effect.Effect<JsonValue, CommandFailed> =>
  Effect.reduce(assignments, () => data, (value, assignment) => {
    const sign = assignment.indexOf("=")
    const path = assignment.slice(0, Math.max(0, sign)).split(".")
    if (sign < 1 || path.some((name) => name === "")) {
      return usage(`${assignment} is no path=value, for example totals.total=12.50.`)
    }
    return Effect.succeed(put(value, path, leafOf(assignment.slice(sign + 1), at(value, path))))
  })
