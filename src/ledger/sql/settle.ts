import { byIndex } from "./release.ts"
import { hasRemembered, rememberedOf } from "./remembered.ts"

/** As `weir.govern` does it for what waits by then. */
const postOwed = `
    if v_posts and 'mode' = any (h_wait_flow) then
      update weir.held set state = 'ready', wait_flow = null, wait_key = null, deadline_millis = null
      where ctid = any (array(
        select owed.ctid from unnest(h_id) as i(id)
        cross join lateral (
          select h.ctid, h.state, h.wait_flow from weir.held h where h.entity = p_entity and h.event_id = i.id limit 1
        ) as owed
        where owed.state = 'waiting' and owed.wait_flow = 'mode'
      ));
      get diagnostics v_posted = row_count;
      v_released := v_released + v_posted;
    end if;`

/**
 * One settlement: `weir.settle(entity, epoch, now, …columns)` answers how many held events became ready, or -1 when the
 * epoch is not the entity's any more.
 *
 * The lease row is locked first: settlements of one entity follow one another, so that an event which begins to wait
 * and the event it waits for always see each other (no lost wake-up); and a claim waits for the running settlement and
 * shuts out all later ones. Columns: `e_` events with a final state or 'held', `m_` mappings of applied keys (one row a
 * key), `h_` held messages, `d_` duplicates, `o_` outbox (counted with its event), `c_` checkpoints.
 */
