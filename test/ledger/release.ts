/** Runs the ledger's contract suites and keeps what they made this release say. See `recorded.ts`. */
import { spawnSync } from "node:child_process"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { VERSION } from "../../src/config/version.ts"
import { migrations } from "../../src/ledger/migrations/migrate.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))
const file = fileURLToPath(new URL(`./released/${VERSION}.json`, import.meta.url))
const { status } = spawnSync(
  process.execPath,
  ["run", "-A", "node_modules/vitest/vitest.mjs", "run", "test/ledger/postgres.test.ts"],
  {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      WEIR_TEST_RECORD: file,
      WEIR_TEST_MIGRATION: Object.keys(migrations).at(-1) ?? "",
    },
  },
)
process.exitCode = status ?? 1
