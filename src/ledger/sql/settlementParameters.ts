import type { PgTypes } from "@effect/sql-pg"
import { type Batch, type Held, holding, isFinal } from "../batch.ts"
import type { Fence, Settlement } from "../Ledger.ts"
import { bigint, bigintColumn, bytesColumn, intColumn, jsonColumn, text, textColumn } from "./parameters.ts"

const hasLinks = (links: Readonly<Record<string, number>>): boolean => {
  for (const _ in links) return true
  return false
}

/** The parameters of `weir.settle`, in its order. */
export const settlementParameters = (
  fence: Fence,
  nowMillis: number,
  batch: Batch,
  checkpoints: Settlement["checkpoints"],
): ReadonlyArray<PgTypes.Parameter> => {
  const { events, mappings, duplicates, outbox } = batch
  const held = events.filter((outcome): outcome is Held => !isFinal(outcome))
  const holdings = held.map(holding)
  const flows = [...checkpoints]
  return [
    text(fence.entity),
    bigint(fence.epoch),
    bigint(nowMillis),
    textColumn(events, (o) => o.event.eventId),
    textColumn(events, (o) => o.event.flow),
    textColumn(events, (o) => o.event.key),
    textColumn(events, (o) => o.event.type),
    bigintColumn(events, (o) => o.event.version),
    bigintColumn(events, (o) => o.event.streamSequence),
    bigintColumn(events, (o) => o.event.storedAtMillis),
    textColumn(events, (o) => o.event.payloadHash),
    textColumn(events, (o) => o.event.correlationId),
    intColumn(events, (o) => o.event.attempts),
    textColumn(events, (o) => isFinal(o) ? (o._tag === "Applied" ? "applied" : "superseded") : "held"),
    textColumn(mappings, (m) => m.flow),
    textColumn(mappings, (m) => m.key),
    textColumn(mappings, (m) => m.mapping.model),
    bigintColumn(mappings, (m) => m.mapping.id),
    textColumn(mappings, (m) => m.mapping.externalId),
    bigintColumn(mappings, (m) => m.mapping.version),
    jsonColumn(mappings, (m) => hasLinks(m.mapping.links) ? m.mapping.links : null),
    textColumn(held, (o) => o.event.eventId),
    textColumn(holdings, (h) => h.state),
    textColumn(holdings, (h) => h.code),
    textColumn(holdings, (h) => h.detail),
    textColumn(holdings, (h) => h.on?.flow ?? null),
    textColumn(holdings, (h) => h.on?.key ?? null),
    bigintColumn(holdings, (h) => h.deadlineMillis),
    intColumn(held, (o) => o.event.attempts),
    textColumn(held, (o) => o.message.subject),
    jsonColumn(held, (o) => o.message.headers),
    bytesColumn(held, (o) => o.message.data),
    textColumn(duplicates, (d) => d.flow),
    textColumn(duplicates, (d) => d.eventId),
    bigintColumn(duplicates, (d) => d.streamSequence),
    textColumn(outbox, (o) => o.eventId),
    textColumn(outbox, (o) => o.publication.subject),
    jsonColumn(outbox, (o) => o.publication.headers),
    bytesColumn(outbox, (o) => o.publication.data),
    textColumn(outbox, (o) => o.publication.messageId),
    textColumn(flows, ([flow]) => flow),
    bigintColumn(flows, ([, sequence]) => sequence),
  ]
}
