/** `Archives` in PostgreSQL, over the ledger's pool. */
import { Clock, type Duration, Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { Archives, type LeaversOfMonth } from "./Archives.ts"
import { defaults } from "./PgLedger.ts"
import {
  archiveOf,
  type ArchiveRow,
  finishArchive,
  insertArchive,
  leaverOf,
  type LeaverRow,
  selectArchives,
  selectLeavers,
  selectMonths,
  selectPage,
} from "./sql/archives.ts"
import { bigint, text, textColumn } from "./sql/parameters.ts"
import { queries } from "./sql/query.ts"

/** Reading all rows of an entity takes its time, and locks nothing. */
const LONG = "10 minutes"

const month = ({ fromMillis, toMillis }: LeaversOfMonth) => [bigint(fromMillis), bigint(toMillis)]

export const fromClient = (
  sql: SqlClient.SqlClient,
  statementTimeout: Duration.Input = defaults.statementTimeout,
): typeof Archives.Service => {
  const query = queries(sql, statementTimeout)
  const long = queries(sql, LONG)
  return Archives.of({
    months: ({ beforeMillis, entity, kind }) =>
      Effect.map(
        long<{ readonly month: string; readonly n: bigint }>("Archives.months", selectMonths(kind), [
          text(entity),
          bigint(beforeMillis),
        ]),
        (rows) => rows.map(({ month, n }) => ({ month, rows: Number(n) })),
      ),

    page: (leavers, after, limit) =>
      Effect.map(
        long<LeaverRow>("Archives.page", selectPage(leavers.kind), [
          text(leavers.entity),
          bigint(leavers.beforeMillis),
          text(after),
          ...month(leavers),
          bigint(limit),
        ]),
        (rows) => rows.map(leaverOf),
      ),

    byId: (leavers, ids) =>
      ids.length === 0 ? Effect.succeed([]) : Effect.map(
        query<LeaverRow>("Archives.byId", selectLeavers, [
          text(leavers.entity),
          bigint(leavers.beforeMillis),
          textColumn(ids, (id) => id),
          ...month(leavers),
        ]),
        (rows) => rows.map(leaverOf),
      ),

    record: Effect.fnUntraced(function* (archive) {
      const { bytes, entity, fromMillis, kind, name, rows, sha256, toMillis } = archive
      yield* query("Archives.record", insertArchive, [
        text(entity),
        text(kind),
        text(name),
        bigint(rows),
        bigint(bytes),
        text(sha256),
        bigint(fromMillis),
        bigint(toMillis),
        bigint(yield* Clock.currentTimeMillis),
      ])
    }),

    drop: (entity, kind, ids) =>
      ids.length === 0 ? Effect.succeed(0) : Effect.map(
        query<{ readonly n: number }>("Archives.drop", `select weir.drop_${kind}($1, $2) as n`, [
          text(entity),
          textColumn(ids, (id) => id),
        ]),
        ([row]) => row?.n ?? 0,
      ),

    dropped: Effect.fnUntraced(function* ({ entity, kind, name }) {
      const now = bigint(yield* Clock.currentTimeMillis)
      yield* query("Archives.dropped", finishArchive, [text(entity), text(kind), text(name), now])
    }),

    list: ({ after, entities, entity, kind, limit, pending = false }) =>
      Effect.map(
        query<ArchiveRow>("Archives.list", selectArchives, [
          entity === undefined ? null : text(entity),
          entities === undefined ? null : textColumn(entities, (one) => one),
          kind === undefined ? null : text(kind),
          pending,
          after === undefined ? null : bigint(after.writtenAtMillis),
          text(after?.entity ?? ""),
          text(after?.kind ?? ""),
          text(after?.name ?? ""),
          bigint(limit),
        ]),
        (rows) => rows.map(archiveOf),
      ),
  })
}
