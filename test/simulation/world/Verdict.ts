/** What must hold when everything has settled: nothing lost, nothing twice, nothing stuck, every cent in Odoo. */
import type { HeldEntry } from "../../../src/ledger/memory/state.ts"
import type { Inspection } from "../../../src/ledger/MemoryLedger.ts"
import type { Tally } from "../../../src/ledger/Ledger.ts"
import type { Knowledge, Stored } from "./Knowledge.ts"

/** What still has to happen before the world is at rest, one line each; none when it is. */
export const unsettled = (
  knowledge: Knowledge,
  inspections: ReadonlyArray<Inspection>,
  nowMillis: number,
): ReadonlyArray<string> => {
  const issues: Array<string> = []
  const byEntity = new Map(inspections.map((one) => [one.entity, one]))
  for (const { eventId, fact, sequence } of knowledge.stored) {
    const inspection = byEntity.get(fact.entity)
    const checkpoint = inspection?.checkpoints.get(fact.flow) ?? 0
    if (inspection === undefined || checkpoint < sequence || !knowledge.isSettled(inspection, sequence)) {
      issues.push(`message ${sequence}, ${fact.entity} ${eventId}, has no outcome`)
    }
  }
  for (const inspection of inspections) {
    const mapped = new Set(inspection.mappings.map(({ flow, key }) => `${flow} ${key}`))
    for (const entry of inspection.held) issues.push(...idle(entry, inspection, mapped, nowMillis))
  }
  return issues
}

/** Time within which an overdue event must have become an exception, milliseconds. */
const EXPIRY_MILLIS = 15_000

const idle = (
  entry: Readonly<HeldEntry>,
  inspection: Inspection,
  mapped: ReadonlySet<string>,
  nowMillis: number,
): ReadonlyArray<string> => {
  const { deadlineMillis, on, record, state } = entry
  const name = `${inspection.entity} ${record.eventId}`
  switch (state) {
    case "ready":
      return [`${name} is ready and nobody takes it`]
    case "waiting":
      if (on === null) return [`${name} waits for nothing`]
      if (on.flow === "mode") return [`${name} waits for its posting`]
      if (mapped.has(`${on.flow} ${on.key}`)) return [`${name} waits for ${on.flow} ${on.key}, which is applied`]
      return deadlineMillis !== null && deadlineMillis + EXPIRY_MILLIS < nowMillis ? [`${name} is overdue`] : []
    case "behind":
      return inspection.held.some((other) =>
          other !== entry && other.record.flow === record.flow && other.record.key === record.key
        )
        ? []
        : [`${name} is behind nothing`]
    case "parked":
      return []
  }
}

/** Why a parked event is one, or `undefined` when there is no reason for it. */
export const causeOf = (
  stored: Stored,
  entry: Readonly<HeldEntry>,
  inspection: Inspection,
): "flaw" | "changed" | "overdue" | undefined => {
  const { code, record } = entry
  const { fact } = stored
  if (record.eventId !== stored.eventId) return undefined
  if (fact.eventId !== null && stored.eventId !== fact.eventId) return code === "EVENT-CHANGED" ? "changed" : undefined
  if (code === fact.flaw) return "flaw"
  if (code === "REFERENCE-OVERDUE" && fact.references.length > 0) return "overdue"
  if (code !== "EVENT-CHANGED") return undefined
  const rival = inspection.events.some(({ record: other, state }) =>
    state === "applied" && other.flow === record.flow && other.key === record.key && other.eventId !== record.eventId
  )
  return rival ? "changed" : undefined
}

/** Every message accounted for, by event id and by the ledger's own counters. Nothing is held any more. */
export const conservation = (
  knowledge: Knowledge,
  inspections: ReadonlyArray<Inspection>,
  tallies: ReadonlyArray<Tally>,
): ReadonlyArray<string> => {
  const issues: Array<string> = []
  const expected = new Map<string, { published: number; duplicate: number }>()
  const byEntity = new Map(
    inspections.map((one) => [one.entity, new Map(one.events.map((e) => [e.record.eventId, e]))]),
  )
  const kept = new Set<string>()
  for (const { duplicate, eventId, fact, sequence } of knowledge.stored) {
    const flow = `${fact.entity} ${fact.flow}`
    const count = expected.get(flow) ?? { published: 0, duplicate: 0 }
    expected.set(flow, count)
    count.published++
    if (duplicate) {
      count.duplicate++
      continue
    }
    kept.add(`${fact.entity} ${eventId}`)
    const event = byEntity.get(fact.entity)?.get(eventId)
    if (event === undefined) issues.push(`${fact.entity} ${eventId} is nowhere in the ledger`)
    else if (event.record.streamSequence !== sequence) {
      issues.push(`${eventId} is kept as ${event.record.streamSequence}`)
    } else if (fact.flaw !== null && event.state === "applied") {
      issues.push(`${eventId} is applied in spite of ${fact.flaw}`)
    }
  }
  for (const { entity, events } of inspections) {
    for (const { record } of events) {
      if (!kept.has(`${entity} ${record.eventId}`)) issues.push(`${entity} ${record.eventId} was never published`)
    }
  }
  for (const [name, { duplicate, published }] of expected) {
    const tally = tallies.find(({ entity, flow }) => `${entity} ${flow}` === name)
    if (tally === undefined) {
      issues.push(`${name} has no counters`)
      continue
    }
    const { applied, dismissed, superseded } = tally
    const held = tally.waiting + tally.parked + tally.behind + tally.ready
    if (tally.duplicate !== duplicate) issues.push(`${name} counts ${tally.duplicate} duplicates of ${duplicate}`)
    if (applied + superseded + dismissed + held + tally.duplicate !== published) {
      issues.push(
        `${name}: ${published} published, ${applied} applied, ${superseded} superseded, ${dismissed} dismissed, ${held} held, ${tally.duplicate} duplicates`,
      )
    }
  }
  return issues
}
