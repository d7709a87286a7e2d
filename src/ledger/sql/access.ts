/** Tokens, idempotency keys, the environment's mark, and entries of the audit trail that no owner writes. */
import type { EnvironmentMark, Reserved, TokenRecord } from "../Access.ts"
import { chained } from "./govern.ts"
import { byIndex } from "./release.ts"

/**
 * One entry at the end of a trail: `weir.append_audit(entity, now, id, actor, action, detail)`. In line with the owner's
 * entries by the lock on the lease; a trail without a lease has a lock of its own. Answers false when it was recorded
 * before.
 */
export const appendAudit = `
create function weir.append_audit(
  p_entity text, p_now bigint, p_id text, p_actor text, p_action text, p_detail text
) returns boolean language plpgsql ${byIndex} as $$
declare
  v_sequence bigint;
  v_previous text;
begin
  perform from weir.lease where entity = p_entity for no key update;
  if not found then
    perform pg_advisory_xact_lock(hashtextextended('weir.audit/' || p_entity, 0));
  end if;
  if exists (select from weir.audit where entity = p_entity and entry_id = p_id) then
    return false;
  end if;
  select sequence, hash into v_sequence, v_previous from weir.audit
  where entity = p_entity order by sequence desc limit 1;
  v_sequence := coalesce(v_sequence, 0) + 1;
  v_previous := coalesce(v_previous, '');
  insert into weir.audit (entity, sequence, entry_id, at_millis, actor, action, detail, previous_hash, hash)
  values (p_entity, v_sequence, p_id, p_now, p_actor, p_action, p_detail::json, v_previous,
    ${chained(["v_previous", "p_entity", "v_sequence::text", "p_now::text", "p_actor", "p_action", "p_detail"])});
  return true;
end $$`

/**
 * `weir.reserve_key(…)` answers one row as `Reserved` has it. Reservations of one caller follow one another. Forgets what
 * is expired: of the caller, and some of callers who do not come back.
 */
export const reserveKey = `
create function weir.reserve_key(
  p_caller text, p_key text, p_fingerprint text, p_now bigint, p_expires bigint, p_abandoned bigint, p_limit integer
) returns table (outcome text, status integer, content_type text, body bytea) language plpgsql ${byIndex} as $$
declare
  v weir.idempotency_key;
begin
  perform pg_advisory_xact_lock(hashtextextended('weir.idempotency/' || p_caller, 0));
  delete from weir.idempotency_key k where k.caller = p_caller and k.expires_at_millis <= p_now;
  delete from weir.idempotency_key k where k.ctid = any (array(
    select o.ctid from weir.idempotency_key o where o.expires_at_millis <= p_now
    order by o.expires_at_millis limit 100 for update skip locked
  ));
  select * into v from weir.idempotency_key k where k.caller = p_caller and k.key = p_key;
  if v.key is null then
    if (select count(*) from (
      select from weir.idempotency_key k where k.caller = p_caller limit p_limit
    ) as used) >= p_limit then
      return query select 'Full', null::integer, null::text, null::bytea;
      return;
    end if;
    insert into weir.idempotency_key (caller, key, fingerprint, expires_at_millis, abandoned_at_millis)
    values (p_caller, p_key, p_fingerprint, p_expires, p_abandoned);
    return query select 'Fresh', null::integer, null::text, null::bytea;
  elsif v.fingerprint <> p_fingerprint then
    return query select 'Other', null::integer, null::text, null::bytea;
  elsif v.status is not null then
    return query select 'Done', v.status, v.content_type, v.body;
  elsif v.abandoned_at_millis > p_now then
    return query select 'Busy', null::integer, null::text, null::bytea;
  else
    update weir.idempotency_key k set abandoned_at_millis = p_abandoned, expires_at_millis = p_expires
    where k.caller = p_caller and k.key = p_key;
    return query select 'Fresh', null::integer, null::text, null::bytea;
  end if;
end $$`

export const completeKey = `
update weir.idempotency_key set status = $3, content_type = $4, body = $5
where caller = $1 and key = $2 and status is null`

export const abandonKey = `delete from weir.idempotency_key where caller = $1 and key = $2 and status is null`

export interface ReservedRow {
  readonly outcome: Reserved["_tag"]
  readonly status: number | null
  readonly content_type: string | null
  readonly body: Uint8Array | null
}

export const reservedOf = ({ body, content_type, outcome, status }: ReservedRow): Reserved =>
  outcome === "Done"
    ? {
      _tag: "Done",
      answer: { status: status ?? 200, contentType: content_type ?? "", body: body ?? new Uint8Array() },
    }
    : { _tag: outcome }

export const insertToken = `
insert into weir.api_token (id, hash, owner, roles, entities, created_by, created_at_millis, expires_at_millis)
values ($1, $2, $3, $4, $5, $6, $7, $8)`

const tokenColumns = `id, hash, owner, roles, entities, created_by, created_at_millis, expires_at_millis,
  revoked_at_millis, revoked_by, last_used_at_millis`

export const selectToken = `select ${tokenColumns} from weir.api_token where id = $1`

export const selectTokens = `
select ${tokenColumns} from weir.api_token where id > $1 collate "C" order by id collate "C" limit $2`

export const revokeToken = `
update weir.api_token set revoked_at_millis = $2, revoked_by = $3 where id = $1 and revoked_at_millis is null returning id`

export const touchToken = `
update weir.api_token set last_used_at_millis = $2
where id = $1 and (last_used_at_millis is null or last_used_at_millis <= $2 - 60000)`

export interface TokenRow {
  readonly id: string
  readonly hash: string
  readonly owner: string
  readonly roles: ReadonlyArray<string>
  readonly entities: ReadonlyArray<string> | null
  readonly created_by: string
  readonly created_at_millis: bigint
  readonly expires_at_millis: bigint
  readonly revoked_at_millis: bigint | null
  readonly revoked_by: string | null
  readonly last_used_at_millis: bigint | null
}

const millisOrNull = (value: bigint | null): number | null => value === null ? null : Number(value)

export const tokenOf = (row: TokenRow): TokenRecord => ({
  id: row.id,
  hash: row.hash,
  owner: row.owner,
  roles: row.roles,
  entities: row.entities,
  createdBy: row.created_by,
  createdAtMillis: Number(row.created_at_millis),
  expiresAtMillis: Number(row.expires_at_millis),
  revokedAtMillis: millisOrNull(row.revoked_at_millis),
  revokedBy: row.revoked_by,
  lastUsedAtMillis: millisOrNull(row.last_used_at_millis),
})

export const selectEnvironment = `select environment, marked_by, marked_at_millis from weir.environment`

/** The first mark stands. */
export const markEnvironment = `
insert into weir.environment (environment, marked_by, marked_at_millis) values ($1, $2, $3) on conflict do nothing`

export interface EnvironmentRow {
  readonly environment: string
  readonly marked_by: string
  readonly marked_at_millis: bigint
}

export const environmentOf = (row: EnvironmentRow): EnvironmentMark => ({
  environment: row.environment,
  by: row.marked_by,
  atMillis: Number(row.marked_at_millis),
})
