/** The contract of the `Odoo` port over the stand-in, in this process and over HTTP; and that it holds all that flows call. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { fixtures } from "../../fixtures/replay/Fixture.ts"
import { serve } from "../../fixtures/odoo/server.ts"
import { defaultKey, defaultLowKey, StandIn } from "../../fixtures/odoo/StandIn.ts"
import { make } from "../../fixtures/odoo/StandInOdoo.ts"
import * as Json2Odoo from "../../src/odoo/Json2Odoo.ts"
import { Odoo } from "../../src/odoo/Odoo.ts"
import { pass, ports } from "../simulation/World.ts"
import { replayed } from "../streams/fixtures.suite.ts"
import { odooSuite } from "./Odoo.suite.ts"

/** Notes which methods of which models are called. */
const noting = (odoo: Odoo["Service"], called: Set<string>): Odoo["Service"] =>
  Odoo.of({
    ...odoo,
    call: (call) => {
      called.add(`${call.model} ${call.method}`)
      return odoo.call(call)
    },
  })

/** What the suite below calls. */
const covered = new Set<string>()

odooSuite(
  "the stand-in in this process",
  Effect.sync(() => {
    const standIn = new StandIn()
    return {
      odoo: noting(make(standIn), covered),
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

describe("the contract of the Odoo port", () => {
  it.effect("holds every method of every model that the flows call in their fixtures", () => {
    const called = new Set<string>()
    return Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 10, 22))
      for (const fixture of fixtures()) {
        const world = ports()
        const replay = {
          moment: pass(1),
          patience: 600,
          lock: (company: number, lock: string, day: string) =>
            Effect.sync(() => world.standIn.lock(company, lock, day)),
        }
        yield* Odoo.use((odoo) => Effect.provideService(replayed(fixture, "01", replay), Odoo, noting(odoo, called)))
          .pipe(
            Effect.provide(world.layer),
          )
      }
      assert.isAbove(called.size, 50)
      assert.isAbove(covered.size, 0, "the suite above was left out: run the whole file")
      assert.deepStrictEqual([...called].filter((call) => !covered.has(call)).sort(), [])
    })
  }, 60_000)
})
