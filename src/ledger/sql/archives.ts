/** Rows that may leave, kind by kind, and how they do. The statements, their parameters and rows. */
import type { Archive, ArchiveKind, Leaver } from "../Archives.ts"
import type { RunJson } from "../Runs.ts"
import { byIndex } from "./release.ts"

interface Source {
  /** With what may leave of \`$1\`, an entity, before \`$2\`. */
  readonly from: string
  readonly id: string
  readonly at: string
  /** Order and place of pages. */
  readonly key: string
  readonly after: string
  readonly fields: Readonly<Record<string, string>>
}

const free = (row: string): string =>
  `not exists (select from weir.held h where h.entity = ${row}.entity and h.event_id = ${row}.event_id)`
const base64 = (column: string): string => `translate(encode(${column}, 'base64'), E'\\n', '')`
const afterNumber = (column: string): string => `${column} > coalesce(nullif($3, '')::bigint, 0)`

/**
 * Up to which record a trail may leave: those before the first that is too young, without the last one, whose hash the next
 * record needs, and nothing from the last act about a close on, which an actor reads when it starts.
 */
const trailEnd = `least(
    (select a.sequence - 1 from weir.audit a where a.entity = $1 and a.at_millis >= $2 order by a.sequence limit 1),
    (select a.sequence - 1 from weir.audit a where a.entity = $1 order by a.sequence desc limit 1),
    (select max(a.sequence) - 1 from weir.audit a where a.entity = $1 and a.action in ('close.begun', 'close.ended'))
  )`

const sources: Readonly<Record<ArchiveKind, Source>> = {
  events: {
    from: `weir.event e left join weir.checkpoint c on c.entity = e.entity and c.flow = e.flow
      where e.entity = $1 and e.state <> 'held' and e.stored_at_millis < $2 and e.settled_at_millis < $2
        and e.stream_sequence <= coalesce(c.stream_sequence, 0)`,
    id: "e.event_id",
    at: "e.stored_at_millis",
    key: "e.event_id",
    after: "e.event_id > $3",
    fields: {
      eventId: "e.event_id",
      type: "e.type",
      flow: "e.flow",
      key: "e.key",
      version: "e.version",
      streamSequence: "e.stream_sequence",
      storedAtMillis: "e.stored_at_millis",
      payloadHash: "e.payload_hash",
      correlationId: "e.correlation_id",
      state: "e.state",
      reason: "e.reason",
      attempts: "e.attempts",
      rules: "e.rules",
      settledAtMillis: "e.settled_at_millis",
    },
  },
  exceptions: {
    from: `weir.history o where o.entity = $1 and o.at_millis < $2 and ${free("o")}`,
    id: "o.position::text",
    at: "o.at_millis",
    key: "o.position",
    after: afterNumber("o.position"),
    fields: {
      position: "o.position",
      eventId: "o.event_id",
      atMillis: "o.at_millis",
      actor: "o.actor",
      action: "o.action",
      flow: "o.flow",
      code: "o.code",
      fingerprint: "o.fingerprint",
      detail: "o.detail",
    },
  },
  corrections: {
    from: `weir.amendment o where o.entity = $1 and o.state <> 'proposed' and o.decided_at_millis < $2 and ${
      free("o")
    }`,
    id: "o.id::text",
    at: "o.decided_at_millis",
    key: "o.id",
    after: afterNumber("o.id"),
    fields: {
      id: "o.id",
      eventId: "o.event_id",
      state: "o.state",
      key: "o.key",
      changes: "o.changes",
      financial: "o.financial",
      reason: "o.reason",
      proposedBy: "o.proposed_by",
      proposedAtMillis: "o.proposed_at_millis",
      decidedBy: "o.decided_by",
      decidedAtMillis: "o.decided_at_millis",
      decidedReason: "o.decided_reason",
      original: base64("o.original"),
      corrected: base64("o.data"),
    },
  },
  audit: {
    from: `weir.audit o where o.entity = $1 and o.sequence <= ${trailEnd}`,
    id: "o.sequence::text",
    at: "o.at_millis",
    key: "o.sequence",
    after: afterNumber("o.sequence"),
    fields: {
      entity: "o.entity",
      sequence: "o.sequence",
      atMillis: "o.at_millis",
      actor: "o.actor",
      action: "o.action",
      // As text: another spelling of the same JSON has another hash.
      detail: "o.detail::text",
      previousHash: "o.previous_hash",
      hash: "o.hash",
      entryId: "o.entry_id",
    },
  },
  runs: {
    from: `weir.run o where o.entity = $1 and o.state in ('done', 'cancelled', 'failed') and o.changed_at_millis < $2`,
    id: "o.run_id",
    at: "o.changed_at_millis",
    key: `o.run_id collate "C"`,
    after: `o.run_id collate "C" > $3`,
    fields: {
      runId: "o.run_id",
      kind: "o.kind",
      state: "o.state",
      request: "o.request",
      requestedBy: "o.requested_by",
      reason: "o.reason",
      appliedBy: "o.applied_by",
      createdAtMillis: "o.created_at_millis",
      changedAtMillis: "o.changed_at_millis",
      totals: "o.totals",
      result: "o.result",
      trouble: "o.trouble",
    },
  },
}

