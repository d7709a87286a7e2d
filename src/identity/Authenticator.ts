/**
 * From a request to a caller. Three ways, and no fourth:
 *
 *     Authorization: Bearer weir_…      an API token of this installation
 *     Authorization: Bearer <JWT>       a token of the configured OpenID Connect issuer
 *     nothing, from this machine        a local caller, unless the configuration says otherwise
 *
 * Without tokens and without an issuer only this machine is served, wherever the service listens.
 */
import { Clock, Context, Effect, Layer, Option } from "effect"
import type { HttpServerRequest } from "effect/http"
import type { AccessSettings } from "../config/access.ts"
import { Access } from "../ledger/Access.ts"
import { asked } from "../operate/asked.ts"
import { type CallerIdentity, type Role, roles as allRoles } from "../operate/Caller.ts"
import { Unauthenticated, type Unavailable } from "../operate/Problem.ts"
import { isSecretOf, parseToken } from "../operate/Tokens.ts"
import { isLocal } from "./local.ts"
import { Oidc } from "./Oidc.ts"

/** What of a request tells who sent it. */
export type Evidence = Pick<HttpServerRequest.HttpServerRequest, "headers" | "remoteAddress">

export class Authenticator extends Context.Service<Authenticator, {
  /** `credential`: what stands behind `Bearer`, empty without. */
  readonly identify: (
    request: Evidence,
    credential: string,
  ) => Effect.Effect<CallerIdentity, Unauthenticated | Unavailable>
}>()("weir/identity/Authenticator") {}

/** Who a local caller says it is: percent-encoded, 1 to 100 characters. */
export const ACTOR_HEADER = "x-weir-actor"
const MAX_NAME = 100
const ANONYMOUS = "local"

const actorOf = ({ headers }: Evidence): string => {
  try {
    const name = decodeURIComponent(headers[ACTOR_HEADER] ?? "").replaceAll(/\p{C}/gu, "").trim()
    return name === "" ? ANONYMOUS : name.slice(0, MAX_NAME)
  } catch {
    return ANONYMOUS
  }
}

const localCaller = (name: string, roles: ReadonlyArray<Role>): CallerIdentity => ({
  name,
  by: "local",
  id: `local:${name}`,
  roles,
  entities: null,
})

const isRole = (role: string): role is Role => allRoles.some((known) => known === role)
const refused = new Unauthenticated({ detail: "The credential is not good, or is over. Get a new one." })

export const layer = ({ local }: Pick<AccessSettings, "local">) =>
  Layer.effect(
    Authenticator,
    Effect.gen(function* () {
      const access = yield* Access
      const oidc = yield* Oidc

      const byToken = Effect.fnUntraced(function* (id: string, secret: string) {
        const token = yield* access.token(id).pipe(asked)
        const now = yield* Clock.currentTimeMillis
        if (token === null || !isSecretOf(secret, token)) return yield* refused
        if (token.revokedAtMillis !== null || token.expiresAtMillis <= now) return yield* refused
        yield* access.used(id).pipe(asked)
        const { entities, owner, roles } = token
        return { name: owner, by: "token", id: `token:${id}`, roles: roles.filter(isRole), entities } as const
      })

      return Authenticator.of({
        identify: Effect.fnUntraced(function* (request, credential) {
          const token = parseToken(credential)
          if (token !== null) return yield* byToken(token.id, token.secret)
          if (credential !== "") return yield* oidc.identify(credential)
          // A header that is there and holds no bearer credential was meant to be one.
          if (request.headers["authorization"] !== undefined) return yield* refused
          if (local.length > 0 && isLocal(Option.getOrElse(request.remoteAddress, () => ""), request.headers)) {
            return localCaller(actorOf(request), local)
          }
          return yield* new Unauthenticated({
            detail: "Send Authorization: Bearer <token>; weir token create makes one. Only this machine needs none.",
          })
        }),
      })
    }),
  )

/** Whoever can make this layer holds the ledger's password anyhow: the command line without a service. */
export const trusting = (name: string): Layer.Layer<Authenticator> =>
  Layer.succeed(Authenticator, { identify: () => Effect.succeed(localCaller(name, allRoles)) })
