/** An act: mode, audit trail, incidents and outbox in one transaction. */
import type { PgTypes } from "@effect/sql-pg"
import type { Act, AuditRecord, Incident, Mode, ModeOverride } from "../Governance.ts"
import type { Fence } from "../Ledger.ts"
import { bigint, bigintColumn, bytesColumn, jsonColumn, text, textColumn } from "./parameters.ts"
import { byIndex } from "./release.ts"

/** A field as `Governance.hashOf` writes it. */
const field = (sql: string): string => `octet_length(convert_to(${sql}, 'UTF8')) || ':' || ${sql}`

/** The hash over these fields, as `Governance.hashOf` makes it. */
export const chained = (fields: ReadonlyArray<string>): string =>
  `encode(sha256(convert_to(
        ${fields.map(field).join(" ||\n        ")}, 'UTF8')), 'hex')`

/**
 * Answers how many audit records it wrote; 0 when it was recorded before. -1: stale epoch. A mode that posts makes ready
 * what waits to be posted.
 */
export const govern = `
create function weir.govern(
  p_entity text, p_epoch bigint, p_now bigint, p_mode text,
  p_override text, p_actor text, p_reason text, p_until bigint,
  a_id text[], a_actor text[], a_action text[], a_detail text[],
  i_id text[], i_cause text[], i_detected bigint[], i_contained bigint[], i_restored bigint[], i_steps text[],
  o_subject text[], o_headers text[], o_data bytea[], o_message text[]
) returns integer language plpgsql ${byIndex} as $$
declare
  v_sequence bigint;
  v_previous text;
  v_count integer := coalesce(cardinality(a_id), 0);
begin
  perform from weir.lease where entity = p_entity and epoch = p_epoch for no key update;
  if not found then
    return -1;
  end if;
  if exists (select from weir.audit where entity = p_entity and entry_id = any (a_id)) then
    return 0;
  end if;

  if p_mode is not null then
    update weir.lease set mode = p_mode, override_mode = p_override, override_actor = p_actor,
      override_reason = p_reason, override_until_millis = p_until
    where entity = p_entity;
    if p_mode in ('full', 'essential') then
      update weir.held set state = 'ready', wait_flow = null, wait_key = null, deadline_millis = null
      where entity = p_entity and state = 'waiting' and wait_flow = 'mode';
    end if;
  end if;

  select sequence, hash into v_sequence, v_previous from weir.audit
  where entity = p_entity order by sequence desc limit 1;
  v_sequence := coalesce(v_sequence, 0);
  v_previous := coalesce(v_previous, '');
  for n in 1 .. v_count loop
    v_sequence := v_sequence + 1;
    insert into weir.audit (entity, sequence, entry_id, at_millis, actor, action, detail, previous_hash, hash)
    values (p_entity, v_sequence, a_id[n], p_now, a_actor[n], a_action[n], a_detail[n]::json, v_previous,
      encode(sha256(convert_to(
        ${
  ["v_previous", "p_entity", "v_sequence::text", "p_now::text", "a_actor[n]", "a_action[n]", "a_detail[n]"]
    .map(field).join(" ||\n        ")
}, 'UTF8')), 'hex'))
    returning hash into v_previous;
  end loop;

  insert into weir.incident (entity, incident_id, cause, detected_at_millis, contained_at_millis, restored_at_millis, steps)
  select p_entity, i.id, i.cause, i.detected, i.contained, i.restored, i.steps::json
  from unnest(i_id, i_cause, i_detected, i_contained, i_restored, i_steps)
    as i(id, cause, detected, contained, restored, steps)
  on conflict (entity, incident_id) do update
    set contained_at_millis = excluded.contained_at_millis, restored_at_millis = excluded.restored_at_millis,
      steps = excluded.steps;

  insert into weir.outbox (entity, subject, headers, data, message_id)
  select p_entity, o.subject, o.headers::json, o.data, o.message
  from unnest(o_subject, o_headers, o_data, o_message) with ordinality as o(subject, headers, data, message, position)
  order by o.position;
  return v_count;
end $$`

const optional = <A>(value: A | null | undefined, of: (value: A) => PgTypes.Parameter): PgTypes.Parameter | null =>
  value === null || value === undefined ? null : of(value)

