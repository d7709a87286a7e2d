/** An act that also changes which flows are paused. */
import { PgTypes } from "@effect/sql-pg"
import type { FlowPause } from "../Governance.ts"
import { byIndex } from "./release.ts"

/**
 * `weir.govern` and the pauses as they are from now on, in one transaction. Answers as `weir.govern` does; recorded
 * before: changes nothing.
 */
export const governPauses = `
create function weir.govern_pauses(
  p_entity text, p_epoch bigint, p_now bigint, p_mode text,
  p_override text, p_actor text, p_reason text, p_until bigint,
  a_id text[], a_actor text[], a_action text[], a_detail text[],
  i_id text[], i_cause text[], i_detected bigint[], i_contained bigint[], i_restored bigint[], i_steps text[],
  o_subject text[], o_headers text[], o_data bytea[], o_message text[],
  p_pauses text
) returns integer language plpgsql ${byIndex} as $$
declare
  v_count integer;
begin
  v_count := weir.govern(p_entity, p_epoch, p_now, p_mode, p_override, p_actor, p_reason, p_until,
    a_id, a_actor, a_action, a_detail, i_id, i_cause, i_detected, i_contained, i_restored, i_steps,
    o_subject, o_headers, o_data, o_message);
  if v_count > 0 then
    update weir.lease set pauses = p_pauses::json where entity = p_entity;
  end if;
  return v_count;
end $$`

const byFlow = (pauses: ReadonlyArray<FlowPause>): ReadonlyArray<FlowPause> =>
  pauses.toSorted((a, b) => a.flow < b.flow ? -1 : a.flow > b.flow ? 1 : 0)

/** JSON keeps a NUL escaped. */
export const pausesParameter = (pauses: ReadonlyArray<FlowPause>): PgTypes.Parameter =>
  PgTypes.text(JSON.stringify(byFlow(pauses)))

export const selectPauses = `select pauses from weir.lease where entity = $1`

/** As the driver gives them: parsed. Only `govern_pauses` writes there. */
export const pausesOf = (value: unknown): ReadonlyArray<FlowPause> => value as ReadonlyArray<FlowPause>
