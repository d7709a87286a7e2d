/** Corrections of held messages: proposed against the message as it was seen, applied while it is still that one. */
import type { Amendment, AmendmentState, FieldChange } from "../../Amendments.ts"
import { byIndex } from "../release.ts"
import { by } from "./decide.ts"

const hash = (bytes: string): string => `encode(sha256(${bytes}), 'hex')`

/**
 * Answers the id of the amendment; 0: it is no exception (any more); -1: the message is another one by now. A new one takes
 * the place of one that is still open. What moves no money is applied at once.
 */
export const amend = `
create function weir.amend(
  p_entity text, p_id text, p_base text, p_data bytea, p_key text, p_changes text, p_financial boolean, p_reason text,
  p_actor text, p_now bigint
) returns bigint language plpgsql ${byIndex} as $$
declare
  v_held weir.held;
  v_amendment bigint;
begin
  perform from weir.lease where entity = p_entity for no key update;
  select * into v_held from weir.held where entity = p_entity and event_id = p_id and state = 'parked';
  if v_held.event_id is null then
    return 0;
  elsif ${hash("v_held.data")} <> p_base then
    return -1;
  end if;
  update weir.amendment set state = 'outdated', decided_by = p_actor, decided_at_millis = p_now,
    decided_reason = 'another one took its place'
  where entity = p_entity and event_id = p_id and state = 'proposed';
  insert into weir.amendment (entity, event_id, state, base_hash, original, data, key, changes, financial, reason,
    proposed_by, proposed_at_millis)
  values (p_entity, p_id, 'proposed', p_base, v_held.data, p_data, p_key, p_changes::json, p_financial, p_reason,
    p_actor, p_now)
  returning id into v_amendment;
  insert into weir.history (entity, event_id, at_millis, actor, action, flow, code, fingerprint, detail)
  values (p_entity, p_id, p_now, p_actor, 'proposed', v_held.flow, v_held.code, v_held.fingerprint,
    json_build_object('amendment', v_amendment, 'reason', p_reason, 'financial', p_financial));
  if not p_financial then
    perform weir.decide_amendment(v_amendment, true, p_actor, p_reason, p_now);
  end if;
  return v_amendment;
end $$`

/**
 * - `none`: no such amendment. `decided`: somebody did before.
 * - `same-person`: whoever proposed a change of money does not approve it.
 * - `gone`: its exception is none any more. `changed`: its message is another one.
 * - `applied`, `rejected`
 */
export const decideAmendment = `
create function weir.decide_amendment(p_id bigint, p_apply boolean, p_actor text, p_reason text, p_now bigint)
returns text language plpgsql ${byIndex} as $$
declare
  v weir.amendment;
  v_held weir.held;
  v_verdict text;
begin
  select * into v from weir.amendment where id = p_id;
  if v.id is null then
    return 'none';
  end if;
  perform from weir.lease where entity = v.entity for no key update;
  select * into v from weir.amendment where id = p_id for update;
  if v.state <> 'proposed' then
    return 'decided';
  elsif p_apply and v.financial and v.proposed_by = p_actor then
    return 'same-person';
  end if;
  select * into v_held from weir.held where entity = v.entity and event_id = v.event_id and state = 'parked';
  v_verdict := case when v_held.event_id is null then 'gone'
    when not p_apply then 'rejected'
    when ${hash("v_held.data")} <> v.base_hash then 'changed' else 'applied' end;
  update weir.amendment set state = case v_verdict when 'applied' then 'applied' when 'rejected' then 'rejected'
      else 'outdated' end,
    decided_by = p_actor, decided_at_millis = p_now, decided_reason = p_reason
  where id = p_id;
  if v_verdict = 'rejected' then
    insert into weir.history (entity, event_id, at_millis, actor, action, flow, code, fingerprint, detail)
    values (v.entity, v.event_id, p_now, p_actor, 'rejected', v_held.flow, v_held.code, v_held.fingerprint,
      json_build_object('amendment', v.id, 'reason', p_reason));
  elsif v_verdict = 'applied' then
${
  by({ actor: "p_actor", reason: "'amendment ' || v.id || ': ' || p_reason", decision: "'edited'", now: "p_now::text" })
}
    update weir.held set data = v.data, key = v.key, state = 'ready', deadline_millis = null
    where entity = v.entity and event_id = v.event_id;
${by({ actor: "''", reason: "''", decision: "''", now: "''" })}
    if v.key <> v_held.key then
      -- It was held under a name of its own, because its key could not be read.
      update weir.event set key = v.key where entity = v.entity and event_id = v.event_id;
      perform weir.promote(v.entity, array[v_held.flow], array[v_held.key]);
    end if;
  end if;
  return v_verdict;
end $$`

const columns = `id, entity, event_id, state, changes, financial, reason, proposed_by, proposed_at_millis, decided_by,
  decided_at_millis, decided_reason`

export const selectAmendment = `select ${columns} from weir.amendment where id = $1`

/** Newest first, before an id. */
export const selectAmendments = `
select ${columns} from weir.amendment
where ($1::text[] is null or entity = any ($1)) and ($2::text is null or state = $2) and ($3::bigint is null or id < $3)
order by id desc limit $4`

export interface AmendmentRow {
  readonly id: bigint
  readonly entity: string
  readonly event_id: string
  readonly state: AmendmentState
  readonly changes: ReadonlyArray<FieldChange>
  readonly financial: boolean
  readonly reason: string
  readonly proposed_by: string
  readonly proposed_at_millis: bigint
  readonly decided_by: string | null
  readonly decided_at_millis: bigint | null
  readonly decided_reason: string | null
}

export const amendmentOf = (row: AmendmentRow): Amendment => ({
  id: Number(row.id),
  entity: row.entity,
  eventId: row.event_id,
  state: row.state,
  changes: row.changes,
  financial: row.financial,
  reason: row.reason,
  proposedBy: row.proposed_by,
  proposedAtMillis: Number(row.proposed_at_millis),
  decidedBy: row.decided_by,
  decidedAtMillis: row.decided_at_millis === null ? null : Number(row.decided_at_millis),
  decidedReason: row.decided_reason,
})
