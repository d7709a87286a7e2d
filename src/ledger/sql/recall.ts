/** What anybody may ask: the statements and their rows. */
import type { EventState } from "../Ledger.ts"
import type { Recollection } from "../Recall.ts"
import { invocation } from "./parameters.ts"

/** `weir.admit` under whatever epoch is the entity's at this moment. The parameters are those of an admission. */
export const selectAnswers = (parameters: ReadonlyArray<unknown>): string =>
  `select * from ${invocation("weir.admit", parameters)}`.replace(
    "$2",
    "greatest($2, (select epoch from weir.lease where entity = $1))",
  )

const columns = `e.event_id, e.type, e.flow, e.key, e.version, e.stream_sequence, e.stored_at_millis, e.payload_hash,
  e.correlation_id, e.attempts, coalesce(case when e.state = 'held' then (
    select h.state from weir.held h where h.entity = e.entity and h.event_id = e.event_id
  ) end, e.state) as state, e.rules`

export const selectEvents = `
select ${columns} from weir.event e
where e.entity = $1 and e.event_id > $2 and e.stored_at_millis >= $3 and e.stored_at_millis < $4
order by e.event_id limit $5`

/** Of what was dropped, what is remembered of it. */
export const selectById = `
select found.* from unnest($2::text[]) as i(id)
cross join lateral (
  select ${columns} from weir.event e where e.entity = $1 and e.event_id = i.id limit 1
) as found
union all
select i.id, '', '', '', null, found.stream_sequence, 0, found.payload_hash, null, 0, found.state, null
from unnest($2::text[]) as i(id)
cross join lateral (
  select * from weir.remembered r where r.id = weir.event_digest($1, i.id) limit 1
) as found
where exists (select from weir.archive a where a.entity = $1 and a.kind = 'events' limit 1)`

export interface RecollectionRow {
  readonly event_id: string
  readonly type: string
  readonly flow: string
  readonly key: string
  readonly version: bigint | null
  readonly stream_sequence: bigint
  readonly stored_at_millis: bigint
  readonly payload_hash: string
  readonly correlation_id: string | null
  readonly attempts: number
  readonly state: EventState
  readonly rules: string | null
}

export const recollectionOf = (row: RecollectionRow): Recollection => ({
  eventId: row.event_id,
  type: row.type,
  flow: row.flow,
  key: row.key,
  version: row.version === null ? null : Number(row.version),
  streamSequence: Number(row.stream_sequence),
  storedAtMillis: Number(row.stored_at_millis),
  payloadHash: row.payload_hash,
  correlationId: row.correlation_id,
  attempts: row.attempts,
  state: row.state,
  rules: row.rules,
})
