/** Callers whom an OpenID Connect issuer vouches for: its access tokens, and which of its roles are ours. */
import { Clock, Context, Effect, Layer } from "effect"
import type { OidcSettings } from "../config/access.ts"
import type { CallerIdentity } from "../operate/Caller.ts"
import { Unauthenticated, type Unavailable } from "../operate/Problem.ts"
import { makeJwks } from "./Jwks.ts"
import { candidates, complaint, isSignedBy, parse, type UnverifiedJwt } from "./jwt.ts"

export class Oidc extends Context.Service<Oidc, {
  readonly identify: (token: string) => Effect.Effect<CallerIdentity, Unauthenticated | Unavailable>
}>()("weir/identity/Oidc") {}

/** Says no more than that: why a token is not good is for the log. */
const refused = new Unauthenticated({ detail: "The credential is not good, or is over. Get a new one." })

/** The value at `realm_access.roles`. */
const at = (claims: UnverifiedJwt["claims"], path: string): unknown =>
  path.split(".").reduce<unknown>(
    (value, name) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, name)
        ? (value as Readonly<Record<string, unknown>>)[name]
        : undefined,
    claims,
  )

/** A list of texts; a text is a list by its blanks, as `scope` is. */
const listOf = (value: unknown): ReadonlyArray<string> =>
  typeof value === "string"
    ? value.split(" ").filter((one) => one !== "")
    : Array.isArray(value)
    ? value.filter((one) => typeof one === "string")
    : []

const callerOf = (settings: OidcSettings, claims: UnverifiedJwt["claims"]): CallerIdentity => {
  const subject = String(claims["sub"])
  const named = at(claims, settings.nameClaim)
  const given = new Set(listOf(at(claims, settings.roleClaim)))
  const entities = settings.entityClaim === undefined ? null : listOf(at(claims, settings.entityClaim))
  return {
    name: (typeof named === "string" && named !== "" ? named : subject).slice(0, 100),
    by: "oidc",
    id: `oidc:${subject}`.slice(0, 200),
    roles: [...new Set(Object.entries(settings.roles).filter(([theirs]) => given.has(theirs)).map(([, ours]) => ours))],
    entities: entities === null || entities.includes("*") ? null : entities,
  }
}

const make = (settings: OidcSettings): typeof Oidc.Service => {
  const jwks = makeJwks(settings.jwks)
  return {
    identify: Effect.fnUntraced(function* (token) {
      const jwt = parse(token)
      if (jwt === null) return yield* refused
      const now = yield* Clock.currentTimeMillis
      const wrong = complaint(jwt.claims, settings, now / 1_000)
      if (wrong !== null) {
        yield* Effect.logInfo(`a token of the issuer is refused: ${wrong}`)
        return yield* refused
      }
      const keys = candidates(jwt, yield* jwks.keys((keys) => candidates(jwt, keys).length > 0))
      for (const key of keys) if (yield* isSignedBy(jwt, key)) return callerOf(settings, jwt.claims)
      yield* Effect.logInfo("a token of the issuer is refused: none of its keys signed it")
      return yield* refused
    }),
  }
}

/** Without settings nobody is vouched for. */
export const layer = (settings: OidcSettings | undefined): Layer.Layer<Oidc> =>
  Layer.sync(Oidc, () => settings === undefined ? { identify: () => Effect.fail(refused) } : make(settings))
