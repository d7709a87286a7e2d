/**
 * Fields that events bring and no schema knows: the source has changed, or misspells. They are ignored, counted, and each
 * name is logged once; values never.
 */
import { Schema } from "effect"
import type { EventSpec, Flow } from "../flow/Flow.ts"

/** Names kept and logged per flow; what comes beyond is counted only. */
const MAX_NAMES = 100
const MAX_NAME_LENGTH = 64

/** What is known of a value: its fields, or the elements of a list. Neither: anything may be inside. */
interface Known {
  readonly fields?: ReadonlyMap<string, Known>
  readonly items?: Known
}

type Shape = { readonly [keyword: string]: unknown }

const ANYTHING: Known = {}
const isRecord = (value: unknown): value is Shape =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const knownOf = (shape: unknown, definitions: Shape): Known => {
  if (!isRecord(shape)) return ANYTHING
  const { $ref, items, properties } = shape
  if (typeof $ref === "string") return knownOf(definitions[$ref.slice("#/$defs/".length)], definitions)
  if (isRecord(items)) return { items: knownOf(items, definitions) }
  if (!isRecord(properties)) return ANYTHING
  return {
    fields: new Map(Object.entries(properties).map(([name, inner]) => [name, knownOf(inner, definitions)])),
  }
}

/** Calls `found` with the path of each unknown field: `lines.[].colour`. */
const search = (value: unknown, known: Known, path: string, found: (path: string) => void): void => {
  if (Array.isArray(value)) {
    if (known.items !== undefined) { for (const item of value) search(item, known.items, `${path}[].`, found) }
  } else if (known.fields !== undefined && isRecord(value)) {
    for (const name in value) {
      const inner = known.fields.get(name)
      if (inner === undefined) found(`${path}${name}`)
      else search(value[name], inner, `${path}${name}.`, found)
    }
  }
}

export interface Drift {
  /** Unknown fields by event type since the last time it was asked. */
  readonly counts: ReadonlyMap<string, number>
  /** Those seen for the first time: `invoice.requested: lines.[].colour`. */
  readonly names: ReadonlyArray<string>
}

/** Worked out once for each schema, however many entities and restarts use it. */
const known = new WeakMap<EventSpec<unknown>["schema"], Known>()

const knownBy = (schema: EventSpec<unknown>["schema"]): Known => {
  let found = known.get(schema)
  if (found === undefined) {
    const document = Schema.toJsonSchemaDocument(schema)
    found = knownOf(document.schema, document.definitions)
    known.set(schema, found)
  }
  return found
}

export const makeDrift = (flow: Flow) => {
  // Before the first event comes, not while it waits.
  for (const { schema } of flow.events) knownBy(schema)
  const seen = new Set<string>()
  let counts = new Map<string, number>()
  let names: Array<string> = []
  return {
    /** Looks at a payload that was understood, as it came. */
    look: (spec: EventSpec<unknown>, data: unknown): void =>
      search(data, knownBy(spec.schema), "", (path) => {
        counts.set(spec.type, (counts.get(spec.type) ?? 0) + 1)
        const name = `${spec.type}: ${path.replaceAll(/[^\x20-\x7e]/gu, "?").slice(0, MAX_NAME_LENGTH)}`
        if (seen.size >= MAX_NAMES || seen.has(name)) return
        seen.add(name)
        names.push(name)
      }),
    /** What was found since the last time; null when nothing was. */
    take: (): Drift | null => {
      if (counts.size === 0) return null
      const drift = { counts, names }
      counts = new Map()
      names = []
      return drift
    },
  }
}
