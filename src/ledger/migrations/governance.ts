import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { govern } from "../sql/govern.ts"

/** Overrides of the mode, the audit trail and the incidents. */
const statements = [
  `alter table weir.lease
    add column override_mode text,
    add column override_actor text,
    add column override_reason text,
    add column override_until_millis bigint`,
  // Before there were automatic steps, every other mode was a person's.
  `update weir.lease set override_mode = mode, override_actor = 'configuration', override_reason = 'set before upgrade'
    where mode <> 'full'`,
  // detail: json and not jsonb, which would keep another text than the one that was hashed.
  `create table weir.audit (
    entity text not null,
    sequence bigint not null,
    entry_id text not null,
    at_millis bigint not null,
    actor text not null,
    action text not null,
    detail json not null,
    previous_hash text not null,
    hash text not null,
    primary key (entity, sequence),
    unique (entity, entry_id)
  )`,
  `create function weir.refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
    end $$`,
  `create trigger audit_append_only before update or delete or truncate on weir.audit
    for each statement execute function weir.refuse_change()`,
  `create table weir.incident (
    entity text not null,
    incident_id text not null,
    cause text not null,
    detected_at_millis bigint not null,
    contained_at_millis bigint,
    restored_at_millis bigint,
    steps json not null,
    primary key (entity, incident_id)
  )`,
  `create index incident_detected on weir.incident (detected_at_millis)`,
  govern,
]

export const governance = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
})
