/** `Redrives` in PostgreSQL, over the ledger's pool. */
import { Clock, type Duration, Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { defaults } from "./PgLedger.ts"
import { Redrives, type Stepped } from "./Redrives.ts"
import {
  cancelRedrive,
  insertRedrive,
  redriveOf,
  type RedriveRow,
  selectRedrive,
  selectRedriveList,
} from "./sql/desk/redrives.ts"
import { bigint, intColumn, text, textColumn } from "./sql/parameters.ts"
import { queries } from "./sql/query.ts"

const textOrNull = (value: string | null) => value === null ? null : text(value)

export const fromClient = (
  sql: SqlClient.SqlClient,
  statementTimeout: Duration.Input = defaults.statementTimeout,
): typeof Redrives.Service => {
  const query = queries(sql, statementTimeout)
  return Redrives.of({
    start: ({ code, entity, fingerprint, flow }, by, reason) =>
      Effect.map(
        query<{ readonly id: bigint }>("Redrives.start", insertRedrive, [
          text(entity),
          textOrNull(flow),
          textOrNull(code),
          textOrNull(fingerprint),
          text(reason),
          text(by),
        ]),
        ([row]) => Number(row?.id ?? 0),
      ),

    step: Effect.fnUntraced(function* (id, sizes) {
      const [row] = yield* query<{ readonly stepped: Stepped }>(
        "Redrives.step",
        "select weir.step_redrive($1, $2, $3) as stepped",
        [bigint(id), bigint(yield* Clock.currentTimeMillis), intColumn(sizes, (size) => size)],
      )
      return row?.stepped ?? "cancelled"
    }),

    cancel: Effect.fnUntraced(function* (id, by) {
      const now = bigint(yield* Clock.currentTimeMillis)
      const rows = yield* query("Redrives.cancel", cancelRedrive, [bigint(id), text(by), now])
      return rows.length > 0
    }),

    one: (id) =>
      Effect.map(
        query<RedriveRow>("Redrives.one", selectRedrive, [bigint(id)]),
        ([row]) => row === undefined ? null : redriveOf(row),
      ),

    list: ({ before, entities, limit, state }) =>
      Effect.map(
        query<RedriveRow>("Redrives.list", selectRedriveList, [
          entities === null ? null : textColumn(entities, (entity) => entity),
          state === undefined ? null : text(state),
          before === null ? null : bigint(before),
          bigint(limit),
        ]),
        (rows) => rows.map(redriveOf),
      ),
  })
}
