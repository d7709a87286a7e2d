/** The statements of runs, their parameters and rows. */
import type { Run, RunEvent, RunJson, RunKind, RunState } from "../Runs.ts"

export const insertRun = `
insert into weir.run (entity, run_id, kind, state, request, requested_by, reason, created_at_millis, changed_at_millis)
values ($1, $2, $3, $4, $5::text::json, $6, $7, $8, $8)
on conflict do nothing
returning run_id`

const columns = `entity, run_id, kind, state, request, requested_by, reason, applied_by, created_at_millis,
  changed_at_millis, progress, totals, result, trouble`

export const selectRun = `select ${columns} from weir.run where entity = $1 and run_id = $2`

export const selectRuns = `
select ${columns} from weir.run
where ($1::text is null or entity = $1) and ($2::text is null or run_id = $2) and ($3::text is null or kind = $3)
  and ($9::text[] is null or entity = any ($9)) and ($4::text[] is null or state = any ($4)) and ($5::bigint is null
    or created_at_millis < $5 or (created_at_millis = $5 and (run_id < $6 or (run_id = $6 and entity > $7))))
order by created_at_millis desc, run_id desc, entity limit $8`

export const updateRun = `
update weir.run set state = coalesce($4, state), progress = coalesce($5::text::json, progress),
  totals = coalesce($6::text::json, totals), result = coalesce($7::text::json, result),
  trouble = coalesce($8, trouble), applied_by = coalesce($9, applied_by), changed_at_millis = $10
where entity = $1 and run_id = $2 and state = any ($3)
returning ${columns}`

export interface RunRow {
  readonly entity: string
  readonly run_id: string
  readonly kind: RunKind
  readonly state: RunState
  readonly request: RunJson
  readonly requested_by: string
  readonly reason: string
  readonly applied_by: string
  readonly created_at_millis: bigint
  readonly changed_at_millis: bigint
  readonly progress: RunJson
  readonly totals: RunJson
  readonly result: RunJson | null
  readonly trouble: string
}

export const runOf = (row: RunRow): Run => ({
  entity: row.entity,
  runId: row.run_id,
  kind: row.kind,
  state: row.state,
  request: row.request,
  requestedBy: row.requested_by,
  reason: row.reason,
  appliedBy: row.applied_by,
  createdAtMillis: Number(row.created_at_millis),
  changedAtMillis: Number(row.changed_at_millis),
  progress: row.progress,
  totals: row.totals,
  result: row.result,
  trouble: row.trouble,
})

/** A run that is gone keeps nothing. */
export const upsertRunEvents = `
insert into weir.run_event (entity, run_id, ordinal, event_id, type, flow, key, stream_sequence, stored_at_millis,
  finding, detail, subject, headers, data, outcome)
select r.entity, r.run_id, i.ordinal, i.event_id, i.type, i.flow, i.key, i.sequence, i.stored, i.finding,
  i.detail::json, i.subject, i.headers::json, i.data, i.outcome
from weir.run r
cross join unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[],
  $10::text[], $11::text[], $12::text[], $13::text[], $14::bytea[], $15::text[])
  as i(ordinal, event_id, type, flow, key, sequence, stored, finding, detail, subject, headers, data, outcome)
where r.entity = $1 and r.run_id = $2
on conflict (entity, run_id, ordinal) do update
  set event_id = excluded.event_id, type = excluded.type, flow = excluded.flow, key = excluded.key,
    stream_sequence = excluded.stream_sequence, stored_at_millis = excluded.stored_at_millis,
    finding = excluded.finding, detail = excluded.detail, subject = excluded.subject, headers = excluded.headers,
    data = excluded.data, outcome = excluded.outcome`

export const selectRunEvents = `
select ordinal, event_id, type, flow, key, stream_sequence, stored_at_millis, finding, detail, subject, headers, data,
  outcome
from weir.run_event
where entity = $1 and run_id = $2 and ordinal > $3 and ($4::text[] is null or finding = any ($4))
  and (not $5::boolean or (data is not null and outcome is null))
order by ordinal limit $6`

export interface RunEventRow {
  readonly ordinal: bigint
  readonly event_id: string
  readonly type: string
  readonly flow: string
  readonly key: string
  readonly stream_sequence: bigint
  readonly stored_at_millis: bigint
  readonly finding: string
  readonly detail: RunJson
  readonly subject: string | null
  readonly headers: Readonly<Record<string, string>> | null
  readonly data: Uint8Array | null
  readonly outcome: string | null
}

export const runEventOf = (row: RunEventRow): RunEvent => ({
  ordinal: Number(row.ordinal),
  eventId: row.event_id,
  type: row.type,
  flow: row.flow,
  key: row.key,
  streamSequence: Number(row.stream_sequence),
  storedAtMillis: Number(row.stored_at_millis),
  finding: row.finding,
  detail: row.detail,
  message: row.data === null ? null : { subject: row.subject ?? "", headers: row.headers ?? {}, data: row.data },
  outcome: row.outcome,
})

export const concludeRunEvents = `
update weir.run_event e set outcome = i.outcome, detail = coalesce(i.detail::json, e.detail), subject = null,
  headers = null, data = null
from unnest($3::bigint[], $4::text[], $5::text[]) as i(ordinal, outcome, detail)
where e.entity = $1 and e.run_id = $2 and e.ordinal = i.ordinal`

export const deleteRuns = `
delete from weir.run where ctid = any (array(
  select ctid from weir.run where state in ('done', 'cancelled', 'failed') and changed_at_millis < $1 limit $2
))
returning run_id`
