/** One exception with everything about it, and what happened to it. */
import type { ReasonCode } from "../../../reason/Reason.ts"
import type { ExceptionFile, HistoryAction, HistoryRow, Resolution } from "../../Desk.ts"
import type { EventState } from "../../Ledger.ts"
import { mappingOf, type MappingRow } from "../rows.ts"
import { cellsOf, type ListRow } from "./list.ts"

/** A held one as it is; one that is over by its event, with the code and cause that its history ended with. */
export const selectFile = `
select e.entity, e.flow, e.event_id, e.type, e.key, e.version, e.stream_sequence, e.stored_at_millis, e.payload_hash,
  e.correlation_id, coalesce(h.state, e.state) as state,
  coalesce(h.code, past.code) as code, coalesce(h.detail, past.detail ->> 'detail', '') as detail,
  coalesce(h.fingerprint, past.fingerprint) as fingerprint, coalesce(h.attempts, e.attempts) as attempts,
  coalesce(h.held_since_millis, past.at_millis) as held_since_millis, h.assignee, h.wait_flow, h.wait_key,
  h.deadline_millis, h.subject, h.headers, h.data, h.line,
  m.model, m.odoo_id, m.external_id, m.version as mapping_version, m.links
from weir.event e
left join weir.held h on h.entity = e.entity and h.event_id = e.event_id
left join lateral (
  select code, fingerprint, detail, at_millis from weir.history y
  where y.entity = e.entity and y.event_id = e.event_id and y.action in ('raised', 'recurred')
  order by y.position desc limit 1
) as past on true
left join weir.mapping m on m.entity = e.entity and m.flow = e.flow and m.key = e.key
where e.entity = $1 and e.event_id = $2 and (h.event_id is not null or past.code is not null)`

export const selectFollowers = `
select count(*) as n, (array_agg(event_id order by stream_sequence))[1:$3] as first
from weir.held where line = $1 and event_id <> $2 and state = 'behind'`

export interface FollowersRow {
  readonly n: bigint
  readonly first: ReadonlyArray<string> | null
}

export interface FileRow extends MappingRow, Omit<ListRow, "state"> {
  readonly state: EventState
  readonly version: bigint | null
  readonly stored_at_millis: bigint
  readonly payload_hash: string
  readonly correlation_id: string | null
  readonly subject: string | null
  readonly headers: Readonly<Record<string, string>> | null
  readonly data: Uint8Array | null
  readonly mapping_version: bigint | null
}

const numberOrNull = (value: bigint | null): number | null => value === null ? null : Number(value)

export const fileOf = (row: FileRow, followers: FollowersRow | undefined): ExceptionFile => ({
  row: { ...cellsOf(row), state: row.state, fingerprint: row.fingerprint },
  message: row.subject === null || row.data === null
    ? null
    : { subject: row.subject, headers: row.headers ?? {}, data: row.data },
  version: numberOrNull(row.version),
  storedAtMillis: Number(row.stored_at_millis),
  payloadHash: row.payload_hash,
  correlationId: row.correlation_id,
  mapping: row.model === null ? null : mappingOf({ ...row, version: row.mapping_version }),
  followers: { count: Number(followers?.n ?? 0), first: followers?.first ?? [] },
})

export const selectHistory = `
select position, at_millis, actor, action, code, fingerprint, detail from (
  select * from weir.history where entity = $1 and event_id = $2 order by position desc limit $3
) as last order by position`

export interface HistoryTableRow {
  readonly position: bigint
  readonly at_millis: bigint
  readonly actor: string
  readonly action: HistoryAction
  readonly code: ReasonCode
  readonly fingerprint: string | null
  readonly detail: HistoryRow["detail"]
}

export const historyOf = (row: HistoryTableRow): HistoryRow => ({
  position: Number(row.position),
  atMillis: Number(row.at_millis),
  actor: row.actor,
  action: row.action,
  code: row.code,
  fingerprint: row.fingerprint,
  detail: row.detail,
})

export const selectResolutions = `
select entity, event_id, at_millis, coalesce(detail ->> 'by', actor) as by,
  case action when 'resolved' then coalesce(detail ->> 'after', 'itself') else action end as how
from weir.history
where fingerprint = $1 and action in ('resolved', 'recurred', 'dismissed')
  and ($2::text[] is null or entity = any ($2))
order by position desc limit $3`

export interface ResolutionRow {
  readonly entity: string
  readonly event_id: string
  readonly at_millis: bigint
  readonly by: string
  readonly how: Resolution["how"]
}

export const resolutionOf = (row: ResolutionRow): Resolution => ({
  entity: row.entity,
  eventId: row.event_id,
  atMillis: Number(row.at_millis),
  by: row.by,
  how: row.how,
})
