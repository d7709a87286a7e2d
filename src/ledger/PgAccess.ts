/** `Access` in PostgreSQL, over the ledger's pool. */
import { Clock, type Duration, Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { PgTypes } from "@effect/sql-pg"
import { Access, type Reserved } from "./Access.ts"
import { defaults } from "./PgLedger.ts"
import {
  abandonKey,
  completeKey,
  environmentOf,
  type EnvironmentRow,
  insertToken,
  markEnvironment,
  reservedOf,
  type ReservedRow,
  revokeToken,
  selectEnvironment,
  selectToken,
  selectTokens,
  tokenOf,
  type TokenRow,
  touchToken,
} from "./sql/access.ts"
import { bigint, text, textColumn } from "./sql/parameters.ts"
import { queries } from "./sql/query.ts"

export const fromClient = (
  sql: SqlClient.SqlClient,
  statementTimeout: Duration.Input = defaults.statementTimeout,
): typeof Access.Service => {
  const query = queries(sql, statementTimeout)
  const texts = (values: ReadonlyArray<string>) => textColumn(values, (value) => value)
  const environment = Effect.suspend(() => query<EnvironmentRow>("Access.environment", selectEnvironment, [])).pipe(
    Effect.map(([row]) => row === undefined ? null : environmentOf(row)),
  )

  return Access.of({
    issue: (token) =>
      Effect.asVoid(query("Access.issue", insertToken, [
        text(token.id),
        text(token.hash),
        text(token.owner),
        texts(token.roles),
        token.entities === null ? null : texts(token.entities),
        text(token.createdBy),
        bigint(token.createdAtMillis),
        bigint(token.expiresAtMillis),
      ])),

    token: (id) =>
      Effect.map(
        query<TokenRow>("Access.token", selectToken, [text(id)]),
        ([row]) => row === undefined ? null : tokenOf(row),
      ),

    tokens: ({ after, limit }) =>
      Effect.map(
        query<TokenRow>("Access.tokens", selectTokens, [text(after), bigint(limit)]),
        (rows) => rows.map(tokenOf),
      ),

    revoke: Effect.fnUntraced(function* (id, by) {
      const now = yield* Clock.currentTimeMillis
      const rows = yield* query("Access.revoke", revokeToken, [text(id), bigint(now), text(by)])
      return rows.length > 0
    }),

    used: Effect.fnUntraced(function* (id) {
      yield* query("Access.used", touchToken, [text(id), bigint(yield* Clock.currentTimeMillis)])
    }),

    reserve: (reservation) =>
      Effect.map(
        query<ReservedRow>("Access.reserve", "select * from weir.reserve_key($1, $2, $3, $4, $5, $6, $7)", [
          text(reservation.caller),
          text(reservation.key),
          text(reservation.fingerprint),
          bigint(reservation.nowMillis),
          bigint(reservation.expiresAtMillis),
          bigint(reservation.abandonedAtMillis),
          reservation.limit,
        ]),
        ([row]): Reserved => row === undefined ? { _tag: "Busy" } : reservedOf(row),
      ),

    complete: (caller, key, { body, contentType, status }) =>
      Effect.asVoid(query("Access.complete", completeKey, [
        text(caller),
        text(key),
        status,
        text(contentType),
        PgTypes.bytea(body),
      ])),

    abandon: (caller, key) => Effect.asVoid(query("Access.abandon", abandonKey, [text(caller), text(key)])),

    record: Effect.fnUntraced(function* (entity, { action, actor, detail, id }) {
      yield* query("Access.record", "select weir.append_audit($1, $2, $3, $4, $5, $6)", [
        text(entity),
        bigint(yield* Clock.currentTimeMillis),
        text(id),
        text(actor),
        text(action),
        PgTypes.text(JSON.stringify(detail)),
      ])
    }),

    environment,

    mark: Effect.fnUntraced(function* (name, by) {
      const now = yield* Clock.currentTimeMillis
      yield* query("Access.mark", markEnvironment, [text(name), text(by), bigint(now)])
      return (yield* environment) ?? { environment: name, by, atMillis: now }
    }),
  })
}
