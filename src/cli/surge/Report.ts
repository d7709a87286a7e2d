/** What a surge has shown: `report.json`, from which the page and every comparison are made. */
import { Schema } from "effect"

/** Milliseconds; nulls when nothing was measured. */
export const Percentiles = Schema.Struct({
  count: Schema.Int,
  p50: Schema.NullOr(Schema.Finite),
  p90: Schema.NullOr(Schema.Finite),
  p95: Schema.NullOr(Schema.Finite),
  p99: Schema.NullOr(Schema.Finite),
  max: Schema.NullOr(Schema.Finite),
})
export type Percentiles = typeof Percentiles.Type

export const Lane = Schema.Literals(["critical", "normal", "bulk", "backfill"])
export type Lane = typeof Lane.Type

const Latencies = Schema.Struct({
  lane: Lane,
  /** null: the lane as a whole. */
  flow: Schema.NullOr(Schema.String),
  /** From the moment at which the event and all that it refers to were in the stream. */
  latency: Percentiles,
  /** From its own storing in the stream: includes waiting for what came later. */
  fromStored: Percentiles,
  /** Held at the end: exceptions, and what waits for something that never came. */
  held: Schema.Int,
})
export type Latencies = typeof Latencies.Type

const Part = Schema.Struct({
  published: Schema.Int,
  settled: Schema.Int,
  /** In the stream and not settled, at the end of the bucket. */
  backlog: Schema.Int,
  p50: Schema.NullOr(Schema.Finite),
  p99: Schema.NullOr(Schema.Finite),
})
export type Part = typeof Part.Type

/** A stretch of time, by lane. */
const Bucket = Schema.Struct({ atMillis: Schema.Int, lanes: Schema.Record(Schema.String, Part) })
export type Bucket = typeof Bucket.Type

/** What was seen at one moment; null where nobody answered. */
const Sample = Schema.Struct({
  atMillis: Schema.Int,
  /** Calls of Weir to Odoo under way, mean since the sample before. */
  calls: Schema.NullOr(Schema.Finite),
  /** Calls that Weir allows itself now. */
  limit: Schema.NullOr(Schema.Finite),
  /** Calls that Odoo works on, everybody's, mean since the sample before; only where the lab has the Odoo. */
  busy: Schema.NullOr(Schema.Finite),
  /** Milliseconds that a person waited for Odoo: the slowest since the sample before. */
  userMillis: Schema.NullOr(Schema.Finite),
  inFlight: Schema.NullOr(Schema.Int),
  retrying: Schema.NullOr(Schema.Int),
  residentMiB: Schema.NullOr(Schema.Finite),
  /** Processor cores that Weir used, mean since the sample before. */
  cores: Schema.NullOr(Schema.Finite),
})
export type Sample = typeof Sample.Type

const Stretch = Schema.Struct({ fromMillis: Schema.Int, untilMillis: Schema.Int })

export const SurgeReport = Schema.Struct({
  version: Schema.Literal(1),
  weir: Schema.String,
  scenario: Schema.Struct({ name: Schema.String, seed: Schema.Int, events: Schema.Int, entities: Schema.Int }),
  /** RFC 3339. */
  startedAt: Schema.String,
  speed: Schema.Union([Schema.Literal("max"), Schema.Finite]),
  /** The part that was replayed at pace, milliseconds of the scenario; what lies outside went as fast as it could. */
  paced: Schema.Struct({ fromMillis: Schema.Int, untilMillis: Schema.NullOr(Schema.Int) }),
  target: Schema.Struct({
    kind: Schema.Literals(["lab", "configured"]),
    /** In words. */
    description: Schema.String,
    odooWorkers: Schema.NullOr(Schema.Int),
    processors: Schema.Int,
  }),
  /** From the first event published at pace to the last settlement, or until patience ended. */
  seconds: Schema.Finite,
  published: Schema.Int,
  settled: Schema.Int,
  /** After the last publication; null when something never was. */
  settledAfterSeconds: Schema.NullOr(Schema.Finite),
  /** How far the publisher was behind the scenario's clock. */
  lag: Percentiles,
  peaks: Schema.Struct({
    publishedPerSecond: Schema.Finite,
    settledPerSecond: Schema.Finite,
    backlog: Schema.Int,
    residentMiB: Schema.NullOr(Schema.Finite),
  }),
  /** Processor seconds that Weir used; null when it does not run on this machine. */
  cpuSeconds: Schema.NullOr(Schema.Finite),
  latencies: Schema.Array(Latencies),
  bucketMillis: Schema.Int,
  buckets: Schema.Array(Bucket),
  samples: Schema.Array(Sample),
  user: Schema.NullOr(Schema.Struct({ quiet: Percentiles, surge: Percentiles })),
  faults: Schema.Array(Schema.Struct({ ...Stretch.fields, what: Schema.String })),
  modes: Schema.Array(Schema.Struct({ ...Stretch.fields, entity: Schema.String, mode: Schema.String })),
  incidents: Schema.Array(Schema.Struct({
    fromMillis: Schema.Int,
    /** null: not over. */
    untilMillis: Schema.NullOr(Schema.Int),
    entity: Schema.String,
    cause: Schema.String,
    steps: Schema.Array(Schema.String),
  })),
  /** Held events by entity and code, beside those that the scenario expects. */
  exceptions: Schema.Array(Schema.Struct({
    entity: Schema.String,
    code: Schema.String,
    expected: Schema.Int,
    actual: Schema.Int,
  })),
  totals: Schema.Struct({
    compared: Schema.Int,
    /** Only those that differ. */
    different: Schema.Array(Schema.Struct({
      entity: Schema.String,
      flow: Schema.String,
      what: Schema.String,
      expected: Schema.String,
      actual: Schema.String,
    })),
  }),
  objectives: Schema.Array(Schema.Struct({ objective: Schema.String, measured: Schema.String, met: Schema.Boolean })),
  met: Schema.Boolean,
})
export type SurgeReport = typeof SurgeReport.Type

/** The nearest-rank percentiles of `values`. */
export const percentilesOf = (values: ReadonlyArray<number>): Percentiles => {
  const sorted = Float64Array.from(values).sort()
  const at = (part: number): number | null =>
    sorted.length === 0 ? null : sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? null
  return { count: sorted.length, p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), max: at(1) }
}
