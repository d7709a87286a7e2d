/**
 * Triggers on `weir.held` that keep what the desk needs: the fingerprint of each exception, the counters of their groups,
 * and their history. No statement that moves a held event can forget them, whichever version of Weir sends it.
 *
 * A statement that acts for a person says so in settings of its transaction: `weir.actor`, `weir.reason`,
 * `weir.decision` (`retried`, `edited`), `weir.redrive`, `weir.now` (epoch milliseconds). Without them it is `operator`,
 * now.
 */

const setting = (name: string): string => `nullif(current_setting('weir.${name}', true), '')`

export const clock = `
create function weir.clock() returns bigint language sql stable as $$
  select coalesce(${setting("now")}::bigint, (extract(epoch from clock_timestamp()) * 1000)::bigint)
$$`

/** Before a row is parked: what names its cause, and whether that is what it was retried for. */
export const parking = `
create function weir.note_parking() returns trigger language plpgsql as $$
begin
  new.fingerprint := weir.fingerprint(new.code, new.detail);
  new.parked_at_millis := coalesce(new.parked_at_millis, weir.clock());
  if tg_op = 'UPDATE' and old.state <> 'parked' then
    new.recurred := new.decision is not null and old.fingerprint = new.fingerprint;
  end if;
  return new;
end $$`

/** Before a parked row becomes ready: who decided that. */
export const deciding = `
create function weir.note_decision() returns trigger language plpgsql as $$
begin
  new.decision := coalesce(${setting("decision")}, 'retried');
  new.decided_by := coalesce(${setting("actor")}, 'operator');
  new.redrive := ${setting("redrive")}::bigint;
  new.recurred := false;
  return new;
end $$`

const count = (from: string, sign: string, where: string): string => `
    insert into weir.exception_group as g (entity, flow, code, fingerprint, cause, n)
    select entity, flow, code, fingerprint, min(weir.cause(detail)), ${sign}count(*) from ${from} where ${where}
    group by entity, flow, code, fingerprint order by entity, flow, code, fingerprint
    on conflict (entity, flow, code, fingerprint) do update set n = g.n + excluded.n;`

const raised = `json_build_object('detail', detail, 'attempts', attempts)`

export const came = `
create function weir.held_came() returns trigger language plpgsql as $$
begin
  if exists (select from came where state = 'parked') then
    insert into weir.history (entity, event_id, at_millis, actor, action, flow, code, fingerprint, detail)
    select entity, event_id, weir.clock(), 'weir', 'raised', flow, code, fingerprint, ${raised}
    from came where state = 'parked' order by entity, event_id;
    ${count("came", "", "state = 'parked'")}
  end if;
  return null;
end $$`

export const moved = `
create function weir.held_moved() returns trigger language plpgsql as $$
begin
  if not exists (select from came where state = 'parked') and not exists (select from went where state = 'parked') then
    return null;
  end if;
  insert into weir.history (entity, event_id, at_millis, actor, action, flow, code, fingerprint, detail)
  select came.entity, came.event_id, weir.clock(),
    case when came.state = 'parked' then 'weir' else came.decided_by end,
    case when came.state <> 'parked' then came.decision when came.recurred then 'recurred' else 'raised' end,
    came.flow, came.code, came.fingerprint,
    case when came.state = 'parked' then json_build_object('detail', came.detail, 'attempts', came.attempts)
      else json_build_object('reason', ${setting("reason")}) end
  from came join went using (entity, event_id)
  where (came.state = 'parked' and (went.state <> 'parked' or went.fingerprint is distinct from came.fingerprint))
    or (went.state = 'parked' and came.state = 'ready')
  order by came.entity, came.event_id;
  ${count("went", "-", "state = 'parked' and fingerprint is not null")}
  ${count("came", "", "state = 'parked'")}
  delete from weir.exception_group g using went
  where g.entity = went.entity and g.flow = went.flow and g.code = went.code and g.fingerprint = went.fingerprint
    and g.n <= 0;
  return null;
end $$`

export const went = `
create function weir.held_went() returns trigger language plpgsql as $$
begin
  if not exists (select from went where parked_at_millis is not null) then
    return null;
  end if;
  insert into weir.history (entity, event_id, at_millis, actor, action, flow, code, fingerprint, detail)
  select went.entity, went.event_id, weir.clock(),
    case when e.state = 'dismissed' then coalesce(${setting("actor")}, 'operator') else 'weir' end,
    case when e.state = 'dismissed' then 'dismissed' else 'resolved' end,
    went.flow, went.code, went.fingerprint,
    case when e.state = 'dismissed' then json_build_object('reason', e.reason)
      else json_build_object('state', e.state, 'after', went.decision, 'by', went.decided_by) end
  from went cross join lateral (
    select state, reason from weir.event where entity = went.entity and event_id = went.event_id limit 1
  ) as e
  where went.parked_at_millis is not null order by went.entity, went.event_id;
  ${count("went", "-", "state = 'parked'")}
  delete from weir.exception_group g using went
  where g.entity = went.entity and g.flow = went.flow and g.code = went.code and g.fingerprint = went.fingerprint
    and g.n <= 0;
  return null;
end $$`

export const triggers = [
  `create trigger held_parking before insert or update on weir.held
    for each row when (new.state = 'parked') execute function weir.note_parking()`,
  `create trigger held_deciding before update on weir.held
    for each row when (old.state = 'parked' and new.state = 'ready') execute function weir.note_decision()`,
  `create trigger held_desk_came after insert on weir.held referencing new table as came
    for each statement execute function weir.held_came()`,
  `create trigger held_desk_moved after update on weir.held referencing old table as went new table as came
    for each statement execute function weir.held_moved()`,
  `create trigger held_desk_went after delete on weir.held referencing old table as went
    for each statement execute function weir.held_went()`,
]
