import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { event, type Flow } from "../../src/flow/Flow.ts"
import { check, load } from "../../src/flow/Step.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { approvalOf, obstacleIn } from "../../streams/approvals.ts"
import { catalog } from "../../streams/catalog.ts"
import { pass, ports, publication, publish, running, tallies } from "./World.ts"

const Thing = Schema.Struct({ key: Schema.String, by: Schema.optionalKey(Schema.String) })
type Thing = typeof Thing.Type

const base = {
  lane: "normal",
  batch: { size: 10, linger: 0, concurrency: 1 },
  inFlight: 20,
  referenceDeadline: "1 hour",
} as const

const dispute = (type: string, hold: "set" | "lift") =>
  event<Thing>({
    type,
    version: 1,
    schema: Thing,
    key: ({ key }) => key,
    parents: () => [],
    references: () => [],
    versions: "gate",
    plan: [],
    fact: () => type,
    hold: () => hold,
  })

/** Partners, so that something of each stands in Odoo. */
const partner = load<Thing>({
  name: "partner",
  model: "res.partner",
  mode: "create",
  rows: ({ data }) => ({ externalId: `weir_be01.bills_${data.key}`, values: { name: data.key, ref: data.key } }),
})

const flows: ReadonlyArray<Flow> = [
  ...catalog,
  {
    ...base,
    name: "quarrels",
    domain: "quarrel",
    description: "",
    events: [dispute("quarrel.opened", "set"), dispute("quarrel.lifted", "lift")],
  },
  {
    ...base,
    name: "bills",
    domain: "bill",
    description: "",
    mask: { "res.partner": { first: "name ref" } },
    events: [event<Thing>({
      type: "bill.made",
      version: 2,
      schema: Thing,
      upcasts: { 1: (data) => ({ key: (data as { readonly old?: string }).old }) },
      key: ({ key }) => key,
      parents: () => [],
      references: ({ by, key }) => by === undefined ? [] : [approvalOf("bills", key)],
      holds: () => [{ flow: "quarrels", key: "ENG-1" }],
      versions: "once",
      record: "partner",
      plan: [
        check({
          name: "approved",
          refuse: ({ data: { by, key }, references }) =>
            by === undefined ? undefined : obstacleIn(references[0]!, "bills", key, by),
        }),
        partner,
      ],
    })],
  },
]

const opened = (sequence: number) => publication("quarrel.opened", { key: "ENG-1" }, { sequence })
const lifted = (sequence: number) => publication("quarrel.lifted", { key: "ENG-1" }, { sequence })
const bill = (key: string, by?: string) =>
  publication("bill.made.v2", { key, ...(by !== undefined && { by }) }, { id: key })
const old = (data: { readonly key: string; readonly old?: string }, id: string) =>
  publication("bill.made", data, { id })
const decision = (type: string, key: string, by: string, sequence: number) =>
  publication(`approval.${type}`, { flow: "bills", key, by }, { sequence })

const bills = Effect.map(tallies(), (flows) => {
  const { applied = 0, waiting = 0, parked = 0 } = flows.get("bills") ?? {}
  return { applied, waiting, parked }
})

