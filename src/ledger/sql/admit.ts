import { byIndex, order } from "./release.ts"
import { hasRemembered, rememberedOf } from "./remembered.ts"

/**
 * What the ledger knows: `weir.admit(entity, epoch, flow, event_ids, keys, reference_flows, reference_keys)`. One
 * snapshot, no locks. Rows of four kinds, `position` from 1 in the parameter's order; none for what is unknown:
 *
 *   fence                                   the epoch is the entity's
 *   seen      state, hash                   by event
 *   mapping   model, id, external, …        by event, of its own key
 *   blocked                                 by event
 *   reference model, id, external, …        by reference
 *
 * Blocked is an unseen event when its key holds anything, and a held event when its key holds an earlier one.
 */
const admitting = (create: string, remembered: string): string => `
${create} function weir.admit(
  p_entity text, p_epoch bigint, p_flow text, p_id text[], p_key text[], p_ref_flow text[], p_ref_key text[]
) returns table (
  kind text, "position" bigint, state text, hash text, model text, odoo_id bigint, external_id text, version bigint,
  links jsonb
) language plpgsql stable ${byIndex} as $$
begin
  return query
  select 'fence', 0::bigint, null::text, null::text, null::text, null::bigint, null::text, null::bigint, null::jsonb
  from weir.lease l where l.entity = p_entity and l.epoch = p_epoch
  union all
  select 'seen', i.position, coalesce(found.held, found.state), found.payload_hash, null, null, null, null, null
  from unnest(p_id) with ordinality as i(id, position)
  cross join lateral (
    select e.state, e.payload_hash,
      (select h.state from weir.held h where h.entity = p_entity and h.event_id = i.id and e.state = 'held') as held
    from weir.event e where e.entity = p_entity and e.event_id = i.id limit 1
  ) as found${remembered}
  union all
  select 'mapping', i.position, null, null, found.*
  from unnest(p_key) with ordinality as i(key, position)
  cross join lateral (
    select m.model, m.odoo_id, m.external_id, m.version, m.links
    from weir.mapping m where m.entity = p_entity and m.flow = p_flow and m.key = i.key limit 1
  ) as found
  union all
  select 'reference', i.position, null, null, found.*
  from unnest(p_ref_flow, p_ref_key) with ordinality as i(flow, key, position)
  cross join lateral (
    select m.model, m.odoo_id, m.external_id, m.version, m.links
    from weir.mapping m where m.entity = p_entity and m.flow = i.flow and m.key = i.key limit 1
  ) as found;

  if exists (
    select from weir.tally t
    where t.entity = p_entity and t.flow = p_flow and t.waiting + t.parked + t.behind + t.ready > 0
  ) then
    return query
    select 'blocked', i.position, null::text, null::text, null::text, null::bigint, null::text, null::bigint, null::jsonb
    from unnest(p_id, p_key) with ordinality as i(id, key, position)
    where (
      select true from weir.held h
      where h.line = p_entity || '/' || p_flow || '/' || i.key and h.event_id <> i.id and coalesce((
        select ${order("h")} < ${order("own")} from weir.held own
        where own.entity = p_entity and own.event_id = i.id
      ), true)
      limit 1
    );
  end if;
end $$`

export const admit = admitting("create", "")

/** With what is remembered of events that were dropped. */
export const admitRemembering = admitting(
  "create or replace",
  `
  union all
  select 'seen', i.position, found.state, found.payload_hash, null, null, null, null, null
  from unnest(p_id) with ordinality as i(id, position)
  cross join lateral (${rememberedOf("i.id")}) as found
  where ${hasRemembered}`,
)
