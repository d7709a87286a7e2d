/**
 * Lists of exceptions. A million of them and a filter that fits ten: neither reading all until ten are found, nor an index
 * for every combination. Hence lanes: what the filter fits is a set of groups (entity, flow, code, cause), which the
 * counters know; each group is one index range that is newest first already; the list is the merge of the ranges.
 *
 *     filter ─► exception_group ─► lanes ─┬─ held_parked_group … newest rows after the place ─┐
 *                                         └─ …                                                ┴─► merged, limited
 *
 * Without a filter one index has the order of the whole; with only entities, a range each.
 */
import type { ReasonCode } from "../../../reason/Reason.ts"
import type { ExceptionGroup, ExceptionRow } from "../../Desk.ts"

/** Index ranges that a list merges at most; with more, what fits is dense, and reading in order finds it soon. */
export const MAX_LANES = 400

/** Expressions of the indexes: a list must say them alike. */
export const byEntity = `(entity || '/')`
export const byGroup = `(entity || '/' || flow || '/' || code || '/' || fingerprint)`

/** Waiting rows of a list, said otherwise than the hot path says it: its questions must not find this index. */
export const isWaiting = `(state || '') = 'waiting'`

const columns =
  `h.entity, h.flow, h.event_id, h.type, h.key, h.stream_sequence, h.state, h.code, h.detail, h.fingerprint,
  h.attempts, h.held_since_millis, h.assignee, h.wait_flow, h.wait_key, h.deadline_millis`

const order = `h.held_since_millis desc, h.entity collate "C" desc, h.event_id collate "C" desc`

/** The same within an entity, as the indexes of entities and groups have it: the planner does not see that it is one. */
const orderWithin = `h.held_since_millis desc, h.event_id collate "C" desc`

/** $1 to $3: the place, nulls at the beginning. The first condition is for the index, the second is exact. */
const after = `($1::bigint is null or (h.held_since_millis <= $1
    and (h.held_since_millis, h.entity collate "C", h.event_id collate "C") < ($1, $2::text, $3::text)))`

/** $5 entities, $6 flow, $7 codes, $8 fingerprint, $9 key, $10 assignee: nulls for all. */
const fits = `($5::text[] is null or h.entity = any ($5)) and ($6::text is null or h.flow = $6)
    and ($7::text[] is null or h.code = any ($7)) and ($8::text is null or h.fingerprint = $8)
    and ($9::text is null or h.key = $9) and ($10::text is null or h.assignee = $10)`

/** Nothing is asked beyond what the ranges say. Names the parameters all the same; true to the planner, too. */
const fitsAnyhow = [5, 6, 7, 8, 9, 10].map((n) => `($${n}::text${n === 5 || n === 7 ? "[]" : ""} is null or true)`)
  .join(" and ")

const isParked = `h.state = 'parked'`

/** Rows of each range that are read before it is known which ranges a page is made of. */
const TASTE = 8

/**
 * $4: the limit, at most `most`. `range` names the part of the index, `state` what is in it. A few rows of every range, and
 * only of those whose few are all on the page as many as it may need: a page out of 300 ranges reads 2 400 rows instead of
 * 15 000. How many a range may give is written, not a parameter: for a parameter the planner takes a tenth of the range,
 * and reads and sorts all of it.
 */
const merged = (most: number, range: string, state: string, within: string, asked: string): string => {
  const rows = (limit: number): string =>
    `cross join lateral (
    select ${columns} from weir.held h
    where ${range} and ${state} and ${after} and ${asked}
    order by ${within} limit ${limit}
  ) as h`
  return `
with lane as materialized (select line from unnest($11::text[]) as lines(line)),
tasted as materialized (select lane.line, h.* from lane ${rows(TASTE)}),
placed as (
  select h.line, row_number() over (order by ${order}) as overall,
    row_number() over (partition by h.line order by ${order}) as own
  from tasted as h
),
rich as materialized (select line from placed where own = ${TASTE} and overall < $4)
select ${columns} from (
  select * from tasted where line not in (select line from rich)
  union all
  select lane.line, h.* from rich as lane ${rows(most)}
) as h order by ${order} limit $4`
}

