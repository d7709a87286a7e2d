/** The real Odoo of `ODOO_URL`, `ODOO_DB`, `ODOO_API_KEY` (`ODOO_API_KEY_FINANCE`, if it is given), and the rest of Weir's ports in this process. */
import { Effect, Layer, Redacted } from "effect"
import process from "node:process"
import { Broker } from "../../src/broker/Broker.ts"
import * as MemoryBroker from "../../src/broker/MemoryBroker.ts"
import * as MemoryLedger from "../../src/ledger/MemoryLedger.ts"
import { adopting } from "../../src/odoo/Adoption.ts"
import * as Json2Odoo from "../../src/odoo/Json2Odoo.ts"
import { Odoo, type OdooError } from "../../src/odoo/Odoo.ts"

const variable = (name: string): string => {
  const value = process.env[name]
  if (value !== undefined && value !== "") return value
  throw new Error(
    `${name} is not set. The live suite needs a real Odoo 19: see docs/live-odoo.md, or eval "$(deploy/odoo/up)".`,
  )
}

const at = (key: string) => ({
  url: new URL(variable("ODOO_URL")),
  database: variable("ODOO_DB"),
  key: Effect.succeed(Redacted.make(key)),
})

/** Key of a user who may lock periods; undefined: none is given. */
const financeKey = process.env["ODOO_API_KEY_FINANCE"]

const databases = new Map([
  ["main", at(variable("ODOO_API_KEY"))],
  ...financeKey === undefined ? [] : [["finance", at(financeKey)], [adopting("main"), at(financeKey)]] as const,
])

/** Sets a company's lock date, or lifts it; undefined: nobody here may. */
export const lock = financeKey === undefined
  ? undefined
  : (company: number, name: string, day: string | false): Effect.Effect<void, OdooError, Odoo> =>
    Effect.asVoid(Odoo.use((odoo) =>
      odoo.call({
        database: "finance",
        model: "res.company",
        method: "write",
        ids: [company],
        args: { vals: { [`${name}_lock_date`]: day } },
      })
    ))

/** Ports of their own each time they are built; the Odoo is one. */
export const ports = Layer.provideMerge(
  Layer.effectDiscard(Effect.flatMap(Broker, (broker) => broker.provision)),
  Layer.mergeAll(MemoryBroker.layer(), MemoryLedger.layer, Json2Odoo.layer({ databases, version: "live-fixtures" })),
)
