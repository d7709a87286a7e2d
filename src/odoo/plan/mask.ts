/**
 * The mask of a flow, on its calls: a call that would write what the flow does not declare is not made. That is a defect of
 * the flow, never the event's fault: the batch is isolated to the events that cause it, and each becomes an exception
 * (`DEFECT`) before anything of it is written.
 *
 *     load, create-or-skip ─► always, first      load, upsert ─► always      write ─► always, moved      unlink ─► deletes
 *
 * A replay that gives drafts their values again writes `first` too, and takes lines away.
 */
import { Effect } from "effect"
import type { Mask, ModelMask } from "../../flow/Mask.ts"
import type { CallInput, CompanyCalls } from "../CompanyCalls.ts"

const NONE: ReadonlySet<string> = new Set()

const columnsOf = (text: string | undefined): ReadonlySet<string> =>
  text === undefined ? NONE : new Set(text.split(" "))

interface Allowed {
  readonly always: ReadonlySet<string>
  readonly first: ReadonlySet<string>
  readonly moved: ReadonlySet<string>
  readonly deletes: boolean
}

const allowedBy = ({ always, deletes, first, moved }: ModelMask): Allowed => ({
  always: columnsOf(always),
  first: columnsOf(first),
  moved: columnsOf(moved),
  deletes: deletes === true,
})

/** Columns that name a record and write nothing: `id`, and `line_ids/id` where lines below it are written. */
const isName = (column: string, columns: ReadonlyArray<string>): boolean => {
  if (column === "id") return true
  if (!column.endsWith("/id")) return false
  const below = column.slice(0, -"id".length)
  return below.indexOf("/") === below.length - 1 && columns.some((other) => other !== column && other.startsWith(below))
}

/** What a call writes that is not allowed; undefined when all is. */
const violation = (
  allowed: Allowed | undefined,
  method: string,
  { args, context }: CallInput,
  amend: boolean,
): string | undefined => {
  switch (method) {
    case "load": {
      const columns = (args?.["fields"] ?? []) as ReadonlyArray<string>
      const isMade = amend || context?.["noupdate"] === true
      return columns.find((column) =>
        allowed?.always.has(column) !== true && !(isMade && allowed?.first.has(column) === true) &&
        !isName(column, columns)
      )
    }
    case "write":
      return Object.keys((args?.["vals"] ?? {}) as object).find((field) =>
        allowed?.always.has(field) !== true && allowed?.moved.has(field) !== true &&
        !(amend && [...allowed?.first ?? []].some((column) => column.startsWith(`${field}/`)))
      )
    case "unlink":
      return allowed?.deletes === true ? undefined : "(a deletion)"
    case "create":
      return "(a record without an external id)"
    default:
      return undefined
  }
}

/** Masks are declared once and used for ever. */
const known = new WeakMap<Mask, ReadonlyMap<string, Allowed>>()

const compiled = (mask: Mask): ReadonlyMap<string, Allowed> => {
  const before = known.get(mask)
  if (before !== undefined) return before
  const made = new Map(Object.entries(mask).map(([model, own]) => [model, allowedBy(own)]))
  known.set(mask, made)
  return made
}

/** The same calls, which die rather than write what `mask` does not allow. */
export const masked = (
  calls: CompanyCalls,
  flow: string,
  mask: Mask | undefined,
  amend: boolean,
): CompanyCalls => {
  if (mask === undefined) return calls
  const allowed = compiled(mask)
  return {
    ...calls,
    call: (model, method, input) => {
      const wrong = violation(allowed.get(model), method, input, amend)
      return wrong === undefined
        ? calls.call(model, method, input)
        : Effect.die(new Error(`${flow} may not write ${model} ${wrong} (${method}): its mask does not say so`))
    },
  }
}
