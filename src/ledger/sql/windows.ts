/** Windows: contributions are part of a settlement (`adding.ts`); these close them. */
import type { PgTypes } from "@effect/sql-pg"
import { BigDecimal } from "effect"
import type { Fence } from "../Ledger.ts"
import type { Closing, Window } from "../Windows.ts"
import { bigint, bigintColumn, bytesColumn, jsonColumn, text, textColumn } from "./parameters.ts"
import { byIndex } from "./release.ts"

export const windowTables = [
  `create table weir."window" (
    entity text not null,
    flow text not null,
    series text not null,
    period text not null,
    quantity numeric not null,
    events bigint not null,
    late bigint not null,
    closes_at_millis bigint not null,
    counted_at_millis bigint not null,
    closed_at_millis bigint,
    primary key (entity, flow, series, period)
  ) with (fillfactor = 50)`,
  `create index window_open on weir."window" (entity, flow, closes_at_millis) where closed_at_millis is null`,
]

export const selectDue = `
select w.* from weir.lease l left join lateral (
  select series, period, quantity::text as quantity, events, late, closes_at_millis, counted_at_millis
  from weir."window"
  where entity = l.entity and flow = $3 and closed_at_millis is null and closes_at_millis <= $4 and counted_at_millis <= $5
  order by closes_at_millis, series, period limit $6
) as w on true
where l.entity = $1 and l.epoch = $2
order by w.closes_at_millis, w.series, w.period`

export interface WindowRow {
  readonly series: string
  readonly period: string
  readonly quantity: string
  readonly events: bigint
  readonly late: bigint
  readonly closes_at_millis: bigint
  readonly counted_at_millis: bigint
}

/** Without zeros that say nothing, as memory has it. */
export const plain = (decimal: string): string =>
  BigDecimal.format(BigDecimal.normalize(BigDecimal.fromStringUnsafe(decimal)))

export const windowOf = (row: WindowRow): Window => ({
  series: row.series,
  period: row.period,
  quantity: plain(row.quantity),
  events: Number(row.events),
  late: Number(row.late),
  closesAtMillis: Number(row.closes_at_millis),
  countedAtMillis: Number(row.counted_at_millis),
})

/** Answers how many windows it closed; -1: stale epoch. One that counts more by now stays open. */
export const closeWindows = `
create function weir.close_windows(
  p_entity text, p_epoch bigint, p_now bigint,
  w_flow text[], w_series text[], w_period text[], w_events bigint[],
  o_subject text[], o_headers text[], o_data bytea[], o_message text[]
) returns integer language plpgsql ${byIndex} as $$
declare
  v_count integer;
begin
  perform from weir.lease where entity = p_entity and epoch = p_epoch for no key update;
  if not found then
    return -1;
  end if;
  with closing as (
    select i.*, found.place from unnest(w_flow, w_series, w_period, w_events, o_subject, o_headers, o_data, o_message)
      with ordinality as i(flow, series, period, events, subject, headers, data, message, position)
    cross join lateral (
      select w.ctid as place, w.events, w.closed_at_millis from weir."window" w
      where w.entity = p_entity and w.flow = i.flow and w.series = i.series and w.period = i.period limit 1
    ) as found
    where found.closed_at_millis is null and found.events = i.events
  ), closed as (
    update weir."window" set closed_at_millis = p_now where ctid = any (array(select place from closing))
    returning flow, series, period
  ), sent as (
    insert into weir.outbox (entity, subject, headers, data, message_id)
    select p_entity, c.subject, c.headers::json, c.data, c.message
    from closing c join closed using (flow, series, period) order by c.position
  )
  select count(*) into v_count from closed;
  return v_count;
end $$`

export const closingParameters = (
  fence: Fence,
  nowMillis: number,
  closings: ReadonlyArray<Closing>,
): ReadonlyArray<PgTypes.Parameter> => [
  text(fence.entity),
  bigint(fence.epoch),
  bigint(nowMillis),
  textColumn(closings, (one) => one.flow),
  textColumn(closings, (one) => one.series),
  textColumn(closings, (one) => one.period),
  bigintColumn(closings, (one) => one.events),
  textColumn(closings, ({ publication }) => publication.subject),
  jsonColumn(closings, ({ publication }) => publication.headers),
  bytesColumn(closings, ({ publication }) => publication.data),
  textColumn(closings, ({ publication }) => publication.messageId),
]
