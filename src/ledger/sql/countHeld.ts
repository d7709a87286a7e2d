/** Keeps the counters of held states equal to the rows of `weir.held`, whatever statement changes them. */
export const countHeld = [
  `create function weir.count_held() returns trigger language plpgsql as $$
  begin
    -- Only one of the two transition tables exists, but for an update: both are read under one name each.
    if tg_op = 'INSERT' then
      insert into weir.tally as t (entity, flow, waiting, parked, behind, ready)
      select entity, flow, count(*) filter (where state = 'waiting'), count(*) filter (where state = 'parked'),
        count(*) filter (where state = 'behind'), count(*) filter (where state = 'ready')
      from came group by entity, flow order by entity, flow
      on conflict (entity, flow) do update set waiting = t.waiting + excluded.waiting, parked = t.parked + excluded.parked,
        behind = t.behind + excluded.behind, ready = t.ready + excluded.ready;
    elsif tg_op = 'DELETE' then
      insert into weir.tally as t (entity, flow, waiting, parked, behind, ready)
      select entity, flow, -count(*) filter (where state = 'waiting'), -count(*) filter (where state = 'parked'),
        -count(*) filter (where state = 'behind'), -count(*) filter (where state = 'ready')
      from went group by entity, flow order by entity, flow
      on conflict (entity, flow) do update set waiting = t.waiting + excluded.waiting, parked = t.parked + excluded.parked,
        behind = t.behind + excluded.behind, ready = t.ready + excluded.ready;
    else
      insert into weir.tally as t (entity, flow, waiting, parked, behind, ready)
      select entity, flow, coalesce(sum(n) filter (where state = 'waiting'), 0),
        coalesce(sum(n) filter (where state = 'parked'), 0), coalesce(sum(n) filter (where state = 'behind'), 0),
        coalesce(sum(n) filter (where state = 'ready'), 0)
      from (select entity, flow, state, 1 as n from came union all select entity, flow, state, -1 from went) as moved
      group by entity, flow order by entity, flow
      on conflict (entity, flow) do update set waiting = t.waiting + excluded.waiting, parked = t.parked + excluded.parked,
        behind = t.behind + excluded.behind, ready = t.ready + excluded.ready;
    end if;
    return null;
  end $$`,
  `create trigger held_came after insert on weir.held referencing new table as came
    for each statement execute function weir.count_held()`,
  `create trigger held_went after delete on weir.held referencing old table as went
    for each statement execute function weir.count_held()`,
  `create trigger held_moved after update on weir.held referencing old table as went new table as came
    for each statement execute function weir.count_held()`,
]
