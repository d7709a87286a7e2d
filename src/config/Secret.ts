/**
 * Secrets are named in the configuration, never written there: `{"env": "NAME"}` or `{"file": "/path"}`. They are read
 * anew at every `resolve`, so a rotated key or password counts without a restart.
 */
import { Context, Effect, Redacted, Schema } from "effect"
import { readFile } from "node:fs/promises"

/** Where environment variables come from: the process, or a record in tests. */
export const Environment = Context.Reference<Readonly<Record<string, string | undefined>>>("weir/config/Environment", {
  defaultValue: () => process.env,
})

/** A secret longer than this is somebody's mistake (a whole archive, a device). Bytes. */
export const MAX_SECRET_BYTES = 65_536

const expected =
  'a reference to the secret, {"env": "NAME"} or {"file": "/path"}: secrets are never written in the file'

export const Secret = Schema.Union([
  Schema.Struct({ env: Schema.String.check(Schema.isPattern(/^[A-Za-z_][A-Za-z0-9_]*$/u)) }),
  Schema.Struct({ file: Schema.NonEmptyString }),
]).annotate({ identifier: "Secret", description: expected, expected })
export type Secret = typeof Secret.Type

/** The secret is not where the configuration points. Configuration: put it there; `resolve` then finds it. */
export class SecretMissing extends Schema.TaggedError<SecretMissing>()("SecretMissing", {
  /** Where it was looked for, `environment variable NAME` or `file PATH`. Never the value. */
  place: Schema.String,
  message: Schema.String,
}) {}

const missing = (place: string, problem: string) =>
  new SecretMissing({ place, message: `${place} ${problem}. Put the secret there: it is read again at the next try.` })

const fromFile = (path: string): Effect.Effect<Redacted.Redacted, SecretMissing> =>
  Effect.tryPromise({
    try: (signal) => readFile(path, { signal }),
    catch: () => missing(`file ${path}`, "cannot be read"),
  }).pipe(Effect.flatMap((bytes) => {
    // Editors and `echo` end a file with a line break that is not part of the secret.
    const text = bytes.toString("utf8").replace(/\r?\n$/u, "")
    if (bytes.length > MAX_SECRET_BYTES) return missing(`file ${path}`, `is larger than ${MAX_SECRET_BYTES} bytes`)
    return text === "" ? missing(`file ${path}`, "is empty") : Effect.succeed(Redacted.make(text))
  }))

/** The secret as it is now. Read anew each time: rotate by changing the file or the variable. */
export const resolve = (secret: Secret): Effect.Effect<Redacted.Redacted, SecretMissing> =>
  "file" in secret ? fromFile(secret.file) : Effect.flatMap(Environment, (environment) => {
    const text = environment[secret.env]
    return text === undefined || text === ""
      ? missing(`environment variable ${secret.env}`, "is not set")
      : Effect.succeed(Redacted.make(text))
  })

/** Where `secret` is to be found, for messages. */
export const placeOf = (secret: Secret): string =>
  "file" in secret ? `file ${secret.file}` : `environment variable ${secret.env}`
