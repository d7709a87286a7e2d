import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** Runs of replays and reconciliations with what they found, event by event. */
const statements = [
  // json and not jsonb: kept as it was written, never searched.
  `create table weir.run (
    entity text not null,
    run_id text not null,
    kind text not null,
    state text not null,
    request json not null,
    requested_by text not null,
    reason text not null,
    applied_by text not null default '',
    created_at_millis bigint not null,
    changed_at_millis bigint not null,
    progress json not null default '{}',
    totals json not null default '{}',
    result json,
    trouble text not null default '',
    primary key (entity, run_id)
  )`,
  `create index run_created on weir.run (created_at_millis desc, run_id desc, entity)`,
  `create table weir.run_event (
    entity text not null,
    run_id text not null,
    ordinal bigint not null,
    event_id text not null,
    type text not null,
    flow text not null,
    key text not null,
    stream_sequence bigint not null,
    stored_at_millis bigint not null,
    finding text not null,
    detail json not null,
    subject text,
    headers json,
    data bytea,
    outcome text,
    primary key (entity, run_id, ordinal),
    foreign key (entity, run_id) references weir.run on delete cascade
  )`,
]

export const runs = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
})
