/** Every scenario in virtual time, large ones with fewer people: what the generator expects is what stands at the end. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { generate } from "../../fixtures/generator/generate.ts"
import { resize, type Shape, shapes, type Size } from "../../fixtures/generator/Shape.ts"
import { agrees, compare, load, publications, settled, standInOf } from "../../fixtures/scenario.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { pass, ports, publish, running } from "./World.ts"

const sizes: Readonly<Record<Exclude<keyof typeof shapes, "month-end-small">, Size>> = {
  "month-end-50": { consultants: 10, days: 6 },
  "month-end-500": { consultants: 12, days: 4 },
  "month-end-3000": { consultants: 40, days: 2 },
  "quarter-end": { consultants: 10, days: 6 },
  "weekly-approval": { consultants: 12 },
  "renewal-day": { subscriptions: 150 },
  "approve-all": {},
  "backfill-during-close": { consultants: 6, days: 3 },
  "bad-month": {},
}
/** Virtual seconds until a scenario that moves at all has come to rest. */
const PATIENCE = 400
const HELD = 10_000

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "weir-scenario-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true })),
)

/** Held events by code, as `expected.json` counts them. */
const held = Effect.fnUntraced(function* (entity: string) {
  const counts: Record<string, number> = {}
  for (const { code } of yield* (yield* Ledger).exceptions({ entity, limit: HELD })) {
    counts[code] = (counts[code] ?? 0) + 1
  }
  return counts
})

describe("in virtual time", () => {
  for (const [name, size] of Object.entries(sizes)) {
    it.effect(
      `${name} ends with exactly the records, sums and exceptions that its generator expects`,
      () =>
        Effect.gen(function* () {
          const path = yield* folder
          generate(resize(shapes[name as keyof typeof shapes] as Shape, size), 1, path)
          const scenario = yield* load(path)
          const world = ports({ standIn: standInOf(scenario, { now: () => 0 }) })
          yield* Effect.gen(function* () {
            yield* publish(...(yield* Effect.promise(() => Array.fromAsync(publications(scenario)))))
            for (let second = 0; second < PATIENCE && (yield* settled) < scenario.expected.events; second += 20) {
              yield* pass(20)
            }
            assert.strictEqual(yield* settled, scenario.expected.events)
            assert.deepStrictEqual((yield* compare(scenario)).filter((figure) => !agrees(figure)), [])
            for (const [entity, { exceptions }] of Object.entries(scenario.expected.entities)) {
              assert.deepStrictEqual(yield* held(entity), exceptions, entity)
            }
          }).pipe(Effect.provide(running({ configuration: scenario.configuration })), Effect.provide(world.layer))
        }),
      120_000,
    )
  }
})
