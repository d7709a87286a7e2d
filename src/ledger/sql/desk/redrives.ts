/** Ramped retries, step by step. */
import type { ReasonCode } from "../../../reason/Reason.ts"
import type { Redrive, RedriveState } from "../../Redrives.ts"
import { byIndex } from "../release.ts"
import { byEntity, byGroup } from "./list.ts"

const own = (expression: string): string => expression.replaceAll(/\b(entity|flow|code|fingerprint)\b/gu, "h.$1")

/** Exceptions of the run's scope that it has not tried, oldest first, out of one range of an index. */
const untried = (range: string): string => `
      select h.event_id from weir.held h
      where ${range} and h.state = 'parked'
        and (v.flow is null or h.flow = v.flow) and (v.code is null or h.code = v.code)
        and (v.fingerprint is null or h.fingerprint = v.fingerprint)
        and h.redrive is distinct from p_id and h.parked_at_millis <= v.started_at_millis
      order by h.held_since_millis, h.event_id collate "C" limit v_size`

interface Counting {
  /** On their way. */
  readonly pending: string
  /** Not through, for another cause than before. */
  readonly otherwise: string
}

const untilParked: Counting = { pending: "state <> 'parked'", otherwise: "state = 'parked' and not recurred" }
/** What waits, for its reference or behind another event, may do so for weeks. */
const whileReady: Counting = {
  pending: "state = 'ready'",
  otherwise: "state <> 'ready' and not (state = 'parked' and recurred)",
}

const stepping = (create: string, { otherwise, pending }: Counting): string => `
${create} function weir.step_redrive(p_id bigint, p_now bigint, p_sizes integer[]) returns text
language plpgsql ${byIndex} as $$
declare
  v weir.redrive;
  v_pending bigint;
  v_recurred bigint;
  v_otherwise bigint;
  v_resolved bigint;
  v_size integer;
  v_ids text[];
  v_said text;
begin
  select * into v from weir.redrive where id = p_id for update;
  if v.id is null then
    return 'cancelled';
  elsif v.state <> 'running' then
    return v.state;
  end if;
  select count(*) filter (where ${pending}), count(*) filter (where state = 'parked' and recurred),
    count(*) filter (where ${otherwise})
  into v_pending, v_recurred, v_otherwise from weir.held where redrive = p_id;
  if v_pending > 0 then
    return 'pending';
  end if;
  v_resolved := v.retried - v_recurred - v_otherwise;
  if v_recurred > 0 then
    v_said := 'the same failure came again: ' || v_recurred || ' of ' || v.step_size || ' in step ' || v.step;
  elsif v.step_size > 0 and v_resolved = v.step_resolved then
    v_said := 'nothing of step ' || v.step || ' went through, for other causes';
  end if;
  if v_said is not null then
    update weir.redrive set state = 'stopped', said = v_said, ended_at_millis = p_now where id = p_id;
    return 'stopped';
  end if;

  v_size := p_sizes[least(v.step + 1, cardinality(p_sizes))];
  if v.flow is not null and v.code is not null and v.fingerprint is not null then
    v_ids := array(${untried(`${own(byGroup)} = v.entity || '/' || v.flow || '/' || v.code || '/' || v.fingerprint`)});
  else
    v_ids := array(${untried(`${own(byEntity)} = v.entity || '/'`)});
  end if;
  if cardinality(v_ids) = 0 then
    update weir.redrive set state = 'finished', said = v_resolved || ' of ' || v.retried || ' went through',
      ended_at_millis = p_now
    where id = p_id;
    return 'finished';
  end if;
  v_size := weir.retry_by(v.entity, v_ids, v.started_by, v.reason, p_id, p_now);
  update weir.redrive set step = step + 1, step_size = v_size, step_resolved = v_resolved, retried = retried + v_size
  where id = p_id;
  return 'stepped';
end $$`

export const stepRedrive = stepping("create", untilParked)
export const stepRedriveWhileReady = stepping("create or replace", whileReady)

/** The database's clock: the one that says when something became an exception. */
export const insertRedrive = `
insert into weir.redrive (entity, flow, code, fingerprint, reason, started_by, started_at_millis, state)
values ($1, $2, $3, $4, $5, $6, weir.clock(), 'running') returning id`

export const cancelRedrive = `
update weir.redrive set state = 'cancelled', said = 'by ' || $2, ended_at_millis = $3
where id = $1 and state = 'running' returning id`

const selectRedrives = (where: string): string => `
select r.id, r.entity, r.flow, r.code, r.fingerprint, r.state, r.said, r.reason, r.started_by, r.started_at_millis,
  r.ended_at_millis, r.step, r.step_size, r.retried, h.pending, h.recurred, h.otherwise
from weir.redrive r cross join lateral (
  select count(*) filter (where ${whileReady.pending}) as pending,
    count(*) filter (where state = 'parked' and recurred) as recurred,
    count(*) filter (where ${whileReady.otherwise}) as otherwise
  from weir.held where redrive = r.id
) as h ${where}`

export const selectRedrive = selectRedrives("where r.id = $1")
export const selectRedriveList = selectRedrives(`
where ($1::text[] is null or r.entity = any ($1)) and ($2::text is null or r.state = $2)
  and ($3::bigint is null or r.id < $3)
order by r.id desc limit $4`)

export interface RedriveRow {
  readonly id: bigint
  readonly entity: string
  readonly flow: string | null
  readonly code: ReasonCode | null
  readonly fingerprint: string | null
  readonly state: RedriveState
  readonly said: string
  readonly reason: string
  readonly started_by: string
  readonly started_at_millis: bigint
  readonly ended_at_millis: bigint | null
  readonly step: number
  readonly step_size: number
  readonly retried: bigint
  readonly pending: bigint
  readonly recurred: bigint
  readonly otherwise: bigint
}

export const redriveOf = (row: RedriveRow): Redrive => ({
  id: Number(row.id),
  entity: row.entity,
  flow: row.flow,
  code: row.code,
  fingerprint: row.fingerprint,
  state: row.state,
  said: row.said,
  reason: row.reason,
  startedBy: row.started_by,
  startedAtMillis: Number(row.started_at_millis),
  endedAtMillis: row.ended_at_millis === null ? null : Number(row.ended_at_millis),
  step: row.step,
  stepSize: row.step_size,
  retried: Number(row.retried),
  pending: Number(row.pending),
  recurred: Number(row.recurred),
  otherwise: Number(row.otherwise),
})
