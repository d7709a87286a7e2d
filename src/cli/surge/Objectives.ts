/** What a surge must keep to: a file for `weir surge --objectives`, or the defaults. */
import { Duration, Effect, Schema } from "effect"
import { Span } from "./Span.ts"

const percentile = Schema.Literals([50, 90, 95, 99])

/** Time from the moment at which everything that an event needs was in the stream until it was settled. */
const LatencyObjective = Schema.Struct({
  /** Of one flow, or of a whole lane. */
  flow: Schema.optionalKey(Schema.NonEmptyString),
  lane: Schema.optionalKey(Schema.Literals(["critical", "normal", "bulk", "backfill"])),
  percentile,
  atMost: Span,
}).check(
  Schema.makeFilter(({ flow, lane }) =>
    (flow === undefined) !== (lane === undefined) || "names either a flow or a lane"
  ),
)

/** A person's own calls to Odoo meanwhile, beside what they took before. */
const UserObjective = Schema.Struct({
  percentile,
  timesQuiet: Schema.Finite.check(Schema.isGreaterThan(0)),
  /** Below this nobody notices: met, however quiet it was before. */
  unnoticed: Span,
})

export const Objectives = Schema.Struct({
  $schema: Schema.optionalKey(Schema.String),
  latency: Schema.Array(LatencyObjective).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed([
      { flow: "payments", percentile: 99, atMost: "60 seconds" },
      { lane: "critical", percentile: 99, atMost: "2 minutes" },
    ])),
  ),
  /** Everything has an outcome so long after the last event was published. */
  settledWithin: Span.pipe(Schema.withDecodingDefaultKey(Effect.succeed("10 minutes"))),
  /** Exceptions beyond those that the scenario expects, by entity and code. */
  unexpectedExceptions: Schema.Int.pipe(Schema.withDecodingDefaultKey(Effect.succeed(0))),
  /** Every count and every sum in ledger and Odoo is the expected one. */
  totalsAgree: Schema.Boolean.pipe(Schema.withDecodingDefaultKey(Effect.succeed(true))),
  /** null: nobody works in Odoo. */
  user: Schema.NullOr(UserObjective).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed({ percentile: 95, timesQuiet: 1.5, unnoticed: "50 millis" })),
  ),
  /** Weir's resident memory, MiB; left out: any. */
  memoryMiB: Schema.optionalKey(Schema.Finite.check(Schema.isGreaterThan(0))),
})
export type Objectives = typeof Objectives.Type

export const defaults: Objectives = Schema.decodeUnknownSync(Objectives)({})

/** `p99 of payments at most 1m`. */
export const latencyInWords = ({ atMost, flow, lane, percentile }: typeof LatencyObjective.Type): string =>
  `p${percentile} of ${flow ?? `the ${lane} lane`} at most ${Duration.format(atMost)}`
