/** A world that has grown old: what was settled in October is looked at in the February after. */
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { check } from "../../src/config/load.ts"
import { address } from "../../src/http/Server.ts"
import { api, engine } from "../../src/main.ts"
import { catalog } from "../../streams/catalog.ts"
import { Address, configuration as ordinary } from "../operate/Office.ts"
import { pass, publication, publish, running } from "../simulation/World.ts"
import { customer, engagement, invoice } from "../streams/samples.ts"

export const events = [
  publication("customer.upserted", customer, { sequence: 1 }),
  publication("engagement.activated", engagement),
  publication("invoice.requested", invoice),
]
export const eventIds = events.map(({ messageId }) => messageId)

/** A folder that goes with the scope. */
export const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "weir-archive-"))),
  (path) =>
    Effect.sync(() => {
      chmodSync(path, 0o700)
      rmSync(path, { recursive: true, force: true })
    }),
)

export const october = Date.UTC(2026, 9, 15)
export const february = Date.UTC(2027, 1, 10, 5)

/** `events` come in October and are settled; then four months pass in which nothing runs. */
export const grownOld = Effect.gen(function* () {
  yield* TestClock.setTime(october)
  yield* Effect.gen(function* () {
    yield* publish(...events)
    yield* pass(20)
  }).pipe(Effect.provide(running()))
  yield* TestClock.setTime(february)
})

/** Two entities; nothing is scheduled before the evening. */
export const configuration = (directory: string, retention: object = {}) => ({
  ...ordinary,
  retention: {
    directory,
    hour: 23,
    events: "62 days",
    exceptions: "62 days",
    audit: "62 days",
    runs: "62 days",
    ...retention,
  },
})

/** The service with its API, over ports that are there. */
export const service = (configured: unknown) =>
  Layer.unwrap(Effect.map(
    Effect.orDie(check("test", configured, {})),
    ({ configuration }) =>
      Layer.effect(Address, address).pipe(
        Layer.provideMerge(api(configuration).pipe(Layer.provideMerge(engine(configuration, catalog)))),
      ),
  ))
