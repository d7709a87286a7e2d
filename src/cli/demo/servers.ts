/** What the demo runs on: embedded NATS and PostgreSQL in a folder of its own, and a stand-in Odoo over HTTP. */
import { Effect, Redacted } from "effect"
import { chmod, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { measured } from "../../../fixtures/odoo/Latency.ts"
import { serve as serveOdoo } from "../../../fixtures/odoo/server.ts"
import { defaultKey, StandIn } from "../../../fixtures/odoo/StandIn.ts"
import type { Scenario } from "../../../fixtures/scenario.ts"
import { check } from "../../config/load.ts"
import { start } from "../../config/Servers.ts"

/** The stand-in answers a hundred times faster than a real Odoo was measured to: a demo must not take an hour. */
const ODOO_SCALE = 0.01
const ODOO_WORKERS = 4

/** A folder that PostgreSQL's own user may enter, gone with the scope. */
const folder = Effect.acquireRelease(
  Effect.promise(async () => {
    const path = await mkdtemp(join(tmpdir(), "weir-demo-"))
    await chmod(path, 0o755)
    return path
  }),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true })),
)

/** Everything up, on free ports; stops with the scope. */
export const servers = Effect.fnUntraced(function* (scenario: Scenario) {
  const standIn = new StandIn({ employees: scenario.employees })
  const url = yield* serveOdoo(standIn, { latency: measured({ workers: ODOO_WORKERS, scale: ODOO_SCALE }) })
  const dataDir = yield* folder
  const environment = { ODOO_API_KEY: defaultKey }
  const file = {
    ...scenario.configuration,
    databases: { main: { url, database: "odoo", key: { env: "ODOO_API_KEY" }, workers: ODOO_WORKERS, share: 1 } },
    http: { port: 0 },
    dataDir,
  }
  const { configuration } = yield* check(`${scenario.folder}/weir.json`, file, {})
  const addresses = yield* start(configuration)
  return { addresses, configuration, environment, odooUrl: url, postgresUrl: Redacted.value(addresses.postgresUrl) }
})
