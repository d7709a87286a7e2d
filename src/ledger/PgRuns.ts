/** `Runs` in PostgreSQL, over the ledger's pool. */
import { PgTypes } from "@effect/sql-pg"
import { Clock, type Duration, Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { defaults } from "./PgLedger.ts"
import { type RunJson, Runs } from "./Runs.ts"
import { bigint, bigintColumn, jsonColumn, optionalBytesColumn, text, textColumn } from "./sql/parameters.ts"
import { queries } from "./sql/query.ts"
import {
  concludeRunEvents,
  deleteRuns,
  insertRun,
  runEventOf,
  type RunEventRow,
  runOf,
  type RunRow,
  selectRun,
  selectRunEvents,
  selectRuns,
  updateRun,
  upsertRunEvents,
} from "./sql/runs.ts"

const optionalText = (value: string | undefined) => value === undefined ? null : text(value)
const optionalJson = (value: RunJson | undefined) => value === undefined ? null : PgTypes.text(JSON.stringify(value))
const optionalTexts = (values: ReadonlyArray<string> | undefined) =>
  values === undefined ? null : textColumn(values, (value) => value)

export const fromClient = (
  sql: SqlClient.SqlClient,
  statementTimeout: Duration.Input = defaults.statementTimeout,
): typeof Runs.Service => {
  const query = queries(sql, statementTimeout)
  return Runs.of({
    open: Effect.fnUntraced(function* (run) {
      const rows = yield* query("Runs.open", insertRun, [
        text(run.entity),
        text(run.runId),
        text(run.kind),
        text(run.state),
        PgTypes.text(JSON.stringify(run.request)),
        text(run.requestedBy),
        text(run.reason),
        bigint(yield* Clock.currentTimeMillis),
      ])
      return rows.length > 0
    }),

    run: (entity, runId) =>
      Effect.map(
        query<RunRow>("Runs.run", selectRun, [text(entity), text(runId)]),
        ([row]) => row === undefined ? null : runOf(row),
      ),

    runs: ({ before, entities, entity, kind, limit, runId, states }) =>
      Effect.map(
        query<RunRow>("Runs.runs", selectRuns, [
          optionalText(entity),
          optionalText(runId),
          optionalText(kind),
          optionalTexts(states),
          before === undefined ? null : bigint(before.createdAtMillis),
          optionalText(before?.runId),
          optionalText(before?.entity),
          bigint(limit),
          optionalTexts(entities),
        ]),
        (rows) => rows.map(runOf),
      ),

    change: Effect.fnUntraced(function* (entity, runId, from, change) {
      const [row] = yield* query<RunRow>("Runs.change", updateRun, [
        text(entity),
        text(runId),
        textColumn(from, (state) => state),
        optionalText(change.state),
        optionalJson(change.progress),
        optionalJson(change.totals),
        optionalJson(change.result),
        optionalText(change.trouble),
        optionalText(change.appliedBy),
        bigint(yield* Clock.currentTimeMillis),
      ])
      return row === undefined ? null : runOf(row)
    }),

    keep: (entity, runId, events) =>
      events.length === 0 ? Effect.void : Effect.asVoid(query("Runs.keep", upsertRunEvents, [
        text(entity),
        text(runId),
        bigintColumn(events, (event) => event.ordinal),
        textColumn(events, (event) => event.eventId),
        textColumn(events, (event) => event.type),
        textColumn(events, (event) => event.flow),
        textColumn(events, (event) => event.key),
        bigintColumn(events, (event) => event.streamSequence),
        bigintColumn(events, (event) => event.storedAtMillis),
        textColumn(events, (event) => event.finding),
        jsonColumn(events, (event) => event.detail),
        textColumn(events, (event) => event.message?.subject ?? null),
        jsonColumn(events, (event) => event.message?.headers ?? null),
        optionalBytesColumn(events, (event) => event.message?.data ?? null),
        textColumn(events, (event) => event.outcome),
      ])),

    events: ({ after, entity, findings, limit, pending = false, runId }) =>
      Effect.map(
        query<RunEventRow>("Runs.events", selectRunEvents, [
          text(entity),
          text(runId),
          bigint(after),
          optionalTexts(findings),
          pending,
          bigint(limit),
        ]),
        (rows) => rows.map(runEventOf),
      ),

    conclude: (entity, runId, conclusions) =>
      conclusions.length === 0 ? Effect.void : Effect.asVoid(query("Runs.conclude", concludeRunEvents, [
        text(entity),
        text(runId),
        bigintColumn(conclusions, ({ ordinal }) => ordinal),
        textColumn(conclusions, ({ outcome }) => outcome),
        jsonColumn(conclusions, ({ detail }) => detail ?? null),
      ])),

    forget: (beforeMillis, limit) =>
      Effect.map(query("Runs.forget", deleteRuns, [bigint(beforeMillis), bigint(limit)]), (rows) => rows.length),
  })
}
