/** From the ledger's own times: how long each event took, and how many came and went in every stretch of time. */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { Flow } from "../../flow/Flow.ts"
import { type Bucket, type Lane, type Latencies, type Part, percentilesOf } from "./Report.ts"
import type { Track } from "./Track.ts"

const PAGE = 20_000
/** Stretches that the time of a surge is cut into, about. */
const BUCKETS = 160
/** Lengths of a stretch, milliseconds. */
const WIDTHS = [250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000]

/** An event as the ledger has it. */
export interface EventTimes {
  readonly flow: string
  readonly state: string
  readonly sequence: number
  readonly storedMillis: number
  /** Its outcome; of a held event, when it was first held. */
  readonly settledMillis: number
}

interface Row {
  readonly flow: string
  readonly state: string
  readonly sequence: bigint | number
  readonly stored: bigint | number
  readonly settled: bigint | number
}

const EVENTS = `
  select flow, state, stream_sequence as sequence, stored_at_millis as stored, settled_at_millis as settled
  from weir.event where stream_sequence > $1 order by stream_sequence limit ${PAGE}`

/** All events behind `afterSequence`, in the order of the stream. */
export const eventTimes = Effect.fnUntraced(
  function* (sql: SqlClient.SqlClient, afterSequence: number): Effect.fn.Return<
    ReadonlyArray<EventTimes>,
    SqlError.SqlError
  > {
    const times: Array<EventTimes> = []
    let after = afterSequence
    while (true) {
      const rows = yield* sql.unsafe<Row>(EVENTS, [after])
      for (const { flow, sequence, settled, state, stored } of rows) {
        times.push({
          flow,
          state,
          sequence: Number(sequence),
          storedMillis: Number(stored),
          settledMillis: Number(settled),
        })
      }
      const last = times.at(-1)
      if (rows.length < PAGE || last === undefined) return times
      after = last.sequence
    }
  },
)

const lanes: ReadonlyArray<Lane> = ["critical", "normal", "bulk", "backfill"]

interface Measured extends EventTimes {
  readonly lane: Lane
  readonly latency: number
}

const isDone = ({ state }: EventTimes): boolean => state === "applied" || state === "superseded"

const measured = (times: ReadonlyArray<EventTimes>, track: Track, flows: ReadonlyArray<Flow>) => {
  const laneOf = new Map(flows.map(({ lane, name }) => [name, lane]))
  const stored = new Map(times.map(({ sequence, storedMillis }) => [sequence, storedMillis]))
  const due = track.dueOf((sequence) => stored.get(sequence))
  return times.flatMap((event): ReadonlyArray<Measured> => {
    const lane = laneOf.get(event.flow)
    if (lane === undefined || event.sequence <= track.measuredAfter) return []
    const latency = Math.max(0, event.settledMillis - (due(event.sequence) ?? event.storedMillis))
    return [{ ...event, lane, latency }]
  })
}

const latenciesOf = (lane: Lane, flow: string | null, events: ReadonlyArray<Measured>): Latencies => {
  const done = events.filter(isDone)
  return {
    lane,
    flow,
    latency: percentilesOf(done.map(({ latency }) => latency)),
    fromStored: percentilesOf(done.map(({ settledMillis, storedMillis }) => Math.max(0, settledMillis - storedMillis))),
    held: events.length - done.length,
  }
}

export interface Measures {
  readonly latencies: ReadonlyArray<Latencies>
  readonly bucketMillis: number
  readonly buckets: ReadonlyArray<Bucket>
}

/** `startedMillis` is the beginning of the surge, `millis` how long it took. */
export const measuresOf = (
  times: ReadonlyArray<EventTimes>,
  { flows, millis, startedMillis, track }: {
    readonly flows: ReadonlyArray<Flow>
    readonly millis: number
    readonly startedMillis: number
    readonly track: Track
  },
): Measures => {
  const all = measured(times, track, flows)
  const latencies = lanes.flatMap((lane) => {
    const own = all.filter((event) => event.lane === lane)
    if (own.length === 0) return []
    const names = [...new Set(own.map(({ flow }) => flow))].sort()
    return [
      latenciesOf(lane, null, own),
      ...names.map((name) => latenciesOf(lane, name, own.filter(({ flow }) => flow === name))),
    ]
  })
  const bucketMillis = WIDTHS.find((width) => millis / width <= BUCKETS) ?? WIDTHS.at(-1)!
  return { latencies, bucketMillis, buckets: bucketsOf(all, startedMillis, millis, bucketMillis) }
}

const bucketsOf = (
  events: ReadonlyArray<Measured>,
  startedMillis: number,
  millis: number,
  width: number,
): ReadonlyArray<Bucket> => {
  const count = Math.max(1, Math.ceil(millis / width))
  const place = (at: number): number => Math.min(count - 1, Math.max(0, Math.floor((at - startedMillis) / width)))
  const byLane = lanes.filter((lane) => events.some((event) => event.lane === lane)).map((lane) => {
    const cells = Array.from({ length: count }, () => ({ published: 0, settled: 0, latencies: [] as Array<number> }))
    for (const event of events) {
      if (event.lane !== lane) continue
      cells[place(event.storedMillis)]!.published++
      const cell = cells[place(event.settledMillis)]!
      cell.settled++
      if (isDone(event)) cell.latencies.push(event.latency)
    }
    let backlog = 0
    const parts = cells.map(({ latencies, published, settled }): Part => {
      backlog += published - settled
      const { p50, p99 } = percentilesOf(latencies)
      return { published, settled, backlog, p50, p99 }
    })
    return { lane, parts }
  })
  return Array.from({ length: count }, (_, index) => ({
    atMillis: index * width,
    lanes: Object.fromEntries(byLane.map(({ lane, parts }) => [lane, parts[index]!])),
  }))
}
