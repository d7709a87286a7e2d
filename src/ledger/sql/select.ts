/**
 * The plain statements. Those of the owner take entity and epoch first: no row means a
 * stale epoch, one row of nulls that there is nothing.
 */

export const upsertLease = `
insert into weir.lease as l (entity, epoch, owner, claimed_at_millis, rules, rules_epoch) values ($1, 1, $2, $3, $4, 1)
on conflict (entity) do update
  set epoch = l.epoch + 1, owner = excluded.owner, claimed_at_millis = excluded.claimed_at_millis, rules = excluded.rules,
    rules_epoch = l.epoch + 1
returning epoch, mode`

export const selectReady = `
select h.* from weir.lease l left join lateral (
  select event_id, flow, key, stream_sequence, stored_at_millis, attempts, subject, headers, data
  from weir.held
  where entity = l.entity and flow = $3 and state = 'ready' and event_id <> all ($5)
  order by stream_sequence limit $4
) as h on true
where l.entity = $1 and l.epoch = $2
order by h.stream_sequence`

export const selectReadyFlows = `
select f.flow from weir.lease l left join lateral (
  select flow from unnest($3::text[]) as asked (flow)
  where exists (select from weir.held h where h.flow = asked.flow and h.entity = l.entity and h.state = 'ready')
) as f on true
where l.entity = $1 and l.epoch = $2`

export const selectOutbox = `
select o.* from weir.lease l left join lateral (
  select id, subject, headers, data, message_id from weir.outbox where entity = l.entity order by id limit $3
) as o on true
where l.entity = $1 and l.epoch = $2
order by o.id`

export const selectTallies = `
select k.entity, k.flow, coalesce(applied, 0) as applied, coalesce(superseded, 0) as superseded,
  coalesce(duplicate, 0) as duplicate, coalesce(dismissed, 0) as dismissed, coalesce(waiting, 0) as waiting, coalesce(parked, 0) as parked,
  coalesce(behind, 0) as behind, coalesce(ready, 0) as ready, coalesce(c.stream_sequence, 0) as checkpoint,
  (select min(h.stored_at_millis) from weir.held h where h.entity = k.entity and h.flow = k.flow) as oldest_held_millis
from (select entity, flow from weir.tally union select entity, flow from weir.checkpoint) as k
left join weir.tally t using (entity, flow)
left join weir.checkpoint c using (entity, flow)
where $1::text is null or k.entity = $1
order by k.entity, k.flow`

export const selectOwners = `select entity, epoch, owner, mode, claimed_at_millis from weir.lease order by entity`

export const selectExceptions = `
select entity, flow, event_id, type, key, stream_sequence, stored_at_millis, state, code, detail, attempts,
  held_since_millis, subject, headers, data
from weir.held
where ($1::text is null or entity = $1) and ($2::text is null or flow = $2) and ($3::text is null or state = $3)
order by held_since_millis desc, stream_sequence desc, event_id limit $4`
