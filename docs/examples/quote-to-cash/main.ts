/**
 * Prints the walk's page.
 *
 *   deno task walk [--odoo] [--write]
 *
 * `--odoo`: on the real Odoo of `ODOO_URL`, `ODOO_DB`, `ODOO_API_KEY` instead of the stand-in. `--write`: into `README.md`.
 */
import { Effect, Layer, Redacted } from "effect"
import { writeFileSync } from "node:fs"
import process from "node:process"
import { parseArgs } from "node:util"
import { StandIn } from "../../../fixtures/odoo/StandIn.ts"
import { make as makeStandInOdoo } from "../../../fixtures/odoo/StandInOdoo.ts"
import { DATABASE } from "../../../fixtures/replay/Place.ts"
import { Broker } from "../../../src/broker/Broker.ts"
import * as MemoryBroker from "../../../src/broker/MemoryBroker.ts"
import * as MemoryLedger from "../../../src/ledger/MemoryLedger.ts"
import * as Json2Odoo from "../../../src/odoo/Json2Odoo.ts"
import { Odoo } from "../../../src/odoo/Odoo.ts"
import { walk } from "./walk.ts"

const { values: { odoo: isLive, write } } = parseArgs({
  options: { odoo: { type: "boolean" }, write: { type: "boolean" } },
})

const variable = (name: string): string => {
  const value = process.env[name]
  if (value === undefined || value === "") throw new Error(`${name} is not set: see docs/live-odoo.md`)
  return value
}

const odoo = isLive === true
  ? Json2Odoo.layer({
    version: "quote-to-cash",
    databases: new Map([[DATABASE, {
      url: new URL(variable("ODOO_URL")),
      database: variable("ODOO_DB"),
      key: Effect.succeed(Redacted.make(variable("ODOO_API_KEY"))),
    }]]),
  })
  : Layer.sync(Odoo, () => makeStandInOdoo(new StandIn({})))

const ports = Layer.provideMerge(
  Layer.effectDiscard(Effect.flatMap(Broker, (broker) => broker.provision)),
  Layer.mergeAll(MemoryBroker.layer(), MemoryLedger.layer, odoo),
)

const page = await Effect.runPromise(
  walk(Date.now().toString(36), { moment: Effect.sleep("50 millis"), patience: 6000 }).pipe(Effect.provide(ports)),
)
if (write === true) writeFileSync(new URL("README.md", import.meta.url), page)
else process.stdout.write(page)
