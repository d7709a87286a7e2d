/**
 * JSON Web Tokens (RFC 7519) signed with RS256 or ES256 (RFC 7518), checked with the platform's own cryptography
 * (Web Crypto). Only what an access token needs: no encryption, no `none`, no symmetric keys, no key from the token itself.
 */
import { Effect, Option, Schema } from "effect"
import { Buffer } from "node:buffer"

/** A longer one is somebody's mistake. Characters. */
export const MAX_TOKEN = 8_192
/** Clocks of two machines differ. Seconds. */
export const SKEW_SECONDS = 60

const algorithms = {
  RS256: { kty: "RSA", name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  ES256: { kty: "EC", name: "ECDSA", hash: "SHA-256", namedCurve: "P-256" },
} as const
type Algorithm = keyof typeof algorithms

/** Shorter RSA keys are refused (RFC 7518, 3.3): 2048 bits, in characters of base64url. */
const MIN_MODULUS = 342

/** A public key as issuers publish it (RFC 7517). */
export const Jwk = Schema.Struct({
  kty: Schema.String,
  kid: Schema.optionalKey(Schema.String),
  alg: Schema.optionalKey(Schema.String),
  use: Schema.optionalKey(Schema.String),
  n: Schema.optionalKey(Schema.String),
  e: Schema.optionalKey(Schema.String),
  crv: Schema.optionalKey(Schema.String),
  x: Schema.optionalKey(Schema.String),
  y: Schema.optionalKey(Schema.String),
})
export type Jwk = typeof Jwk.Type

const Header = Schema.fromJsonString(Schema.Struct({
  alg: Schema.Literals(["RS256", "ES256"]),
  kid: Schema.optionalKey(Schema.String),
  /** Extensions that must be understood: none is. */
  crit: Schema.optionalKey(Schema.Never),
}))
const Claims = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown))

export interface UnverifiedJwt {
  readonly algorithm: Algorithm
  readonly kid: string | undefined
  readonly claims: Readonly<Record<string, unknown>>
  readonly signed: Uint8Array<ArrayBuffer>
  readonly signature: Uint8Array<ArrayBuffer>
}

const decodeHeader = Schema.decodeUnknownOption(Header)
const decodeClaims = Schema.decodeUnknownOption(Claims)
const textOf = (part: string): string => Buffer.from(part, "base64url").toString("utf8")

/** The parts of a token; null: it is none. */
export const parse = (token: string): UnverifiedJwt | null => {
  const found = token.length > MAX_TOKEN ? null : /^([\w-]+)\.([\w-]+)\.([\w-]+)$/u.exec(token)
  if (found === null) return null
  const [, head = "", body = "", signature = ""] = found
  const header = decodeHeader(textOf(head))
  const claims = decodeClaims(textOf(body))
  return Option.isNone(header) || Option.isNone(claims) ? null : {
    algorithm: header.value.alg,
    kid: header.value.kid,
    claims: claims.value,
    signed: new Uint8Array(Buffer.from(`${head}.${body}`)),
    signature: new Uint8Array(Buffer.from(signature, "base64url")),
  }
}

/** The keys that may have signed it: the one that it names, else all of its kind. */
export const candidates = ({ algorithm, kid }: UnverifiedJwt, keys: ReadonlyArray<Jwk>): ReadonlyArray<Jwk> =>
  keys.filter((key) =>
    key.kty === algorithms[algorithm].kty &&
    (key.alg === undefined || key.alg === algorithm) &&
    (key.use === undefined || key.use === "sig") &&
    (key.kty === "RSA" ? (key.n?.length ?? 0) >= MIN_MODULUS : key.crv === "P-256") &&
    (kid === undefined || key.kid === kid)
  )

/** Whether `key` signed it. A key that is none signed nothing. */
export const isSignedBy = ({ algorithm, signature, signed }: UnverifiedJwt, key: Jwk): Effect.Effect<boolean> => {
  const { kty: _, ...parameters } = algorithms[algorithm]
  const { crv, e, kty, n, x, y } = key
  const jwk = kty === "RSA" ? { kty, n, e } : { kty, crv, x, y }
  return Effect.tryPromise(async () => {
    const imported = await crypto.subtle.importKey("jwk", jwk as JsonWebKey, parameters, false, ["verify"])
    return await crypto.subtle.verify(parameters, imported, signature, signed)
  }).pipe(Effect.orElseSucceed(() => false))
}

/** Why the claims are not good now, or null. Times as RFC 7519 has them: seconds. */
export const complaint = (
  claims: UnverifiedJwt["claims"],
  expected: { readonly issuer: string; readonly audience: string },
  nowSeconds: number,
): string | null => {
  const { aud, exp, iat, iss, nbf, sub } = claims
  if (iss !== expected.issuer) return "another issuer"
  if (aud !== expected.audience && !(Array.isArray(aud) && aud.includes(expected.audience))) return "another audience"
  if (typeof exp !== "number" || exp + SKEW_SECONDS <= nowSeconds) return "over"
  if (nbf !== undefined && !(typeof nbf === "number" && nbf - SKEW_SECONDS <= nowSeconds)) return "not yet good"
  if (iat !== undefined && !(typeof iat === "number" && iat - SKEW_SECONDS <= nowSeconds)) return "from the future"
  return typeof sub === "string" && sub !== "" ? null : "nobody's"
}
