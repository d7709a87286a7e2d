/** The contract of the ports `Desk`, `Amendments` and `Redrives`, run over every adapter. Each test has its own entity. */
import { assert, layer } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { TestClock } from "effect/testing"
import { createHash } from "node:crypto"
import { Amendments, type Proposal } from "../../src/ledger/Amendments.ts"
import { Desk, type ExceptionFilter, type ExceptionPlace, type ExceptionRow } from "../../src/ledger/Desk.ts"
import { type Fence, Ledger, type Outcome } from "../../src/ledger/Ledger.ts"
import { Redrives } from "../../src/ledger/Redrives.ts"
import { freshEntity } from "./Ledger.suite.ts"
import { applied, behind, message, parked, settlement, superseded, waiting } from "./outcomes.ts"

const by = { actor: "ada", reason: "mended at the source" }

const claimed = Effect.gen(function* () {
  const ledger = yield* Ledger
  const fence = yield* ledger.claim(freshEntity(), "here")
  const settle = (...outcomes: ReadonlyArray<Outcome>) => ledger.settle(fence, settlement(outcomes))
  return { ledger, desk: yield* Desk, fence, entity: fence.entity, settle }
})

const parkedOf = (entity: string, given: Partial<ExceptionFilter> = {}): ExceptionFilter => ({
  state: "parked",
  entities: [entity],
  ...given,
})

/** All pages of a list, by event id. */
const walk = (filter: ExceptionFilter, limit: number) =>
  Effect.gen(function* () {
    const desk = yield* Desk
    const found: Array<ExceptionRow> = []
    let after: ExceptionPlace | null = null
    while (true) {
      const page: ReadonlyArray<ExceptionRow> = yield* desk.list(filter, { after, limit })
      found.push(...page)
      if (page.length < limit) return found.map(({ eventId }) => eventId)
      after = page.at(-1) ?? null
    }
  })

/** What happened to an event, without times: they are the database's. */
const told = (entity: string, eventId: string) =>
  Effect.map(
    Desk.use((desk) => desk.history(entity, eventId, 100)),
    (rows) => rows.map(({ action, actor, detail }) => [action, actor, detail] as const),
  )

const actions = (entity: string, eventId: string) =>
  Effect.map(told(entity, eventId), (rows) => rows.map(([action]) => action))

const ready = (fence: Fence, flow = "customers") =>
  Effect.map(
    Ledger.use((ledger) => ledger.ready(fence, flow, 100, [])),
    (events) => events.map(({ eventId }) => eventId),
  )

