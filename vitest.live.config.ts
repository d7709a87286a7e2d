import { defineConfig } from "vitest/config"

/** Tests over a real Odoo, one file at a time: `docs/live-odoo.md`. */
export default defineConfig({
  test: {
    include: ["test/live/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 1,
  },
})
