/**
 * A settlement some of whose events add to windows or tell of records: the same as `weir.settle`, which it calls, and in the
 * same transaction what they add and tell. Only such settlements take this way.
 */
import type { PgTypes } from "@effect/sql-pg"
import type { Batch } from "../batch.ts"
import type { Outcome } from "../Ledger.ts"
import type { Contribution } from "../Windows.ts"
import type { Telling } from "../Told.ts"
import { bigintColumn, textColumn } from "./parameters.ts"
import { byIndex } from "./release.ts"
import { hasRemembered, rememberedOf } from "./remembered.ts"

/** An event adds to a window that is closed for it: nothing was settled. */
export const LATE = -2

const settleColumns = [
  "p_entity text, p_epoch bigint, p_now bigint",
  "e_id text[], e_flow text[], e_key text[], e_type text[], e_version bigint[], e_sequence bigint[], e_stored bigint[]",
  "e_hash text[], e_correlation text[], e_attempts integer[], e_state text[]",
  "m_flow text[], m_key text[], m_model text[], m_id bigint[], m_external text[], m_version bigint[], m_links text[]",
  "h_id text[], h_state text[], h_code text[], h_detail text[], h_wait_flow text[], h_wait_key text[]",
  "h_deadline bigint[], h_attempts integer[], h_subject text[], h_headers text[], h_data bytea[]",
  "d_flow text[], d_id text[], d_sequence bigint[]",
  "o_event text[], o_subject text[], o_headers text[], o_data bytea[], o_message text[]",
  "c_flow text[], c_sequence bigint[]",
].join(", ")

const namesOf = (columns: string): ReadonlyArray<string> => columns.split(", ").map((column) => column.split(" ")[0]!)

/** Columns of the outbox without what was told already. */
const unsaid = (column: string): string => `array_agg(o.${column} order by o.position)`

/** Where a contribution counts: rows of window, quantity, and whether it is late; only events that are not final yet. */
const targets = `
    select i.event, i.flow, i.series, coalesce(own.closed, false) as late, i.quantity::numeric as quantity,
      case when own.closed then i.late_period else i.period end as period,
      case when own.closed then i.late_closes else i.closes end as closes
    from unnest(w_event, w_flow, w_series, w_period, w_quantity, w_closes, w_late_period, w_late_closes)
      as i(event, flow, series, period, quantity, closes, late_period, late_closes)
    left join lateral (
      select w.closed_at_millis is not null as closed from weir."window" w
      where w.entity = p_entity and w.flow = i.flow and w.series = i.series and w.period = i.period limit 1
    ) as own on true
    where i.event = any (v_fresh)`

const settlingAdding = (create: string, isNew: string): string => `
${create} function weir.settle_adding(
  ${settleColumns},
  w_event text[], w_flow text[], w_series text[], w_period text[], w_quantity text[], w_closes bigint[],
  w_late_period text[], w_late_closes bigint[],
  t_event text[], t_feed text[], t_record bigint[], t_content text[], t_key text[], t_message text[]
) returns integer language plpgsql ${byIndex} as $$
declare
  v_fresh text[];
  v_echo text[];
  v_released integer;
begin
  perform from weir.lease where entity = p_entity and epoch = p_epoch for no key update;
  if not found then
    return -1;
  end if;

  select coalesce(array_agg(i.id), '{}') into v_fresh
  from (select distinct unnest(w_event || t_event)) as i(id)
  left join lateral (
    select state from weir.event where entity = p_entity and event_id = i.id limit 1
  ) as e on true
  where (e.state is null or e.state = 'held')${isNew};

  if exists (
    select from (${targets}) as c
    left join lateral (
      select w.closed_at_millis is not null as closed from weir."window" w
      where w.entity = p_entity and w.flow = c.flow and w.series = c.series and w.period = c.period limit 1
    ) as at on true
    where c.period is null or at.closed
  ) then
    return ${LATE};
  end if;

  select array_agg(t.message) into v_echo
  from unnest(t_feed, t_record, t_content, t_message) as t(feed, record, content, message)
  cross join lateral (
    select content from weir.told where entity = p_entity and feed = t.feed and record_id = t.record limit 1
  ) as known
  where known.content = t.content;
  if v_echo is not null then
    select ${["event", "subject", "headers", "data", "message"].map(unsaid).join(", ")}
    into o_event, o_subject, o_headers, o_data, o_message
    from unnest(o_event, o_subject, o_headers, o_data, o_message) with ordinality
      as o(event, subject, headers, data, message, position)
    where o.message <> all (v_echo);
  end if;

  -- Before the events are final: by then nobody could tell any more which are fresh.
  insert into weir."window" as w (entity, flow, series, period, quantity, events, late, closes_at_millis, counted_at_millis)
  select p_entity, c.flow, c.series, c.period, sum(c.quantity), count(*), count(*) filter (where c.late), min(c.closes), p_now
  from (${targets}) as c
  group by c.flow, c.series, c.period order by c.flow, c.series, c.period
  on conflict (entity, flow, series, period) do update
    set quantity = w.quantity + excluded.quantity, events = w.events + excluded.events, late = w.late + excluded.late,
      counted_at_millis = excluded.counted_at_millis;

  v_released := weir.settle(${namesOf(settleColumns).join(", ")});

  insert into weir.told as t (entity, feed, record_id, content, revision, key, correlation_id, causation_id)
  select distinct on (i.feed, i.record) p_entity, i.feed, i.record, i.content, 1, i.key,
    coalesce(e.correlation_id, i.event), i.event
  from unnest(t_event, t_feed, t_record, t_content, t_key, t_message) with ordinality
    as i(event, feed, record, content, key, message, position)
  cross join lateral (
    select correlation_id from weir.event where entity = p_entity and event_id = i.event limit 1
  ) as e
  where i.event = any (v_fresh) and i.message <> all (coalesce(v_echo, '{}'))
  order by i.feed, i.record, i.position desc
  on conflict (entity, feed, record_id) do update
    set content = excluded.content, revision = t.revision + 1, key = coalesce(t.key, excluded.key),
      correlation_id = coalesce(t.correlation_id, excluded.correlation_id),
      causation_id = coalesce(t.causation_id, excluded.causation_id);
  return v_released;
end $$`