const laneRange = (expression: string): string =>
  `${expression.replaceAll(/\b(entity|flow|code|fingerprint)\b/gu, "h.$1")} = lane.line`

/**
 * $11: lines of groups, of entities, codes, or keys of one entity and flow each. What a range says already is not asked
 * again: the planner would count it twice, expect next to nothing, and read and sort the whole range.
 */
const statements = (most: number) => ({
  byGroup: merged(most, laneRange(byGroup), isParked, orderWithin, fitsAnyhow),
  byEntity: merged(most, laneRange(byEntity), isParked, orderWithin, fitsAnyhow),
  byEntityFiltered: merged(most, laneRange(byEntity), isParked, orderWithin, fits),
  /** The ranges of `held_line`. */
  byKey: merged(most, "h.line = lane.line", isParked, orderWithin, fits),
  waiting: merged(most, "h.code = lane.line", isWaiting.replace("state", "h.state"), order, fitsAnyhow),
  waitingFiltered: merged(most, "h.code = lane.line", isWaiting.replace("state", "h.state"), order, fits),
})

const known = new Map<number, ReturnType<typeof statements>>()

/** The merging statements for pages of `limit`: few different ones, because the database plans each anew. */
export const mergedFor = (limit: number): ReturnType<typeof statements> => {
  let most = 64
  while (most < limit) most *= 8
  const made = known.get(most) ?? statements(most)
  known.set(most, made)
  return made
}

/** One range in the order of the list. $11 is not looked at. */
const whole = (range: string): string => `
select ${columns} from weir.held h where ${range} h.state = 'parked' and ${after} and ${fits}
  and ($11::text[] is null or true)
order by ${order} limit $4`
export const selectAll = whole("")
export const selectAssigned = whole("h.assignee = $10 and ")

export const selectGroups = `
select entity, flow, code, fingerprint, cause, n from weir.exception_group
where n > 0 and ($1::text[] is null or entity = any ($1)) and ($2::text is null or flow = $2)
  and ($3::text[] is null or code = any ($3)) and ($4::text is null or fingerprint = $4)
order by n desc, entity collate "C", flow collate "C", code collate "C", fingerprint collate "C" limit $5`

export interface GroupRow {
  readonly entity: string
  readonly flow: string
  readonly code: ReasonCode
  readonly fingerprint: string
  readonly cause: string
  readonly n: bigint
}

export const groupOf = ({ n, ...row }: GroupRow): ExceptionGroup => ({ ...row, count: Number(n) })

/** As the index has it. */
export const lineOf = ({ code, entity, fingerprint, flow }: Omit<GroupRow, "cause" | "n">): string =>
  `${entity}/${flow}/${code}/${fingerprint}`

export interface ListRow {
  readonly entity: string
  readonly flow: string
  readonly event_id: string
  readonly type: string
  readonly key: string
  readonly stream_sequence: bigint
  readonly state: ExceptionRow["state"]
  readonly code: ReasonCode
  readonly detail: string
  readonly fingerprint: string | null
  readonly attempts: number
  readonly held_since_millis: bigint
  readonly assignee: string | null
  readonly wait_flow: string | null
  readonly wait_key: string | null
  readonly deadline_millis: bigint | null
}

/** What a list and a file say alike of an exception: without its state, and the cause that goes with it. */
export const cellsOf = (
  row: Omit<ListRow, "state" | "fingerprint">,
): Omit<ExceptionRow, "state" | "fingerprint"> => ({
  entity: row.entity,
  flow: row.flow,
  eventId: row.event_id,
  type: row.type,
  key: row.key,
  streamSequence: Number(row.stream_sequence),
  code: row.code,
  detail: row.detail,
  attempts: row.attempts,
  heldSinceMillis: Number(row.held_since_millis),
  assignee: row.assignee,
  waitsFor: row.wait_flow === null || row.wait_key === null ? null : { flow: row.wait_flow, key: row.wait_key },
  deadlineMillis: row.deadline_millis === null ? null : Number(row.deadline_millis),
})

export const rowOf = (row: ListRow): ExceptionRow => ({
  ...cellsOf(row),
  state: row.state,
  fingerprint: row.state === "parked" ? row.fingerprint : null,
})
