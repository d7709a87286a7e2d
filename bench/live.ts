/** The real Odoo 19 of `ODOO_URL`, `ODOO_DB` and `ODOO_API_KEY` (docs/live-odoo.md), and an entity of one's own in it. */
import { Context, Effect, Layer, Redacted } from "effect"
import process from "node:process"
import * as Json2Odoo from "../src/odoo/Json2Odoo.ts"
import { Odoo } from "../src/odoo/Odoo.ts"

/** The Belgian company of `deploy/odoo/up`. */
const COMPANY = 3

const variable = (name: string): string => {
  const value = process.env[name]
  if (value === undefined || value === "") throw new Error(`${name} is not set: see docs/live-odoo.md.`)
  return value
}

/** Each time another entity code, so that what stands there already is not met again. */
export const liveOdoo = Effect.gen(function* () {
  const databases = new Map([["main", {
    url: new URL(variable("ODOO_URL")),
    database: variable("ODOO_DB"),
    key: Effect.succeed(Redacted.make(variable("ODOO_API_KEY"))),
  }]])
  const context = yield* Layer.build(Json2Odoo.layer({ databases, version: "bench" }))
  const entity = `b${(Date.now() % 2_176_782_336).toString(36).padStart(6, "0")}`
  return { odoo: Context.get(context, Odoo), entity, company: COMPANY }
})
