/** `Amendments` in PostgreSQL, over the ledger's pool. */
import { PgTypes } from "@effect/sql-pg"
import { Clock, type Duration, Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { Amendments, type Proposed, type Verdict } from "./Amendments.ts"
import { defaults } from "./PgLedger.ts"
import { amendmentOf, type AmendmentRow, selectAmendment, selectAmendments } from "./sql/desk/amendments.ts"
import { bigint, text, textColumn } from "./sql/parameters.ts"
import { queries } from "./sql/query.ts"

export const fromClient = (
  sql: SqlClient.SqlClient,
  statementTimeout: Duration.Input = defaults.statementTimeout,
): typeof Amendments.Service => {
  const query = queries(sql, statementTimeout)
  return Amendments.of({
    propose: Effect.fnUntraced(function* (proposal) {
      const statement = "select weir.amend($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) as id"
      const [row] = yield* query<{ readonly id: bigint }>("Amendments.propose", statement, [
        text(proposal.entity),
        text(proposal.eventId),
        text(proposal.baseHash),
        PgTypes.bytea(proposal.data),
        text(proposal.key),
        PgTypes.text(JSON.stringify(proposal.changes)),
        proposal.financial,
        text(proposal.reason),
        text(proposal.by),
        bigint(yield* Clock.currentTimeMillis),
      ])
      const id = Number(row?.id ?? 0)
      const proposed: Proposed = id === 0
        ? { _tag: "NoException" }
        : id < 0
        ? { _tag: "Changed" }
        : { _tag: "Proposed", id, applied: !proposal.financial }
      return proposed
    }),

    decide: Effect.fnUntraced(function* (id, { apply, by, reason }) {
      const [row] = yield* query<{ readonly verdict: Verdict }>(
        "Amendments.decide",
        "select weir.decide_amendment($1, $2, $3, $4, $5) as verdict",
        [bigint(id), apply, text(by), text(reason), bigint(yield* Clock.currentTimeMillis)],
      )
      return row?.verdict ?? "none"
    }),

    one: (id) =>
      Effect.map(
        query<AmendmentRow>("Amendments.one", selectAmendment, [bigint(id)]),
        ([row]) => row === undefined ? null : amendmentOf(row),
      ),

    list: ({ before, entities, limit, state }) =>
      Effect.map(
        query<AmendmentRow>("Amendments.list", selectAmendments, [
          entities === null ? null : textColumn(entities, (entity) => entity),
          state === undefined ? null : text(state),
          before === null ? null : bigint(before),
          bigint(limit),
        ]),
        (rows) => rows.map(amendmentOf),
      ),
  })
}
