/**
 * What the demo runs on: embedded NATS and PostgreSQL in a folder of its own, and a stand-in Odoo over HTTP or the real
 * one that the environment names.
 */
import { Effect, Redacted } from "effect"
import { chmod, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { measured } from "../../../fixtures/odoo/Latency.ts"
import { serve as serveOdoo } from "../../../fixtures/odoo/server.ts"
import { defaultKey } from "../../../fixtures/odoo/StandIn.ts"
import { type Scenario, standInOf } from "../../../fixtures/scenario.ts"
import { check } from "../../config/load.ts"
import { Environment } from "../../config/Secret.ts"
import { start } from "../../config/Servers.ts"
import { CommandFailed, exitCodes } from "../Failure.ts"

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

interface Target {
  /** As in `weir.json`. */
  readonly database: { readonly url: string; readonly [field: string]: unknown }
  readonly environment: Readonly<Record<string, string>>
}

const standIn = Effect.fnUntraced(function* (scenario: Scenario) {
  const odoo = standInOf(scenario)
  const url = yield* serveOdoo(odoo, { latency: measured({ workers: ODOO_WORKERS, scale: ODOO_SCALE }) })
  const target: Target = {
    database: { url, database: "odoo", key: { env: "ODOO_API_KEY" }, workers: ODOO_WORKERS, share: 1 },
    environment: { ODOO_API_KEY: defaultKey },
  }
  return target
})

/** The Odoo of `ODOO_URL`, `ODOO_DB`, `ODOO_API_KEY`, with `ODOO_WORKERS` workers (default 2), all of them for Weir. */
const real = Effect.gen(function* () {
  const { ODOO_API_KEY, ODOO_DB, ODOO_URL, ODOO_WORKERS } = yield* Environment
  if (ODOO_URL === undefined || ODOO_DB === undefined || ODOO_API_KEY === undefined) {
    return yield* new CommandFailed({
      exit: exitCodes.usage,
      message: "--live needs ODOO_URL, ODOO_DB and ODOO_API_KEY; docs/live-odoo.md says how to get an Odoo.",
    })
  }
  const target: Target = {
    database: {
      url: ODOO_URL,
      database: ODOO_DB,
      key: { env: "ODOO_API_KEY" },
      workers: Number(ODOO_WORKERS ?? 2),
      share: 1,
      timeout: "150 seconds",
    },
    environment: { ODOO_API_KEY },
  }
  return target
})

/** Everything up, on free ports; stops with the scope. */
export const servers = Effect.fnUntraced(function* (scenario: Scenario, live: boolean) {
  const { database, environment } = yield* live ? real : standIn(scenario)
  const dataDir = yield* folder
  const file = { ...scenario.configuration, databases: { main: database }, http: { port: 0 }, dataDir }
  const { configuration } = yield* check(`${scenario.folder}/weir.json`, file, {})
  const addresses = yield* start(configuration)
  return {
    addresses,
    configuration,
    environment,
    odooUrl: database.url,
    postgresUrl: Redacted.value(addresses.postgresUrl),
  }
})
