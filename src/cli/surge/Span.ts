/** Files that people write for `weir surge`: times like `30 seconds`, and what is said when a file is not as it must be. */
import { Duration, Effect, Schema, SchemaTransformation } from "effect"
import { readFile } from "node:fs/promises"
import { spanPattern } from "../../config/fields.ts"
import { CommandFailed, exitCodes } from "../Failure.ts"

export const Span = Schema.String.check(
  Schema.isPattern(spanPattern, { message: "must be a number and a unit, like 500 millis, 30 seconds or 5 minutes" }),
).pipe(
  Schema.decodeTo(
    Schema.Duration,
    SchemaTransformation.transform({
      decode: (text: string) => Duration.fromInputUnsafe(text as Duration.Input),
      encode: (duration) => `${Duration.toMillis(duration)} millis`,
    }),
  ),
)

/** Most characters of what is wrong with a file: another kind of file has everything wrong. */
const MOST_COMPLAINTS = 400

const complaint = (text: string): string => {
  const line = text.replaceAll(/\s+/gu, " ")
  return line.length > MOST_COMPLAINTS ? `${line.slice(0, MOST_COMPLAINTS)} …` : line
}

/** Reads a JSON file against `schema`; unknown fields are refused, because they are misspelt ones. */
export const readJson = <S extends Schema.Codec<unknown, unknown>>(
  path: string,
  schema: S,
): Effect.Effect<S["Type"], CommandFailed> =>
  Effect.tryPromise(() => readFile(path, "utf8")).pipe(
    Effect.mapError(() => `cannot be read`),
    Effect.flatMap((text) =>
      Schema.decodeUnknownEffect(Schema.fromJsonString(schema), { errors: "all", onExcessProperty: "error" })(text)
        .pipe(Effect.mapError((error) => `is not as it must be: ${complaint(error.message)}`))
    ),
    Effect.mapError((problem) => new CommandFailed({ exit: exitCodes.usage, message: `${path} ${problem}` })),
  )
