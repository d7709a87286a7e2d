/**
 * The contract of the `Odoo` port over a real Odoo 19: `ODOO_URL`, `ODOO_DB`, `ODOO_API_KEY` (the technical user's) and
 * `ODOO_API_KEY_LOW` (a user who may not read invoices). How to get one: `docs/live-odoo.md`. Each run leaves its records
 * there, under an entity code of its own.
 */
import process from "node:process"
import { Effect, Layer, Redacted } from "effect"
import * as Json2Odoo from "../../src/odoo/Json2Odoo.ts"
import { Odoo } from "../../src/odoo/Odoo.ts"
import { odooSuite } from "../odoo/Odoo.suite.ts"

const variable = (name: string): string => {
  const value = process.env[name]
  if (value !== undefined && value !== "") return value
  throw new Error(
    `${name} is not set. The live suite needs a real Odoo 19: see docs/live-odoo.md, or eval "$(deploy/odoo/up)".`,
  )
}

const url = new URL(variable("ODOO_URL"))
const database = variable("ODOO_DB")
const keys = { odoo: variable("ODOO_API_KEY"), low: variable("ODOO_API_KEY_LOW"), wrongKey: "0".repeat(40) }

odooSuite(
  `Odoo at ${url.host}`,
  Effect.gen(function* () {
    const over = (key: string) => {
      const databases = new Map([["main", { url, database, key: Effect.succeed(Redacted.make(key)) }]])
      return Effect.map(
        Layer.build(Json2Odoo.layer({ databases, version: "live-suite" })),
        (context) => Effect.runSync(Odoo.pipe(Effect.provideContext(context))),
      )
    }
    return { odoo: yield* over(keys.odoo), low: yield* over(keys.low), wrongKey: yield* over(keys.wrongKey) }
  }),
)
