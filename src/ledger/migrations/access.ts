import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { appendAudit, reserveKey } from "../sql/access.ts"
import { governPauses } from "../sql/pauses.ts"

/** Tokens, idempotency keys, the environment's mark, flows that people paused. */
const statements = [
  `create table weir.api_token (
    id text primary key,
    hash text not null,
    owner text not null,
    roles text[] not null,
    entities text[],
    created_by text not null,
    created_at_millis bigint not null,
    expires_at_millis bigint not null,
    revoked_at_millis bigint,
    revoked_by text,
    last_used_at_millis bigint
  )`,
  // status null: the call under this key has not ended.
  `create table weir.idempotency_key (
    caller text not null,
    key text not null,
    fingerprint text not null,
    expires_at_millis bigint not null,
    abandoned_at_millis bigint not null,
    status integer,
    content_type text,
    body bytea,
    primary key (caller, key)
  )`,
  `create index idempotency_key_expiry on weir.idempotency_key (expires_at_millis)`,
  // One row at most.
  `create table weir.environment (
    one boolean primary key default true check (one),
    environment text not null,
    marked_by text not null,
    marked_at_millis bigint not null
  )`,
  // The last record of each trail that was archived and forgotten: the chain goes on from its hash.
  `create table weir.audit_anchor (
    entity text primary key,
    sequence bigint not null,
    hash text not null
  )`,
  // json and not a table: read and written with the lease, a few at most.
  `alter table weir.lease add column pauses json not null default '[]'`,
  appendAudit,
  reserveKey,
  governPauses,
]

export const access = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
})
