/**
 * What lets Weir into Odoo and people into Weir, and how long it still does: looked at once an hour, told in the metrics,
 * in status, and in the log before it ends, because a key that ends in the night of a month-end stops everything.
 */
import { Clock, Context, Duration, Effect, Layer, Schedule, Schema, SubscriptionRef } from "effect"
import { Live } from "../config/Live.ts"
import { Access, type TokenRecord } from "../ledger/Access.ts"
import { keyStanding } from "../odoo/keys.ts"
import { Odoo } from "../odoo/Odoo.ts"
import { keyGauges, tokenGauge } from "../telemetry/Metrics.ts"

const EVERY = Duration.hours(1)
const DAY = 86_400_000
/** So long before its end a credential is told of, milliseconds. */
export const SOON = 14 * DAY
/** And so long before it is an error. */
const URGENT = 3 * DAY
/** A key that is older should be replaced even if it does not end, milliseconds. */
export const OLD = 365 * DAY
/** Tokens of one page, and most tokens that are looked at. */
const PAGE = 500
const MOST_TOKENS = 10_000
const CONCURRENCY = 4

export const CredentialState = Schema.Literals(["ok", "old", "ending", "ended"])

export const Credential = Schema.Struct({
  /** The API key of an Odoo database, by the database's name; or an API token of Weir, by its id. */
  kind: Schema.Literals(["odoo-key", "token"]),
  name: Schema.String,
  /** Whose it is; empty: Weir's own. */
  owner: Schema.String,
  /** `old`: made more than a year ago. `ending`: within 14 days. */
  state: CredentialState,
  ageDays: Schema.NullOr(Schema.Int),
  /** RFC 3339; null: it does not end. */
  endsAt: Schema.NullOr(Schema.String),
}).annotate({ identifier: "Credential" })
export type Credential = typeof Credential.Type

/** What was found out last; nothing where nobody looks, as in a command that asks the ledger by itself. */
export const Credentials = Context.Reference<{ readonly standing: Effect.Effect<ReadonlyArray<Credential>> }>(
  "weir/operate/Credentials",
  { defaultValue: () => ({ standing: Effect.succeed([]) }) },
)

export const stateOf = (
  nowMillis: number,
  madeAtMillis: number | null,
  endsAtMillis: number | null,
): Credential["state"] => {
  if (endsAtMillis !== null && endsAtMillis <= nowMillis) return "ended"
  if (endsAtMillis !== null && endsAtMillis <= nowMillis + SOON) return "ending"
  return madeAtMillis !== null && madeAtMillis + OLD < nowMillis ? "old" : "ok"
}

export const credentialOf = (
  named: Pick<Credential, "kind" | "name" | "owner">,
  nowMillis: number,
  madeAtMillis: number | null,
  endsAtMillis: number | null,
): Credential => ({
  ...named,
  state: stateOf(nowMillis, madeAtMillis, endsAtMillis),
  ageDays: madeAtMillis === null ? null : Math.max(0, Math.floor((nowMillis - madeAtMillis) / DAY)),
  endsAt: endsAtMillis === null ? null : new Date(endsAtMillis).toISOString(),
})

/** Tokens that still count, or did until a moment ago; those that ended long since are nobody's concern. */
export const tokenCredentials = (tokens: ReadonlyArray<TokenRecord>, nowMillis: number): ReadonlyArray<Credential> =>
  tokens.filter(({ expiresAtMillis, revokedAtMillis }) =>
    revokedAtMillis === null && expiresAtMillis > nowMillis - SOON
  )
    .map(({ createdAtMillis, expiresAtMillis, id, owner }) =>
      credentialOf({ kind: "token", name: id, owner }, nowMillis, createdAtMillis, expiresAtMillis)
    )

/** All tokens, page by page. */
export const allTokens = Effect.fnUntraced(function* (access: typeof Access.Service) {
  const found: Array<TokenRecord> = []
  let after = ""
  while (found.length < MOST_TOKENS) {
    const page = yield* access.tokens({ after, limit: PAGE })
    found.push(...page)
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE) break
    after = last.id
  }
  return found
})

