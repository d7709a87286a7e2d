/** The contract of the port `src/ledger/Ledger.ts`, run over every adapter. Each test has an entity of its own. */
import { assert, layer } from "@effect/vitest"
import { Effect, type Layer, Result } from "effect"
import { TestClock } from "effect/testing"
import { type Act, type Incident, verifyAudit } from "../../src/ledger/Governance.ts"
import { type EventState, type Fence, Ledger, type LedgerError, type Outcome } from "../../src/ledger/Ledger.ts"
import { addingSentences } from "./adding.suite.ts"
import {
  applied,
  behind,
  duplicate,
  event,
  mapping,
  message,
  parked,
  settlement,
  superseded,
  waiting,
} from "./outcomes.ts"

let entities = 0
export const freshEntity = (): string => `en${(++entities).toString(36)}`

const claimed = Effect.gen(function* () {
  const ledger = yield* Ledger
  const fence = yield* ledger.claim(freshEntity(), "here")
  return { ledger, fence, entity: fence.entity }
})

/** An act of one entry, `id`, and what else is given. */
const act = (id: string, given: Partial<Omit<Act, "entries">> = {}): Act => ({
  entries: [{ id, actor: "ada", action: "mode.changed", detail: { reason: "a \u00e9 test" } }],
  incidents: [],
  outbox: [],
  ...given,
})

const engagement = { flow: "engagements", key: "ENG-1" } as const

/** What became of each event, by id. */
const statesOf = (ledger: typeof Ledger.Service, fence: Fence, ids: ReadonlyArray<string>, flow = "customers") =>
  Effect.map(
    ledger.admit(fence, flow, ids.map((eventId) => ({ eventId, key: "none", references: [] }))),
    (answers) => answers.map((answer) => answer.seen?.state ?? null),
  )

const blocked = (ledger: typeof Ledger.Service, fence: Fence, eventId: string, key = "CUS-1") =>
  Effect.map(
    ledger.admit(fence, "customers", [{ eventId, key, references: [] }]),
    (answers) => answers[0]?.blocked,
  )

const readyIds = (ledger: typeof Ledger.Service, fence: Fence, flow = "customers") =>
  Effect.map(ledger.ready(fence, flow, 100, []), (events) => events.map((one) => one.eventId))

const tallyOf = (ledger: typeof Ledger.Service, entity: string, flow = "customers") =>
  Effect.map(ledger.tallies(entity), (tallies) => tallies.find((tally) => tally.flow === flow))

const isFenced = (error: LedgerError) => assert.deepStrictEqual([error.reason, error.isRetryable], ["Fenced", false])

