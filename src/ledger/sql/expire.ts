import { byIndex } from "./release.ts"

/** Waiting events past their deadline become exceptions. -1: stale epoch. */
export const expire = `
create function weir.expire(p_entity text, p_epoch bigint, p_now bigint, p_code text) returns integer
language plpgsql ${byIndex} as $$
declare
  v_count integer;
begin
  perform from weir.lease where entity = p_entity and epoch = p_epoch for no key update;
  if not found then
    return -1;
  end if;
  update weir.held set state = 'parked', code = p_code
  where entity = p_entity and state = 'waiting' and deadline_millis < p_now;
  get diagnostics v_count = row_count;
  return v_count;
end $$`
