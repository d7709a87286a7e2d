/**
 * Everything that Weir publishes on `erp-out.<entity>.<type>`: what flows tell of what they wrote, what their feeds see in
 * Odoo, and what the engine tells of itself.
 */
import type { Schema } from "effect"
import { ExceptionRaised, ExceptionResolved, InvoiceFact, ModeChanged } from "../schemas/fact.ts"
import type { Flow } from "../src/flow/Flow.ts"

export interface Outgoing {
  readonly type: string
  readonly description: string
  /** Of its `data`, where it has one. */
  readonly schema?: Schema.Top
  /** Flows that it comes from, or `weir`. */
  readonly tags: ReadonlyArray<string>
}

const own: ReadonlyArray<Outgoing> = [
  {
    type: "exception.raised",
    description: "An event waits for people. Once per cause, with nothing of its payload",
    schema: ExceptionRaised,
    tags: ["weir"],
  },
  {
    type: "exception.resolved",
    description: "An exception is none any more: written, superseded or dismissed",
    schema: ExceptionResolved,
    tags: ["weir"],
  },
  { type: "mode.changed", description: "What an entity may do changed", schema: ModeChanged, tags: ["weir"] },
]

/** Schemas of what flows and feeds tell, where there is one. */
const schemaOf = (type: string): Schema.Top | undefined => type.startsWith("invoice.") ? InvoiceFact : undefined

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
      const schema = schemaOf(type)
      const [first = "", ...rest] = when
      const description = [first.charAt(0).toUpperCase() + first.slice(1), ...rest].join("; ")
      return { type, description, tags: [...tags], ...(schema !== undefined && { schema }) }
    }),
    ...own,
  ]
}
