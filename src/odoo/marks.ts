/**
 * What an Odoo is for, as it says itself: a contact tag named `weir: production`, `weir: staging` or `weir: test`
 * (Contacts, Configuration, Contact Tags). A tag, because system parameters, where one would look for it, are closed to
 * everybody but administrators, and Weir's user is none; every user reads tags, and a copy of the database has the tag of
 * its original, which is what the guard is for.
 */
import { Effect, Schema } from "effect"
import { type EnvironmentName, environments } from "../config/Configuration.ts"
import type { Odoo, OdooError } from "./Odoo.ts"

const tagOf = (environment: EnvironmentName): string => `weir: ${environment}`
const Tags = Schema.Array(Schema.Struct({ name: Schema.String }))

/** Environments that the Odoo is marked as; more than one contradict each other, none: it is not marked. */
export const marksOf = (
  odoo: Odoo["Service"],
  database: string,
): Effect.Effect<ReadonlyArray<EnvironmentName>, OdooError | Schema.SchemaError> =>
  odoo.call({
    database,
    model: "res.partner.category",
    method: "search_read",
    args: { domain: [["name", "in", environments.map(tagOf)]], fields: ["name"], limit: 100 },
  }).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Tags)),
    Effect.map((tags) => environments.filter((one) => tags.some(({ name }) => name === tagOf(one)))),
  )

/**
 * Whether a configuration for `mine` (undefined: it does not say) may not work on what is marked as `theirs`. What is not
 * marked may be worked on; a configuration that does not say what it is for keeps away from production.
 */
export const contradicts = (mine: EnvironmentName | undefined, theirs: string | null): boolean =>
  theirs !== null && theirs !== mine && (mine !== undefined || theirs === "production")

const wordOf = (mine: EnvironmentName | undefined): string =>
  mine === undefined ? "does not say what it is for (environment)" : `is for ${mine}`

/** What is wrong with the Odoo `name` for a configuration for `mine`, and what to do; null: nothing. */
export const odooProblem = (
  name: string,
  mine: EnvironmentName | undefined,
  theirs: ReadonlyArray<EnvironmentName>,
): string | null => {
  const other = theirs.find((one) => contradicts(mine, one))
  return other === undefined ? null : `Odoo ${name} is marked ${other} by its contact tag "${tagOf(other)}", and the ` +
    `configuration ${
      wordOf(mine)
    }. Point databases.${name} at another Odoo; if that one is a copy, rename the tag in it ` +
    "(Contacts, Configuration, Contact Tags)."
}

/** The same of the ledger. */
export const ledgerProblem = (
  mine: EnvironmentName | undefined,
  theirs: { readonly environment: string; readonly by: string; readonly atMillis: number } | null,
): string | null =>
  theirs === null || !contradicts(mine, theirs.environment)
    ? null
    : `The ledger was marked ${theirs.environment} by ${theirs.by} on ${
      new Date(theirs.atMillis).toISOString().slice(0, 10)
    }, and the configuration ${
      wordOf(mine)
    }. Point postgres.url at another database; if that one is a copy, say so in ` +
      "it: update weir.environment set environment = 'staging'."
