/** The contract of the `Odoo` port over the stand-in, in this process and over HTTP. */
import { Effect, Layer, Redacted } from "effect"
import { serve } from "../../fixtures/odoo/server.ts"
import { defaultKey, defaultLowKey, StandIn } from "../../fixtures/odoo/StandIn.ts"
import { make } from "../../fixtures/odoo/StandInOdoo.ts"
import * as Json2Odoo from "../../src/odoo/Json2Odoo.ts"
import { Odoo } from "../../src/odoo/Odoo.ts"
import { odooSuite } from "./Odoo.suite.ts"

odooSuite(
  "the stand-in in this process",
  Effect.sync(() => {
    const standIn = new StandIn()
    return {
      odoo: make(standIn),
      low: make(standIn, { key: defaultLowKey }),
      wrongKey: make(standIn, { key: "wrong" }),
    }
  }),
)

odooSuite(
  "the stand-in over HTTP",
  Effect.gen(function* () {
    const url = new URL(yield* serve(new StandIn()))
    const over = (key: string) => {
      const databases = new Map([["main", { url, database: "odoo", key: Effect.succeed(Redacted.make(key)) }]])
      return Effect.map(Layer.build(Json2Odoo.layer({ databases, version: "test" })), (context) => {
        return Effect.runSync(Odoo.pipe(Effect.provideContext(context)))
      })
    }
    return { odoo: yield* over(defaultKey), low: yield* over(defaultLowKey), wrongKey: yield* over("wrong") }
  }),
)
