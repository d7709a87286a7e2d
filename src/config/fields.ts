/** Fields of `weir.json` that several sections have: each says what it expects, what it is for, and its default. */
import { Duration, Effect, Schema, SchemaTransformation } from "effect"

/** `protocols`: alternatives of a pattern, `https?`. */
export const url = (protocols: string, example: string, description: string) => {
  const expected = `a URL like ${example}, without user and password`
  return Schema.String.check(Schema.isPattern(new RegExp(`^(?:${protocols})://[^\\s/@]+[^\\s@]*$`, "u")))
    .annotate({ expected, description })
}

export const positive = Schema.Int.check(Schema.isGreaterThan(0)).annotate({
  expected: "a whole number above 0",
})

const time = "a number and a unit, like 500 millis, 30 seconds or 5 minutes"
/** What files of Weir's write for a time: `30 seconds`. */
export const spanPattern = /^\d+(?:\.\d+)? (?:millis|seconds?|minutes?|hours?|days?)$/u
/** `30 seconds` in the file, a `Duration` in the program. */
export const span = (fallback: string, description: string) =>
  Schema.String.check(
    Schema.isPattern(spanPattern),
  ).annotate({ expected: time, description, default: fallback }).pipe(
    Schema.decodeTo(
      Schema.Duration,
      SchemaTransformation.transform({
        decode: (text: string) => Duration.fromInputUnsafe(text as Duration.Input),
        encode: (duration) => `${Duration.toMillis(duration)} millis`,
      }),
    ),
    Schema.withDecodingDefaultKey(Effect.succeed(fallback)),
  )

/** May be left out: then it is `fallback`, and the published schema says so. */
export const optional = <S extends Schema.Top>(schema: S, fallback: S["Rebuild"]["Encoded"], description: string) =>
  Schema.withDecodingDefaultKey<S["Rebuild"]>(Effect.succeed(fallback))(
    schema.annotate({ description, default: fallback }),
  )

/** May be left out, and has no default. */
export const absent = <S extends Schema.Top>(schema: S, description: string) =>
  Schema.optionalKey(schema.annotate({ description }))

export const regionName = Schema.String.check(Schema.isPattern(/^[a-z][a-z0-9-]{0,31}$/u)).annotate({
  expected: "a name of 1 to 32 of a-z, 0-9 and -, a letter first",
})

export const day = Schema.String.check(Schema.isPattern(/^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/u)).annotate(
  {
    expected: "a day like 2026-12-31",
  },
)

/** Hour of the day in UTC. */
export const hour = (fallback: number, description: string) =>
  optional(
    Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 23 })).annotate({ expected: "an hour, 0 to 23" }),
    fallback,
    description,
  )

/**
 * How long something stays in the ledger: 62 days at least, because a month must not leave before its proofs, corrections
 * and late events are through.
 */
export const kept = (fallback: string, description: string) =>
  Schema.String.check(
    Schema.isPattern(/^(?:0|6[2-9]|[7-9]\d|[1-9]\d{2,4}) days$/u),
  ).annotate({
    expected: "a number of days, at least 62, like 400 days; or 0 days",
    description: `${description} In days, at least 62. \`0 days\`: for ever.`,
    default: fallback,
  }).pipe(
    Schema.decodeTo(
      Schema.Duration,
      SchemaTransformation.transform({
        decode: (text: string) => Duration.days(Number(text.split(" ")[0])),
        encode: (duration) => `${Duration.toDays(duration)} days`,
      }),
    ),
    Schema.withDecodingDefaultKey(Effect.succeed(fallback)),
  )
