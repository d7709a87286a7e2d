/** The contract of the port `src/ledger/Runs.ts`, run over every adapter. Each test has an entity of its own. */
import { assert, layer } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { TestClock } from "effect/testing"
import { type NewRun, type RunEvent, Runs, runStates } from "../../src/ledger/Runs.ts"
import { freshEntity } from "./Ledger.suite.ts"

const newRun = (entity: string, runId: string, given: Partial<NewRun> = {}): NewRun => ({
  entity,
  runId,
  kind: "replay",
  state: "examining",
  request: { subject: "erp.>", nested: { list: [1, "a\u0000", null] } },
  requestedBy: "ada",
  reason: "a é test",
  ...given,
})

const runEvent = (ordinal: number, given: Partial<RunEvent> = {}): RunEvent => ({
  ordinal,
  eventId: `test#${ordinal}`,
  type: "customer.upserted",
  flow: "customers",
  key: `CUS-${ordinal}`,
  streamSequence: ordinal * 10,
  storedAtMillis: 1_700_000_000_000 + ordinal,
  finding: "create",
  detail: { differences: [{ field: "name", event: "ä" }] },
  message: { subject: "erp.be01.customer.upserted", headers: { "ce-id": "\u0000" }, data: new Uint8Array([0, 255, 1]) },
  outcome: null,
  ...given,
})

