import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Input from "./Input.ts"
import * as Installation from "./Installation.ts"
import type { Program } from "../../src/cli/lab/Program.ts"
import { seedOf } from "./seed.ts"
import type { Server } from "../../src/cli/lab/Server.ts"

/** A few hundred events that keep the stand-in busy for some seconds. */
const SIZE = { consultants: 6, days: 5 }
const LATENCY = 0.15
/** Long enough that a busy machine is not taken for an Odoo that is away. A frozen one stays frozen for longer. */
const ODOO_TIMEOUT = "5 seconds"
/** How long a server stays frozen once Weir has said that it waits, or at all. */
const FROZEN = "2 seconds"

type Name = keyof Installation.Installation["servers"]

/** What Weir says at the start when the server is away, when it goes away in the middle of work, and once it is back. */
const words: Readonly<Record<Name, { readonly atStart: RegExp; readonly midway: RegExp; readonly back: RegExp }>> = {
  broker: {
    atStart: /^broker waits for a dependency and goes on by itself: no connection to nats:/u,
    midway: /^lost the connection to NATS at .*, reconnecting$/u,
    back: /^broker goes on after \d+ tries|^connected to NATS at .* again$/u,
  },
  database: {
    atStart: /^ledger waits for a dependency and goes on by itself: PostgreSQL is away: /u,
    midway: /^\w+ waits for a dependency and goes on by itself: PostgreSQL is away: /u,
    back: /goes on after \d+ tries$/u,
  },
  odoo: {
    atStart: /^cannot start yet, trying again by itself: ODOO-(UNAVAILABLE|NO-ANSWER): /u,
    // A batch says it, or the circuit, which lets no further batch find out.
    midway:
      /^\d+ \w+ wait: .* did not go through \(ODOO-(UNAVAILABLE|NO-ANSWER)\), trying again by itself\.|^circuit odoo open: no calls but probes until it answers\./u,
    back: /^\d+ \w+ went through at try \d+$|^circuit odoo closed: it answers again, work goes on$/u,
  },
}

const installed = Effect.fnUntraced(function* (test: string) {
  const scenario = yield* Input.make({ ...SIZE, seed: seedOf(test) })
  return yield* Installation.make({ scenario, latency: LATENCY, odooTimeout: ODOO_TIMEOUT })
})

/** Everything is settled in the end, as it must, by a process that never ended. */
const finished = Effect.fnUntraced(function* (at: Installation.Installation, weir: Program) {
  yield* at.until(at.scenario.expected.events, weir)
  assert.deepStrictEqual(yield* at.wrong, [])
  assert.deepStrictEqual(yield* at.untold, [])
  assert.isTrue(weir.isAlive())
  for (const { level, text } of weir.lines) assert.notInclude(["Error", "Fatal"], level, text)
})

/** Away in the middle of work, until `weir` has said so. */
const midway = Effect.fnUntraced(function* (
  test: string,
  pick: Name,
  away: (server: Server, saying: Effect.Effect<unknown>) => Effect.Effect<unknown>,
) {
  const at = yield* installed(test)
  yield* at.publish
  const weir = yield* at.weir
  const { events } = at.scenario.expected
  yield* at.until(Math.ceil(events / 4), weir)
  const from = weir.lines.length
  yield* away(at.servers[pick], weir.said(words[pick].midway, from))
  assert.isBelow(yield* at.settled, events, "it happened in the middle")
  yield* finished(at, weir)
  return { from, weir }
})

describe("weir, when what it depends on goes away", () => {
  for (const name of ["broker", "database", "odoo"] as const) {
    it.live(`waits at its start for the ${name} and says so`, () =>
      Effect.gen(function* () {
        const at = yield* installed(`${name} away at start`)
        const server = at.servers[name]
        if (name !== "broker") yield* at.publish
        yield* server.stop
        const weir = yield* at.weir
        const { level } = yield* weir.said(words[name].atStart)
        assert.strictEqual(level, "Warn")
        yield* server.start
        if (name === "broker") yield* at.publish
        yield* finished(at, weir)
        if (name !== "odoo") yield* weir.said(words[name].back)
      }), 120_000)

    it.live(
      `says so when the ${name} goes away in the middle of work, and goes on when it is back`,
      () =>
        Effect.gen(function* () {
          const { from, weir } = yield* midway(`${name} away midway`, name, (server, saying) =>
            Effect.gen(function* () {
              yield* server.stop
              yield* saying
              yield* server.start
            }))
          yield* weir.said(words[name].back, from)
        }),
      120_000,
    )
  }

  it.live(
    "says so when Odoo is frozen, and goes on when it thaws",
    () =>
      midway("odoo frozen", "odoo", (server, saying) =>
        Effect.gen(function* () {
          yield* server.freeze
          yield* saying
          yield* Effect.sleep(FROZEN)
          yield* server.thaw
        })),
    120_000,
  )

  for (const name of ["broker", "database"] as const) {
    it.live(
      `stands still while the ${name} is frozen for seconds, and goes on when it thaws`,
      () =>
        midway(`${name} frozen`, name, (server) =>
          Effect.gen(function* () {
            yield* server.freeze
            yield* Effect.sleep(FROZEN)
            yield* server.thaw
          })),
      120_000,
    )
  }

  it.live("does not skip in silence what comes after the broker has lost its stream", () =>
    Effect.gen(function* () {
      // The same numbers in another stream: one seed in which no two of them meet by chance.
      const scenario = yield* Input.make({ ...SIZE, seed: 1 })
      const { events } = scenario.expected
      const at = yield* Installation.make({ scenario, latency: LATENCY, odooTimeout: ODOO_TIMEOUT })
      const half = Math.ceil(events * 0.6)
      yield* at.publishPart(0, half)
      const first = yield* at.weir
      yield* at.until(half, first)
      yield* first.signal("SIGTERM")
      yield* first.ended

      yield* at.loseStream
      yield* at.publishPart(half, events)
      const second = yield* at.weir
      const { level } = yield* second.said(/^flow \w+ stopped and is restarted/u)
      assert.strictEqual(level, "Error")
      const told = second.lines.find(({ text }) => text.includes("delete the rows of weir.checkpoint"))
      assert.isDefined(told, "it says what to do")
      yield* second.signal("SIGTERM")
      yield* second.ended
      assert.isBelow(yield* at.settled, events)

      yield* at.rewind
      const third = yield* at.weir
      yield* at.until(events, third)
      assert.deepStrictEqual(yield* at.wrong, [])
    }), 120_000)
})