export const settleAdding = settlingAdding("create", "")

/** What a dropped event added counts already. */
export const settleAddingRemembering = settlingAdding(
  "create or replace",
  ` and not (${hasRemembered} and exists (${rememberedOf("i.id")}))`,
)

/** Which of these events add to a window that is closed for them, as \`weir.settle_adding\` sees it. */
export const selectLate = `
select i.event as event_id from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
  as i(event, flow, series, period, late_period)
join weir."window" own on own.entity = $1 and own.flow = i.flow and own.series = i.series and own.period = i.period
left join weir."window" later
  on later.entity = $1 and later.flow = i.flow and later.series = i.series and later.period = i.late_period
where own.closed_at_millis is not null and (i.late_period is null or later.closed_at_millis is not null)`

interface Adding {
  readonly event: string
  readonly flow: string
  readonly contribution: Contribution
}

export const addingsOf = (outcomes: ReadonlyArray<Outcome>): ReadonlyArray<Adding> =>
  outcomes.flatMap((outcome) =>
    outcome._tag === "Applied" && outcome.adds !== undefined
      ? [{ event: outcome.event.eventId, flow: outcome.event.flow, contribution: outcome.adds.contribution }]
      : []
  )

/** Whether the settlement needs this way. */
export const isAdding = (outcome: Outcome): boolean =>
  outcome._tag === "Applied" && (outcome.adds !== undefined || (outcome.tells ?? []).length > 0)

/** The parameters of `weir.settle_adding` behind those of `weir.settle`. */
export const addingParameters = ({ events }: Batch): ReadonlyArray<PgTypes.Parameter> => {
  const adding = addingsOf(events)
  const telling = events.flatMap((outcome): ReadonlyArray<Telling & { readonly event: string }> =>
    outcome._tag === "Applied" ? (outcome.tells ?? []).map((one) => ({ ...one, event: outcome.event.eventId })) : []
  )
  return [
    textColumn(adding, (one) => one.event),
    textColumn(adding, (one) => one.flow),
    textColumn(adding, ({ contribution }) => contribution.series),
    textColumn(adding, ({ contribution }) => contribution.period),
    textColumn(adding, ({ contribution }) => contribution.quantity),
    bigintColumn(adding, ({ contribution }) => contribution.closesAtMillis),
    textColumn(adding, ({ contribution }) => contribution.late?.period ?? null),
    bigintColumn(adding, ({ contribution }) => contribution.late?.closesAtMillis ?? null),
    textColumn(telling, (one) => one.event),
    textColumn(telling, (one) => one.feed),
    bigintColumn(telling, (one) => one.record),
    textColumn(telling, (one) => one.content),
    textColumn(telling, (one) => one.key),
    textColumn(telling, (one) => one.messageId),
  ]
}

/** The parameters of \`selectLate\` behind the entity. */
export const lateParameters = (outcomes: ReadonlyArray<Outcome>): ReadonlyArray<PgTypes.Parameter> => {
  const adding = addingsOf(outcomes)
  return [
    textColumn(adding, (one) => one.event),
    textColumn(adding, (one) => one.flow),
    textColumn(adding, ({ contribution }) => contribution.series),
    textColumn(adding, ({ contribution }) => contribution.period),
    textColumn(adding, ({ contribution }) => contribution.late?.period ?? null),
  ]
}