export const runsSuite = (name: string, adapter: Layer.Layer<Runs, unknown>) =>
  layer(adapter, { timeout: "60 seconds" })(`Runs: ${name}`, (it) => {
    it.effect("keeps a run once, and gives it back as it was asked for", () =>
      Effect.gen(function* () {
        const runs = yield* Runs
        const entity = freshEntity()
        assert.strictEqual(yield* runs.run(entity, "r1"), null)
        yield* TestClock.setTime(5_000)
        assert.strictEqual(yield* runs.open(newRun(entity, "r1")), true)
        assert.strictEqual(yield* runs.open(newRun(entity, "r1", { reason: "another" })), false)
        assert.deepStrictEqual(yield* runs.run(entity, "r1"), {
          ...newRun(entity, "r1"),
          appliedBy: "",
          createdAtMillis: 5_000,
          changedAtMillis: 5_000,
          progress: {},
          totals: {},
          result: null,
          trouble: "",
        })
      }))

    it.effect("changes a run only in the states that it is expected in, and only what is named", () =>
      Effect.gen(function* () {
        const runs = yield* Runs
        const entity = freshEntity()
        yield* runs.open(newRun(entity, "r1"))
        yield* TestClock.setTime(6_000)
        const examined = yield* runs.change(entity, "r1", ["examining"], {
          state: "examined",
          progress: { seen: 3 },
          totals: { customers: { create: 3 } },
        })
        assert.deepStrictEqual(
          [examined?.state, examined?.progress, examined?.totals, examined?.changedAtMillis],
          ["examined", { seen: 3 }, { customers: { create: 3 } }, 6_000],
        )
        assert.strictEqual(yield* runs.change(entity, "r1", ["examining"], { state: "failed" }), null)
        assert.strictEqual(yield* runs.change(entity, "nobody", runStates, { state: "failed" }), null)
        const applying = yield* runs.change(entity, "r1", ["examined"], { state: "applying", appliedBy: "eve" })
        assert.deepStrictEqual([applying?.appliedBy, applying?.progress], ["eve", { seen: 3 }])
        const failed = yield* runs.change(entity, "r1", ["applying"], { trouble: "why", result: { report: true } })
        assert.deepStrictEqual([failed?.state, failed?.trouble, failed?.result], ["applying", "why", { report: true }])
        assert.deepStrictEqual(yield* runs.run(entity, "r1"), failed)
      }))

    it.effect("lists runs newest first, page by page, by entity, id, kind and state", () =>
      Effect.gen(function* () {
        const runs = yield* Runs
        const [a, b] = [freshEntity(), freshEntity()]
        for (const [n, entity] of [a, b, a, b].entries()) {
          yield* TestClock.setTime(10_000 + Math.floor(n / 2))
          yield* runs.open(newRun(entity, `list-${Math.floor(n / 2)}-${a}`, n === 3 ? { kind: "reconciliation" } : {}))
        }
        const mine = (found: ReadonlyArray<{ readonly entity: string; readonly runId: string }>) =>
          found.filter(({ runId }) => runId.endsWith(a)).map(({ entity, runId }) => [entity, runId])
        const whole = [[a, `list-1-${a}`], [b, `list-1-${a}`], [a, `list-0-${a}`], [b, `list-0-${a}`]]
        assert.deepStrictEqual(mine(yield* runs.runs({ limit: 100 })), whole)
        assert.deepStrictEqual(mine(yield* runs.runs({ entity: b, limit: 100 })), [whole[1], whole[3]])
        assert.deepStrictEqual(mine(yield* runs.runs({ entities: [b, "nobody"], limit: 100 })), [whole[1], whole[3]])
        assert.deepStrictEqual(yield* runs.runs({ entities: [], limit: 100 }), [])
        assert.deepStrictEqual(mine(yield* runs.runs({ runId: `list-1-${a}`, limit: 100 })), [whole[0], whole[1]])
        assert.deepStrictEqual(mine(yield* runs.runs({ entity: b, kind: "replay", limit: 100 })), [whole[3]])
        yield* runs.change(a, `list-0-${a}`, ["examining"], { state: "done" })
        assert.deepStrictEqual(mine(yield* runs.runs({ entity: a, states: ["done", "failed"], limit: 9 })), [whole[2]])
        const paged: Array<unknown> = []
        let before: { createdAtMillis: number; runId: string; entity: string } | undefined
        while (true) {
          const page = yield* runs.runs({ ...(before !== undefined && { before }), limit: 1 })
          if (page.length === 0) break
          paged.push(...mine(page))
          before = page[0]
        }
        assert.deepStrictEqual(paged, whole)
      }))

    it.effect("keeps the events of a run in order, with their messages until something became of them", () =>
      Effect.gen(function* () {
        const runs = yield* Runs
        const entity = freshEntity()
        yield* runs.open(newRun(entity, "r1"))
        const events: readonly [RunEvent, RunEvent, RunEvent] = [
          runEvent(3, { finding: "changed" }),
          runEvent(1),
          runEvent(2, { message: null, key: "no \u0000" }),
        ]
        yield* runs.keep(entity, "r1", events)
        yield* runs.keep(entity, "gone", events)
        const of = (given: object = {}) => runs.events({ entity, runId: "r1", after: 0, limit: 10, ...given })
        assert.deepStrictEqual(yield* of(), [events[1], { ...events[2], key: "no ␀" }, events[0]])
        assert.deepStrictEqual((yield* of({ after: 1, limit: 1 })).map(({ ordinal }) => ordinal), [2])
        assert.deepStrictEqual((yield* of({ findings: ["changed"] })).map(({ ordinal }) => ordinal), [3])
        assert.deepStrictEqual((yield* of({ pending: true })).map(({ ordinal }) => ordinal), [1, 3])
        yield* runs.conclude(entity, "r1", [
          { ordinal: 1, outcome: "applied" },
          { ordinal: 3, outcome: "parked", detail: { code: "DEFECT" } },
          { ordinal: 9, outcome: "nobody's" },
        ])
        assert.deepStrictEqual(yield* of({ pending: true }), [])
        assert.deepStrictEqual(
          (yield* of()).map(({ detail, message, ordinal, outcome }) => [ordinal, outcome, message, detail]),
          [
            [1, "applied", null, events[1].detail],
            [2, null, null, events[2].detail],
            [3, "parked", null, { code: "DEFECT" }],
          ],
        )
        yield* runs.keep(entity, "r1", [runEvent(1, { finding: "there", message: null })])
        assert.deepStrictEqual((yield* of({ limit: 1 }))[0], runEvent(1, { finding: "there", message: null }))
      }))

    it.effect("forgets runs that are over, with their events, and no others", () =>
      Effect.gen(function* () {
        const runs = yield* Runs
        const entity = freshEntity()
        yield* TestClock.setTime(100)
        for (const id of ["r1", "r2", "r3"]) {
          yield* runs.open(newRun(entity, id))
          yield* runs.keep(entity, id, [runEvent(1)])
        }
        yield* runs.change(entity, "r1", ["examining"], { state: "cancelled" })
        yield* TestClock.setTime(200)
        yield* runs.change(entity, "r2", ["examining"], { state: "done" })
        while ((yield* runs.forget(200, 1)) > 0);
        assert.deepStrictEqual(
          (yield* runs.runs({ entity, limit: 10 })).map(({ runId }) => runId).sort(),
          ["r2", "r3"],
        )
        assert.deepStrictEqual(yield* runs.events({ entity, runId: "r1", after: 0, limit: 10 }), [])
      }))
  })
