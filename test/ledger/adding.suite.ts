/** Sentences of the ledger's contract about windows, and about what others were told of records. */
import { assert, type layer } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { Publication } from "../../src/broker/Broker.ts"
import { type Fence, Ledger, type Outcome } from "../../src/ledger/Ledger.ts"
import type { Change } from "../../src/ledger/Told.ts"
import type { Contribution } from "../../src/ledger/Windows.ts"
import { applied, event, message, parked, settlement } from "./outcomes.ts"

type It = Parameters<Parameters<ReturnType<typeof layer<Ledger, unknown>>>[1]>[0]
type Claimed = Effect.Effect<{ readonly ledger: typeof Ledger.Service; readonly fence: Fence }, unknown, Ledger>

export const publication = (messageId: string): Publication => ({
  subject: `erp-out.be01.${messageId}`,
  headers: { "content-type": "application/json" },
  data: new TextEncoder().encode(messageId),
  messageId,
})

/** An applied event of its own key that adds to a window. Windows close at 100 unless said otherwise. */
export const adding = (eventId: string, quantity: string, given: Partial<Contribution> = {}): Outcome => {
  const contribution: Contribution = {
    series: "S-1",
    period: "2026-10",
    quantity,
    closesAtMillis: 100,
    late: null,
    ...given,
  }
  const { event } = applied(eventId, { flow: "usage", key: eventId })
  return {
    _tag: "Applied",
    event,
    mapping: { model: "fact", id: 0, externalId: quantity, version: null, links: {} },
    outbox: [],
    adds: { contribution, message: message(eventId) },
  }
}

/** An applied event that publishes something and tells of a record. */
export const telling = (
  eventId: string,
  record: number,
  content: string,
  correlationId: string | null = null,
): Outcome => {
  const outcome = applied(eventId, { flow: "invoices", key: eventId })
  if (outcome._tag !== "Applied") throw new Error("not applied")
  return {
    ...outcome,
    event: { ...event(eventId, { flow: "invoices", key: eventId }), correlationId },
    outbox: [publication(`${eventId}-other`), publication(eventId)],
    tells: [{ feed: "invoices", record, content, key: `INV-${record}`, messageId: eventId }],
  }
}

const messageIds = (ledger: typeof Ledger.Service, fence: Fence) =>
  Effect.map(ledger.outbox(fence, 100), (rows) => rows.map(({ publication }) => publication.messageId))

