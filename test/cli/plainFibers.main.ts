/** Prints how many async resources fibers make while they wait a hundred times. */

import "../../src/cli/plainFibers.ts"

import { createHook } from "node:async_hooks"
import process from "node:process"
import { Effect } from "effect"

let made = 0
createHook({ init: (_, type) => void (made += type === "effect/Fiber" ? 1 : 0) }).enable()
await Effect.runPromise(Effect.replicateEffect(Effect.yieldNow, 100, { discard: true }))
process.stdout.write(String(made))
