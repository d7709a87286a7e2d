/**
 * Everything that Weir publishes on `erp-out.<entity>.<type>`: what flows tell of what they wrote, what their feeds see in
 * Odoo, and what the engine tells of itself.
 */
import type { Schema } from "effect"
import { factSchemas, type FactType } from "../schemas/facts.ts"
import type { Flow } from "../src/flow/Flow.ts"

export interface Outgoing {
  readonly type: string
  readonly description: string
  /** Of its `data`; undefined for a flow from outside that gives none. */
  readonly schema?: Schema.Top | undefined
  /** Flows that it comes from, or `weir`. */
  readonly tags: ReadonlyArray<string>
}

const own: ReadonlyArray<Outgoing & { readonly type: FactType }> = [
  {
    type: "exception.raised",
    description: "An event waits for people. Once per cause, with nothing of its payload",
    tags: ["weir"],
  },
  {
    type: "exception.resolved",
    description: "An exception is none any more: written, superseded or dismissed",
    tags: ["weir"],
  },
  { type: "mode.changed", description: "What an entity may do changed", tags: ["weir"] },
]

const schemaOf = (type: string): Schema.Top | undefined =>
  (factSchemas as { readonly [type: string]: Schema.Top | undefined })[type]

/** By type, in the order of the flows. */
export const outgoing = (flows: ReadonlyArray<Flow>): ReadonlyArray<Outgoing> => {
  const found = new Map<string, { readonly when: Array<string>; readonly tags: Set<string> }>()
  const add = (type: string, when: string, flow: string): void => {
    const known = found.get(type) ?? { when: [], tags: new Set<string>() }
    found.set(type, known)
    if (!known.when.includes(when)) known.when.push(when)
    known.tags.add(flow)
  }
  for (const { events, feed, name } of flows) {
    for (const spec of events) for (const type of spec.publishes ?? []) add(type, `after ${spec.type}`, name)
    for (const { type, when } of feed?.facts ?? []) add(type, when, name)
  }
  return [
    ...[...found].map(([type, { tags, when }]): Outgoing => {
      const [first = "", ...rest] = when
      const description = [first.charAt(0).toUpperCase() + first.slice(1), ...rest].join("; ")
      return { type, description, tags: [...tags], schema: schemaOf(type) }
    }),
    ...own.map((fact) => ({ ...fact, schema: schemaOf(fact.type) })),
  ]
}