const settling = ({ remembers = false, rules = false, posts = false }: {
  readonly remembers?: boolean
  readonly rules?: boolean
  readonly posts?: boolean
}): string => `
create${remembers ? " or replace" : ""} function weir.settle(
  p_entity text, p_epoch bigint, p_now bigint,
  e_id text[], e_flow text[], e_key text[], e_type text[], e_version bigint[], e_sequence bigint[], e_stored bigint[],
  e_hash text[], e_correlation text[], e_attempts integer[], e_state text[],
  m_flow text[], m_key text[], m_model text[], m_id bigint[], m_external text[], m_version bigint[], m_links text[],
  h_id text[], h_state text[], h_code text[], h_detail text[], h_wait_flow text[], h_wait_key text[],
  h_deadline bigint[], h_attempts integer[], h_subject text[], h_headers text[], h_data bytea[],
  d_flow text[], d_id text[], d_sequence bigint[],
  o_event text[], o_subject text[], o_headers text[], o_data bytea[], o_message text[],
  c_flow text[], c_sequence bigint[]
) returns integer language plpgsql ${byIndex} as $$
declare
  v_released integer := 0;
  v_flows text[];
  v_keys text[];${rules ? "\n  v_rules text;" : ""}${posts ? "\n  v_posts boolean;\n  v_posted integer;" : ""}
begin
  ${
  rules
    ? `select case when rules_epoch = epoch then rules end${posts ? ", mode in ('full', 'essential')" : ""}
  into v_rules${posts ? ", v_posts" : ""}`
    : "perform"
} from weir.lease where entity = p_entity and epoch = p_epoch for no key update;
  if not found then
    return -1;
  end if;

  -- Events. What is final stays as it is; what was held may become final. Outbox and counters follow only what changed.
  with changed as (
    insert into weir.event as e (entity, event_id, flow, key, type, version, stream_sequence, stored_at_millis,
      payload_hash, correlation_id, attempts, state, settled_at_millis${rules ? ", rules" : ""})
    select p_entity, i.*, p_now${rules ? ", v_rules" : ""}
    from unnest(e_id, e_flow, e_key, e_type, e_version, e_sequence, e_stored, e_hash, e_correlation, e_attempts, e_state)
      as i(id, flow, key, type, version, sequence, stored, hash, correlation, attempts, state)${
  remembers
    ? `
    where not (${hasRemembered} and exists (${rememberedOf("i.id")}))`
    : ""
}
    on conflict (entity, event_id) do update
      set state = excluded.state, attempts = excluded.attempts, settled_at_millis = excluded.settled_at_millis${
  rules ? ", rules = excluded.rules" : ""
}
      where e.state = 'held' and excluded.state <> 'held'
    returning e.event_id, e.flow, e.state
  ), sent as (
    insert into weir.outbox (entity, subject, headers, data, message_id)
    select p_entity, o.subject, o.headers::json, o.data, o.message
    from unnest(o_event, o_subject, o_headers, o_data, o_message) with ordinality
      as o(event, subject, headers, data, message, position)
    join changed on changed.event_id = o.event and changed.state = 'applied'
    order by o.position
  )
  insert into weir.tally as t (entity, flow, applied, superseded)
  select p_entity, flow, count(*) filter (where state = 'applied'), count(*) filter (where state = 'superseded')
  from changed where state <> 'held' group by flow order by flow
  on conflict (entity, flow) do update
    set applied = t.applied + excluded.applied, superseded = t.superseded + excluded.superseded;

  -- Mappings. Unconditional: the record stands in Odoo, whatever the event became. A smaller version changes nothing.
  insert into weir.mapping as m (entity, flow, key, model, odoo_id, external_id, version, links)
  select p_entity, i.flow, i.key, i.model, i.id, i.external, i.version, i.links::jsonb
  from unnest(m_flow, m_key, m_model, m_id, m_external, m_version, m_links)
    as i(flow, key, model, id, external, version, links)
  on conflict (entity, flow, key) do update
    set model = excluded.model, odoo_id = excluded.odoo_id, external_id = excluded.external_id,
      version = coalesce(excluded.version, m.version), links = excluded.links
    where m.version is null or excluded.version is null or excluded.version >= m.version;

  -- Held messages, skipped as a whole by an entity that holds none.
  if cardinality(h_id) > 0 or exists (
    select from weir.tally where entity = p_entity and waiting + parked + behind + ready > 0
  ) then
    with gone as (
      delete from weir.held where ctid = any (array(
        select found.ctid from unnest(e_id, e_state) as i(id, state)
        cross join lateral (
          select h.ctid from weir.held h where h.entity = p_entity and h.event_id = i.id limit 1
        ) as found
        where i.state <> 'held'
      ))
      returning flow, key
    )
    select array_agg(flow), array_agg(key) into v_flows, v_keys from gone;

    if cardinality(h_id) > 0 then
      insert into weir.held as h (entity, event_id, flow, key, type, version, stream_sequence, stored_at_millis, state,
        code, detail, wait_flow, wait_key, deadline_millis, attempts, held_since_millis, subject, headers, data)
      select p_entity, e.event_id, e.flow, e.key, e.type, e.version, e.stream_sequence, e.stored_at_millis, i.state,
        i.code, i.detail, i.wait_flow, i.wait_key, i.deadline, i.attempts, p_now, i.subject, i.headers::json, i.data
      from unnest(h_id, h_state, h_code, h_detail, h_wait_flow, h_wait_key, h_deadline, h_attempts, h_subject, h_headers,
          h_data) as i(id, state, code, detail, wait_flow, wait_key, deadline, attempts, subject, headers, data)
      cross join lateral (
        select * from weir.event where entity = p_entity and event_id = i.id limit 1
      ) as e
      where e.state = 'held'
      on conflict (entity, event_id) do update
        set state = excluded.state, code = excluded.code, detail = excluded.detail, wait_flow = excluded.wait_flow,
          wait_key = excluded.wait_key, deadline_millis = excluded.deadline_millis, attempts = excluded.attempts;
      select v_flows || array_agg(h.flow), v_keys || array_agg(h.key) into v_flows, v_keys
      from unnest(h_id) as i(id)
      cross join lateral (
        select held.flow, held.key from weir.held where held.entity = p_entity and held.event_id = i.id limit 1
      ) as h;
    end if;

    v_released := weir.release(p_entity, m_flow, m_key, h_id);${posts ? postOwed : ""}
    if cardinality(v_keys) > 0 then
      v_released := v_released + weir.promote(p_entity, v_flows, v_keys);
    end if;
  end if;

  -- Duplicates count once per stream message, and never for the message that brought the event.
  if cardinality(d_id) > 0 then
    delete from weir.duplicate d using weir.checkpoint c
    where d.entity = p_entity and c.entity = p_entity and c.flow = d.flow and d.stream_sequence <= c.stream_sequence;
    with counted as (
      insert into weir.duplicate (entity, flow, stream_sequence)
      select distinct p_entity, i.flow, i.sequence
      from unnest(d_flow, d_id, d_sequence) as i(flow, id, sequence)
      left join lateral (
        select stream_sequence from weir.checkpoint where entity = p_entity and checkpoint.flow = i.flow limit 1
      ) as c on true
      left join lateral (
        select stream_sequence from weir.event where entity = p_entity and event_id = i.id limit 1
      ) as e on true
      where i.sequence > coalesce(c.stream_sequence, 0) and e.stream_sequence is distinct from i.sequence
      on conflict do nothing
      returning flow
    )
    insert into weir.tally as t (entity, flow, duplicate)
    select p_entity, flow, count(*) from counted group by flow order by flow
    on conflict (entity, flow) do update set duplicate = t.duplicate + excluded.duplicate;
  end if;

  insert into weir.checkpoint as c (entity, flow, stream_sequence)
  select p_entity, i.flow, i.sequence from unnest(c_flow, c_sequence) as i(flow, sequence)
  on conflict (entity, flow) do update set stream_sequence = excluded.stream_sequence
    where excluded.stream_sequence > c.stream_sequence;

  return v_released;
end $$`

export const settle = settling({})

/** An event that was dropped was settled: nothing comes of it again. */
export const settleRemembering = settling({ remembers: true })

/** The owner's rules go with each event; of an owner that names none (a release before), none do. */
export const settleByRules = settling({ remembers: true, rules: true })

/** What was drafted while the mode became one that posts does not wait for it. */
export const settlePosting = settling({ remembers: true, rules: true, posts: true })
