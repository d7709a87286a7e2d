/**
 * Where planners go wrong: a plan made while a table is small reads it whole, and is kept. These functions always use
 * the indexes.
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
  with touched as (select distinct k.flow, k.key from unnest(p_flow, p_key) as k(flow, key)),
  first as (
    select (
      select h.event_id from weir.held h
      where h.entity = p_entity and h.flow = t.flow and h.key = t.key and h.state = 'behind'
      order by ${order("h")} limit 1
    ) as event_id
    from touched t
    where not exists (
      select from weir.held h
      where h.entity = p_entity and h.flow = t.flow and h.key = t.key and h.state <> 'behind'
    )
  )
  update weir.held h set state = 'ready', wait_flow = null, wait_key = null, deadline_millis = null
  from first where h.entity = p_entity and h.event_id = first.event_id;
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
  with due as (
    select h.event_id from unnest(p_flow, p_key) as k(flow, key)
    join weir.held h on h.entity = p_entity and h.state = 'waiting' and h.wait_flow = k.flow and h.wait_key = k.key
    union
    select h.event_id from unnest(p_event_id) as i(event_id)
    join weir.held h on h.entity = p_entity and h.event_id = i.event_id and h.state = 'waiting'
    where exists (
      select from weir.mapping m where m.entity = p_entity and m.flow = h.wait_flow and m.key = h.wait_key
    )
  )
  update weir.held h set state = 'ready', deadline_millis = null
  from due where h.entity = p_entity and h.event_id = due.event_id;
  get diagnostics v_count = row_count;
  return v_count;
end $$`
