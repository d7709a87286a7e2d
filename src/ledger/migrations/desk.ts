import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { amend, decideAmendment } from "../sql/desk/amendments.ts"
import { cause, fingerprint } from "../sql/desk/cause.ts"
import { assignExceptions, dismissBy, noteException, retryBy } from "../sql/desk/decide.ts"
import { came, clock, deciding, moved, parking, triggers, went } from "../sql/desk/history.ts"
import { byEntity, byGroup, isWaiting } from "../sql/desk/list.ts"
import { stepRedrive } from "../sql/desk/redrives.ts"

/** Exceptions as people work through them: groups, history, corrections, ramped retries. */
const statements = [
  // All nullable or with a default: an older Weir goes on writing the columns that it knows.
  `alter table weir.held
    add column fingerprint text,
    add column parked_at_millis bigint,
    add column assignee text,
    add column decision text,
    add column decided_by text,
    add column recurred boolean not null default false,
    add column redrive bigint`,
  // Lists read so many rows as they show. All but the first begin with what no question of the hot path asks for.
  `create index held_parked on weir.held
    (held_since_millis desc, entity collate "C" desc, event_id collate "C" desc) where state = 'parked'`,
  `create index held_parked_entity on weir.held
    (${byEntity}, held_since_millis desc, event_id collate "C" desc) where state = 'parked'`,
  `create index held_parked_group on weir.held
    (${byGroup}, held_since_millis desc, event_id collate "C" desc) where state = 'parked'`,
  `create index held_assignee on weir.held
    (assignee, held_since_millis desc, entity collate "C" desc, event_id collate "C" desc)
    where state = 'parked' and assignee is not null`,
  // Said otherwise than the hot path says it: that must not find in here what held_wait is for.
  `create index held_waiting_code on weir.held
    (code, held_since_millis desc, entity collate "C" desc, event_id collate "C" desc) where ${isWaiting}`,
  `create index held_redrive on weir.held (redrive) where redrive is not null`,
  `create table weir.exception_group (
    entity text not null,
    flow text not null,
    code text not null,
    fingerprint text not null,
    cause text not null,
    n bigint not null,
    primary key (entity, flow, code, fingerprint)
  ) with (fillfactor = 50)`,
  `create table weir.history (
    position bigint generated always as identity primary key,
    entity text not null,
    event_id text not null,
    at_millis bigint not null,
    actor text not null,
    action text not null,
    flow text not null,
    code text not null,
    fingerprint text,
    detail json not null
  )`,
  `create index history_event on weir.history (entity, event_id, position)`,
  `create index history_ending on weir.history (fingerprint, position)
    where action in ('resolved', 'recurred', 'dismissed')`,
  `create index history_age on weir.history using brin (at_millis)`,
  `create table weir.amendment (
    id bigint generated always as identity primary key,
    entity text not null,
    event_id text not null,
    state text not null check (state in ('proposed', 'applied', 'rejected', 'outdated')),
    base_hash text not null,
    original bytea not null,
    data bytea not null,
    key text not null,
    changes json not null,
    financial boolean not null,
    reason text not null,
    proposed_by text not null,
    proposed_at_millis bigint not null,
    decided_by text,
    decided_at_millis bigint,
    decided_reason text
  )`,
  `create unique index amendment_open on weir.amendment (entity, event_id) where state = 'proposed'`,
  `create index amendment_state on weir.amendment (state, id)`,
  `create table weir.redrive (
    id bigint generated always as identity primary key,
    entity text not null,
    flow text,
    code text,
    fingerprint text,
    reason text not null,
    started_by text not null,
    started_at_millis bigint not null,
    state text not null check (state in ('running', 'finished', 'stopped', 'cancelled')),
    said text not null default '',
    step integer not null default 0,
    step_size integer not null default 0,
    step_resolved bigint not null default 0,
    retried bigint not null default 0,
    ended_at_millis bigint
  )`,
  `create index redrive_running on weir.redrive (id) where state = 'running'`,
  clock,
  cause,
  fingerprint,
  parking,
  deciding,
  came,
  moved,
  went,
  ...triggers,
  // What is parked already gets its fingerprint, its group and the first line of its history.
  `update weir.held set state = state where state = 'parked'`,
  `create function weir.refuse_rewrite() returns trigger language plpgsql as $$
    begin
      if tg_op <> 'UPDATE' and current_setting('weir.retention', true) = 'on' then
        return null;
      end if;
      raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
    end $$`,
  `create trigger history_append_only before update or delete or truncate on weir.history
    for each statement execute function weir.refuse_rewrite()`,
  retryBy,
  dismissBy,
  assignExceptions,
  noteException,
  amend,
  decideAmendment,
  stepRedrive,
]

export const desk = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
})
