/** What others were told of records, and how far feeds have looked. */
import type { PgTypes } from "@effect/sql-pg"
import type { Fence } from "../Ledger.ts"
import type { FeedStep, Told } from "../Told.ts"
import { bigint, bigintColumn, bytesColumn, intColumn, jsonColumn, text, textColumn } from "./parameters.ts"
import { byIndex } from "./release.ts"

export const toldTables = [
  `create table weir.feed (
    entity text not null,
    feed text not null,
    watermark text,
    primary key (entity, feed)
  )`,
  `create table weir.told (
    entity text not null,
    feed text not null,
    record_id bigint not null,
    content text not null,
    revision integer not null,
    key text,
    correlation_id text,
    causation_id text,
    primary key (entity, feed, record_id)
  )`,
]

/** One row for the watermark, with a null record, and one for each record that something was told of. */
export const selectFeed = `
select l.entity, f.watermark, t.* from weir.lease l
left join weir.feed f on f.entity = l.entity and f.feed = $3
left join lateral (
  select null::bigint as record_id, null::text as content, null::integer as revision, null::text as key,
    null::text as correlation_id, null::text as causation_id
  union all
  select told.* from unnest($4::bigint[]) as i(record)
  cross join lateral (
    select record_id, content, revision, key, correlation_id, causation_id from weir.told
    where entity = l.entity and feed = $3 and record_id = i.record limit 1
  ) as told
) as t on true
where l.entity = $1 and l.epoch = $2`

export interface FeedRow {
  readonly entity: string
  readonly watermark: string | null
  readonly record_id: bigint | null
  readonly content: string | null
  readonly revision: number | null
  readonly key: string | null
  readonly correlation_id: string | null
  readonly causation_id: string | null
}

export const toldOf = (row: FeedRow): Told => ({
  content: row.content ?? "",
  revision: row.revision ?? 0,
  key: row.key,
  correlationId: row.correlation_id,
  causationId: row.causation_id,
})

/** Answers how many changes took effect; -1: stale epoch. */
export const advance = `
create function weir.advance(
  p_entity text, p_epoch bigint, p_feed text, p_watermark text,
  r_record bigint[], r_content text[], r_revision integer[], r_key text[],
  o_record bigint[], o_subject text[], o_headers text[], o_data bytea[], o_message text[]
) returns integer language plpgsql ${byIndex} as $$
declare
  v_count integer;
begin
  perform from weir.lease where entity = p_entity and epoch = p_epoch for no key update;
  if not found then
    return -1;
  end if;
  with changed as (
    select i.* from unnest(r_record, r_content, r_revision, r_key) as i(record, content, revision, key)
    left join lateral (
      select t.revision from weir.told t
      where t.entity = p_entity and t.feed = p_feed and t.record_id = i.record limit 1
    ) as known on true
    where coalesce(known.revision, 0) = i.revision
  ), kept as (
    insert into weir.told as t (entity, feed, record_id, content, revision, key)
    select p_entity, p_feed, record, content, revision + 1, key from changed
    on conflict (entity, feed, record_id) do update
      set content = excluded.content, revision = excluded.revision, key = coalesce(t.key, excluded.key)
    returning record_id
  ), sent as (
    insert into weir.outbox (entity, subject, headers, data, message_id)
    select p_entity, o.subject, o.headers::json, o.data, o.message
    from unnest(o_record, o_subject, o_headers, o_data, o_message) with ordinality
      as o(record, subject, headers, data, message, position)
    join kept on kept.record_id = o.record
    order by o.position
  )
  select count(*) into v_count from kept;
  insert into weir.feed as f (entity, feed, watermark) values (p_entity, p_feed, p_watermark)
  on conflict (entity, feed) do update set watermark = greatest(f.watermark, excluded.watermark);
  return v_count;
end $$`

export const advanceParameters = (
  fence: Fence,
  { changes, feed, watermark }: FeedStep,
): ReadonlyArray<PgTypes.Parameter | null> => {
  const sent = changes.flatMap(({ publication, record }) => publication === null ? [] : [{ publication, record }])
  return [
    text(fence.entity),
    bigint(fence.epoch),
    text(feed),
    watermark === null ? null : text(watermark),
    bigintColumn(changes, (one) => one.record),
    textColumn(changes, (one) => one.content),
    intColumn(changes, (one) => one.revision),
    textColumn(changes, (one) => one.key),
    bigintColumn(sent, (one) => one.record),
    textColumn(sent, ({ publication }) => publication.subject),
    jsonColumn(sent, ({ publication }) => publication.headers),
    bytesColumn(sent, ({ publication }) => publication.data),
    textColumn(sent, ({ publication }) => publication.messageId),
  ]
}
