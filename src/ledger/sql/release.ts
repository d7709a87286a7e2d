/**
 * Where planners go wrong: a plan made while the tables are small reads all of an entity's rows, and is kept while they
 * grow. Hence three rules here: no sequential scans; every look-up is a lateral subquery with a limit, which cannot be
 * turned into a join the other way round; and rows are changed by the `ctid` that such a look-up found. That one is
 * stable, because whoever changes held rows has locked the entity's lease.
 */
export const byIndex = `set enable_seqscan = off`

/** What orders the events of one key. */
export const order = (row: string): string => `(coalesce(${row}.version, 0), ${row}.stream_sequence, ${row}.event_id)`

/** Keys that hold nothing but followers: their first one becomes ready. Answers how many did. */
export const promote = `
create function weir.promote(p_entity text, p_flow text[], p_key text[]) returns integer
language plpgsql ${byIndex} as $$
declare
  v_count integer;
begin
  update weir.held set state = 'ready', wait_flow = null, wait_key = null, deadline_millis = null
  where ctid = any (array(
    select first.ctid from (select distinct k.flow, k.key from unnest(p_flow, p_key) as k(flow, key)) as t
    cross join lateral (
      -- Whoever is not a follower comes first, and keeps the others waiting.
      select h.ctid, h.state from weir.held h where h.line = p_entity || '/' || t.flow || '/' || t.key
      order by h.state = 'behind', ${order("h")} limit 1
    ) as first
    where first.state = 'behind'
  ));
  get diagnostics v_count = row_count;
  return v_count;
end $$`

/**
 * Events that wait for a key which is applied become ready: those that wait for the given keys (applied just now), and
 * the given events themselves (their reference may have been applied between admit and settle).
 */
export const release = `
create function weir.release(p_entity text, p_flow text[], p_key text[], p_event_id text[]) returns integer
language plpgsql ${byIndex} as $$
declare
  v_count integer;
begin
  update weir.held set state = 'ready', deadline_millis = null
  where ctid = any (array(
    select due.ctid from unnest(p_flow, p_key) as k(flow, key)
    cross join lateral (
      select h.ctid from weir.held h
      where h.wait_line = p_entity || '/' || k.flow || '/' || k.key and h.state = 'waiting'
      offset 0
    ) as due
    union
    select due.ctid from unnest(p_event_id) as i(id)
    cross join lateral (
      -- The state is asked outside: in here, the index of waiting rows would look as good as the primary key.
      select h.ctid, h.state, h.wait_flow, h.wait_key from weir.held h
      where h.entity = p_entity and h.event_id = i.id
      limit 1
    ) as due
    where due.state = 'waiting' and (
      select true from weir.mapping m
      where m.entity = p_entity and m.flow = due.wait_flow and m.key = due.wait_key limit 1
    )
  ));
  get diagnostics v_count = row_count;
  return v_count;
end $$`
