import { byIndex } from "./release.ts"

/**
 * A person's decisions. Not fenced, any node may take them, but in line with the owner's settlements by the lock on the
 * lease. A follower cannot be retried: it would overtake.
 */
export const retry = `
create function weir.retry(p_entity text, p_id text[]) returns integer language plpgsql ${byIndex} as $$
declare
  v_count integer;
begin
  perform from weir.lease where entity = p_entity for no key update;
  update weir.held h set state = 'ready', deadline_millis = null
  from (select distinct id from unnest(p_id) as i(id)) as i
  where h.entity = p_entity and h.event_id = i.id and h.state in ('waiting', 'parked');
  get diagnostics v_count = row_count;
  return v_count;
end $$`

export const dismiss = `
create function weir.dismiss(p_entity text, p_id text[], p_reason text, p_now bigint) returns integer
language plpgsql ${byIndex} as $$
declare
  v_count integer;
  v_flows text[];
  v_keys text[];
begin
  perform from weir.lease where entity = p_entity for no key update;
  with gone as (
    delete from weir.held h using (select distinct id from unnest(p_id) as i(id)) as i
    where h.entity = p_entity and h.event_id = i.id
    returning h.event_id, h.flow, h.key
  ), final as (
    update weir.event e set state = 'dismissed', reason = p_reason, settled_at_millis = p_now
    from gone where e.entity = p_entity and e.event_id = gone.event_id
  ), counted as (
    insert into weir.tally as t (entity, flow, dismissed)
    select p_entity, flow, count(*) from gone group by flow order by flow
    on conflict (entity, flow) do update set dismissed = t.dismissed + excluded.dismissed
  )
  select count(*), array_agg(flow), array_agg(key) into v_count, v_flows, v_keys from gone;
  if v_count > 0 then
    perform weir.promote(p_entity, v_flows, v_keys);
  end if;
  return v_count;
end $$`
