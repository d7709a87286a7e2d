/**
 * Answers that nobody has seen yet: counted, and logged by their shape, so that they can be understood and added to the
 * classifier. A shape has names and types and never a value: no payload gets into a log.
 */
import { Effect } from "effect"
import { unknownAnswer } from "../telemetry/Metrics.ts"
import type { OdooError } from "./Odoo.ts"

/** Most names of an object, and elements of depth, that a shape tells. */
const MAX_NAMES = 12
const MAX_DEPTH = 3

/** `{ids: [2 × number], messages: []}`; a text only by its length. */
export const shapeOf = (value: unknown, depth = MAX_DEPTH): string => {
  if (value === null) return "null"
  if (typeof value === "string") return `string of ${value.length}`
  if (typeof value !== "object") return typeof value
  if (Array.isArray(value)) {
    if (value.length === 0 || depth === 0) return `[${value.length === 0 ? "" : value.length}]`
    return `[${value.length} × ${shapeOf(value[0], depth - 1)}]`
  }
  const entries = Object.entries(value)
  if (depth === 0) return `{${entries.length}}`
  const told = entries.slice(0, MAX_NAMES).map(([name, each]) => `${name}: ${shapeOf(each, depth - 1)}`)
  return `{${[...told, ...(entries.length > MAX_NAMES ? [`${entries.length - MAX_NAMES} more`] : [])].join(", ")}}`
}

/** Tells of the error if it is such an answer. */
export const reportUnknown = (error: OdooError): Effect.Effect<void> =>
  error.code !== "ODOO-UNKNOWN-ANSWER" ? Effect.void : Effect.andThen(
    unknownAnswer(error.operation),
    Effect.logWarning(
      `Odoo answered ${error.operation} in a way that nobody has seen yet: ${error.shape ?? "no shape"}`,
    ),
  )
