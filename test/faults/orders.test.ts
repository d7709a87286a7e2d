import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { isDeepStrictEqual } from "node:util"
import type { StatusReport } from "../../src/operate/StatusReport.ts"
import type { OrderAnswer } from "../../src/operate/Entities.ts"
import type { ConfigurationView, Reloaded } from "../../src/operate/Reconfiguration.ts"
import type { Program } from "../../src/cli/lab/Program.ts"
import * as Input from "./Input.ts"
import * as Installation from "./Installation.ts"
import { seedOf } from "./seed.ts"

const SIZE = { consultants: 6, days: 3 }
const LATENCY = 0.05
const REGION = "eu"
const LOOKS = 300
/** Longer than the test profile takes to move entities to a runner that joined. */
const JOINED = "4 seconds"

/** The API of a runner, as a program on this machine calls it. */
const apiOf = Effect.fnUntraced(function* (runner: Program) {
  const { message } = yield* runner.said(/status on http/u)
  const base = /http:\/\/[^/]+/u.exec(message)![0]
  return <A>(path: string, body?: unknown) =>
    Effect.promise(async (): Promise<{ readonly status: number; readonly body: A }> => {
      const response = await fetch(`${base}/v1${path}`, {
        signal: AbortSignal.timeout(20_000),
        ...(body !== undefined && {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        }),
      })
      return { status: response.status, body: await response.json() }
    })
})
type Api = Effect.Success<ReturnType<typeof apiOf>>

/** Owner, epoch and since by entity; whether all of them answer. */
const ownership = (api: Api) =>
  Effect.map(api<StatusReport>("/status"), ({ body }) => ({
    settled: body.rows.every(({ state }) => state === "running"),
    owners: Object.fromEntries(
      body.rows.map(({ entity, epoch, owner, since }) => [entity, { owner, epoch, since }]),
    ),
  }))

const waitFor = Effect.fnUntraced(function* <A>(what: string, look: Effect.Effect<A>, until: (found: A) => boolean) {
  for (let looks = 0;; looks++) {
    const found = yield* look
    if (until(found)) return found
    assert.isBelow(looks, LOOKS, what)
    yield* Effect.sleep("100 millis")
  }
})

describe("weir, several of one cluster, asked on any machine", () => {
  it.live(
    "keeps to regions, tells the same owners, obeys on the one that owns, and takes up the same configuration everywhere",
    () =>
      Effect.gen(function* () {
        const scenario = yield* Input.make({ ...SIZE, seed: seedOf("orders") })
        const at = yield* Installation.make({ scenario, latency: LATENCY })
        const entities = Object.keys(scenario.expected.entities)
        const [changed, bound] = entities
        // One of them may run on the second runner only; where the others run is their hash's affair.
        const placed = (given: Installation.Configured): Installation.Configured => ({
          ...given,
          entities: { ...given.entities, [bound!]: { ...given.entities[bound!], region: REGION } },
        })
        yield* at.reconfigure(placed)
        const runners = yield* Effect.all([at.runner(0), at.runnerIn(1, REGION)])
        const apis = yield* Effect.forEach(runners, apiOf)
        const ownerAt = (owner: string) => runners.findIndex(({ pid }) => owner.endsWith(`:${pid}`))

        // Entities move when the second one joins; a hash places them, so that one may well own all of them.
        const [, one, two] = yield* waitFor(
          "nothing moves any more",
          Effect.all([ownership(apis[0]!), Effect.delay(ownership(apis[0]!), JOINED), ownership(apis[1]!)]),
          ([before, after]) => before.settled && after.settled && isDeepStrictEqual(before.owners, after.owners),
        )
        assert.deepStrictEqual(two.owners, one.owners)
        assert.strictEqual(ownerAt(one.owners[bound!]!.owner), 1)
        for (const entity of entities) {
          const { epoch, owner, since } = one.owners[entity]!
          assert.isAtLeast(epoch, 1)
          assert.isFalse(Number.isNaN(Date.parse(since!)))
          /** The machine that has not got it. */
          const other = apis[1 - ownerAt(owner)]!
          const order = (path: string, body: unknown) =>
            Effect.map(other<OrderAnswer>(`/entities/${entity}${path}`, body), ({ body, status }) => {
              assert.strictEqual(status, 200, JSON.stringify(body))
              return body
            })
          assert.deepInclude(yield* order("/mode", { mode: "hold", reason: "test" }), {
            mode: "hold",
            state: "stopped",
          })
          assert.deepInclude(yield* order("/mode", { mode: "auto", reason: "test" }), { mode: "full" })
          const paused = yield* order("/flows/invoices/pause", { reason: "test" })
          assert.deepStrictEqual(paused.paused.map(({ flow }) => flow), ["invoices"])
          yield* order("/flows/invoices/resume", { reason: "test" })
          assert.deepInclude(yield* order("/close", { reason: "test", until: null }), { close: null })
          assert.strictEqual((yield* order("/drain", {})).state, "stopped")
          yield* order("/resume", {})
        }

        // One file for both. Whoever is asked, every runner takes it up; only the changed one begins again.
        const before = (yield* waitFor("all run again", ownership(apis[0]!), ({ settled }) => settled)).owners
        yield* at.reconfigure((given) => {
          const { entities, ...rest } = placed(given)
          return { ...rest, entities: { ...entities, [changed!]: { ...entities[changed!], latePolicy: "approval" } } }
        })
        const asked = apis[1 - ownerAt(before[changed!]!.owner)]!
        const { body, status } = yield* asked<Reloaded>("/configuration/reload", {})
        assert.strictEqual(status, 200, JSON.stringify(body))
        yield* waitFor(
          "all go by the same",
          Effect.all(apis.map((api) => api<ConfigurationView>("/configuration"))),
          (views) =>
            views.every(({ body }) => body.entities.every(({ configuration }) => configuration === "same")) &&
            views.every(({ body }) => body.entities.length === entities.length),
        )
        const after = yield* waitFor(
          "the changed one runs again",
          ownership(apis[0]!),
          ({ owners, settled }) => settled && owners[changed!]!.epoch > before[changed!]!.epoch,
        )
        assert.strictEqual(after.owners[changed!]!.epoch, before[changed!]!.epoch + 1)
        for (const entity of entities.slice(1)) assert.deepStrictEqual(after.owners[entity], before[entity])

        yield* at.publish
        yield* at.until(scenario.expected.events, runners[0]!)
        assert.deepStrictEqual(yield* at.wrong, [])
        for (const runner of runners) {
          yield* runner.signal("SIGTERM")
          assert.deepStrictEqual(yield* runner.ended, { code: 0, signal: null })
        }
      }),
    180_000,
  )
})
