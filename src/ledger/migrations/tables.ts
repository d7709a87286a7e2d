import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/**
 * The tables. Times are epoch milliseconds, as the port counts them.
 *
 * What an event became stands in `event`, `held` there means: look into `held`, where the message itself is kept until
 * it goes. Counters of held states follow `held` by triggers, so that no statement can forget them.
 */
const statements = [
  `create table weir.lease (
    entity text primary key,
    epoch bigint not null,
    owner text not null,
    mode text not null default 'full',
    claimed_at_millis bigint not null
  )`,
  `create table weir.checkpoint (
    entity text not null,
    flow text not null,
    stream_sequence bigint not null,
    primary key (entity, flow)
  )`,
  `create table weir.event (
    entity text not null,
    event_id text not null,
    flow text not null,
    key text not null,
    type text not null,
    version bigint,
    stream_sequence bigint not null,
    stored_at_millis bigint not null,
    payload_hash text not null,
    correlation_id text,
    state text not null check (state in ('applied', 'superseded', 'dismissed', 'held')),
    reason text,
    attempts integer not null,
    settled_at_millis bigint not null,
    primary key (entity, event_id)
  )`,
  `create table weir.mapping (
    entity text not null,
    flow text not null,
    key text not null,
    model text not null,
    odoo_id bigint not null,
    external_id text not null,
    version bigint,
    links jsonb,
    primary key (entity, flow, key)
  )`,
  // headers: json and not jsonb, which refuses an escaped NUL. data: the message as it came, whatever its bytes.
  `create table weir.held (
    entity text not null,
    event_id text not null,
    flow text not null,
    key text not null,
    type text not null,
    version bigint,
    stream_sequence bigint not null,
    stored_at_millis bigint not null,
    state text not null check (state in ('waiting', 'parked', 'behind', 'ready')),
    code text not null,
    detail text not null,
    wait_flow text,
    wait_key text,
    deadline_millis bigint,
    attempts integer not null,
    held_since_millis bigint not null,
    subject text not null,
    headers json not null,
    data bytea not null,
    line text not null generated always as (entity || '/' || flow || '/' || key) stored,
    wait_line text generated always as (entity || '/' || wait_flow || '/' || wait_key) stored,
    primary key (entity, event_id)
  )`,
  // No two of these start alike, and none starts as the primary key does: whatever the planner knows or does not know
  // about the data, only one of them fits a question. First: who is in front, who follows.
  `create index held_line on weir.held (line)`,
  // Who waits for the key that was just applied.
  `create index held_wait on weir.held (wait_line) where state = 'waiting'`,
  `create index held_ready on weir.held (flow, entity, stream_sequence) where state = 'ready'`,
  // The oldest held event.
  `create index held_stored on weir.held (flow, entity, stored_at_millis)`,
  `create table weir.tally (
    entity text not null,
    flow text not null,
    applied bigint not null default 0,
    superseded bigint not null default 0,
    duplicate bigint not null default 0,
    dismissed bigint not null default 0,
    waiting bigint not null default 0,
    parked bigint not null default 0,
    behind bigint not null default 0,
    ready bigint not null default 0,
    primary key (entity, flow)
  ) with (fillfactor = 50)`,
  // Stream messages above the checkpoint that were counted as duplicates: counted once, however often they come.
  `create table weir.duplicate (
    entity text not null,
    flow text not null,
    stream_sequence bigint not null,
    primary key (entity, flow, stream_sequence)
  )`,
  `create table weir.outbox (
    entity text not null,
    id bigint generated always as identity,
    subject text not null,
    headers json not null,
    data bytea not null,
    message_id text not null,
    primary key (entity, id)
  )`,
]

export const tables = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
})