/** The parameters of `weir.govern`, in its order. */
export const governParameters = (
  fence: Fence,
  nowMillis: number,
  { entries, incidents, outbox, standing }: Act,
): ReadonlyArray<PgTypes.Parameter | null> => {
  const override = standing?.override ?? null
  return [
    text(fence.entity),
    bigint(fence.epoch),
    bigint(nowMillis),
    optional(standing?.mode, text),
    optional(override?.mode, text),
    optional(override?.actor, text),
    optional(override?.reason, text),
    optional(override?.untilMillis, bigint),
    textColumn(entries, (entry) => entry.id),
    textColumn(entries, (entry) => entry.actor),
    textColumn(entries, (entry) => entry.action),
    jsonColumn(entries, (entry) => entry.detail),
    textColumn(incidents, (incident) => incident.id),
    textColumn(incidents, (incident) => incident.cause),
    bigintColumn(incidents, (incident) => incident.detectedAtMillis),
    bigintColumn(incidents, (incident) => incident.containedAtMillis),
    bigintColumn(incidents, (incident) => incident.restoredAtMillis),
    jsonColumn(incidents, (incident) => incident.steps),
    textColumn(outbox, (publication) => publication.subject),
    jsonColumn(outbox, (publication) => publication.headers),
    bytesColumn(outbox, (publication) => publication.data),
    textColumn(outbox, (publication) => publication.messageId),
  ]
}

export const selectStanding = `
select mode, override_mode, override_actor, override_reason, override_until_millis from weir.lease where entity = $1`

export interface StandingRow {
  readonly mode: Mode
  readonly override_mode: Mode | null
  readonly override_actor: string | null
  readonly override_reason: string | null
  readonly override_until_millis: bigint | null
}

export const overrideOf = (row: StandingRow): ModeOverride | null =>
  row.override_mode === null ? null : {
    mode: row.override_mode,
    actor: row.override_actor ?? "",
    reason: row.override_reason ?? "",
    untilMillis: row.override_until_millis === null ? null : Number(row.override_until_millis),
  }

const auditColumns = `entity, sequence, at_millis, actor, action, detail::text as detail, previous_hash, hash`

export const selectAudit = {
  oldest: `select ${auditColumns} from weir.audit
    where entity = $1 and sequence > coalesce($2::bigint, 0) order by sequence limit $3`,
  newest: `select ${auditColumns} from weir.audit
    where entity = $1 and ($2::bigint is null or sequence < $2) order by sequence desc limit $3`,
} as const

export const selectAnchor = `select sequence, hash from weir.audit_anchor where entity = $1`

export interface AnchorRow {
  readonly sequence: bigint
  readonly hash: string
}

export const selectLastAct = `
select entity, sequence, at_millis, actor, action, detail::text as detail, previous_hash, hash
from weir.audit where entity = $1 and action = any ($2) order by sequence desc limit 1`

export interface AuditRow {
  readonly entity: string
  readonly sequence: bigint
  readonly at_millis: bigint
  readonly actor: string
  readonly action: string
  readonly detail: string
  readonly previous_hash: string
  readonly hash: string
}

export const auditOf = (row: AuditRow): AuditRecord => ({
  entity: row.entity,
  sequence: Number(row.sequence),
  atMillis: Number(row.at_millis),
  actor: row.actor,
  action: row.action,
  detail: row.detail,
  previousHash: row.previous_hash,
  hash: row.hash,
})

export const selectIncidents = `
select entity, incident_id, cause, detected_at_millis, contained_at_millis, restored_at_millis, steps
from weir.incident
where ($1::text is null or entity = $1) and ($2::boolean is null or (restored_at_millis is null) = $2)
  and ($3::text[] is null or entity = any ($3))
  and ($4::bigint is null or detected_at_millis < $4
    or (detected_at_millis = $4 and (entity collate "C", incident_id collate "C") > ($5, $6)))
order by detected_at_millis desc, entity collate "C", incident_id collate "C" limit $7`

export interface IncidentRow {
  readonly entity: string
  readonly incident_id: string
  readonly cause: string
  readonly detected_at_millis: bigint
  readonly contained_at_millis: bigint | null
  readonly restored_at_millis: bigint | null
  readonly steps: Incident["steps"]
}

const numberOrNull = (value: bigint | null): number | null => value === null ? null : Number(value)

export const incidentOf = (row: IncidentRow): Incident => ({
  id: row.incident_id,
  entity: row.entity,
  cause: row.cause,
  detectedAtMillis: Number(row.detected_at_millis),
  containedAtMillis: numberOrNull(row.contained_at_millis),
  restoredAtMillis: numberOrNull(row.restored_at_millis),
  steps: row.steps,
})
