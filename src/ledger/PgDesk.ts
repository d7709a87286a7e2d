/** `Desk` in PostgreSQL, over the ledger's pool. */
import { Clock, type Duration, Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { Desk, type ExceptionFilter } from "./Desk.ts"
import { defaults } from "./PgLedger.ts"
import {
  fileOf,
  type FileRow,
  type FollowersRow,
  historyOf,
  type HistoryTableRow,
  resolutionOf,
  type ResolutionRow,
  selectFile,
  selectFollowers,
  selectHistory,
  selectResolutions,
} from "./sql/desk/file.ts"
import {
  groupOf,
  type GroupRow,
  lineOf,
  type ListRow,
  MAX_LANES,
  mergedFor,
  rowOf,
  selectAll,
  selectAssigned,
  selectGroups,
} from "./sql/desk/list.ts"
import { bigint, text, textColumn } from "./sql/parameters.ts"
import { queries, type Query } from "./sql/query.ts"
import { waitingCodes } from "./waitingCodes.ts"

const FOLLOWERS = 20

const texts = (values: ReadonlyArray<string>) => textColumn(values, (value) => value)
const textOrNull = (value: string | undefined) => value === undefined ? null : text(value)
const textsOrNull = (values: ReadonlyArray<string> | null | undefined) =>
  values === null || values === undefined ? null : texts(values)

/** The statement for a filter, and the index ranges that it merges. */
const rangesOf = Effect.fnUntraced(function* (query: Query, filter: ExceptionFilter, limit: number) {
  const { byEntity, byEntityFiltered, byGroup, byKey, waiting, waitingFiltered } = mergedFor(limit)
  const { assignee, codes, entities, fingerprint, flow, key, state } = filter
  if (state === "waiting") {
    const others = [entities ?? undefined, flow, fingerprint, key, assignee]
    return [others.every((other) => other === undefined) ? waiting : waitingFiltered, codes ?? waitingCodes] as const
  }
  if (assignee !== undefined) return [selectAssigned, null] as const
  const narrow = flow !== undefined || codes !== undefined || fingerprint !== undefined || key !== undefined
  if (narrow) {
    const groups = yield* query<GroupRow>("Desk.list", selectGroups, [
      textsOrNull(entities),
      textOrNull(flow),
      textsOrNull(codes),
      textOrNull(fingerprint),
      bigint(MAX_LANES + 1),
    ])
    if (key !== undefined) {
      return [byKey, [...new Set(groups.map((group) => `${group.entity}/${group.flow}/${key}`))]] as const
    }
    if (groups.length <= MAX_LANES) return [byGroup, groups.map(lineOf)] as const
  }
  return entities === null || entities.length > MAX_LANES
    ? [selectAll, null] as const
    : [narrow ? byEntityFiltered : byEntity, entities.map((entity) => `${entity}/`)] as const
})

export const fromClient = (
  sql: SqlClient.SqlClient,
  statementTimeout: Duration.Input = defaults.statementTimeout,
): typeof Desk.Service => {
  const query = queries(sql, statementTimeout)
  const count = (operation: string, statement: string, parameters: ReadonlyArray<unknown>) =>
    Effect.map(query<{ readonly n: number }>(operation, statement, parameters), ([row]) => row?.n ?? 0)

  return Desk.of({
    list: Effect.fnUntraced(function* (filter, { after, limit }) {
      const [statement, lines] = yield* rangesOf(query, filter, limit)
      const rows = yield* query<ListRow>("Desk.list", statement, [
        after === null ? null : bigint(after.heldSinceMillis),
        text(after?.entity ?? ""),
        text(after?.eventId ?? ""),
        bigint(limit),
        textsOrNull(filter.entities),
        textOrNull(filter.flow),
        textsOrNull(filter.codes),
        textOrNull(filter.fingerprint),
        textOrNull(filter.key),
        textOrNull(filter.assignee),
        textsOrNull(lines),
      ])
      return rows.map(rowOf)
    }),

    groups: ({ codes, entities, fingerprint, flow }, limit) =>
      Effect.map(
        query<GroupRow>("Desk.groups", selectGroups, [
          textsOrNull(entities),
          textOrNull(flow),
          textsOrNull(codes),
          textOrNull(fingerprint),
          bigint(limit),
        ]),
        (rows) => rows.map(groupOf),
      ),

    file: Effect.fnUntraced(function* (entity, eventId) {
      const [row] = yield* query<FileRow>("Desk.file", selectFile, [text(entity), text(eventId)])
      if (row === undefined) return null
      const line = text(`${row.entity}/${row.flow}/${row.key}`)
      const [followers] = yield* query<FollowersRow>("Desk.file", selectFollowers, [line, text(eventId), FOLLOWERS])
      return fileOf(row, followers)
    }),

    history: (entity, eventId, limit) =>
      Effect.map(
        query<HistoryTableRow>("Desk.history", selectHistory, [text(entity), text(eventId), bigint(limit)]),
        (rows) => rows.map(historyOf),
      ),

    resolutions: (fingerprint, entities, limit) =>
      Effect.map(
        query<ResolutionRow>("Desk.resolutions", selectResolutions, [
          text(fingerprint),
          textsOrNull(entities),
          bigint(limit),
        ]),
        (rows) => rows.map(resolutionOf),
      ),

    assign: Effect.fnUntraced(function* (entity, eventIds, assignee, actor) {
      return yield* count("Desk.assign", "select weir.assign_exceptions($1, $2, $3, $4, $5) as n", [
        text(entity),
        texts(eventIds),
        assignee === null ? null : text(assignee),
        text(actor),
        bigint(yield* Clock.currentTimeMillis),
      ])
    }),

    note: Effect.fnUntraced(function* (entity, eventId, actor, note) {
      const n = yield* count("Desk.note", "select weir.note_exception($1, $2, $3, $4, $5) as n", [
        text(entity),
        text(eventId),
        text(actor),
        text(note),
        bigint(yield* Clock.currentTimeMillis),
      ])
      return n > 0
    }),

    retry: Effect.fnUntraced(function* (entity, eventIds, { actor, reason }) {
      return yield* count("Desk.retry", "select weir.retry_by($1, $2, $3, $4, null, $5) as n", [
        text(entity),
        texts(eventIds),
        text(actor),
        text(reason),
        bigint(yield* Clock.currentTimeMillis),
      ])
    }),

    dismiss: Effect.fnUntraced(function* (entity, eventIds, { actor, reason }) {
      return yield* count("Desk.dismiss", "select weir.dismiss_by($1, $2, $3, $4, $5) as n", [
        text(entity),
        texts(eventIds),
        text(actor),
        text(reason),
        bigint(yield* Clock.currentTimeMillis),
      ])
    }),
  })
}
