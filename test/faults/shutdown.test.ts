import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Figure } from "../../fixtures/scenario.ts"
import * as Input from "./Input.ts"
import * as Installation from "./Installation.ts"
import { seedOf } from "./seed.ts"

/** A few hundred events that keep the stand-in busy for some seconds. */
const SIZE = { consultants: 9, days: 5 }
const LATENCY = 0.2
const GRACE_SECONDS = 20

const actual = (figures: ReadonlyArray<Figure>, what: string): Readonly<Record<string, number>> =>
  Object.fromEntries(
    figures.filter((figure) => figure.what === what).map((
      { actual, entity, flow },
    ) => [`${entity} ${flow}`, Number(actual)]),
  )

describe("weir run, told to stop", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it.live(
      `finishes what is in flight on ${signal}, exits 0, and the next start goes on`,
      () =>
        Effect.gen(function* () {
          const scenario = yield* Input.make({ ...SIZE, seed: seedOf(signal) })
          const { events } = scenario.expected
          const at = yield* Installation.make({ scenario, latency: LATENCY, grace: `${GRACE_SECONDS} seconds` })
          yield* at.publish
          const first = yield* at.weir
          yield* at.until(Math.ceil(events / 4), first)
          yield* first.signal(signal)
          assert.deepStrictEqual(yield* first.ended, { code: 0, signal: null })
          assert.isDefined(first.lines.find(({ message }) => message === "everything in flight is settled"))
          const done = yield* at.settled
          assert.isBelow(done, events, "it stopped in the middle")

          const figures = yield* at.figures
          // Whatever Odoo holds, the ledger knows: nothing was left half done. A customer is one record, however many
          // versions of it were applied.
          const records = actual(figures, "odoo records")
          for (const [line, applied] of Object.entries(actual(figures, "applied"))) {
            if (!line.endsWith("customers")) assert.strictEqual(records[line], applied, line)
          }

          const second = yield* at.weir
          yield* at.until(events, second)
          assert.deepStrictEqual(yield* at.wrong, [])
        }),
      120_000,
    )
  }

  it.live(
    "exits within its grace when Odoo does not answer, and the next start writes what was given up",
    () =>
      Effect.gen(function* () {
        const scenario = yield* Input.make({ ...SIZE, seed: seedOf("grace") })
        const { events } = scenario.expected
        const at = yield* Installation.make({
          scenario,
          latency: LATENCY,
          grace: "2 seconds",
          odooTimeout: "60 seconds",
        })
        yield* at.publish
        const first = yield* at.weir
        yield* at.until(Math.ceil(events / 4), first)
        yield* at.servers.odoo.freeze
        yield* first.signal("SIGTERM")
        assert.deepStrictEqual(yield* first.ended, { code: 0, signal: null })
        assert.isDefined(first.lines.find(({ message }) => message.startsWith("not settled within the grace")))
        yield* at.servers.odoo.thaw
        const second = yield* at.weir
        yield* at.until(events, second)
        assert.deepStrictEqual(yield* at.wrong, [])
      }),
    120_000,
  )

  for (const name of ["broker", "database", "odoo"] as const) {
    it.live(`exits 0 while the ${name} is away, at its start and in the middle of work`, () =>
      Effect.gen(function* () {
        const scenario = yield* Input.make({ ...SIZE, seed: seedOf(`${name} away`) })
        const { events } = scenario.expected
        const at = yield* Installation.make({
          scenario,
          latency: LATENCY,
          grace: "3 seconds",
          odooTimeout: "2 seconds",
        })
        yield* at.publish
        yield* at.servers[name].stop
        const waiting = yield* at.weir
        yield* waiting.said(/(waits for a dependency and goes on|trying again) by itself/u)
        yield* waiting.signal("SIGTERM")
        assert.deepStrictEqual(yield* waiting.ended, { code: 0, signal: null })

        yield* at.servers[name].start
        const working = yield* at.weir
        yield* at.until(Math.ceil(events / 4), working)
        yield* at.servers[name].stop
        yield* working.signal("SIGTERM")
        assert.deepStrictEqual(yield* working.ended, { code: 0, signal: null })

        yield* at.servers[name].start
        const last = yield* at.weir
        yield* at.until(events, last)
        assert.deepStrictEqual(yield* at.wrong, [])
      }), 120_000)
  }
})
