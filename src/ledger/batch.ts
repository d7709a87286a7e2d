/**
 * A settlement put in order before it is made durable: one word per event (a final one stands, else the last), one
 * mapping per key.
 */
import type { EventRecord, Mapping, Mark, Outcome, Settlement } from "./Ledger.ts"
import type { Publication } from "../broker/Broker.ts"
import { printable } from "./text.ts"

export type Applied = Extract<Outcome, { readonly _tag: "Applied" }>
export type Final = Applied | Extract<Outcome, { readonly _tag: "Superseded" }>
export type Held = Extract<Outcome, { readonly _tag: "Waiting" | "Parked" | "Behind" }>

export interface KeyMapping {
  readonly flow: string
  readonly key: string
  readonly mapping: Mapping
}

export interface Batch {
  readonly events: ReadonlyArray<Final | Held>
  readonly mappings: ReadonlyArray<KeyMapping>
  readonly duplicates: ReadonlyArray<EventRecord>
  readonly outbox: ReadonlyArray<{ readonly eventId: string; readonly publication: Publication }>
}

export const isFinal = (outcome: Final | Held): outcome is Final =>
  outcome._tag === "Applied" || outcome._tag === "Superseded"

/** What stands after `next` was applied over `known`: a smaller version changes nothing, the version never goes down. */
export const merge = (known: Mapping | undefined, next: Mapping): Mapping => {
  if (known === undefined || known.version === null) return next
  if (next.version === null) return { ...next, version: known.version }
  return next.version >= known.version ? next : known
}

const marked = ({ flow, key, record }: Mark, eventId: string): KeyMapping => ({
  flow,
  key,
  mapping: { ...record ?? { model: "mark", id: 0, externalId: eventId }, version: null, links: {} },
})

export const batchOf = (settlement: Settlement): Batch => {
  const events = new Map<string, Final | Held>()
  const mappings = new Map<string, KeyMapping>()
  const duplicates: Array<EventRecord> = []
  for (const outcome of settlement.outcomes) {
    if (outcome._tag === "Duplicate") {
      duplicates.push(outcome.event)
      continue
    }
    const { eventId, flow, key } = outcome.event
    // Two ids that print the same are one event.
    const id = printable(eventId)
    const said = events.get(id)
    if (said === undefined || !isFinal(said)) events.set(id, outcome)
    if (outcome._tag === "Applied") {
      const own = printable(`${flow}\n${key}`)
      mappings.set(own, { flow, key, mapping: merge(mappings.get(own)?.mapping, outcome.mapping) })
      for (const mark of outcome.marks ?? []) {
        mappings.set(printable(`${mark.flow}\n${mark.key}`), marked(mark, eventId))
      }
    }
  }
  return {
    events: [...events.values()],
    mappings: [...mappings.values()],
    duplicates,
    outbox: [...events.values()].flatMap((outcome) =>
      outcome._tag === "Applied"
        ? outcome.outbox.map((publication) => ({ eventId: outcome.event.eventId, publication }))
        : []
    ),
  }
}

/** State, code and detail of a held outcome, and what it waits for. */
export const holding = (held: Held) => {
  switch (held._tag) {
    case "Waiting":
      return {
        state: "waiting",
        code: held.code ?? "REFERENCE-MISSING",
        detail: held.detail,
        on: held.on,
        deadlineMillis: held.deadlineMillis,
      } as const
    case "Parked":
      return { state: "parked", code: held.code, detail: held.detail, on: null, deadlineMillis: null } as const
    case "Behind":
      return {
        state: "behind",
        code: "BEHIND-EXCEPTION",
        detail: `an earlier event of ${held.event.flow}/${held.event.key} is not done yet`,
        on: null,
        deadlineMillis: null,
      } as const
  }
}
