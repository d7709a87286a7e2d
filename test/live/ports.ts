/** The real Odoo of `ODOO_URL`, `ODOO_DB`, `ODOO_API_KEY`, and the rest of Weir's ports in this process. */
import { Effect, Layer, Redacted } from "effect"
import process from "node:process"
import { Broker } from "../../src/broker/Broker.ts"
import * as MemoryBroker from "../../src/broker/MemoryBroker.ts"
import * as MemoryLedger from "../../src/ledger/MemoryLedger.ts"
import * as Json2Odoo from "../../src/odoo/Json2Odoo.ts"

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

/** Ports of their own each time they are built; the Odoo is one. */
export const ports = Layer.provideMerge(
  Layer.effectDiscard(Effect.flatMap(Broker, (broker) => broker.provision)),
  Layer.mergeAll(MemoryBroker.layer(), MemoryLedger.layer, Json2Odoo.layer({ databases, version: "live-fixtures" })),
)
