import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Broker, BrokerError } from "../../src/broker/Broker.ts"
import { Ledger, LedgerError, type Tally } from "../../src/ledger/Ledger.ts"
import { statusRows, type StatusScope } from "../../src/operate/statusRows.ts"

const tally: Tally = {
  entity: "be01",
  flow: "invoices",
  applied: 10,
  superseded: 1,
  dismissed: 0,
  duplicate: 2,
  waiting: 3,
  parked: 4,
  behind: 5,
  ready: 0,
  checkpoint: 40,
  oldestHeldMillis: 1_000,
}
const scope: StatusScope = {
  entities: new Map([["be01", { mode: "full" }], ["nl01", { mode: "drafts" }]]),
  flows: [{ name: "invoices", domain: "invoice" }],
  live: new Map(),
}
const unreachable = new BrokerError({ reason: "Unreachable", operation: "backlog", message: "away" })
const unavailable = new LedgerError({ reason: "Unavailable", operation: "tallies", message: "away" })

const asked: Array<number> = []
const broker = Layer.mock(Broker, {
  backlog: ({ afterSequence, entity }) => {
    asked.push(afterSequence)
    return entity === "be01" ? Effect.succeed(7) : Effect.fail(unreachable)
  },
})
const ledger = Layer.mock(Ledger, {
  tallies: () => Effect.succeed([tally]),
  owners: Effect.succeed([{
    entity: "be01",
    epoch: 6,
    owner: "host:1",
    mode: "essential" as const,
    claimedAtMillis: 0,
  }]),
})

describe("status rows", () => {
  it.effect("come from the ledger and the broker when no actor answers", () =>
    Effect.gen(function* () {
      asked.length = 0
      yield* TestClock.adjust("61 seconds")
      const [be01, nl01] = yield* statusRows(scope).pipe(Effect.provide([broker, ledger]))
      assert.deepInclude(be01, {
        state: "stopped",
        mode: "essential",
        backlog: 7,
        applied: 10,
        parked: 4,
        oldestAgeSeconds: 60,
        epoch: 6,
        owner: "host:1",
        since: "1970-01-01T00:00:00.000Z",
      })
      assert.deepInclude(nl01, {
        state: "stopped",
        mode: "drafts",
        backlog: null,
        applied: 0,
        epoch: 0,
        owner: "",
        since: null,
      })
      assert.deepStrictEqual(asked, [40, 0])
    }))

  it.effect("show what the actor says of itself", () =>
    Effect.gen(function* () {
      const live = new Map([["be01", {
        entity: "be01",
        state: "running" as const,
        mode: "hold" as const,
        override: { actor: "ada", reason: "year end", untilMillis: 0 },
        close: { actor: "calendar", reason: "close calendar", untilMillis: null },
        circuits: [
          { dependency: "tax", state: "open" as const, openedAtMillis: 1, trouble: "away" },
          { dependency: "odoo", state: "half-open" as const, openedAtMillis: 2, trouble: "away" },
        ],
        incidents: 1,
        epoch: 9,
        owner: "host:2",
        trouble: "",
        flows: [{
          flow: "invoices",
          state: "troubled" as const,
          inFlight: 3,
          checkpoint: 50,
          ratePerSecond: 2.5,
          trouble: "ODOO-UNAVAILABLE: away",
          retrying: 3,
          attempts: 4,
          nextTryMillis: 90_000,
          restarts: 1,
          rebuilds: 2,
          paused: { actor: "eve", reason: "prices", untilMillis: null },
        }],
      }]])
      const [be01] = yield* statusRows({ ...scope, live }).pipe(Effect.provide([broker, ledger]))
      assert.deepInclude(be01, {
        state: "troubled",
        mode: "hold",
        decided: "ada until 1970-01-01T00:00:00.000Z: year end",
        paused: "eve: prices",
        close: "calendar: close calendar",
        circuit: "odoo half-open",
        incidents: 1,
        rebuilds: 2,
        inFlight: 3,
        ratePerSecond: 2.5,
        epoch: 9,
        trouble: "ODOO-UNAVAILABLE: away",
        retrying: 3,
        attempts: 4,
        nextTry: "1970-01-01T00:01:30.000Z",
      })
    }))

  it.effect("cannot be had without the ledger", () =>
    Effect.gen(function* () {
      const away = Layer.mock(Ledger, { tallies: () => Effect.fail(unavailable), owners: Effect.fail(unavailable) })
      const error = yield* Effect.flip(statusRows(scope).pipe(Effect.provide([broker, away])))
      assert.strictEqual(error.reason, "Unavailable")
    }))
})
