/** `Recall` in memory, step by step as `../PgRecall.ts`. */
import type { Answer } from "../Ledger.ts"
import { Recall, type Recollection } from "../Recall.ts"
import { printable } from "../text.ts"
import { answersIn } from "./admit.ts"
import { emptyState, type EntityState, stateOf } from "./state.ts"
import type { Store } from "./Store.ts"

/** What is not known any more of an event that was dropped. */
const forgotten = {
  type: "",
  flow: "",
  key: "",
  version: null,
  storedAtMillis: 0,
  correlationId: null,
  attempts: 0,
  rules: null,
} as const

const recollectionsIn = (state: EntityState): ReadonlyArray<Recollection> =>
  [...state.events.values()].map((known) => ({ ...known.record, state: stateOf(state, known), rules: known.rules }))

export const makeRecall = ({ call, entities }: Store): typeof Recall.Service => {
  const of = (entity: string): EntityState => entities.get(entity) ?? emptyState(entity)
  return Recall.of({
    answers: (entity, flow, questions) =>
      call<ReadonlyArray<Answer>>("answers", () => answersIn(of(entity), flow, questions)),
    events: ({ after, entity, fromMillis, limit, toMillis }) =>
      call("recallEvents", () =>
        recollectionsIn(of(entity))
          .filter(({ eventId, storedAtMillis }) =>
            eventId > after && storedAtMillis >= fromMillis && storedAtMillis < toMillis
          )
          .toSorted((a, b) => a.eventId < b.eventId ? -1 : 1).slice(0, limit)),
    byId: (entity, eventIds) =>
      call("recallById", () => {
        const wanted = new Set(eventIds.map(printable))
        const state = of(entity)
        return [
          ...recollectionsIn(state).filter(({ eventId }) => wanted.has(eventId)),
          ...[...wanted].flatMap((eventId) => {
            const dropped = state.remembered.get(eventId)
            return dropped === undefined ? [] : [{ ...forgotten, eventId, ...dropped }]
          }),
        ]
      }),
  })
}