export const ledgerSuite = (name: string, adapter: Layer.Layer<Ledger, unknown>) =>
  layer(adapter, { timeout: "60 seconds" })(`Ledger: ${name}`, (it) => {
    it.effect("counts up the epoch with every claim and keeps the mode", () =>
      Effect.gen(function* () {
        const ledger = yield* Ledger
        const entity = freshEntity()
        yield* TestClock.setTime(5_000)
        const first = yield* ledger.claim(entity, "a")
        assert.deepStrictEqual(first, { entity, epoch: 1, mode: "full", checkpoints: new Map() })
        yield* ledger.govern(first, act("1", { standing: { mode: "drafts", override: null } }))
        const second = yield* ledger.claim(entity, "b")
        assert.deepStrictEqual([second.epoch, second.mode], [2, "drafts"])
        const owners = (yield* ledger.owners).filter((owner) => owner.entity === entity)
        assert.deepStrictEqual(owners, [{ entity, epoch: 2, owner: "b", mode: "drafts", claimedAtMillis: 5_000 }])
      }))

    it.effect("makes ready what waits to be posted when the mode posts, and nothing else", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        yield* ledger.govern(fence, act("0", { standing: { mode: "drafts", override: null } }))
        yield* ledger.settle(
          fence,
          settlement([
            waiting("drafted", { flow: "mode", key: "full" }),
            waiting("other", engagement, { key: "CUS-9" }),
          ]),
        )
        yield* ledger.govern(fence, act("1", { standing: { mode: "drafts", override: null } }))
        assert.strictEqual((yield* tallyOf(ledger, entity))?.waiting, 2)
        yield* ledger.govern(fence, act("2", { standing: { mode: "full", override: null } }))
        const tally = yield* tallyOf(ledger, entity)
        assert.deepStrictEqual([tally?.waiting, tally?.ready], [1, 1])
      }))

    it.effect("makes ready at once what was drafted before the mode that posts and is settled after it", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        const drafted = (id: string) => waiting(id, { flow: "mode", key: "full" }, { key: id })
        const other = waiting("other", engagement, { key: "CUS-9" })
        for (const [n, mode] of (["drafts", "hold", "full", "essential"] as const).entries()) {
          yield* ledger.govern(fence, act(`${n}`, { standing: { mode, override: null } }))
          const posts = mode === "full" || mode === "essential"
          const before = yield* tallyOf(ledger, entity)
          const settled = yield* ledger.settle(fence, settlement([drafted(mode), other]))
          assert.strictEqual(settled.released, posts ? 1 : 0, mode)
          const after = yield* tallyOf(ledger, entity)
          assert.deepStrictEqual((after?.ready ?? 0) - (before?.ready ?? 0), posts ? 1 : 0, mode)
        }
        const events = yield* ledger.ready(fence, "customers", 10, [])
        assert.deepStrictEqual(events.map(({ eventId }) => eventId).toSorted(), ["drafts", "essential", "full", "hold"])
        assert.deepInclude(yield* tallyOf(ledger, entity), { waiting: 1, ready: 4 })
      }))

    it.effect("keeps which flows are paused with the act that pauses them, over claims", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        assert.deepStrictEqual(yield* ledger.pauses(entity), [])
        assert.deepStrictEqual(yield* ledger.pauses(freshEntity()), [])
        const pause = { actor: "ada", reason: "prices \u0000 are wrong", sinceMillis: 1, untilMillis: null }
        const pauses = [{ flow: "payments", ...pause, untilMillis: 9 }, { flow: "invoices", ...pause }]
        yield* ledger.govern(fence, act("1", { pauses }))
        yield* ledger.govern(fence, act("2", { standing: { mode: "drafts", override: null } }))
        yield* ledger.govern(fence, act("1", { pauses: [] }))
        const next = yield* ledger.claim(entity, "there")
        assert.deepStrictEqual(yield* ledger.pauses(entity), pauses.toReversed())
        isFenced(yield* Effect.flip(ledger.govern(fence, act("3", { pauses: [] }))))
        yield* ledger.govern(next, act("4", { pauses: [] }))
        assert.deepStrictEqual(yield* ledger.pauses(entity), [])
        assert.strictEqual((yield* ledger.standing(entity))?.mode, "drafts")
      }))

    it.effect("refuses every verb of a stale epoch and of an entity nobody claimed, and changes nothing", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        yield* ledger.settle(fence, settlement([waiting("e1", engagement, { deadlineMillis: 10 })]))
        yield* ledger.claim(entity, "there")
        for (const stale of [fence, { entity: freshEntity(), epoch: 1 }]) {
          isFenced(yield* Effect.flip(ledger.settle(stale, settlement([applied("e2")], { customers: 9 }))))
          isFenced(
            yield* Effect.flip(ledger.admit(stale, "customers", [{ eventId: "e1", key: "CUS-1", references: [] }])),
          )
          isFenced(yield* Effect.flip(ledger.admit(stale, "customers", [])))
          isFenced(yield* Effect.flip(ledger.ready(stale, "customers", 10, [])))
          isFenced(yield* Effect.flip(ledger.readyFlows(stale, ["customers"])))
          isFenced(yield* Effect.flip(ledger.readyFlows(stale, [])))
          isFenced(yield* Effect.flip(ledger.expire(stale, 1_000)))
          isFenced(yield* Effect.flip(ledger.govern(stale, act("1"))))
          isFenced(yield* Effect.flip(ledger.outbox(stale, 10)))
          isFenced(yield* Effect.flip(ledger.published(stale, [1])))
        }
        const tally = yield* tallyOf(ledger, entity)
        assert.deepStrictEqual([tally?.applied, tally?.waiting, tally?.checkpoint], [0, 1, 0])
        assert.strictEqual((yield* ledger.claim(entity, "again")).mode, "full")
      }))

    it.effect("lets no settlement of the old epoch through once the claim has answered", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        const settle = (n: number) =>
          Effect.result(ledger.settle(fence, settlement([applied(`e${n + 1}`, { key: `K${n}` })])))
        const [before, settled] = yield* Effect.all([
          Effect.andThen(ledger.claim(entity, "there"), tallyOf(ledger, entity)),
          Effect.forEach(Array.from({ length: 60 }, (_, n) => n), settle, { concurrency: 6 }),
        ], { concurrency: 2 })
        const through = settled.filter(Result.isSuccess).length
        assert.strictEqual((yield* tallyOf(ledger, entity))?.applied ?? 0, through)
        assert.strictEqual(before?.applied ?? 0, through)
        for (const result of settled) if (Result.isFailure(result)) isFenced(result.failure)
      }))

    it.effect("answers what it knows in the order asked", () =>
      Effect.gen(function* () {
        const { ledger, fence } = yield* claimed
        const own: ReturnType<typeof mapping> = { ...mapping(12, 3), links: { project: 4, analytic: 5 } }
        yield* ledger.settle(
          fence,
          settlement([
            applied("e1", { flow: "engagements", key: "ENG-1", mapping: own }),
            applied("e2", { key: "CUS-2", mapping: mapping(2) }),
            superseded("e3", { key: "CUS-2" }),
          ]),
        )
        const missing = { flow: "engagements", key: "ENG-2" }
        const answers = yield* ledger.admit(fence, "customers", [
          { eventId: "e9", key: "CUS-9", references: [missing, engagement] },
          { eventId: "e3", key: "CUS-2", references: [] },
          { eventId: "e2", key: "CUS-3", references: [engagement, missing, { flow: "customers", key: "CUS-2" }] },
        ])
        assert.deepStrictEqual(answers, [
          { seen: null, mapping: null, blocked: false, references: [null, own] },
          {
            seen: { state: "superseded", payloadHash: "hash-of-e3" },
            mapping: mapping(2),
            blocked: false,
            references: [],
          },
          {
            seen: { state: "applied", payloadHash: "hash-of-e2" },
            mapping: null,
            blocked: false,
            references: [own, null, mapping(2)],
          },
        ])
      }))

    it.effect("settles 500 events at once and knows them all", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        const ids = Array.from({ length: 500 }, (_, n) => `e${n + 1}`)
        yield* ledger.settle(
          fence,
          settlement(ids.map((id, n) => applied(id, { key: `K${n}`, mapping: mapping(n + 1) })), { customers: 500 }),
        )
        const answers = yield* ledger.admit(
          fence,
          "customers",
          ids.map((eventId, n) => ({ eventId, key: `K${n}`, references: [] })),
        )
        assert.isTrue(answers.every((answer, n) => answer.seen?.state === "applied" && answer.mapping?.id === n + 1))
        const tally = yield* tallyOf(ledger, entity)
        assert.deepStrictEqual([tally?.applied, tally?.checkpoint], [500, 500])
      }))

    it.effect("counts the same settlement once, however often it is settled", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        const outbox = [{ ...message("out"), messageId: "m1" }]
        const same = settlement([
          { ...applied("e1", { key: "A" }), outbox } as ReturnType<typeof applied>,
          superseded("e2", { key: "B" }),
          waiting("e3", engagement, { key: "C" }),
          parked("e4", { key: "D" }),
          behind("e5", { key: "D" }),
          duplicate("e1", { key: "A", streamSequence: 6 }),
        ], { customers: 5 })
        for (let n = 0; n < 3; n++) assert.deepStrictEqual(yield* ledger.settle(fence, same), { released: 0 })
        assert.deepStrictEqual(yield* tallyOf(ledger, entity), {
          entity,
          flow: "customers",
          ...{ applied: 1, superseded: 1, duplicate: 1, dismissed: 0, waiting: 1, parked: 1, behind: 1, ready: 0 },
          checkpoint: 5,
          oldestHeldMillis: 1_003,
        })
        const sent = (yield* ledger.outbox(fence, 10)).map(({ publication }) => publication.subject)
        // In one settlement each in its own order.
        assert.sameMembers(sent.map((subject) => subject.endsWith(".exception.raised")), [true, false])
      }))

    it.effect("counts a duplicate once per stream message, and a redelivery not at all", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        const count = Effect.map(tallyOf(ledger, entity), (tally) => tally?.duplicate)
        yield* ledger.settle(fence, settlement([applied("e1")], { customers: 1 }))
        yield* ledger.settle(fence, settlement([duplicate("e1", { streamSequence: 1 })]))
        assert.strictEqual(yield* count, 0)
        const twice = [duplicate("e1", { streamSequence: 3 }), duplicate("e1", { streamSequence: 2 })]
        yield* ledger.settle(fence, settlement([...twice, ...twice]))
        assert.strictEqual(yield* count, 2)
        yield* ledger.settle(fence, settlement(twice, { customers: 3 }))
        yield* ledger.settle(fence, settlement(twice, { customers: 3 }))
        assert.strictEqual(yield* count, 2)
        yield* ledger.settle(fence, settlement([applied("e4", { key: "B" }), duplicate("e4", { streamSequence: 5 })]))
        assert.strictEqual(yield* count, 3)
        assert.deepStrictEqual(yield* statesOf(ledger, fence, ["e1", "e4"]), ["applied", "applied"])
      }))

    it.effect("keeps a final outcome final", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        yield* ledger.settle(fence, settlement([applied("e1", { key: "A" }), superseded("e2", { key: "B" })]))
        yield* ledger.settle(
          fence,
          settlement([
            parked("e1", { key: "A" }),
            waiting("e2", engagement, { key: "B" }),
            behind("e1", { key: "A" }),
            superseded("e1", { key: "A" }),
            applied("e2", { key: "B" }),
          ]),
        )
        assert.deepStrictEqual(yield* statesOf(ledger, fence, ["e1", "e2"]), ["applied", "superseded"])
        assert.deepStrictEqual(yield* ledger.exceptions({ entity, limit: 10 }), [])
        const tally = yield* tallyOf(ledger, entity)
        assert.deepStrictEqual([tally?.applied, tally?.superseded, tally?.waiting, tally?.parked], [1, 1, 0, 0])
      }))

    it.effect("takes the final word when one settlement says two things of an event, and both mappings of a key", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        yield* ledger.settle(
          fence,
          settlement([
            waiting("e1", engagement),
            applied("e1", { version: 1, mapping: mapping(1, 1) }),
            parked("e1"),
            applied("e2", { version: 3, mapping: mapping(3, 3) }),
            applied("e3", { version: 2, mapping: mapping(2, 2) }),
          ]),
        )
        assert.deepStrictEqual(yield* statesOf(ledger, fence, ["e1", "e2", "e3"]), ["applied", "applied", "applied"])
        assert.strictEqual((yield* tallyOf(ledger, entity))?.applied, 3)
        const [answer] = yield* ledger.admit(fence, "customers", [{ eventId: "x", key: "CUS-1", references: [] }])
        assert.deepStrictEqual(answer?.mapping, mapping(3, 3))
      }))

    it.effect("never lets the version of a mapping go down", () =>
      Effect.gen(function* () {
        const { ledger, fence } = yield* claimed
        const after = (next: ReturnType<typeof mapping>, id: string) =>
          Effect.andThen(
            ledger.settle(fence, settlement([applied(id, { mapping: next })])),
            Effect.map(
              ledger.admit(fence, "customers", [{ eventId: "x", key: "CUS-1", references: [] }]),
              ([answer]) => [answer?.mapping?.id, answer?.mapping?.version],
            ),
          )
        assert.deepStrictEqual(yield* after(mapping(1, null), "e1"), [1, null])
        assert.deepStrictEqual(yield* after(mapping(2, 5), "e2"), [2, 5])
        assert.deepStrictEqual(yield* after(mapping(3, 4), "e3"), [2, 5])
        assert.deepStrictEqual(yield* after(mapping(4, 5), "e4"), [4, 5])
        assert.deepStrictEqual(yield* after(mapping(5, null), "e5"), [5, 5])
      }))

    it.effect("releases whoever waits for what a person approves, at once and later, and keeps who did", () =>
      Effect.gen(function* () {
        const { entity, fence, ledger } = yield* claimed
        const october = { flow: "period", key: "2026-10" }
        const november = { flow: "period", key: "2026-11" }
        yield* ledger.settle(
          fence,
          settlement([
            { ...waiting("e1", october, { key: "A" }), code: "PERIOD-APPROVAL-MISSING" } as Outcome,
            waiting("e2", november, { key: "B" }),
          ]),
        )
        const [, first] = yield* ledger.exceptions({ entity, limit: 10 })
        assert.strictEqual(first?.code, "PERIOD-APPROVAL-MISSING")
        assert.deepStrictEqual(yield* readyIds(ledger, fence), [])
        assert.strictEqual(yield* ledger.approve(entity, october, "cfo"), 1)
        assert.strictEqual(yield* ledger.approve(entity, october, "somebody else"), 0)
        assert.deepStrictEqual(yield* readyIds(ledger, fence), ["e1"])
        // Whoever begins to wait afterwards does not.
        assert.deepStrictEqual(yield* ledger.settle(fence, settlement([waiting("e3", october, { key: "C" })])), {
          released: 1,
        })
        const [answer] = yield* ledger.admit(fence, "period", [{ eventId: "x", key: "2026-10", references: [] }])
        assert.deepInclude(answer?.mapping, { model: "approval", externalId: "cfo" })
      }))

    it.effect("releases whoever waits for something that is no event, and nobody who waits for it later", () =>
      Effect.gen(function* () {
        const { fence, ledger } = yield* claimed
        const tax = { flow: "dependency", key: "tax" }
        yield* ledger.settle(
          fence,
          settlement([waiting("e1", tax, { key: "A" }), waiting("e2", { ...tax, key: "pricing" }, { key: "B" })]),
        )
        assert.strictEqual(yield* ledger.release(fence, tax), 1)
        assert.strictEqual(yield* ledger.release(fence, tax), 0)
        assert.deepStrictEqual(yield* readyIds(ledger, fence), ["e1"])
        assert.deepStrictEqual(yield* ledger.settle(fence, settlement([waiting("e3", tax, { key: "C" })])), {
          released: 0,
        })
        const stale = yield* Effect.flip(ledger.release({ ...fence, epoch: fence.epoch - 1 }, tax))
        assert.strictEqual(stale.reason, "Fenced")
      }))

    it.effect("releases whoever waits for a key when it is applied, and hands the message back as it came", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        yield* ledger.settle(
          fence,
          settlement([
            waiting("e1", engagement, { key: "A", attempts: 2 }),
            waiting("e2", engagement, { key: "B", flow: "timesheets" }),
            waiting("e3", { flow: "engagements", key: "ENG-2" }, { key: "C" }),
            waiting("e4", { flow: "customers", key: "ENG-1" }, { key: "D" }),
          ]),
        )
        assert.deepStrictEqual(yield* readyIds(ledger, fence), [])
        const released = yield* ledger.settle(fence, settlement([applied("e9", engagement)]))
        assert.deepStrictEqual(released, { released: 2 })
        assert.deepStrictEqual(yield* ledger.ready(fence, "customers", 10, []), [{
          eventId: "e1",
          flow: "customers",
          key: "A",
          streamSequence: 1,
          storedAtMillis: 1_001,
          attempts: 2,
          message: message("e1"),
        }])
        assert.deepStrictEqual(yield* readyIds(ledger, fence, "timesheets"), ["e2"])
        assert.deepStrictEqual(yield* statesOf(ledger, fence, ["e1", "e3"]), ["ready", "waiting"])
        yield* ledger.settle(fence, settlement([applied("e1", { key: "A", attempts: 3 })]))
        assert.deepStrictEqual(yield* readyIds(ledger, fence), [])
        const tally = yield* tallyOf(ledger, entity)
        assert.deepStrictEqual([tally?.applied, tally?.waiting, tally?.ready], [1, 2, 0])
      }))

    it.effect("releases whoever waits for a mark of an event that is applied", () =>
      Effect.gen(function* () {
        const { ledger, fence } = yield* claimed
        const lifted = { flow: "disputes", key: "ENG-1#4" }
        yield* ledger.settle(fence, settlement([waiting("e1", lifted), waiting("e2", engagement, { key: "B" })]))
        const lifting = { ...applied("e3", { flow: "disputes", key: "ENG-1", version: 5 }), marks: [lifted] }
        assert.deepStrictEqual(yield* ledger.settle(fence, settlement([lifting])), { released: 1 })
        assert.deepStrictEqual(yield* ledger.settle(fence, settlement([lifting])), { released: 0 })
        assert.deepStrictEqual(yield* readyIds(ledger, fence), ["e1"])
        const [answer] = yield* ledger.admit(fence, "customers", [{ eventId: "x", key: "K", references: [lifted] }])
        assert.deepInclude(answer?.references[0], { model: "mark", externalId: "e3" })

        const part = { flow: "engagements", key: "ENG-1.line-senior" }
        const record = { model: "sale.order.line", id: 77, externalId: "weir_be01.engagements_ENG-1.line-senior" }
        yield* ledger.settle(fence, settlement([waiting("e4", part, { key: "C" })]))
        const whole = { ...applied("e5", { ...engagement, version: 2 }), marks: [{ ...part, record }] }
        // With it whoever waits for the engagement itself.
        assert.deepStrictEqual(yield* ledger.settle(fence, settlement([whole])), { released: 2 })
        const [told] = yield* ledger.admit(fence, "timesheets", [{ eventId: "y", key: "K", references: [part] }])
        assert.deepStrictEqual(told?.references[0], { ...record, version: null, links: {} })
      }))

    it.effect("makes an event ready at once whose reference was applied between admit and settle", () =>
      Effect.gen(function* () {
        const { ledger, fence } = yield* claimed
        yield* ledger.settle(fence, settlement([applied("e1", engagement)]))
        assert.deepStrictEqual(yield* ledger.settle(fence, settlement([waiting("e2", engagement)])), { released: 1 })
        assert.deepStrictEqual(yield* readyIds(ledger, fence), ["e2"])
        const other = { flow: "engagements", key: "ENG-2" }
        const together = settlement([waiting("e3", other, { key: "B" }), applied("e4", other)])
        assert.deepStrictEqual(yield* ledger.settle(fence, together), { released: 1 })
      }))

    it.effect("loses no wake-up when waiters and their references are settled at the same time", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        const pairs = Array.from({ length: 80 }, (_, n) => n)
        yield* Effect.forEach(pairs, (n) => {
          const on = { flow: "engagements", key: `ENG-${n}` }
          return Effect.all([
            ledger.settle(fence, settlement([waiting(`w${n}`, on, { key: `W${n}`, streamSequence: n })])),
            ledger.settle(fence, settlement([applied(`a${n}`, { ...on, streamSequence: n })])),
          ], { concurrency: 2 })
        }, { concurrency: 4 })
        const tally = yield* tallyOf(ledger, entity)
        assert.deepStrictEqual([tally?.waiting, tally?.ready], [0, pairs.length])
      }))

    it.effect("lets the followers of a key go one by one, by source sequence, then by stream sequence", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        yield* ledger.settle(
          fence,
          settlement([
            parked("e1", { version: 1 }),
            behind("e2", { version: 4 }),
            behind("e3", { version: 2 }),
            behind("e4", { version: 3 }),
            behind("e5", { version: 3 }),
            behind("e6", { key: "CUS-2", version: 1 }),
            parked("e7", { key: "CUS-2", version: 2 }),
          ]),
        )
        assert.deepStrictEqual(yield* readyIds(ledger, fence), [])
        assert.strictEqual(yield* ledger.retry(entity, ["e1"]), 1)
        const order: Array<string> = []
        for (let n = 0; n < 5; n++) {
          const ready = yield* readyIds(ledger, fence)
          assert.strictEqual(ready.length, 1)
          const [id = ""] = ready
          assert.strictEqual(yield* blocked(ledger, fence, id), false, `${id} is in front`)
          assert.strictEqual(yield* blocked(ledger, fence, "unseen"), true)
          order.push(id)
          const done = n % 2 === 0 ? applied(id) : superseded(id)
          assert.deepStrictEqual(yield* ledger.settle(fence, settlement([done])), { released: n < 4 ? 1 : 0 })
        }
        assert.deepStrictEqual(order, ["e1", "e3", "e4", "e5", "e2"])
        assert.strictEqual(yield* blocked(ledger, fence, "unseen"), false)
        assert.strictEqual(yield* blocked(ledger, fence, "unseen", "CUS-2"), true)
      }))

    it.effect("makes a follower ready at once when nobody is in front any more", () =>
      Effect.gen(function* () {
        const { ledger, fence } = yield* claimed
        yield* ledger.settle(fence, settlement([parked("e1")]))
        yield* ledger.retry(fence.entity, ["e1"])
        yield* ledger.settle(fence, settlement([applied("e1")]))
        assert.deepStrictEqual(yield* ledger.settle(fence, settlement([behind("e2")])), { released: 1 })
        assert.deepStrictEqual(yield* readyIds(ledger, fence), ["e2"])
      }))

    it.effect("blocks a ready event behind an earlier one that is still held, and only then", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        yield* ledger.settle(fence, settlement([parked("e1"), parked("e2"), parked("e3", { key: "CUS-2" })]))
        yield* ledger.retry(entity, ["e2", "e3"])
        assert.strictEqual(yield* blocked(ledger, fence, "e2"), true)
        assert.strictEqual(yield* blocked(ledger, fence, "e3", "CUS-2"), false)
        assert.strictEqual(yield* blocked(ledger, fence, "unseen", "CUS-3"), false)
        yield* ledger.settle(fence, settlement([behind("e2")]))
        assert.strictEqual(yield* ledger.dismiss(entity, ["e1"], "sent twice"), 1)
        assert.deepStrictEqual(yield* readyIds(ledger, fence), ["e2", "e3"])
      }))

    it.effect("gives ready events by stream sequence, up to the limit, without those in flight", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        const ids = ["e5", "e3", "e4", "e1", "e2"]
        yield* ledger.settle(fence, settlement(ids.map((id) => parked(id, { key: `K-${id}` }))))
        yield* ledger.retry(entity, ids)
        const give = (limit: number, except: ReadonlyArray<string>) =>
          Effect.map(ledger.ready(fence, "customers", limit, except), (events) => events.map((one) => one.eventId))
        assert.deepStrictEqual(yield* give(3, []), ["e1", "e2", "e3"])
        assert.deepStrictEqual(yield* give(3, ["e2", "e1"]), ["e3", "e4", "e5"])
        assert.deepStrictEqual(yield* give(0, []), [])
      }))

    it.effect("tells by one question which flows of the entity have ready events", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        const other = yield* claimed
        const flows = ["customers", "timesheets", "invoices"]
        assert.deepStrictEqual(yield* ledger.readyFlows(fence, flows), [])
        yield* ledger.settle(
          fence,
          settlement([
            parked("e1"),
            parked("e2", { key: "A", flow: "timesheets" }),
            parked("e3", { key: "B", flow: "payments" }),
          ]),
        )
        assert.deepStrictEqual(yield* ledger.readyFlows(fence, flows), [])
        yield* ledger.retry(entity, ["e2", "e3"])
        assert.deepStrictEqual(yield* ledger.readyFlows(fence, flows), ["timesheets"])
        assert.deepStrictEqual(yield* ledger.readyFlows(fence, []), [])
        assert.deepStrictEqual(yield* other.ledger.readyFlows(other.fence, flows), [])
      }))

    it.effect("turns waiting events into exceptions only after their deadline", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        yield* ledger.settle(
          fence,
          settlement([
            waiting("e1", engagement, { key: "A", deadlineMillis: 1_000 }),
            waiting("e2", engagement, { key: "B", deadlineMillis: 2_000 }),
          ]),
        )
        assert.strictEqual(yield* ledger.expire(fence, 1_000), 0)
        assert.strictEqual(yield* ledger.expire(fence, 1_001), 1)
        assert.strictEqual(yield* ledger.expire(fence, 1_001), 0)
        const [overdue] = yield* ledger.exceptions({ entity, state: "parked", limit: 10 })
        assert.deepStrictEqual([overdue?.eventId, overdue?.code], ["e1", "REFERENCE-OVERDUE"])
        assert.deepStrictEqual(yield* ledger.settle(fence, settlement([applied("e9", engagement)])), { released: 1 })
        assert.strictEqual(yield* ledger.retry(entity, ["e1"]), 1)
        assert.deepStrictEqual(yield* readyIds(ledger, fence), ["e1", "e2"])
      }))

    it.effect("retries and dismisses what a person decides, keeps dismissed events final and never lets a follower overtake", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        yield* ledger.settle(fence, settlement([parked("e1"), behind("e2"), behind("e3")]))
        assert.strictEqual(yield* ledger.retry(entity, ["e2", "unknown"]), 0)
        assert.strictEqual(yield* ledger.dismiss(entity, ["e1", "e1", "unknown"], "wrong customer"), 1)
        assert.deepStrictEqual(yield* statesOf(ledger, fence, ["e1", "e2", "e3"]), ["dismissed", "ready", "behind"])
        assert.strictEqual(yield* ledger.dismiss(entity, ["e1"], "again"), 0)
        assert.strictEqual(yield* ledger.dismiss(entity, ["e2"], "it may be on its way into Odoo"), 0)
        assert.strictEqual((yield* tallyOf(ledger, entity))?.dismissed, 1)
        yield* ledger.settle(fence, settlement([applied("e1")]))
        assert.deepStrictEqual(yield* statesOf(ledger, fence, ["e1"]), ["dismissed"])
        const tally = yield* tallyOf(ledger, entity)
        assert.deepStrictEqual([tally?.applied, tally?.ready, tally?.behind, tally?.parked], [0, 1, 1, 0])
        assert.strictEqual(yield* ledger.retry(freshEntity(), ["e2"]), 0)
      }))

    it.effect("keeps any bytes, header and NUL of a held message", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        const data = Uint8Array.from({ length: 1024 }, (_, n) => n % 256)
        const headers = { "x-nul": "a\0b", "x-text": 'ä€😀"\\\n' }
        const record = { ...event("e\u00001"), key: "K\0", type: "not\0a.type", correlationId: "c\0" }
        yield* ledger.settle(
          fence,
          settlement([{
            _tag: "Parked",
            event: record,
            message: { subject: "erp.be01.x.y", headers, data },
            code: "EVENT-NOT-JSON",
            detail: "starts with \0",
          }]),
        )
        const [kept] = yield* ledger.exceptions({ entity, limit: 1 })
        assert.deepStrictEqual(kept?.message, { subject: "erp.be01.x.y", headers, data })
        assert.deepStrictEqual([kept?.eventId, kept?.key, kept?.detail], ["e␀1", "K␀", "starts with ␀"])
        const [answer] = yield* ledger.admit(fence, "customers", [{ eventId: "e\u00001", key: "K\0", references: [] }])
        assert.deepStrictEqual(answer?.seen?.state, "parked")
        assert.strictEqual(yield* ledger.retry(entity, ["e\u00001"]), 1)
        yield* ledger.settle(fence, settlement([{ _tag: "Superseded", event: record }]))
        assert.deepStrictEqual(yield* ledger.exceptions({ entity, limit: 1 }), [])
      }))

    it.effect("moves checkpoints up only, per flow, and hands them to the next owner", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        yield* ledger.settle(fence, settlement([], { customers: 5, timesheets: 8 }))
        yield* ledger.settle(fence, settlement([], { customers: 4 }))
        yield* ledger.settle(fence, settlement([], { timesheets: 9 }))
        const next = yield* ledger.claim(entity, "there")
        assert.deepStrictEqual(next.checkpoints, new Map([["customers", 5], ["timesheets", 9]]))
        assert.strictEqual((yield* tallyOf(ledger, entity, "timesheets"))?.checkpoint, 9)
      }))

    it.effect("hands out outbox rows in the order of their settlements until they are published", () =>
      Effect.gen(function* () {
        const { ledger, fence } = yield* claimed
        const out = (messageId: string) => ({
          ...message(messageId),
          headers: { "x-nul": "\0" },
          data: Uint8Array.of(0, 255, 128),
          messageId,
        })
        for (const n of [1, 2]) {
          const outbox = [out(`m${n}-a`), out(`m${n}-b`)]
          yield* ledger.settle(
            fence,
            settlement([{ _tag: "Applied", event: event(`e${n}`, { key: `K${n}` }), mapping: mapping(n), outbox }]),
          )
        }
        const rows = yield* ledger.outbox(fence, 3)
        assert.deepStrictEqual(rows.map((row) => row.publication), [out("m1-a"), out("m1-b"), out("m2-a")])
        yield* ledger.published(fence, rows.slice(0, 2).map((row) => row.id))
        const left = yield* ledger.outbox(fence, 10)
        assert.deepStrictEqual(left.map((row) => row.publication.messageId), ["m2-a", "m2-b"])
      }))

    it.effect("lists held events newest first, by entity, flow and state, and keeps since when they are held", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        yield* TestClock.setTime(1_000)
        yield* ledger.settle(fence, settlement([parked("e1"), behind("e2"), parked("e3", { flow: "timesheets" })]))
        yield* TestClock.setTime(2_000)
        yield* ledger.settle(
          fence,
          settlement([parked("e1", { attempts: 4 }), waiting("e4", engagement, { key: "B" })]),
        )
        const ids = (filter: { readonly flow?: string; readonly state?: EventState }, limit = 10) =>
          Effect.map(
            ledger.exceptions({ entity, limit, ...filter as { flow?: string } }),
            (all) => all.map((one) => one.eventId),
          )
        assert.deepStrictEqual(yield* ids({}), ["e4", "e3", "e2", "e1"])
        assert.deepStrictEqual(yield* ids({}, 2), ["e4", "e3"])
        assert.deepStrictEqual(yield* ids({ flow: "timesheets" }), ["e3"])
        assert.deepStrictEqual(yield* ids({ state: "behind" }), ["e2"])
        const [, , , first] = yield* ledger.exceptions({ entity, limit: 10 })
        assert.deepStrictEqual(first, {
          entity,
          flow: "customers",
          eventId: "e1",
          type: "customer.upserted",
          key: "CUS-1",
          streamSequence: 1,
          state: "parked",
          code: "ODOO-VALIDATION",
          detail: "no",
          attempts: 4,
          heldSinceMillis: 1_000,
          message: message("e1"),
        })
      }))

    it.effect("makes an act durable as a whole: standing, audit, incident and outbox", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        assert.deepStrictEqual(yield* ledger.standing(entity), { mode: "full", override: null })
        assert.strictEqual(yield* ledger.standing(freshEntity()), null)
        yield* TestClock.setTime(7_000)
        const standing = {
          mode: "hold",
          override: { mode: "hold", actor: "ada", reason: "year end", untilMillis: 9_000 },
        } as const
        const incident: Incident = {
          id: "odoo-6000",
          entity,
          cause: "odoo",
          detectedAtMillis: 6_000,
          containedAtMillis: 6_500,
          restoredAtMillis: null,
          steps: [{ atMillis: 6_500, what: "no more calls" }],
        }
        const publication = {
          subject: `erp-out.${entity}.mode.changed`,
          headers: { "content-type": "application/json" },
          data: new TextEncoder().encode("{}"),
          messageId: `m-${entity}`,
        }
        yield* ledger.govern(fence, act("1", { standing, incidents: [incident], outbox: [publication] }))
        assert.deepStrictEqual(yield* ledger.standing(entity), standing)
        assert.deepStrictEqual(yield* ledger.incidents({ entity, limit: 10 }), [incident])
        assert.deepStrictEqual((yield* ledger.outbox(fence, 10)).map((row) => row.publication), [publication])
        const restored = {
          ...incident,
          restoredAtMillis: 7_000,
          steps: [...incident.steps, { atMillis: 7_000, what: "x" }],
        }
        yield* ledger.govern(fence, act("2", { incidents: [restored] }))
        assert.deepStrictEqual(yield* ledger.incidents({ entity, open: true, limit: 10 }), [])
        assert.deepStrictEqual(yield* ledger.incidents({ entity, open: false, limit: 10 }), [restored])
        assert.deepStrictEqual(yield* ledger.standing(entity), standing, "an act without standing leaves it")
        assert.strictEqual((yield* ledger.claim(entity, "next")).mode, "hold")
        assert.deepStrictEqual(yield* ledger.standing(entity), standing, "a claim leaves it")
      }))

    it.effect("records an act once, however often it is repeated", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        const first = act("1", { standing: { mode: "hold", override: null } })
        yield* ledger.govern(fence, first)
        yield* ledger.govern(fence, act("2", { standing: { mode: "full", override: null } }))
        yield* ledger.govern(fence, first)
        assert.strictEqual((yield* ledger.audit({ entity, after: 0, limit: 10 })).length, 2)
        assert.strictEqual((yield* ledger.standing(entity))?.mode, "full")
      }))

    it.effect("chains the audit trail of an entity, so that every change of it shows", () =>
      Effect.gen(function* () {
        const { ledger, fence, entity } = yield* claimed
        for (const id of ["1", "2", "3"]) {
          yield* TestClock.adjust(10)
          yield* ledger.govern(fence, {
            ...act(id),
            entries: [
              {
                id: `${id}a`,
                actor: `ad\u0000a ${id}`,
                action: "mode.changed",
                detail: { reason: "5:\n\u00fc", n: 1.5, b: true },
              },
              { id: `${id}b`, actor: "weir", action: "drained", detail: {} },
            ],
          })
        }
        const records = yield* ledger.audit({ entity, after: 0, limit: 10 })
        assert.deepStrictEqual(records.map((record) => record.sequence), [1, 2, 3, 4, 5, 6])
        assert.deepStrictEqual((yield* ledger.audit({ entity, after: 2, limit: 3 })).map((one) => one.sequence), [
          3,
          4,
          5,
        ])
        assert.strictEqual(verifyAudit(records), null)
        const last = (...actions: ReadonlyArray<string>) =>
          Effect.map(ledger.lastAct(entity, actions), (record) => record?.sequence ?? null)
        assert.deepStrictEqual(
          [yield* last("mode.changed"), yield* last("mode.changed", "drained"), yield* last("resumed")],
          [5, 6, null],
        )
        assert.isNull(yield* ledger.lastAct(freshEntity(), ["drained"]))
        const changed = (n: number, change: Partial<(typeof records)[number]>) =>
          records.map((record, index) => index === n ? { ...record, ...change } : record)
        assert.strictEqual(verifyAudit(changed(2, { actor: "mallory" })), 3)
        assert.strictEqual(verifyAudit(changed(3, { detail: "{ }" })), 4)
        assert.strictEqual(verifyAudit(changed(0, { atMillis: 0 })), 1)
        assert.strictEqual(verifyAudit(records.toSpliced(1, 1)), 2, "one removed")
        assert.strictEqual(verifyAudit(records.toSpliced(1, 0, records[0]!)), 2, "one put in between")
      }))

    addingSentences(it, claimed)
  })