/** What a credential that is not well wants, in words; null: it is well. */
export const adviceOf = ({ ageDays, endsAt, kind, name, owner, state }: Credential): string | null => {
  const what = kind === "token" ? `API token ${name} of ${owner}` : `the API key of Odoo ${name}`
  const mend = kind === "token"
    ? "Make a new one: weir token create."
    : `Make a new key in Odoo and put it where databases.${name}.key points; the old one can go a minute later.`
  switch (state) {
    case "ok":
      return null
    case "old":
      return `${what} is ${ageDays} days old. ${mend}`
    case "ending":
      return `${what} ends on ${endsAt}. ${mend}`
    case "ended":
      return `${what} ended on ${endsAt}. ${mend}`
  }
}

/** Says it in the log, each state of each credential once a day. */
const makeTelling = () => {
  const told = new Map<string, number>()
  return Effect.fnUntraced(function* (credentials: ReadonlyArray<Credential>, nowMillis: number) {
    for (const credential of credentials) {
      const advice = adviceOf(credential)
      const name = `${credential.kind} ${credential.name} ${credential.state}`
      if (advice === null || (told.get(name) ?? -Infinity) > nowMillis - DAY) continue
      told.set(name, nowMillis)
      const urgent = credential.kind === "odoo-key" && credential.endsAt !== null &&
        Date.parse(credential.endsAt) <= nowMillis + URGENT
      yield* urgent ? Effect.logError(advice) : Effect.logWarning(advice)
    }
    for (const [name, atMillis] of told) if (atMillis <= nowMillis - DAY) told.delete(name)
  })
}

/** Looks once an hour for as long as it lives. An Odoo that does not answer keeps what was known of it. */
export const layer = Layer.effect(
  Credentials,
  Effect.gen(function* () {
    const odoo = yield* Odoo
    const access = yield* Access
    const { settings } = yield* Live
    const tell = makeTelling()
    let keys = new Map<string, Credential>()
    let tokens: ReadonlyArray<Credential> = []

    const lookAtKeys = Effect.gen(function* () {
      const names = Object.keys(SubscriptionRef.getUnsafe(settings).databases)
      const found = yield* Effect.forEach(names, (name) =>
        Effect.gen(function* () {
          const { endsAtMillis, madeAtMillis } = yield* keyStanding(odoo, name)
          const now = yield* Clock.currentTimeMillis
          yield* keyGauges(name, {
            ageSeconds: madeAtMillis === null ? null : (now - madeAtMillis) / 1_000,
            remainingSeconds: endsAtMillis === null ? null : (endsAtMillis - now) / 1_000,
          })
          return credentialOf({ kind: "odoo-key", name, owner: "" }, now, madeAtMillis, endsAtMillis)
        }).pipe(
          Effect.tapError(({ message }) =>
            Effect.logDebug(`the age of the key of Odoo ${name} is not known: ${message}`)
          ),
          Effect.orElseSucceed(() => keys.get(name)),
        ), { concurrency: CONCURRENCY })
      keys = new Map(found.flatMap((one) => one === undefined ? [] : [[one.name, one] as const]))
    })
    const lookAtTokens = Effect.gen(function* () {
      tokens = tokenCredentials(yield* allTokens(access), yield* Clock.currentTimeMillis)
      yield* tokenGauge(tokens.filter(({ state }) => state === "ending").length)
    }).pipe(
      Effect.catch(({ message }) => Effect.logDebug(`which tokens end soon is not known: ${message}`)),
    )
    yield* Effect.all([lookAtKeys, lookAtTokens], { discard: true }).pipe(
      Effect.andThen(Clock.currentTimeMillis),
      Effect.flatMap((now) => tell([...keys.values(), ...tokens], now)),
      Effect.repeat(Schedule.spaced(EVERY)),
      Effect.forkScoped,
    )
    return { standing: Effect.sync(() => [...keys.values(), ...tokens]) }
  }),
)
