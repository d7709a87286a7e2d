/**
 * API tokens: `weir_<id>_<secret>`. The secret is random, shown once, and kept as its SHA-256 only: with 256 bits of
 * randomness there is nothing to guess, so that no slow hash is needed and a token costs no time to check.
 */
import { Clock, Context, Duration, Effect, Layer, Schema } from "effect"
import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import { EntityCode } from "../../schemas/ids.ts"
import { Roster } from "../actor/Roster.ts"
import { Access, type TokenRecord } from "../ledger/Access.ts"
import { Admission } from "./Admission.ts"
import { asked } from "./asked.ts"
import { type CallerIdentity, Role } from "./Caller.ts"
import { cursor, limitOf, pageOf, pageQuery } from "./Page.ts"
import { type Forbidden, Invalid, type Malformed, NotFound, type Unavailable } from "./Problem.ts"

const ID_LENGTH = 12
const SECRET_BYTES = 32
const ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
const DEFAULT_DAYS = 90
/** A token that never ends is one that nobody thinks of any more. */
const MAX_DAYS = 366

export const TokenRequest = Schema.Struct({
  /** A person or a program. */
  owner: Schema.String.check(Schema.isPattern(/^[^\s\p{C}](?:[^\p{C}]{0,98}[^\s\p{C}])?$/u)).annotate({
    description:
      "Whose it is: the name in the audit trail, 1 to 100 characters. Two tokens of one owner are one person",
  }),
  roles: Schema.Array(Role).check(Schema.isMinLength(1), Schema.isMaxLength(4)),
  /** Left out: all of them. */
  entities: Schema.optionalKey(Schema.Array(EntityCode).check(Schema.isMinLength(1), Schema.isMaxLength(1_000))),
  days: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MAX_DAYS })).annotate({
      description: `Days until it ends, 1 to ${MAX_DAYS}. Default ${DEFAULT_DAYS}`,
    }),
  ),
}).annotate({ identifier: "TokenRequest" })
export type TokenRequest = typeof TokenRequest.Type

const fields = {
  id: Schema.String,
  owner: Schema.String,
  roles: Schema.Array(Schema.String),
  /** Null: all. */
  entities: Schema.NullOr(Schema.Array(Schema.String)),
  createdBy: Schema.String,
  createdAtMillis: Schema.Int,
  expiresAtMillis: Schema.Int,
}
export const TokenView = Schema.Struct({
  ...fields,
  revokedAtMillis: Schema.NullOr(Schema.Int),
  revokedBy: Schema.NullOr(Schema.String),
  /** To the minute. */
  lastUsedAtMillis: Schema.NullOr(Schema.Int),
}).annotate({ identifier: "Token" })
export type TokenView = typeof TokenView.Type

export const IssuedToken = Schema.Struct({
  ...fields,
  /** The token itself. Shown this once. */
  token: Schema.String,
}).annotate({ identifier: "IssuedToken" })
export type IssuedToken = typeof IssuedToken.Type

export const TokenQuery = pageQuery
const Query = Schema.Struct(TokenQuery)
export const TokenPage = pageOf(TokenView)

export const TokenRevoked = Schema.Struct({ id: Schema.String, revoked: Schema.Boolean }).annotate({
  identifier: "TokenRevoked",
})

const place = cursor(Schema.Struct({ id: Schema.String }))
const digest = (secret: string): string => createHash("sha256").update(secret).digest("hex")

const randomId = (): string => [...randomBytes(ID_LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length]).join("")

const viewOf = ({ hash: _, ...token }: TokenRecord): TokenView => token

/** The parts of a token as it is sent; null: it is none of ours. */
export const parseToken = (token: string): { readonly id: string; readonly secret: string } | null => {
  const found = /^weir_([a-z0-9]{12})_([A-Za-z0-9_-]{43})$/u.exec(token)
  return found === null ? null : { id: found[1]!, secret: found[2]! }
}

/** Whether `secret` is the one that `record` was made with, in the same time whatever differs. */
export const isSecretOf = (secret: string, { hash }: Pick<TokenRecord, "hash">): boolean => {
  const [given, kept] = [Buffer.from(digest(secret), "hex"), Buffer.from(hash, "hex")]
  return given.length === kept.length && timingSafeEqual(given, kept)
}

export class Tokens extends Context.Service<Tokens, {
  readonly create: (
    caller: CallerIdentity,
    request: TokenRequest,
  ) => Effect.Effect<IssuedToken, Forbidden | NotFound | Invalid | Unavailable>
  readonly list: (
    caller: CallerIdentity,
    query: typeof Query.Type,
  ) => Effect.Effect<typeof TokenPage.Type, Forbidden | NotFound | Malformed | Unavailable>
  /** Ends it at once. `revoked` is false when it had ended before. */
  readonly revoke: (
    caller: CallerIdentity,
    id: string,
  ) => Effect.Effect<typeof TokenRevoked.Type, Forbidden | NotFound | Unavailable>
}>()("weir/operate/Tokens") {}

export const layer = Layer.effect(
  Tokens,
  Effect.gen(function* () {
    const access = yield* Access
    const admission = yield* Admission
    const roster = yield* Roster

    return Tokens.of({
      create: Effect.fnUntraced(function* (caller, { days = DEFAULT_DAYS, entities = null, owner, roles }) {
        const id = randomId()
        yield* admission.enter(caller, "tokens.create", null, {
          token: id,
          owner,
          roles: roles.join(" "),
          entities: entities?.join(" ") ?? "all",
          days,
        })
        const unknown = entities?.filter((entity) => !roster.entities.has(entity)) ?? []
        if (unknown.length > 0) {
          return yield* new Invalid({ detail: `Not in the configuration: ${unknown.join(", ")}.` })
        }
        const secret = randomBytes(SECRET_BYTES).toString("base64url")
        const createdAtMillis = yield* Clock.currentTimeMillis
        const token = {
          id,
          owner,
          roles: [...new Set(roles)],
          entities,
          createdBy: caller.name,
          createdAtMillis,
          expiresAtMillis: createdAtMillis + Duration.toMillis(Duration.days(days)),
        }
        yield* access.issue({ ...token, hash: digest(secret) }).pipe(asked)
        return { ...token, token: `weir_${id}_${secret}` }
      }),

      list: Effect.fnUntraced(function* (caller, query) {
        yield* admission.enter(caller, "tokens.list", null)
        const after = yield* place.read(query)
        const limit = limitOf(query)
        const found = yield* access.tokens({ after: after?.id ?? "", limit: limit + 1 }).pipe(asked)
        const items = found.slice(0, limit).map(viewOf)
        const last = items.at(-1)
        return { items, next: found.length > limit && last !== undefined ? place.of(last) : null }
      }),

      revoke: Effect.fnUntraced(function* (caller, id) {
        yield* admission.enter(caller, "tokens.revoke", null, { token: id })
        if ((yield* access.token(id).pipe(asked)) === null) {
          return yield* new NotFound({ detail: `There is no token ${id}. weir token list shows them all.` })
        }
        return { id, revoked: yield* access.revoke(id, caller.name).pipe(asked) }
      }),
    })
  }),
)
