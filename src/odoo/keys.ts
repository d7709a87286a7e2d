/**
 * How old the API keys of Weir's user in Odoo are, and when they end (`res.users.apikeys`, of which a user reads its own:
 * Odoo 19, `base/models/res_users.py`). Odoo does not tell which one a caller shows: of several the oldest and the first to
 * end count.
 */
import { Effect, Schema } from "effect"
import type { Odoo, OdooError } from "./Odoo.ts"

/** More keys of one user than anybody keeps track of. */
const MOST = 100

const Context = Schema.Struct({ uid: Schema.Int })
const Keys = Schema.Array(Schema.Struct({
  create_date: Schema.Union([Schema.String, Schema.Literal(false)]),
  expiration_date: Schema.Union([Schema.String, Schema.Literal(false)]),
}))

export interface KeyStanding {
  /** How many keys the user has. */
  readonly keys: number
  /** When the oldest one was made; null: Odoo does not say. */
  readonly madeAtMillis: number | null
  /** When the first of them ends; null: none does. */
  readonly endsAtMillis: number | null
}

/** `2026-11-25 22:27:28`, in UTC. */
const millisOf = (moment: string | false): number | null =>
  moment === false ? null : Date.parse(`${moment.replace(" ", "T")}Z`)

const least = (moments: ReadonlyArray<number | null>): number | null =>
  moments.reduce((first, one) => one === null || (first !== null && first <= one) ? first : one, null)

export const keyStanding = (
  odoo: Odoo["Service"],
  database: string,
): Effect.Effect<KeyStanding, OdooError | Schema.SchemaError> =>
  Effect.gen(function* () {
    const { uid } = yield* Effect.flatMap(
      odoo.call({ database, model: "res.users", method: "context_get" }),
      Schema.decodeUnknownEffect(Context),
    )
    const answer = yield* odoo.call({
      database,
      model: "res.users.apikeys",
      method: "search_read",
      args: { domain: [["user_id", "=", uid]], fields: ["create_date", "expiration_date"], limit: MOST },
    })
    const keys = yield* Schema.decodeUnknownEffect(Keys)(answer)
    return {
      keys: keys.length,
      madeAtMillis: least(keys.map(({ create_date }) => millisOf(create_date))),
      endsAtMillis: least(keys.map(({ expiration_date }) => millisOf(expiration_date))),
    }
  })
