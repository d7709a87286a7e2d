/** `Recall` in PostgreSQL, over the ledger's pool. */
import { type Duration, Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { defaults } from "./PgLedger.ts"
import { Recall } from "./Recall.ts"
import { admission, type AdmitRow } from "./sql/admission.ts"
import { bigint, text, textColumn } from "./sql/parameters.ts"
import { queries } from "./sql/query.ts"
import { recollectionOf, type RecollectionRow, selectAnswers, selectById, selectEvents } from "./sql/recall.ts"

export const fromClient = (
  sql: SqlClient.SqlClient,
  statementTimeout: Duration.Input = defaults.statementTimeout,
): typeof Recall.Service => {
  const query = queries(sql, statementTimeout)
  return Recall.of({
    answers: Effect.fnUntraced(function* (entity, flow, questions) {
      const { answersOf, parameters } = admission({ entity, epoch: 0 }, flow, questions)
      const rows = yield* query<AdmitRow>("Recall.answers", selectAnswers(parameters), parameters)
      // Nobody ever owned the entity: no fence, and nothing else is known either.
      return answersOf(rows) ?? answersOf([...rows, { kind: "fence", position: 0n } as AdmitRow]) ?? []
    }),

    events: ({ after, entity, fromMillis, limit, toMillis }) =>
      Effect.map(
        query<RecollectionRow>("Recall.events", selectEvents, [
          text(entity),
          text(after),
          bigint(fromMillis),
          bigint(toMillis),
          bigint(limit),
        ]),
        (rows) => rows.map(recollectionOf),
      ),

    byId: (entity, eventIds) =>
      eventIds.length === 0 ? Effect.succeed([]) : Effect.map(
        query<RecollectionRow>("Recall.byId", selectById, [text(entity), textColumn(eventIds, (id) => id)]),
        (rows) => rows.map(recollectionOf),
      ),
  })
}
