/** What the ledger in memory knows about events, step by step as `../sql/admit.ts`. */
import type { Answer, Question } from "../Ledger.ts"
import { printable } from "../text.ts"
import { type EntityState, type HeldEntry, isBefore, mappingOf, nameOf, stateOf } from "./state.ts"

export const answersIn = (
  state: EntityState,
  flow: string,
  questions: ReadonlyArray<Question>,
): ReadonlyArray<Answer> => {
  const rivals = new Map<string, Array<HeldEntry>>()
  for (const entry of state.held.values()) {
    const name = nameOf(entry.record.flow, entry.record.key)
    const known = rivals.get(name)
    if (known === undefined) rivals.set(name, [entry])
    else known.push(entry)
  }
  return questions.map((question): Answer => {
    const eventId = printable(question.eventId)
    const known = state.events.get(eventId)
    const own = state.held.get(eventId)
    const dropped = state.remembered.get(eventId)
    return {
      seen: known !== undefined
        ? { state: stateOf(state, known), payloadHash: known.record.payloadHash }
        : dropped === undefined
        ? null
        : { state: dropped.state, payloadHash: dropped.payloadHash },
      mapping: mappingOf(state, { flow, key: question.key }),
      blocked: (rivals.get(nameOf(flow, question.key)) ?? []).some((rival) =>
        rival !== own && (own === undefined || isBefore(rival.record, own.record))
      ),
      references: question.references.map((reference) => mappingOf(state, reference)),
    }
  })
}
