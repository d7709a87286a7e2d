import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/live/**"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Deno runs vitest's forks only. Two cores, and each file with real servers starts its own.
    pool: "forks",
    maxWorkers: 2,
  },
})