export const deskSuite = (
  name: string,
  adapter: Layer.Layer<Ledger | Desk | Amendments | Redrives, unknown>,
) =>
  layer(adapter, { timeout: "60 seconds" })(`Desk: ${name}`, (it) => {
    it.effect("lists exceptions newest first, page by page, whatever they are filtered by", () =>
      Effect.gen(function* () {
        const { entity, settle } = yield* claimed
        for (let n = 0; n < 12; n++) {
          yield* TestClock.setTime(1_000 + Math.floor(n / 3))
          const flow = n % 2 === 0 ? "customers" : "invoices"
          const code = n % 3 === 0 ? "ODOO-VALIDATION" : "EVENT-INVALID"
          yield* settle(parked(`e${n}`, { key: `K${n}`, flow, code, detail: `no ${n % 4 === 0 ? "way" : "how"} ${n}` }))
        }
        yield* settle(waiting("w1", { flow: "engagements", key: "E" }, { key: "W" }))
        const all = Array.from({ length: 12 }, (_, n) => n)
        // Of one time: by event id, the larger one first.
        const newest = (wanted: (n: number) => boolean) =>
          all.filter(wanted).toSorted((a, b) => Math.floor(b / 3) - Math.floor(a / 3) || (`e${a}` < `e${b}` ? 1 : -1))
            .map((n) => `e${n}`)
        const cases: ReadonlyArray<readonly [Partial<ExceptionFilter>, (n: number) => boolean]> = [
          [{}, () => true],
          [{ flow: "invoices" }, (n) => n % 2 === 1],
          [{ codes: ["ODOO-VALIDATION"] }, (n) => n % 3 === 0],
          [{ codes: ["ODOO-VALIDATION", "EVENT-INVALID"], flow: "customers" }, (n) => n % 2 === 0],
          [{ key: "K7" }, (n) => n === 7],
          [{ key: "K7", flow: "customers" }, () => false],
          [{ flow: "payments" }, () => false],
        ]
        for (const [given, wanted] of cases) {
          for (const limit of [2, 5, 100]) {
            assert.deepStrictEqual(yield* walk(parkedOf(entity, given), limit), newest(wanted), JSON.stringify(given))
          }
        }
        assert.deepStrictEqual(yield* walk({ ...parkedOf(entity), state: "waiting" }, 10), ["w1"])
        assert.deepStrictEqual(yield* walk({ ...parkedOf(entity), state: "waiting", codes: ["EVENT-INVALID"] }, 10), [])
        const [first] = yield* Desk.use((desk) => desk.list(parkedOf(entity, { key: "K6" }), { after: null, limit: 1 }))
        assert.deepInclude(first, { entity, flow: "customers", key: "K6", code: "ODOO-VALIDATION", detail: "no how 6" })
        assert.deepInclude(first, { attempts: 1, assignee: null, waitsFor: null, heldSinceMillis: 1_002 })
        const [group] = yield* Desk.use((desk) => desk.groups(parkedOf(entity, { codes: ["ODOO-VALIDATION"] }), 100))
        const { cause = "", fingerprint = "", flow = "" } = group ?? {}
        const ofGroup = (n: number) =>
          n % 3 === 0 && (n % 2 === 0 ? "customers" : "invoices") === flow &&
          cause === `no ${n % 4 === 0 ? "way" : "how"} #`
        assert.deepStrictEqual(yield* walk(parkedOf(entity, { fingerprint, flow }), 1), newest(ofGroup))
      }))

    it.effect("gives the same pages whether the newest have all causes or one of them alone", () =>
      Effect.gen(function* () {
        const { entity, settle } = yield* claimed
        const events: Array<string> = []
        for (let n = 0; n < 80; n++) {
          yield* TestClock.setTime(5_000 + n)
          // Runs of one cause, long and short, the others in between.
          const cause = n >= 60 ? "alone" : n % 20 < 12 ? "often" : ["now", "then", "rarely"][n % 3]
          const id = `g${String(n).padStart(2, "0")}`
          events.unshift(id)
          yield* settle(parked(id, { key: `G${n}`, code: "EVENT-INVALID", detail: `comes ${cause}` }))
          yield* settle(waiting(`w-${id}`, { flow: "engagements", key: `E${n}` }, { key: `W${n}` }))
        }
        for (const limit of [3, 8, 9, 20, 63, 64, 65, 200]) {
          for (const given of [{}, { codes: ["EVENT-INVALID"] }, { flow: "customers" }] as const) {
            assert.deepStrictEqual(
              yield* walk(parkedOf(entity, given), limit),
              events,
              `${JSON.stringify(given)} ${limit}`,
            )
          }
          const waits = yield* walk({ ...parkedOf(entity), state: "waiting" }, limit)
          assert.deepStrictEqual(waits, events.map((id) => `w-${id}`), String(limit))
        }
      }))

    it.effect("shows each entity what is its own", () =>
      Effect.gen(function* () {
        const [one, two] = [yield* claimed, yield* claimed]
        yield* one.settle(parked("e1"))
        yield* two.settle(parked("e1"))
        assert.strictEqual((yield* walk(parkedOf(one.entity), 5)).length, 1)
        const both = { ...parkedOf(one.entity), entities: [one.entity, two.entity] }
        assert.strictEqual((yield* walk(both, 1)).length, 2)
        assert.strictEqual((yield* walk({ ...both, flow: "customers" }, 1)).length, 2)
        assert.deepStrictEqual(yield* walk({ ...both, entities: [] }, 5), [])
      }))

    it.effect("counts groups by cause, as exceptions come and go", () =>
      Effect.gen(function* () {
        const { desk, entity, fence, ledger, settle } = yield* claimed
        const mismatch = (n: number) => ({
          key: `K${n}`,
          code: "TOTALS-MISMATCH" as const,
          detail: `account.move ${n}: amount_tax: promised ${n}.54, Odoo computes ${n}.55`,
        })
        yield* settle(...[1, 2, 3].map((n) => parked(`e${n}`, mismatch(n))), parked("e9", { key: "K9" }))
        const groups = Effect.map(
          desk.groups(parkedOf(entity), 10),
          (all) => all.map(({ cause, code, count }) => [code, cause, count]),
        )
        const cause = "account.move # amount_tax: promised #, Odoo computes #"
        assert.deepStrictEqual(yield* groups, [["TOTALS-MISMATCH", cause, 3], ["ODOO-VALIDATION", "no", 1]])
        yield* desk.retry(entity, ["e1"], by)
        assert.deepStrictEqual((yield* groups)[0], ["TOTALS-MISMATCH", cause, 2])
        yield* settle(applied("e1", { key: "K1" }))
        yield* desk.dismiss(entity, ["e2"], by)
        yield* ledger.dismiss(entity, ["e9"], "nobody's")
        assert.deepStrictEqual(yield* groups, [["TOTALS-MISMATCH", cause, 1]])
        yield* settle(waiting("e5", { flow: "x", key: "y" }, { key: "K5", deadlineMillis: 1 }))
        yield* ledger.expire(fence, 10)
        assert.deepStrictEqual((yield* groups).map(([code]) => code).toSorted(), [
          "REFERENCE-OVERDUE",
          "TOTALS-MISMATCH",
        ])
        assert.strictEqual((yield* desk.groups(parkedOf(entity), 1)).length, 1)
      }))

    it.effect("tells the history of an exception from its first cause to its end", () =>
      Effect.gen(function* () {
        const { desk, entity, settle } = yield* claimed
        yield* settle(parked("e1", { detail: "first 1" }))
        yield* settle(parked("e1", { detail: "first 1" }))
        assert.strictEqual(yield* desk.assign(entity, ["e1", "nobody's"], "eve", "ada"), 1)
        assert.strictEqual(yield* desk.note(entity, "e1", "eve", "asked billing \u0000"), true)
        assert.strictEqual(yield* desk.retry(entity, ["e1"], by), 1)
        assert.strictEqual(yield* desk.retry(entity, ["e1"], by), 0)
        yield* settle(parked("e1", { detail: "first 22", attempts: 2 }))
        yield* desk.retry(entity, ["e1"], by)
        yield* settle(parked("e1", { detail: "second", attempts: 3 }))
        yield* desk.retry(entity, ["e1"], { actor: "eve", reason: "again" })
        yield* settle(waiting("e1", { flow: "x", key: "y" }))
        yield* settle(applied("e1", { attempts: 4 }))
        assert.deepStrictEqual(yield* told(entity, "e1"), [
          ["raised", "weir", { detail: "first 1", attempts: 1 }],
          ["assigned", "ada", { to: "eve" }],
          ["noted", "eve", { text: "asked billing \u2400" }],
          ["retried", "ada", { reason: "mended at the source" }],
          ["recurred", "weir", { detail: "first 22", attempts: 2 }],
          ["retried", "ada", { reason: "mended at the source" }],
          ["raised", "weir", { detail: "second", attempts: 3 }],
          ["retried", "eve", { reason: "again" }],
          ["resolved", "weir", { state: "applied", after: "retried", by: "eve" }],
        ])
        const last = yield* desk.history(entity, "e1", 2)
        assert.deepStrictEqual(last.map(({ action }) => action), ["retried", "resolved"])
        assert.isTrue(last[0]!.position < last[1]!.position)
      }))

    it.effect("tells others of an exception once per cause, and of its end, without anything of its payload", () =>
      Effect.gen(function* () {
        const { desk, entity, fence, ledger, settle } = yield* claimed
        const correlated = (outcome: Outcome): Outcome => ({
          ...outcome,
          event: { ...outcome.event, correlationId: 'order-7 "é" \u0000' },
        })
        yield* settle(correlated(parked("e1", { key: "K\\1", detail: "first 1" })))
        yield* settle(parked("e1", { detail: "first 1" }))
        yield* desk.retry(entity, ["e1"], by)
        yield* settle(parked("e1", { detail: "first 22", attempts: 2 }))
        yield* desk.retry(entity, ["e1"], by)
        yield* settle(parked("e1", { detail: "second", code: "EVENT-CHANGED", attempts: 3 }))
        yield* desk.retry(entity, ["e1"], by)
        yield* settle(applied("e1", { attempts: 4 }))
        yield* settle(parked("e2", { key: "B" }), parked("e3", { key: "C", version: 1 }))
        yield* desk.dismiss(entity, ["e2"], by)
        yield* ledger.retry(entity, ["e3"])
        yield* settle(superseded("e3"))
        yield* settle(waiting("e4", { flow: "x", key: "y" }, { key: "D", deadlineMillis: 1 }), behind("e5"))
        yield* ledger.expire(fence, 10)
        const rows = yield* ledger.outbox(fence, 100)
        const facts = rows.map(({ publication: { data, headers, messageId, subject } }) => {
          const fact = JSON.parse(new TextDecoder().decode(data)) as Record<string, unknown>
          assert.strictEqual(messageId, `weir/${entity}#${String(fact["id"])}`)
          assert.strictEqual(subject, `erp-out.${entity}.${String(fact["type"])}`)
          assert.deepStrictEqual(headers, { "content-type": "application/cloudevents+json" })
          assert.match(String(fact["time"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/u)
          return fact
        })
        assert.strictEqual(new Set(facts.map(({ id }) => id)).size, facts.length)
        assert.deepInclude(facts[0], {
          specversion: "1.0",
          source: `weir/${entity}`,
          subject: "K\\1",
          causationid: "e1",
          correlationid: 'order-7 "é" \u2400',
          datacontenttype: "application/json",
        })
        const data = (flow: object) => ({ entity, flow: "customers", ...flow })
        const [no, changed] = ["ODOO-VALIDATION", "EVENT-CHANGED"]
        assert.deepStrictEqual(facts.map((fact) => [fact["type"], fact["causationid"], fact["data"]]), [
          ["exception.raised", "e1", data({ key: "K\\1", code: no })],
          ["exception.raised", "e1", data({ key: "K\\1", code: changed })],
          ["exception.resolved", "e1", data({ key: "K\\1", code: changed, how: "applied" })],
          ["exception.raised", "e2", data({ key: "B", code: no })],
          ["exception.raised", "e3", data({ key: "C", code: no })],
          ["exception.resolved", "e2", data({ key: "B", code: no, how: "dismissed" })],
          ["exception.resolved", "e3", data({ key: "C", code: no, how: "superseded" })],
          ["exception.raised", "e4", data({ key: "D", code: "REFERENCE-OVERDUE" })],
        ])
      }))

    it.effect("keeps no history of what only waited or stayed behind", () =>
      Effect.gen(function* () {
        const { desk, entity, settle } = yield* claimed
        yield* settle(waiting("e1", { flow: "engagements", key: "E" }), behind("e2"))
        yield* settle(applied("e1"), applied("e2"))
        assert.deepStrictEqual([yield* told(entity, "e1"), yield* told(entity, "e2")], [[], []])
        assert.strictEqual(yield* desk.file(entity, "e1"), null)
        assert.strictEqual(yield* desk.note(entity, "e1", "ada", "x"), false)
      }))

    it.effect("records decisions that say nothing of themselves, too", () =>
      Effect.gen(function* () {
        const { entity, ledger, settle } = yield* claimed
        yield* settle(parked("e1"), parked("e2", { key: "B" }))
        yield* ledger.retry(entity, ["e1"])
        yield* ledger.dismiss(entity, ["e2"], "no use")
        assert.deepStrictEqual((yield* told(entity, "e1"))[1], ["retried", "operator", { reason: null }])
        assert.deepStrictEqual((yield* told(entity, "e2"))[1], ["dismissed", "operator", { reason: "no use" }])
      }))

    it.effect("dismisses in somebody's name, and lets the followers go on", () =>
      Effect.gen(function* () {
        const { desk, entity, fence, settle } = yield* claimed
        yield* settle(parked("e1"), behind("e2"))
        assert.strictEqual(yield* desk.dismiss(entity, ["e1"], by), 1)
        assert.deepStrictEqual(yield* ready(fence), ["e2"])
        assert.deepStrictEqual(yield* told(entity, "e1"), [
          ["raised", "weir", { detail: "no", attempts: 1 }],
          ["dismissed", "ada", { reason: "mended at the source" }],
        ])
        assert.strictEqual(yield* desk.dismiss(entity, ["e2"], by), 0, "what is ready may be on its way")
      }))

    it.effect("files everything about an exception, and about one that is over", () =>
      Effect.gen(function* () {
        const { desk, entity, settle } = yield* claimed
        yield* settle(applied("e1", { version: 1 }))
        yield* settle(parked("e2", { version: 2 }), behind("e3"), behind("e4"), behind("e5", { key: "other" }))
        yield* desk.assign(entity, ["e2"], "eve", "ada")
        const open = yield* desk.file(entity, "e2")
        assert.deepInclude(open?.row, { eventId: "e2", state: "parked", code: "ODOO-VALIDATION", assignee: "eve" })
        assert.deepStrictEqual(open?.message, message("e2"))
        assert.deepStrictEqual(open?.followers, { count: 2, first: ["e3", "e4"] })
        assert.deepStrictEqual([open?.mapping?.id, open?.mapping?.version, open?.version], [7, 1, 2])
        yield* desk.retry(entity, ["e2"], by)
        assert.strictEqual((yield* desk.file(entity, "e2"))?.row.state, "ready")
        yield* settle(superseded("e2"))
        const over = yield* desk.file(entity, "e2")
        assert.deepInclude(over?.row, { eventId: "e2", state: "superseded", code: "ODOO-VALIDATION", detail: "no" })
        assert.deepStrictEqual([over?.message, over?.row.fingerprint], [null, open?.row.fingerprint])
        assert.strictEqual(yield* desk.file(entity, "nobody's"), null)
      }))

    it.effect("remembers how exceptions of a cause ended, newest first", () =>
      Effect.gen(function* () {
        const { desk, entity, settle } = yield* claimed
        const cause = (n: number) => ({ key: `K${n}`, detail: `${entity.replace(/\d/gu, "x")} is locked ${n}` })
        yield* settle(...[1, 2, 3, 4].map((n) => parked(`e${n}`, cause(n))))
        const fingerprint = (yield* desk.file(entity, "e1"))?.row.fingerprint ?? ""
        yield* desk.retry(entity, ["e1", "e2"], by)
        yield* settle(applied("e1", { key: "K1" }), parked("e2", cause(2)))
        yield* desk.dismiss(entity, ["e3"], { actor: "eve", reason: "x" })
        const endings = (yield* desk.resolutions(fingerprint, [entity], 10)).map((one) =>
          `${one.eventId} ${one.how} ${one.by}`
        )
        assert.strictEqual(endings[0], "e3 dismissed eve")
        assert.sameMembers(endings, ["e3 dismissed eve", "e2 recurred weir", "e1 retried ada"])
        assert.strictEqual((yield* desk.resolutions(fingerprint, [entity], 1)).length, 1)
        assert.deepStrictEqual(yield* desk.resolutions(fingerprint, ["zz99"], 10), [])
      }))

    it.effect("lists by assignee, and takes it back", () =>
      Effect.gen(function* () {
        const { desk, entity, settle } = yield* claimed
        yield* settle(...[1, 2, 3].map((n) => parked(`e${n}`, { key: `K${n}` })))
        yield* desk.assign(entity, ["e1", "e3"], "eve", "ada")
        assert.sameMembers(yield* walk(parkedOf(entity, { assignee: "eve" }), 1), ["e1", "e3"])
        yield* desk.assign(entity, ["e1"], null, "ada")
        assert.deepStrictEqual(yield* walk(parkedOf(entity, { assignee: "eve" }), 5), ["e3"])
        assert.deepStrictEqual(yield* actions(entity, "e1"), ["raised", "assigned", "assigned"])
      }))

    const proposal = (entity: string, given: Partial<Proposal> = {}): Proposal => ({
      entity,
      eventId: "e1",
      baseHash: createHash("sha256").update(message("e1").data).digest("hex"),
      data: new TextEncoder().encode("corrected"),
      key: "CUS-1",
      changes: [{ path: "name", from: "A", to: "B", classification: "personal" }],
      financial: false,
      reason: "a typing error",
      by: "ada",
      ...given,
    })

    it.effect("applies a correction that moves no money at once, and keeps what it was", () =>
      Effect.gen(function* () {
        const { entity, fence, ledger, settle } = yield* claimed
        const amendments = yield* Amendments
        yield* settle(parked("e1"))
        const proposed = yield* amendments.propose(proposal(entity))
        assert.deepInclude(proposed, { _tag: "Proposed", applied: true })
        const [event] = yield* ledger.ready(fence, "customers", 10, [])
        assert.strictEqual(new TextDecoder().decode(event?.message.data), "corrected")
        assert.deepStrictEqual(event?.message.headers, message("e1").headers)
        const [known] = yield* amendments.list({ entities: [entity], before: null, limit: 10 })
        assert.deepInclude(known, { state: "applied", proposedBy: "ada", decidedBy: "ada", financial: false })
        assert.deepStrictEqual(known?.changes, proposal(entity).changes)
        yield* settle(applied("e1"))
        assert.deepStrictEqual(yield* actions(entity, "e1"), ["raised", "proposed", "edited", "resolved"])
        assert.deepStrictEqual((yield* told(entity, "e1"))[3]?.[2], { state: "applied", after: "edited", by: "ada" })
        assert.deepStrictEqual(yield* amendments.propose(proposal(entity)), { _tag: "NoException" })
      }))

    it.effect("lets a correction of money wait for a second person", () =>
      Effect.gen(function* () {
        const { entity, fence, settle } = yield* claimed
        const amendments = yield* Amendments
        yield* settle(parked("e1"))
        const proposed = yield* amendments.propose(proposal(entity, { financial: true }))
        const id = proposed._tag === "Proposed" ? proposed.id : 0
        assert.deepInclude(proposed, { applied: false })
        assert.deepStrictEqual(yield* ready(fence), [])
        const apply = (who: string) => amendments.decide(id, { apply: true, by: who, reason: "seen" })
        assert.strictEqual(yield* apply("ada"), "same-person")
        assert.strictEqual((yield* amendments.one(id))?.state, "proposed")
        assert.strictEqual(yield* apply("eve"), "applied")
        assert.deepStrictEqual(yield* ready(fence), ["e1"])
        assert.strictEqual(yield* apply("eve"), "decided")
        assert.deepInclude(yield* amendments.one(id), { state: "applied", proposedBy: "ada", decidedBy: "eve" })
        assert.strictEqual(yield* amendments.decide(999_999_999, { apply: true, by: "eve", reason: "x" }), "none")
      }))

    it.effect("rejects a correction, by whoever proposed it too, and leaves the exception as it is", () =>
      Effect.gen(function* () {
        const { entity, fence, settle } = yield* claimed
        const amendments = yield* Amendments
        yield* settle(parked("e1"))
        const proposed = yield* amendments.propose(proposal(entity, { financial: true }))
        const id = proposed._tag === "Proposed" ? proposed.id : 0
        assert.strictEqual(yield* amendments.decide(id, { apply: false, by: "ada", reason: "wrong" }), "rejected")
        assert.deepStrictEqual(yield* ready(fence), [])
        assert.deepStrictEqual(yield* actions(entity, "e1"), ["raised", "proposed", "rejected"])
      }))

    it.effect("applies no correction to another message than the one that was seen", () =>
      Effect.gen(function* () {
        const { desk, entity, settle } = yield* claimed
        const amendments = yield* Amendments
        yield* settle(parked("e1"))
        assert.deepStrictEqual(yield* amendments.propose(proposal(entity, { baseHash: "00" })), { _tag: "Changed" })
        const money = (data: string) =>
          Effect.map(
            amendments.propose(proposal(entity, { financial: true, data: new TextEncoder().encode(data) })),
            (proposed) => proposed._tag === "Proposed" ? proposed.id : 0,
          )
        const [first, second] = [yield* money("one"), yield* money("two")]
        const stateOf = (id: number) => Effect.map(amendments.one(id), (one) => one?.state)
        assert.deepStrictEqual([yield* stateOf(first), yield* stateOf(second)], ["outdated", "proposed"])
        yield* amendments.decide(second, { apply: true, by: "eve", reason: "seen" })
        yield* settle(parked("e1"))
        const base = createHash("sha256").update("two").digest("hex")
        const proposed = yield* amendments.propose(proposal(entity, { baseHash: base, financial: true }))
        const third = proposed._tag === "Proposed" ? proposed.id : 0
        yield* desk.retry(entity, ["e1"], by)
        assert.strictEqual(yield* amendments.decide(third, { apply: true, by: "eve", reason: "x" }), "gone")
        assert.strictEqual(yield* stateOf(third), "outdated")
        const open = yield* amendments.list({ entities: [entity], state: "proposed", before: null, limit: 10 })
        assert.deepStrictEqual(open, [])
        const before = yield* amendments.list({ entities: [entity], before: third, limit: 1 })
        assert.deepStrictEqual(before.map(({ id }) => id), [second])
      }))

    it.effect("gives an event whose key could not be read the key of its correction", () =>
      Effect.gen(function* () {
        const { entity, fence, ledger, settle } = yield* claimed
        const amendments = yield* Amendments
        yield* settle(parked("e1", { key: "stream-1" }))
        yield* amendments.propose(proposal(entity, { key: "CUS-77" }))
        const [event] = yield* ledger.ready(fence, "customers", 10, [])
        assert.strictEqual(event?.key, "CUS-77")
        yield* settle(behind("e2", { key: "CUS-77" }))
        yield* settle(applied("e1", { key: "CUS-77" }))
        assert.deepStrictEqual(yield* ready(fence), ["e2"], "and it is in its line")
      }))

    const scope = { flow: null, code: null, fingerprint: null }
    const sizes = [1, 2, 5]

    it.effect("tries a group again in growing steps, each when the last one went through", () =>
      Effect.gen(function* () {
        const { entity, fence, settle } = yield* claimed
        const redrives = yield* Redrives
        const ids = Array.from({ length: 9 }, (_, n) => `e${n + 1}`)
        for (const id of ids) yield* settle(parked(id, { key: id }))
        const run = yield* redrives.start({ entity, ...scope }, "ada", "Odoo is mended")
        yield* TestClock.adjust(1)
        yield* settle(parked("e99", { key: "later", flow: "invoices" }))
        const seen: Array<number> = []
        while (true) {
          const stepped = yield* redrives.step(run, sizes)
          if (stepped !== "stepped") {
            assert.strictEqual(stepped, "finished")
            break
          }
          const now = yield* ready(fence)
          seen.push(now.length)
          assert.strictEqual(yield* redrives.step(run, sizes), "pending")
          yield* settle(...now.map((id) => applied(id, { key: id })))
        }
        assert.deepStrictEqual(seen.slice(0, 3), [1, 2, 5])
        assert.deepInclude(yield* redrives.one(run), { state: "finished", pending: 0, recurred: 0, otherwise: 0 })
        assert.strictEqual(yield* redrives.step(run, sizes), "finished")
        assert.deepStrictEqual((yield* told(entity, "e1"))[1], ["retried", "ada", { reason: "Odoo is mended" }])
        assert.strictEqual(yield* redrives.cancel(run, "eve"), false)
      }))

    it.effect("goes on beside events of a step that begin to wait", () =>
      Effect.gen(function* () {
        const { entity, fence, settle } = yield* claimed
        const redrives = yield* Redrives
        for (let n = 1; n <= 12; n++) yield* settle(parked(`e${n}`, { key: `K${n}` }))
        const run = yield* redrives.start({ entity, ...scope }, "ada", "x")
        const engagement = { flow: "engagements", key: "E" }
        assert.strictEqual(yield* redrives.step(run, sizes), "stepped")
        yield* settle(...(yield* ready(fence)).map((id) => applied(id, { key: `K${id.slice(1)}` })))
        assert.strictEqual(yield* redrives.step(run, sizes), "stepped")
        const [waits = "", goes = ""] = yield* ready(fence)
        yield* settle(
          waiting(waits, engagement, { key: `K${waits.slice(1)}` }),
          applied(goes, { key: `K${goes.slice(1)}` }),
        )
        assert.deepInclude(yield* redrives.one(run), { state: "running", pending: 0, recurred: 0, otherwise: 1 })
        assert.strictEqual(yield* redrives.step(run, sizes), "stepped")
        const five = yield* ready(fence)
        assert.lengthOf(five, 5)
        // One of each: behind another event, an exception for another cause, waiting, and through.
        const key = (id: string) => ({ key: `K${id.slice(1)}` })
        yield* settle(
          behind(five[0]!, key(five[0]!)),
          parked(five[1]!, { ...key(five[1]!), detail: "something else" }),
          waiting(five[2]!, engagement, key(five[2]!)),
          ...five.slice(3).map((id) => applied(id, key(id))),
        )
        const stands = yield* redrives.one(run)
        // Nothing is before the first one any more: it is on its way again.
        assert.deepInclude(stands, { state: "running", pending: 1, recurred: 0, otherwise: 3 })
        yield* settle(waiting(five[0]!, engagement, key(five[0]!)))
        // Goes on when the reference comes, and counts as gone through then.
        yield* settle(applied("engagement", { ...engagement }))
        assert.deepInclude(yield* redrives.one(run), { state: "running", pending: 3, otherwise: 1 })
        assert.strictEqual(yield* redrives.step(run, sizes), "pending")
        yield* settle(...(yield* ready(fence)).map((id) => applied(id, key(id))))
        while ((yield* redrives.step(run, sizes)) === "stepped") {
          yield* settle(...(yield* ready(fence)).map((id) => applied(id, key(id))))
        }
        assert.deepInclude(yield* redrives.one(run), { state: "finished", said: "11 of 12 went through", otherwise: 1 })
      }))

    it.effect("stops when nothing of a step goes through because all of it begins to wait", () =>
      Effect.gen(function* () {
        const { entity, fence, settle } = yield* claimed
        const redrives = yield* Redrives
        for (let n = 1; n <= 3; n++) yield* settle(parked(`e${n}`, { key: `K${n}` }))
        const run = yield* redrives.start({ entity, ...scope }, "ada", "x")
        assert.strictEqual(yield* redrives.step(run, sizes), "stepped")
        yield* settle(...(yield* ready(fence)).map((id) => waiting(id, { flow: "engagements", key: "E" }, { key: id })))
        assert.strictEqual(yield* redrives.step(run, sizes), "stopped")
        assert.deepInclude(yield* redrives.one(run), { pending: 0, recurred: 0, otherwise: 1 })
      }))

    it.effect("stops when the same failure comes again, and tries nothing twice", () =>
      Effect.gen(function* () {
        const { entity, fence, settle } = yield* claimed
        const redrives = yield* Redrives
        for (let n = 1; n <= 6; n++) yield* settle(parked(`e${n}`, { key: `K${n}`, detail: `locked ${n}` }))
        const run = yield* redrives.start({ entity, ...scope, flow: "customers" }, "ada", "x")
        assert.strictEqual(yield* redrives.step(run, sizes), "stepped")
        yield* settle(...(yield* ready(fence)).map((id) => applied(id, { key: `K${id.slice(1)}` })))
        assert.strictEqual(yield* redrives.step(run, sizes), "stepped")
        const [good = "", bad = ""] = yield* ready(fence)
        yield* settle(
          applied(good, { key: `K${good.slice(1)}` }),
          parked(bad, { key: `K${bad.slice(1)}`, detail: "locked 77" }),
        )
        assert.strictEqual(yield* redrives.step(run, sizes), "stopped")
        const stopped = yield* redrives.one(run)
        assert.deepInclude(stopped, { state: "stopped", retried: 3, recurred: 1, pending: 0 })
        assert.strictEqual(stopped?.said, "the same failure came again: 1 of 2 in step 2")
        assert.deepStrictEqual(yield* ready(fence), [])
      }))

    it.effect("goes on past another failure, and stops when nothing of a step went through", () =>
      Effect.gen(function* () {
        const { entity, fence, settle } = yield* claimed
        const redrives = yield* Redrives
        for (let n = 1; n <= 6; n++) yield* settle(parked(`e${n}`, { key: `K${n}`, detail: "locked" }))
        const run = yield* redrives.start({ entity, ...scope }, "ada", "x")
        const settleAll = (failing: number) =>
          Effect.flatMap(ready(fence), (ids) =>
            settle(...ids.map((id, n) =>
              n < failing
                ? parked(id, { key: `K${id.slice(1)}`, detail: "missing" })
                : applied(id, { key: `K${id.slice(1)}` })
            )))
        yield* redrives.step(run, [2, 2])
        yield* settleAll(1)
        assert.strictEqual(yield* redrives.step(run, [2, 2]), "stepped")
        yield* settleAll(2)
        assert.strictEqual(yield* redrives.step(run, [2, 2]), "stopped")
        assert.deepInclude(yield* redrives.one(run), { retried: 4, recurred: 0, otherwise: 3, state: "stopped" })
      }))

    it.effect("tries the group that it was asked for, and ends when it is told to", () =>
      Effect.gen(function* () {
        const { desk, entity, fence, settle } = yield* claimed
        const redrives = yield* Redrives
        yield* settle(
          ...[1, 2, 3].map((n) =>
            parked(`e${n}`, { key: `K${n}`, detail: `locked ${n}` })
          ),
          parked("e9", { key: "K9" }),
        )
        const fingerprint = (yield* desk.file(entity, "e1"))?.row.fingerprint ?? ""
        const group = { entity, flow: "customers", code: "ODOO-VALIDATION" as const, fingerprint }
        const run = yield* redrives.start(group, "ada", "x")
        yield* redrives.step(run, [2])
        assert.sameMembers(yield* ready(fence), ["e1", "e2"])
        assert.deepInclude(yield* redrives.one(run), { pending: 2, retried: 2, step: 1 })
        assert.strictEqual(yield* redrives.cancel(run, "eve"), true)
        yield* settle(applied("e1", { key: "K1" }), applied("e2", { key: "K2" }))
        assert.strictEqual(yield* redrives.step(run, [2]), "cancelled")
        assert.deepStrictEqual(yield* ready(fence), [])
        const listed = yield* redrives.list({ entities: [entity], before: null, limit: 10 })
        assert.deepStrictEqual(listed.map(({ id, said }) => [id, said]), [[run, "by eve"]])
        assert.deepStrictEqual(
          yield* redrives.list({ entities: [entity], state: "running", before: null, limit: 10 }),
          [],
        )
        assert.strictEqual(yield* redrives.one(999_999_999), null)
      }))

    it.effect("steps a run once, however many step it at the same time", () =>
      Effect.gen(function* () {
        const { entity, fence, settle } = yield* claimed
        const redrives = yield* Redrives
        for (let n = 1; n <= 8; n++) yield* settle(parked(`e${n}`, { key: `K${n}` }))
        const run = yield* redrives.start({ entity, ...scope }, "ada", "x")
        const stepped = yield* Effect.all(Array.from({ length: 5 }, () => redrives.step(run, sizes)), {
          concurrency: 5,
        })
        assert.strictEqual(stepped.filter((one) => one === "stepped").length, 1)
        assert.strictEqual((yield* ready(fence)).length, 1)
      }))
  })
