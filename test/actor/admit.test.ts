import { assert, describe, it } from "@effect/vitest"
import { identityOf, judge, referencesOf } from "../../src/actor/admit.ts"
import type { Item } from "../../src/actor/Item.ts"
import type { Delivery } from "../../src/broker/Broker.ts"
import type { EventSpec } from "../../src/flow/Flow.ts"
import type { Answer, Mapping } from "../../src/ledger/Ledger.ts"

const delivery: Delivery = {
  subject: "erp.be01.test.done",
  headers: {},
  data: new Uint8Array(),
  streamSequence: 7,
  storedAtMillis: 0,
  redelivered: false,
  ack: () => {},
}
const item = (versions: "gate" | "once", version: number | null, held = false): Item => ({
  event: {
    eventId: "crm#1",
    type: "test.done",
    flow: "tests",
    key: "K",
    version,
    streamSequence: 7,
    storedAtMillis: 0,
    payloadHash: "h1",
    correlationId: null,
    attempts: 1,
  },
  message: delivery,
  delivery: held ? null : delivery,
  payload: {
    spec: { versions } as EventSpec<unknown>,
    data: {},
    references: [{ flow: "customers", key: "C" }, { flow: "engagements", key: "E" }],
    holds: [],
    consults: [],
    parents: [],
  },
  rejection: null,
  traceparent: null,
  verdict: { _tag: "Behind" },
  attempts: 0,
  stale: false,
})
const mapping = (version: number | null): Mapping => ({
  model: "res.partner",
  id: 1,
  externalId: "x.y",
  version,
  links: {},
})
const answer = (given: Partial<Answer> = {}): Answer => ({
  seen: null,
  mapping: null,
  blocked: false,
  references: [mapping(1), mapping(1)],
  ...given,
})
const tag = (given: Item, known: Partial<Answer>) => judge(given, answer(known))._tag

describe("judge", () => {
  it("writes what is new and complete", () => {
    assert.strictEqual(tag(item("gate", 1), {}), "Write")
  })

  it("recognises an event that was seen, whatever became of it", () => {
    for (const state of ["applied", "superseded", "dismissed", "waiting", "parked", "behind", "ready"] as const) {
      assert.strictEqual(tag(item("gate", 1), { seen: { state, payloadHash: "h1" } }), "Duplicate")
    }
  })

  it("parks another payload under a known identity", () => {
    const verdict = judge(item("gate", 1), answer({ seen: { state: "applied", payloadHash: "other" } }))
    assert.isTrue(verdict._tag === "Park" && verdict.code === "EVENT-CHANGED")
  })

  it("keeps another payload under a known identity apart, and everything else under its own identity", () => {
    const judged = (known: Partial<Answer>) => {
      const given = item("once", 1)
      given.verdict = judge(given, answer(known))
      return identityOf(given)
    }
    assert.strictEqual(judged({ seen: { state: "applied", payloadHash: "other" } }), "crm#1@7")
    assert.strictEqual(judged({ mapping: mapping(null) }), "crm#1", "a second event of a key written once")
    assert.strictEqual(judged({}), "crm#1")
  })

  it("stays behind an earlier event of its key that is held", () => {
    assert.strictEqual(tag(item("gate", 1), { blocked: true }), "Behind")
  })

  it("lets a held event go on when it is ready, unless an earlier one of its key is held", () => {
    const seen = { state: "ready", payloadHash: "h1" } as const
    assert.strictEqual(tag(item("gate", 1, true), { seen }), "Write")
    assert.strictEqual(tag(item("gate", 1, true), { seen, blocked: true }), "Behind")
  })

  it("drops a held event that was settled meanwhile", () => {
    assert.strictEqual(tag(item("gate", 1, true), { seen: { state: "applied", payloadHash: "h1" } }), "Duplicate")
  })

  it("never applies a smaller or equal version after a larger one", () => {
    assert.strictEqual(tag(item("gate", 4), { mapping: mapping(5) }), "Superseded")
    assert.strictEqual(tag(item("gate", 5), { mapping: mapping(5) }), "Superseded")
    assert.strictEqual(tag(item("gate", 6), { mapping: mapping(5) }), "Write")
  })

  it("applies in the order of arrival where the source counts no versions", () => {
    assert.strictEqual(tag(item("gate", null), { mapping: mapping(5) }), "Write")
    assert.strictEqual(tag(item("gate", 1), { mapping: mapping(null) }), "Write")
  })

  it("parks a second event for what is written once", () => {
    const verdict = judge(item("once", 1), answer({ mapping: mapping(null) }))
    assert.isTrue(verdict._tag === "Park" && verdict.code === "EVENT-CHANGED")
  })

  it("waits for the first reference that is missing", () => {
    assert.deepStrictEqual(judge(item("gate", 1), answer({ references: [mapping(1), null] })), {
      _tag: "Wait",
      on: { flow: "engagements", key: "E" },
      code: "REFERENCE-MISSING",
    })
  })

  it("holds back what a hold stands on, until that very hold is lifted", () => {
    const disputed = item("gate", 1)
    const held = { ...disputed, payload: { ...disputed.payload!, holds: [{ flow: "disputes", key: "E" }] } }
    const known = [mapping(1), mapping(1)]
    const answered = (dispute: Mapping | null) => judge(held, answer({ references: [...known, dispute] }))
    assert.deepStrictEqual(answered({ ...mapping(4), links: { held: 7 } }), {
      _tag: "Wait",
      on: { flow: "disputes", key: "E#7" },
      code: "ON-HOLD",
    })
    assert.deepStrictEqual(answered(mapping(5)), { _tag: "Write", references: known, previous: null })
    assert.deepStrictEqual(answered(null), { _tag: "Write", references: known, previous: null })
  })

  it("hands on what the plan wants to know of, and waits for none of it", () => {
    const asking = item("gate", 1)
    const consulting = {
      ...asking,
      payload: {
        ...asking.payload!,
        holds: [{ flow: "disputes", key: "E" }],
        consults: [{ flow: "engagements", key: "E.closing" }, { flow: "engagements", key: "E.other" }],
      },
    }
    assert.deepStrictEqual(referencesOf(consulting.payload).map(({ key }) => key), [
      "C",
      "E",
      "E",
      "E.closing",
      "E.other",
    ])
    const known = [mapping(1), mapping(1)]
    assert.deepStrictEqual(judge(consulting, answer({ references: [...known, null, mapping(3), null] })), {
      _tag: "Write",
      references: known,
      consulted: [mapping(3), null],
      previous: null,
    })
  })

  it("parks what could not be understood, unless it was seen before", () => {
    const broken: Item = {
      ...item("gate", 1),
      payload: null,
      rejection: { code: "EVENT-INVALID", detail: "key: missing" },
    }
    assert.strictEqual(tag(broken, {}), "Park")
    assert.strictEqual(tag(broken, { seen: { state: "parked", payloadHash: "h1" } }), "Duplicate")
  })
})
