/** Starts a server, prints its pid and waits to be killed: run by `NatsServer.test.ts`. */
import { Effect } from "effect"
import { NatsServer } from "../../src/embedded/NatsServer.ts"

const [storeDir = ""] = process.argv.slice(2)
await Effect.runPromise(Effect.scoped(Effect.gen(function* () {
  const server = yield* NatsServer.start({ storeDir })
  process.stdout.write(`${server.pid}\n`)
  yield* Effect.never
})))
