/**
 * The flows' fixtures on a real Odoo 19 with companies in USD, EUR and GBP, the rest of Weir in this process:
 * `ODOO_URL`, `ODOO_DB`, `ODOO_API_KEY` (`docs/live-odoo.md`). Each run has entity codes of its own, so it can be repeated on
 * the same database.
 */
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import process from "node:process"
import { fixtures } from "../../fixtures/replay/Fixture.ts"
import { Broker } from "../../src/broker/Broker.ts"
import * as MemoryBroker from "../../src/broker/MemoryBroker.ts"
import * as MemoryLedger from "../../src/ledger/MemoryLedger.ts"
import * as Json2Odoo from "../../src/odoo/Json2Odoo.ts"
import { replayed } from "../streams/fixtures.suite.ts"

const variable = (name: string): string => {
  const value = process.env[name]
  if (value !== undefined && value !== "") return value
  throw new Error(
    `${name} is not set. The live suite needs a real Odoo 19: see docs/live-odoo.md, or eval "$(deploy/odoo/up)".`,
  )
}

const databases = new Map([["main", {
  url: new URL(variable("ODOO_URL")),
  database: variable("ODOO_DB"),
  key: Effect.succeed(Redacted.make(variable("ODOO_API_KEY"))),
}]])

const ports = Layer.provideMerge(
  Layer.effectDiscard(Effect.flatMap(Broker, (broker) => broker.provision)),
  Layer.mergeAll(MemoryBroker.layer(), MemoryLedger.layer, Json2Odoo.layer({ databases, version: "live-fixtures" })),
)

/** Entity codes have at most 16 characters, the currency's three among them. */
const run = Date.now().toString(36)

describe("the flows' fixtures on a real Odoo", () => {
  for (const [at, fixture] of fixtures().entries()) {
    if (fixture.only === "stand-in") continue
    it.live(
      fixture.name,
      () =>
        replayed(fixture, `${run}${at.toString(36)}`, { moment: Effect.sleep("250 millis"), patience: 2000 }).pipe(
          Effect.provide(ports),
        ),
      600_000,
    )
  }
})
