/** Who may use the API and the command line of a running service: the part `access` of `weir.json`. */
import { Schema } from "effect"
import { optional } from "./fields.ts"

/** The same as `operate/Caller.ts` has; what is configured depends on nothing else. */
const Role = Schema.Literals(["viewer", "operator", "approver", "admin"])

const jwksUrl = "a URL like https://id.example.com/keys; http only for this machine"

export const Oidc = Schema.Struct({
  issuer: Schema.NonEmptyString.annotate({ description: "The issuer, exactly as its tokens have it in `iss`." }),
  audience: Schema.NonEmptyString.annotate({ description: "What tokens for Weir have in `aud`." }),
  jwks: Schema.Union([
    Schema.Struct({
      url: Schema.String.check(
        Schema.isPattern(
          /^(?:https:\/\/[^\s/@]+|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?)(?:\/[^\s@]*)?$/u,
        ),
      ).annotate({ expected: jwksUrl, description: "Where the issuer publishes its keys." }),
    }),
    Schema.Struct({ file: Schema.NonEmptyString.annotate({ description: "File with the issuer's keys." }) }),
  ]).annotate({
    expected: 'where the issuer\'s keys are, {"url": "https://…"} or {"file": "/path"}',
    description: "The issuer's public keys (JWKS), read again when it rotates them.",
  }),
  nameClaim: optional(
    Schema.NonEmptyString,
    "sub",
    "Claim with the name that the audit trail shows. Two names are two persons: use the one that tokens have as owner.",
  ),
  roleClaim: optional(
    Schema.NonEmptyString,
    "roles",
    "Claim with the issuer's roles, a list or a text with blanks; dots go deeper: `realm_access.roles`.",
  ),
  roles: optional(
    Schema.Record(Schema.NonEmptyString, Role.annotate({ expected: "one of viewer, operator, approver, admin" })),
    {},
    "Weir's role by the issuer's. Whoever has none of them may do nothing.",
  ),
  entityClaim: Schema.optionalKey(
    Schema.NonEmptyString.annotate({
      description: "Claim with the codes of the legal entities, `*` for all. Left out: all.",
    }),
  ),
}).annotate({ description: "An OpenID Connect issuer whose access tokens (RS256, ES256) are taken." })
export type OidcSettings = typeof Oidc.Type

export const AccessSection = Schema.Struct({
  local: optional(
    Schema.Array(Role).annotate({ expected: "a list of viewer, operator, approver, admin" }),
    ["viewer", "operator", "approver", "admin"],
    "Roles of callers on this machine that send no credential; an empty list: they need one too.",
  ),
  oidc: Schema.optionalKey(Oidc),
  callsPerMinute: optional(
    Schema.Int.check(Schema.isGreaterThan(0)).annotate({ expected: "a whole number above 0" }),
    600,
    "Most calls of one caller in a minute, 1 or more; a tenth of them at once.",
  ),
})
export type AccessSettings = typeof AccessSection.Type
