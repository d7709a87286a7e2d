/** A settlement in memory, step by step as `../sql/settle.ts`. */
import { batchOf, isFinal, merge } from "../batch.ts"
import type { EventRecord, Settled, Settlement } from "../Ledger.ts"
import type { Telling } from "../Told.ts"
import { printable } from "../text.ts"
import { releaseOwed } from "./governance.ts"
import { leave } from "./history.ts"
import { echoes, tell } from "./told.ts"
import { count, punctual } from "./windows.ts"
import { clean, countersOf, type EntityState, hold, nameOf, promote, release } from "./state.ts"

export const settle = (
  state: EntityState,
  settlement: Settlement,
  nowMillis: number,
  nextOutboxId: () => number,
): Settled => {
  const batch = batchOf(punctual(state, settlement))
  const echoed = echoes(state, batch.events.flatMap((one) => one._tag === "Applied" ? one.tells ?? [] : []))
  const tellings: Array<readonly [EventRecord, Telling]> = []
  const touched = new Set<string>()
  const changed = new Set<string>()

  for (const outcome of batch.events) {
    const record = clean(outcome.event)
    const known = state.events.get(record.eventId)
    // It was settled and dropped: nothing comes of it again.
    if (state.remembered.has(record.eventId)) continue
    if (isFinal(outcome)) {
      const next = outcome._tag === "Applied" ? "applied" : "superseded"
      if (known === undefined || known.state === "held") {
        state.events.set(record.eventId, {
          // What was known first stays: only state and attempts move.
          record: known === undefined ? record : { ...known.record, attempts: record.attempts },
          state: next,
          reason: null,
          rules: state.lease?.rules ?? null,
        })
        state.settledAt.set(record.eventId, nowMillis)
        countersOf(state, known?.record.flow ?? record.flow)[next]++
        changed.add(record.eventId)
        if (outcome._tag === "Applied") {
          if (outcome.adds !== undefined) count(state, record.flow, outcome.adds.contribution, nowMillis)
          for (const one of outcome.tells ?? []) if (!echoed.has(one.messageId)) tellings.push([record, one])
        }
      }
      const gone = state.held.get(record.eventId)
      if (gone !== undefined) {
        state.held.delete(record.eventId)
        leave(state, gone, next, nowMillis)
        touched.add(nameOf(gone.record.flow, gone.record.key))
      }
    } else if (known === undefined || known.state === "held") {
      const kept = known?.record ?? record
      if (known === undefined) {
        state.events.set(record.eventId, { record, state: "held", reason: null, rules: state.lease?.rules ?? null })
      }
      hold(state, { ...kept, attempts: record.attempts }, outcome, nowMillis)
      touched.add(nameOf(kept.flow, kept.key))
    }
  }

  tell(state, tellings)
  for (const { eventId, publication } of batch.outbox) {
    if (!changed.has(printable(eventId)) || echoed.has(printable(publication.messageId))) continue
    state.outbox.push({
      id: nextOutboxId(),
      publication: {
        subject: printable(publication.subject),
        headers: { ...publication.headers },
        data: publication.data.slice(),
        messageId: printable(publication.messageId),
      },
    })
  }

  for (const { flow, key, mapping } of batch.mappings) {
    const name = nameOf(flow, key)
    const own = { ...mapping, model: printable(mapping.model), externalId: printable(mapping.externalId) }
    state.mappings.set(name, {
      flow: printable(flow),
      key: printable(key),
      mapping: merge(state.mappings.get(name)?.mapping, own),
    })
  }

  const released = state.held.size === 0 ? 0 : release(state) + releaseOwed(state) + promote(state, touched)

  for (const duplicate of batch.duplicates) {
    const { eventId, flow, streamSequence } = clean(duplicate)
    const name = `${flow}\n${streamSequence}`
    if (streamSequence <= (state.checkpoints.get(flow) ?? 0) || state.duplicates.has(name)) continue
    if (state.events.get(eventId)?.record.streamSequence === streamSequence) continue
    state.duplicates.add(name)
    countersOf(state, flow).duplicate++
  }

  for (const [flow, sequence] of settlement.checkpoints) {
    const name = printable(flow)
    state.checkpoints.set(name, Math.max(sequence, state.checkpoints.get(name) ?? 0))
  }
  return { released }
}