const rowOf = (fields: Source["fields"]): string =>
  `json_build_object(${Object.entries(fields).map(([name, column]) => `'${name}', ${column}`).join(", ")})`

export const selectMonths = (kind: ArchiveKind): string => {
  const { at, from } = sources[kind]
  return `select to_char(to_timestamp(${at} / 1000.0) at time zone 'UTC', 'YYYY-MM') as month, count(*) as n
from ${from} group by 1 order by 1`
}

/** \$3 after which id, \$4 and \$5 the month, \$6 how many. */
export const selectPage = (kind: ArchiveKind): string => {
  const { after, at, fields, from, id, key } = sources[kind]
  return `select ${id} as id, ${at} as at_millis, ${rowOf(fields)} as row
from ${from} and ${after} and ${at} >= $4 and ${at} < $5 order by ${key} limit $6`
}

/** \$3 ids, \$4 and \$5 the month. */
export const selectLeavers = (() => {
  const { at, fields, from, id } = sources.events
  return `select found.* from unnest($3::text[]) as i(id) cross join lateral (
  select ${id} as id, ${at} as at_millis, ${rowOf(fields)} as row
  from ${from} and e.event_id = i.id and ${at} >= $4 and ${at} < $5 limit 1
) as found`
})()

export interface LeaverRow {
  readonly id: string
  readonly at_millis: bigint
  readonly row: RunJson
}

export const leaverOf = ({ at_millis, id, row }: LeaverRow): Leaver => ({ id, atMillis: Number(at_millis), row })

export const archiveTable = `create table weir.archive (
    entity text not null,
    kind text not null,
    name text not null,
    rows bigint not null,
    bytes bigint not null,
    sha256 text not null,
    from_millis bigint not null,
    to_millis bigint not null,
    written_at_millis bigint not null,
    dropped_at_millis bigint,
    primary key (entity, kind, name)
  )`

export const archiveIndexes = [
  `create index archive_written on weir.archive (written_at_millis desc, entity, kind, name)`,
  `create index archive_pending on weir.archive (entity) where dropped_at_millis is null`,
]

export const insertArchive = `
insert into weir.archive (entity, kind, name, rows, bytes, sha256, from_millis, to_millis, written_at_millis)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing`

export const finishArchive = `
update weir.archive set dropped_at_millis = $4 where entity = $1 and kind = $2 and name = $3 and dropped_at_millis is null`

export const selectArchives = `
select entity, kind, name, rows, bytes, sha256, from_millis, to_millis, written_at_millis, dropped_at_millis
from weir.archive
where ($1::text is null or entity = $1) and ($2::text[] is null or entity = any ($2))
  and ($3::text is null or kind = $3) and (not $4::boolean or dropped_at_millis is null)
  and ($5::bigint is null or written_at_millis < $5 or (written_at_millis = $5
    and (entity collate "C", kind collate "C", name collate "C") > ($6, $7, $8)))
order by written_at_millis desc, entity collate "C", kind collate "C", name collate "C" limit $9`

