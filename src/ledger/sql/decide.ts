import { byIndex } from "./release.ts"

/** Places of the held rows of these events. */
const found = (ids: string): string => `
    select found.ctid from unnest(${ids}) as i(id)
    cross join lateral (
      select h.ctid from weir.held h where h.entity = p_entity and h.event_id = i.id limit 1
    ) as found
  `

/**
 * A person's decisions. Not fenced, any node may take them, but in line with the owner's settlements by the lock on the
 * lease. A follower cannot be retried: it would overtake. What is ready cannot be dismissed: it may be on its way into Odoo.
 */
export const retry = `
create function weir.retry(p_entity text, p_id text[]) returns integer language plpgsql ${byIndex} as $$
declare
  v_count integer;
begin
  perform from weir.lease where entity = p_entity for no key update;
  update weir.held set state = 'ready', deadline_millis = null
  where ctid = any (array(${found("p_id")})) and state in ('waiting', 'parked');
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
    delete from weir.held where ctid = any (array(${found("p_id")})) and state <> 'ready'
    returning event_id, flow, key
  ), final as (
    update weir.event set state = 'dismissed', reason = p_reason, settled_at_millis = p_now
    where ctid = any (array(
      select found.ctid from gone
      cross join lateral (
        select e.ctid from weir.event e where e.entity = p_entity and e.event_id = gone.event_id limit 1
      ) as found
    ))
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