export const addingSentences = (it: It, claimed: Claimed): void => {
  const due = (ledger: typeof Ledger.Service, fence: Fence, nowMillis = 1_000, quietSinceMillis = 1_000) =>
    ledger.dueWindows(fence, { flow: "usage", nowMillis, quietSinceMillis, limit: 10 })
  const closing = (events: number, period = "2026-10") => [
    { flow: "usage", series: "S-1", period, events, publication: publication(`closed-${period}`) },
  ]

  it.effect("adds an event to its window once, exactly, however often it is settled", () =>
    Effect.gen(function* () {
      const { fence, ledger } = yield* claimed
      yield* TestClock.setTime(50)
      yield* ledger.settle(fence, settlement([adding("u1", "0.1"), adding("u2", "0.2"), adding("u3", "-1.005")]))
      yield* ledger.settle(fence, settlement([adding("u1", "0.1"), adding("u4", "1000000")]))
      const other = adding("u5", "7", { series: "S-2", period: "2026-11", closesAtMillis: 90 })
      yield* ledger.settle(fence, settlement([other]))
      const window = { series: "S-1", period: "2026-10", late: 0, closesAtMillis: 100, countedAtMillis: 50 }
      assert.deepStrictEqual(yield* due(ledger, fence), [
        { ...window, series: "S-2", period: "2026-11", closesAtMillis: 90, quantity: "7", events: 1 },
        { ...window, quantity: "999999.295", events: 4 },
      ])
      assert.strictEqual((yield* ledger.tallies(fence.entity))[0]?.applied, 5)
    }))

  it.effect("counts a held event when it is applied, and not when it is parked", () =>
    Effect.gen(function* () {
      const { fence, ledger } = yield* claimed
      yield* ledger.settle(fence, settlement([parked("u1", { flow: "usage", key: "u1" })]))
      assert.deepStrictEqual(yield* due(ledger, fence), [])
      yield* ledger.settle(fence, settlement([adding("u1", "3")]))
      assert.deepStrictEqual((yield* due(ledger, fence)).map(({ quantity }) => quantity), ["3"])
    }))

  it.effect("a window is due when it may close and nothing has come for a while, the oldest first", () =>
    Effect.gen(function* () {
      const { fence, ledger } = yield* claimed
      yield* TestClock.setTime(500)
      yield* ledger.settle(
        fence,
        settlement([adding("u1", "1", { period: "b" }), adding("u2", "1", { period: "a", closesAtMillis: 50 })]),
      )
      const periods = (nowMillis: number, quiet: number) =>
        Effect.map(due(ledger, fence, nowMillis, quiet), (windows) => windows.map(({ period }) => period))
      assert.deepStrictEqual(yield* periods(99, 500), ["a"])
      assert.deepStrictEqual(yield* periods(100, 500), ["a", "b"])
      assert.deepStrictEqual(yield* periods(100, 499), [])
      assert.deepStrictEqual(
        yield* ledger.dueWindows(fence, { flow: "other", nowMillis: 100, quietSinceMillis: 500, limit: 10 }),
        [],
      )
    }))

  it.effect("closes a window once, sends what it came to, and leaves one that counts more by now", () =>
    Effect.gen(function* () {
      const { fence, ledger } = yield* claimed
      yield* ledger.settle(fence, settlement([adding("u1", "1"), adding("u2", "2")]))
      assert.strictEqual(yield* ledger.closeWindows(fence, closing(1)), 0)
      assert.deepStrictEqual(yield* messageIds(ledger, fence), [])
      assert.strictEqual(yield* ledger.closeWindows(fence, closing(2)), 1)
      assert.strictEqual(yield* ledger.closeWindows(fence, closing(2)), 0)
      assert.deepStrictEqual([yield* messageIds(ledger, fence), yield* due(ledger, fence)], [["closed-2026-10"], []])
    }))

  it.effect("what comes too late counts in the later window, or is parked where it may not", () =>
    Effect.gen(function* () {
      const { fence, ledger } = yield* claimed
      yield* ledger.settle(fence, settlement([adding("u1", "1")]))
      yield* ledger.closeWindows(fence, closing(1))
      const late = { period: "2026-11", closesAtMillis: 200 }
      yield* ledger.settle(
        fence,
        settlement([adding("u2", "2"), adding("u3", "3", { late }), adding("u4", "4", { late })]),
      )
      assert.deepStrictEqual(
        (yield* due(ledger, fence)).map(({ events, late, period, quantity }) => ({
          events,
          late,
          period,
          quantity,
        })),
        [{ events: 2, late: 2, period: "2026-11", quantity: "7" }],
      )
      const [exception, ...others] = yield* ledger.exceptions({ entity: fence.entity, limit: 10 })
      assert.deepStrictEqual(others, [])
      assert.deepInclude(exception, {
        eventId: "u2",
        state: "parked",
        code: "USAGE-LATE",
        detail: "S-1 2026-10 is closed",
      })
      assert.deepStrictEqual(exception?.message, message("u2"))
      // Nothing of it is known as applied.
      const [answer] = yield* ledger.admit(fence, "usage", [{ eventId: "u2", key: "u2", references: [] }])
      assert.deepStrictEqual([answer?.mapping, answer?.seen?.state], [null, "parked"])
      // Both windows closed: there is no later one.
      yield* ledger.closeWindows(fence, [{ ...closing(2, "2026-11")[0]! }])
      yield* ledger.settle(fence, settlement([adding("u5", "5", { late })]))
      assert.strictEqual((yield* ledger.exceptions({ entity: fence.entity, limit: 10 })).length, 2)
      // What was counted before its window was closed stays counted, whoever settles it again.
      yield* ledger.settle(fence, settlement([adding("u1", "1")]))
      assert.strictEqual((yield* ledger.exceptions({ entity: fence.entity, limit: 10 })).length, 2)
    }))

  it.effect("keeps what an event tells of a record with it, and does not send what was told before", () =>
    Effect.gen(function* () {
      const { fence, ledger } = yield* claimed
      yield* ledger.settle(fence, settlement([telling("i1", 7, "posted", "corr-1")]))
      yield* ledger.settle(fence, settlement([telling("i1", 7, "posted", "corr-1")]))
      assert.deepStrictEqual(yield* messageIds(ledger, fence), ["i1-other", "i1"])
      const told = { content: "posted", revision: 1, key: "INV-7", correlationId: "corr-1", causationId: "i1" }
      assert.deepStrictEqual(yield* ledger.feed(fence, "invoices", [7, 8]), {
        watermark: null,
        told: new Map([[7, told]]),
      })
      yield* ledger.settle(fence, settlement([telling("i2", 7, "posted"), telling("i3", 8, "posted")]))
      assert.deepStrictEqual(yield* messageIds(ledger, fence), ["i1-other", "i1", "i2-other", "i3-other", "i3"])
      const after = yield* ledger.feed(fence, "invoices", [7, 8])
      assert.deepStrictEqual(after.told.get(7), told)
      // An event without a correlation of its own starts one.
      assert.deepInclude(after.told.get(8), { correlationId: "i3", causationId: "i3" })
      assert.deepStrictEqual((yield* ledger.feed(fence, "others", [7])).told, new Map())
    }))

  it.effect("a feed tells a new content once, moves its watermark forward only, and loses to whoever told meanwhile", () =>
    Effect.gen(function* () {
      const { fence, ledger } = yield* claimed
      const change = (record: number, content: string, revision: number, given: Partial<Change> = {}): Change => ({
        record,
        content,
        revision,
        key: null,
        publication: publication(`${record}-${content}`),
        ...given,
      })
      const step = (changes: ReadonlyArray<Change>, watermark: string | null) =>
        ledger.advance(fence, { feed: "invoices", watermark, changes })
      assert.strictEqual(
        yield* step([change(1, "posted", 0), change(2, "paid", 0, { publication: null })], "2026-11-02"),
        2,
      )
      assert.strictEqual(yield* step([change(1, "posted", 0)], null), 0)
      assert.deepStrictEqual(yield* messageIds(ledger, fence), ["1-posted"])
      yield* ledger.settle(fence, settlement([telling("i9", 1, "partial", "c")]))
      assert.strictEqual(yield* step([change(1, "paid", 1), change(2, "reversed", 1)], "2026-11-01"), 1)
      assert.deepStrictEqual(yield* messageIds(ledger, fence), ["1-posted", "i9-other", "i9", "2-reversed"])
      assert.strictEqual(yield* step([change(1, "paid", 2)], "2026-11-03"), 1)
      const { told, watermark } = yield* ledger.feed(fence, "invoices", [1, 2])
      assert.strictEqual(watermark, "2026-11-03")
      assert.deepStrictEqual(
        [...told].map(([record, { content, key, revision }]) => [record, content, revision, key]),
        [
          [1, "paid", 3, "INV-1"],
          [2, "reversed", 2, null],
        ],
      )
      assert.deepInclude(told.get(1), { correlationId: "c", causationId: "i9" })
    }))

  it.effect("refuses windows and feeds of a stale epoch", () =>
    Effect.gen(function* () {
      const { fence, ledger } = yield* claimed
      yield* ledger.settle(fence, settlement([adding("u1", "1"), telling("i1", 1, "posted")]))
      yield* ledger.claim(fence.entity, "there")
      const verbs = [
        due(ledger, fence),
        ledger.closeWindows(fence, closing(1)),
        ledger.feed(fence, "invoices", [1]),
        ledger.advance(fence, { feed: "invoices", watermark: "x", changes: [] }),
        ledger.settle(fence, settlement([adding("u2", "1")])),
        ledger.settle(fence, settlement([telling("i2", 1, "paid")])),
      ]
      for (const verb of verbs) {
        assert.strictEqual(
          (yield* Effect.flip(verb as Effect.Effect<unknown, { readonly reason: string }>)).reason,
          "Fenced",
        )
      }
      const again = yield* ledger.claim(fence.entity, "here")
      assert.deepStrictEqual((yield* due(ledger, again)).map(({ events }) => events), [1])
      assert.strictEqual((yield* ledger.feed(again, "invoices", [1])).watermark, null)
    }))
}
