/**
 * The issuer's public keys (RFC 7517), from a URL or a file. Kept for a while and read again when a token names a key that
 * is not among them: issuers rotate their keys, and strangers name keys that do not exist.
 *
 *     none ──read──► fresh ──(KEEP)──► stale ──read──► fresh
 *                      └── unknown key, at most once in PAUSE ──► read
 *
 * A source that does not answer leaves the keys as they are.
 */
import { Clock, Duration, Effect, Schema, Semaphore } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import { readFile } from "node:fs/promises"
import { Unavailable } from "../operate/Problem.ts"
import { Jwk } from "./jwt.ts"

export type JwksSource = { readonly url: string } | { readonly file: string }

/** How long keys count as fresh: a file is read again sooner, it costs nothing. */
const KEEP = { url: Duration.toMillis(Duration.minutes(10)), file: Duration.toMillis(Duration.minutes(1)) }
/** Shortest time between two readings. */
const PAUSE = Duration.toMillis(Duration.seconds(15))
const TIMEOUT = "5 seconds"
const MAX_BYTES = 262_144
const MAX_KEYS = 100

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Struct({
  // A key of a kind that is not known yet must not hide the others.
  keys: Schema.Array(Schema.Union([Jwk, Schema.Unknown])).check(Schema.isMaxLength(MAX_KEYS)),
})))
const isJwk = Schema.is(Jwk)

const textOf = (source: JwksSource): Effect.Effect<string, { readonly message: string }> =>
  "file" in source
    ? Effect.tryPromise((signal) => readFile(source.file, { encoding: "utf8", signal }))
    : HttpClient.get(source.url).pipe(
      Effect.flatMap((response) =>
        response.status === 200 ? response.text : Effect.fail({ message: `it answers ${response.status}` })
      ),
      Effect.provide(FetchHttpClient.layer),
      // Whoever can redirect could point at other keys.
      Effect.provideService(FetchHttpClient.RequestInit, { redirect: "error" }),
    )

const read = (source: JwksSource): Effect.Effect<ReadonlyArray<Jwk>, { readonly message: string }> =>
  textOf(source).pipe(
    Effect.timeout(TIMEOUT),
    Effect.filterOrFail((text) => text.length <= MAX_BYTES, () => ({ message: `more than ${MAX_BYTES} bytes` })),
    Effect.flatMap(decode),
    Effect.map(({ keys }) => keys.filter(isJwk)),
  )

export interface Jwks {
  /** The keys, read anew when they are stale or when none is `wanted`. */
  readonly keys: (wanted: (keys: ReadonlyArray<Jwk>) => boolean) => Effect.Effect<ReadonlyArray<Jwk>, Unavailable>
}

export const makeJwks = (source: JwksSource): Jwks => {
  const keep = "file" in source ? KEEP.file : KEEP.url
  const one = Semaphore.makeUnsafe(1)
  let known: ReadonlyArray<Jwk> | null = null
  let readAtMillis = -Infinity
  let triedAtMillis = -Infinity

  const refresh = Effect.gen(function* () {
    triedAtMillis = yield* Clock.currentTimeMillis
    known = yield* read(source)
    readAtMillis = triedAtMillis
  }).pipe(
    Effect.catch((error) => Effect.logWarning(`the issuer's keys cannot be read: ${error.message}`)),
  )

  return {
    keys: Effect.fnUntraced(function* (wanted) {
      const now = yield* Clock.currentTimeMillis
      const due = now - readAtMillis >= keep || known === null || !wanted(known)
      if (due && now - triedAtMillis >= PAUSE) yield* refresh
      if (known === null) return yield* new Unavailable({ detail: "The issuer's keys cannot be read now." })
      return known
    }, one.withPermit),
  }
}
