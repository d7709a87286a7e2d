/**
 * What people decide about exceptions. Each says in settings of its transaction who and why, for the triggers of
 * `history.ts`, and takes them back at its end.
 */
import { byIndex } from "../release.ts"

/** Sets what the triggers ask for; empty ones count as not set. */
export const by = (settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings).map(([name, value]) => `  perform set_config('weir.${name}', ${value}, true);`).join("\n")

const cleared = by({ actor: "''", reason: "''", decision: "''", redrive: "''", now: "''" })

export const retryBy = `
create function weir.retry_by(
  p_entity text, p_id text[], p_actor text, p_reason text, p_redrive bigint, p_now bigint
) returns integer language plpgsql ${byIndex} as $$
declare
  v_count integer;
begin
${
  by({
    actor: "p_actor",
    reason: "p_reason",
    decision: "'retried'",
    redrive: "coalesce(p_redrive::text, '')",
    now: "p_now::text",
  })
}
  v_count := weir.retry(p_entity, p_id);
${cleared}
  return v_count;
end $$`

export const dismissBy = `
create function weir.dismiss_by(p_entity text, p_id text[], p_actor text, p_reason text, p_now bigint) returns integer
language plpgsql ${byIndex} as $$
declare
  v_count integer;
begin
${by({ actor: "p_actor", reason: "p_reason", now: "p_now::text" })}
  v_count := weir.dismiss(p_entity, p_id, p_reason, p_now);
${cleared}
  return v_count;
end $$`

const placesOf = (ids: string): string => `
    select found.ctid from unnest(${ids}) as i(id) cross join lateral (
      select h.ctid from weir.held h where h.entity = p_entity and h.event_id = i.id limit 1
    ) as found`

/** p_assignee null: nobody. */
export const assignExceptions = `
create function weir.assign_exceptions(p_entity text, p_id text[], p_assignee text, p_actor text, p_now bigint)
returns integer language plpgsql ${byIndex} as $$
declare
  v_count integer;
begin
  perform from weir.lease where entity = p_entity for no key update;
  with changed as (
    update weir.held set assignee = p_assignee
    where ctid = any (array(${placesOf("p_id")})) and state = 'parked'
    returning entity, event_id, flow, code, fingerprint
  )
  insert into weir.history (entity, event_id, at_millis, actor, action, flow, code, fingerprint, detail)
  select entity, event_id, p_now, p_actor, 'assigned', flow, code, fingerprint, json_build_object('to', p_assignee)
  from changed order by event_id;
  get diagnostics v_count = row_count;
  return v_count;
end $$`

export const noteException = `
create function weir.note_exception(p_entity text, p_id text, p_actor text, p_text text, p_now bigint) returns integer
language plpgsql ${byIndex} as $$
declare
  v_count integer;
begin
  insert into weir.history (entity, event_id, at_millis, actor, action, flow, code, fingerprint, detail)
  select h.entity, h.event_id, p_now, p_actor, 'noted', h.flow, h.code, h.fingerprint, json_build_object('text', p_text)
  from weir.held h where h.entity = p_entity and h.event_id = p_id and h.state in ('parked', 'ready')
    and h.parked_at_millis is not null;
  get diagnostics v_count = row_count;
  return v_count;
end $$`