describe("holds", () => {
  it.effect("keep events back while they stand, release them when lifted, and a second one is another hold", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(bill("B-0"), opened(1))
      yield* pass(2)
      yield* publish(bill("B-1"), bill("B-2"))
      yield* pass(2)
      assert.deepStrictEqual(yield* bills, { applied: 1, waiting: 2, parked: 0 })
      const [exception] = yield* Ledger.use((ledger) => ledger.exceptions({ flow: "bills", limit: 1 }))
      assert.deepInclude(exception, { code: "ON-HOLD", detail: "held back by quarrels ENG-1" })
      yield* publish(lifted(2))
      yield* pass(2)
      assert.deepStrictEqual(yield* bills, { applied: 3, waiting: 0, parked: 0 })
      yield* publish(opened(3))
      yield* pass(2)
      yield* publish(bill("B-3"), lifted(2))
      yield* pass(2)
      assert.deepStrictEqual(yield* bills, { applied: 3, waiting: 1, parked: 0 }, "an older lift lifts nothing")
      yield* publish(lifted(4))
      yield* pass(2)
      assert.deepStrictEqual(yield* bills, { applied: 4, waiting: 0, parked: 0 })
    }).pipe(Effect.provide(running({ flows })), Effect.provide(world.layer))
  })

  it.effect("set twice are one, and one of a source that counts nothing can be set again", () => {
    const world = ports()
    const uncounted = (type: string, id: string) => publication(type, { key: "ENG-1" }, { id })
    return Effect.gen(function* () {
      yield* publish(opened(1))
      yield* pass(2)
      yield* publish(bill("B-1"))
      yield* pass(2)
      yield* publish(opened(2), lifted(3))
      yield* pass(2)
      assert.deepStrictEqual(yield* bills, { applied: 1, waiting: 0, parked: 0 })
      for (const round of ["a", "b"]) {
        yield* publish(uncounted("quarrel.opened", `opened-${round}`))
        yield* pass(2)
        yield* publish(bill(`B-${round}`))
        yield* pass(2)
        assert.deepInclude(yield* bills, { waiting: 1 }, round)
        yield* publish(uncounted("quarrel.lifted", `lifted-${round}`))
        yield* pass(2)
        assert.deepInclude(yield* bills, { waiting: 0 }, round)
      }
      assert.deepStrictEqual(yield* bills, { applied: 3, waiting: 0, parked: 0 })
    }).pipe(Effect.provide(running({ flows })), Effect.provide(world.layer))
  })
})

describe("approvals", () => {
  it.effect("release what waits for them; nobody approves what they asked for; a refusal is an exception", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(bill("B-1", "ann@x"), bill("B-2", "ann@x"), bill("B-3", "ann@x"))
      yield* pass(2)
      assert.deepStrictEqual(yield* bills, { applied: 0, waiting: 3, parked: 0 })
      yield* publish(
        decision("granted", "B-1", "bob@x", 1),
        decision("granted", "B-2", "Ann@x", 1),
        decision("rejected", "B-3", "bob@x", 1),
      )
      yield* pass(2)
      const held = yield* Ledger.use((ledger) => ledger.exceptions({ flow: "bills", limit: 9 }))
      assert.deepStrictEqual(
        held.map(({ code, detail, key }) => [key, code, detail]).sort(),
        [
          ["B-2", "APPROVAL-SAME-PERSON", "bills B-2 was requested and approved by Ann@x"],
          ["B-3", "APPROVAL-REJECTED", "bills B-3: rejected by bob@x"],
        ],
      )
      yield* publish(decision("granted", "B-3", "eve@x", 2))
      yield* pass(2)
      yield* Ledger.use((ledger) => ledger.retry("be01", held.map(({ eventId }) => eventId)))
      yield* pass(10)
      assert.deepStrictEqual(yield* bills, { applied: 2, waiting: 0, parked: 1 }, "a later decision stands")
    }).pipe(Effect.provide(running({ flows })), Effect.provide(world.layer))
  })
})

describe("versions of a payload", () => {
  it.effect("live side by side: an older one is brought forward; what cannot be is an exception", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(
        old({ key: "B-OLD", old: "B-OLD" }, "1"),
        bill("B-NEW"),
        old({ key: "B-LOST" }, "3"),
        publication("bill.made.v3", { key: "B-FUTURE" }, { id: "4" }),
      )
      yield* pass(2)
      assert.deepStrictEqual(yield* bills, { applied: 2, waiting: 0, parked: 2 })
      const refs = [...world.standIn.store.tables.get("res.partner")!.rows.values()].map((row) => row["ref"])
      assert.includeMembers(refs, ["B-OLD", "B-NEW"])
      const held = yield* Ledger.use((ledger) => ledger.exceptions({ flow: "bills", limit: 9 }))
      assert.sameMembers(held.map(({ code }) => code), ["EVENT-INVALID", "EVENT-FUTURE-VERSION"])
    }).pipe(Effect.provide(running({ flows })), Effect.provide(world.layer))
  })
})
