import { byIndex } from "./release.ts"

/** Forgets outbox rows. -1: stale epoch. */
export const published = `
create function weir.published(p_entity text, p_epoch bigint, p_id bigint[]) returns integer
language plpgsql ${byIndex} as $$
declare
  v_count integer;
begin
  perform from weir.lease where entity = p_entity and epoch = p_epoch for no key update;
  if not found then
    return -1;
  end if;
  delete from weir.outbox where entity = p_entity and id = any (p_id);
  get diagnostics v_count = row_count;
  return v_count;
end $$`