export interface ArchiveRow {
  readonly entity: string
  readonly kind: ArchiveKind
  readonly name: string
  readonly rows: bigint
  readonly bytes: bigint
  readonly sha256: string
  readonly from_millis: bigint
  readonly to_millis: bigint
  readonly written_at_millis: bigint
  readonly dropped_at_millis: bigint | null
}

export const archiveOf = (row: ArchiveRow): Archive => ({
  entity: row.entity,
  kind: row.kind,
  name: row.name,
  rows: Number(row.rows),
  bytes: Number(row.bytes),
  sha256: row.sha256,
  fromMillis: Number(row.from_millis),
  toMillis: Number(row.to_millis),
  writtenAtMillis: Number(row.written_at_millis),
  droppedAtMillis: row.dropped_at_millis === null ? null : Number(row.dropped_at_millis),
})

const verb = (name: string, declared: string, body: string): string => `
create function weir.${name}(p_entity text, p_id text[]) returns integer language plpgsql ${byIndex} as $$
declare
  v_count integer;${declared}
begin${body}
  get diagnostics v_count = row_count;
  return v_count;
end $$`

const withRetention = `
  perform set_config('weir.retention', 'on', true);`

/**
 * In line with the settlements of the entity's owner: one that brings such an event again sees either the event or what is
 * remembered of it.
 */
export const dropEvents = verb(
  "drop_events",
  "",
  `
  perform from weir.lease where entity = p_entity for no key update;
  with gone as (
    delete from weir.event where ctid = any (array(
      select found.ctid from unnest(p_id) as i(id) cross join lateral (
        select e.ctid from weir.event e
        left join weir.checkpoint c on c.entity = e.entity and c.flow = e.flow
        where e.entity = p_entity and e.event_id = i.id and e.state <> 'held'
          and e.stream_sequence <= coalesce(c.stream_sequence, 0) limit 1
      ) as found
    ))
    returning event_id, state, payload_hash, stream_sequence
  )
  insert into weir.remembered (id, state, payload_hash, stream_sequence)
  select weir.event_digest(p_entity, event_id), state, payload_hash, stream_sequence from gone
  on conflict (id) do nothing;`,
)

export const dropHistory = verb(
  "drop_exceptions",
  "",
  `${withRetention}
  delete from weir.history o where o.entity = p_entity and o.position = any (p_id::bigint[]) and ${free("o")};`,
)

export const dropAmendments = verb(
  "drop_corrections",
  "",
  `
  delete from weir.amendment o
  where o.entity = p_entity and o.id = any (p_id::bigint[]) and o.state <> 'proposed' and ${free("o")};`,
)

export const dropRuns = verb(
  "drop_runs",
  "",
  `
  delete from weir.run o
  where o.entity = p_entity and o.run_id = any (p_id) and o.state in ('done', 'cancelled', 'failed');`,
)

/** The trail goes on from the hash of the last one that left. */
export const dropAudit = verb(
  "drop_audit",
  `
  v_last bigint := (select max(i.id) from unnest(p_id::bigint[]) as i(id));
  v_hash text;`,
  `
  if exists (
    select from weir.audit a where a.entity = p_entity and a.sequence <= v_last and a.sequence <> all (p_id::bigint[])
  ) then
    raise exception 'the trail of % has records up to % that are not in the archive', p_entity, v_last;
  end if;
  if not exists (select from weir.audit a where a.entity = p_entity and a.sequence > v_last) then
    raise exception 'the last record of the trail of % stays', p_entity;
  end if;
  select hash into v_hash from weir.audit where entity = p_entity and sequence = v_last;
  if v_hash is null then
    return 0;
  end if;
  insert into weir.audit_anchor as n (entity, sequence, hash) values (p_entity, v_last, v_hash)
  on conflict (entity) do update set sequence = excluded.sequence, hash = excluded.hash
    where n.sequence < excluded.sequence;${withRetention}
  delete from weir.audit a where a.entity = p_entity and a.sequence <= v_last;`,
)

/** Records of a trail may be archived and dropped, in a transaction that says so; never changed. */
export const refuseChange = `
create or replace function weir.refuse_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and current_setting('weir.retention', true) = 'on' then
    return null;
  end if;
  raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end $$`
