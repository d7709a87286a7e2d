import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

/** What starts servers mostly waits, and takes longest: first, or one worker would still be at it when all else is done. */
class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const isLong = ({ moduleId }: TestSpecification) => /\/test\/(?:faults|simulation)\//u.test(moduleId)
    const sorted = await super.sort(files)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/live/**"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Deno runs vitest's forks only. Three on two cores: those with servers mostly wait.
    pool: "forks",
    maxWorkers: 3,
    // Files share the modules that a worker has loaded: half of the time went into loading them anew. Tests keep no state
    // in modules; what they need they make.
    isolate: false,
    sequence: { sequencer: LongestFirst },
  },
})
