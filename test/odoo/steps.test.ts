import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import type { EventSpec } from "../../src/flow/Flow.ts"
import { check, invoke, load, query, type Step, unlink, update } from "../../src/flow/Step.ts"
import type { Write } from "../../src/flow/Write.ts"
import * as CallGate from "../../src/odoo/CallGate.ts"
import * as MasterData from "../../src/odoo/MasterData.ts"
import * as Plan from "../../src/odoo/plan/Plan.ts"
import { TinyOdoo } from "./TinyOdoo.ts"

interface Data {
  readonly key: string
  readonly ids: ReadonlyArray<number>
  readonly value?: string
}

const company = { entity: "be01", database: "main", id: 3, currency: "EUR", journals: {}, taxes: {} }

/** Facts: what these steps do is all that the plan does. */
const run = (
  odoo: TinyOdoo,
  plan: ReadonlyArray<Step<Data>>,
  data: ReadonlyArray<Data>,
  { drafts = false } = {},
) => {
  const spec: EventSpec<Data> = {
    type: "thing.changed",
    version: 1,
    schema: Schema.Any,
    key: ({ key }) => key,
    parents: () => [],
    references: () => [],
    versions: "gate",
    plan,
    fact: ({ key }) => `changed ${key}`,
  }
  const writes = data.map((each): Write<unknown> => ({
    data: each,
    key: each.key,
    company,
    references: [],
    previous: null,
    ids: {},
    read: {},
  }))
  return Plan.Plan.use((plan) =>
    plan.run(spec as EventSpec<never> as EventSpec<unknown>, writes, { flow: "things", lane: "normal", drafts })
  ).pipe(
    Effect.map((results) => ({
      writes,
      results,
      said: results.map((result) => result._tag === "Refused" ? result.refusal.code : result.mapping.externalId),
    })),
    Effect.provide(
      Plan.layer.pipe(
        Layer.provide(MasterData.layer()),
        Layer.provide(CallGate.layer({ databases: new Map([["main", { workers: 4, share: 1 }]]) })),
        Layer.provide(odoo.layer),
      ),
    ),
  )
}

const milestones = (...reached: ReadonlyArray<boolean>): TinyOdoo => {
  const odoo = new TinyOdoo()
  reached.forEach((is_reached, n) => odoo.add("project.milestone", `m.${n}`, { is_reached, name: "no" }))
  return odoo
}
const reach = update<Data>({
  name: "reach",
  model: "project.milestone",
  records: ({ data }) => data.ids,
  values: ({ data }) => ({ is_reached: true, ...(data.value !== undefined && { name: data.value }) }),
})
const remove = unlink<Data>({ name: "remove", model: "project.milestone", records: ({ data }) => data.ids })

describe("a fact", () => {
  it.effect("needs no call: its text is what others read", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      const { said } = yield* run(odoo, [], [{ key: "A", ids: [] }])
      assert.deepStrictEqual([said, odoo.calls], [["changed A"], []])
    }))
})

describe("load", () => {
  it.effect("tells every record that has a key of its own, and links them to the event's key by their roles", () =>
    Effect.gen(function* () {
      const lines = load<Data>({
        name: "lines",
        model: "sale.order.line",
        mode: "upsert",
        rows: ({ data, key }) =>
          data.ids.map((n) => ({
            externalId: `weir_be01.things_${key}.line-${n}`,
            values: { price_unit: "1" },
            as: { flow: "things", key: `${key}.line-${n}` },
          })),
      })
      const odoo = new TinyOdoo()
      const { results } = yield* run(odoo, [lines], [{ key: "A", ids: [1, 2] }, { key: "B", ids: [] }])
      const [first, second] = results
      assert.isTrue(first?._tag === "Written" && second?._tag === "Written")
      if (first?._tag !== "Written" || second?._tag !== "Written") return
      assert.deepStrictEqual(first.mapping.links, { lines: 1, "line-1": 1, "line-2": 2 })
      assert.deepStrictEqual(
        first.parts,
        [1, 2].map((n) => ({
          flow: "things",
          key: `A.line-${n}`,
          record: { model: "sale.order.line", id: n, externalId: `weir_be01.things_A.line-${n}` },
        })),
      )
      assert.isUndefined(second.parts)
    }))
})

describe("check", () => {
  it.effect("refuses the events that break the rule, before any call is made for them", () =>
    Effect.gen(function* () {
      const odoo = milestones(false, false)
      const rule = check<Data>({
        name: "rule",
        refuse: ({ key }) => key === "B" ? { code: "APPROVAL-REJECTED", detail: "no" } : undefined,
      })
      const { said } = yield* run(odoo, [rule, reach], [{ key: "A", ids: [1] }, { key: "B", ids: [2] }])
      assert.deepStrictEqual(said, ["changed A", "APPROVAL-REJECTED"])
      assert.deepStrictEqual([1, 2].map((id) => odoo.records.get(id)!["is_reached"]), [true, false])
    }))
})

describe("update", () => {
  it.effect("writes what differs in one call for all that want the same, and nothing the second time", () =>
    Effect.gen(function* () {
      const odoo = milestones(false, true, false)
      const events = [{ key: "A", ids: [1, 2] }, { key: "B", ids: [3] }]
      yield* run(odoo, [reach], events)
      assert.deepStrictEqual(odoo.methods, ["read(3)", "write(2)", "read(3)"])
      const { writes } = yield* run(odoo, [reach], events)
      assert.deepStrictEqual(odoo.methods.slice(3), ["read(3)"])
      assert.strictEqual((writes[0]!.read["reach"]!["records"] as ReadonlyArray<unknown>).length, 2)
    }))

  it.effect("gets the others through when Odoo refuses one", () =>
    Effect.gen(function* () {
      const odoo = milestones(false, false, false)
      odoo.records.get(2)!["stuck"] = true
      const { said } = yield* run(odoo, [reach], [1, 2, 3].map((id) => ({ key: `K${id}`, ids: [id] })))
      assert.deepStrictEqual(said, ["changed K1", "ODOO-VALIDATION", "changed K3"])
      assert.deepStrictEqual([1, 2, 3].map((id) => odoo.records.get(id)!["is_reached"]), [true, false, true])
    }))

  it.effect("refuses an event whose record is gone", () =>
    Effect.gen(function* () {
      const { said } = yield* run(milestones(false), [reach], [{ key: "A", ids: [1] }, { key: "B", ids: [9] }])
      assert.deepStrictEqual(said, ["changed A", "ODOO-RECORD-MISSING"])
    }))

  it.effect("knows a many2one by its id, and leaves alone what a rule excludes", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      odoo.add("account.move", "m", { partner_id: [7, "Al"], payment_state: "paid" })
      const partner = update<Data>({
        name: "partner",
        model: "account.move",
        records: ({ data }) => data.ids,
        values: () => ({ partner_id: 7 }),
      })
      const unblock = update<Data>({
        name: "unblock",
        model: "account.move",
        records: ({ data }) => data.ids,
        values: () => ({ payment_state: "not_paid" }),
        only: (record) => record["payment_state"] === "blocked",
      })
      yield* run(odoo, [partner, unblock], [{ key: "A", ids: [1] }])
      assert.deepStrictEqual(odoo.methods, ["read(1)", "read(1)"])
    }))

  it.effect("is left out in mode drafts when it makes something binding", () =>
    Effect.gen(function* () {
      const odoo = milestones(false)
      yield* run(odoo, [{ ...reach, posts: true }], [{ key: "A", ids: [1] }], { drafts: true })
      assert.deepStrictEqual(odoo.calls, [])
    }))
})

describe("unlink", () => {
  it.effect("deletes what stands; what is gone is done", () =>
    Effect.gen(function* () {
      const odoo = milestones(false, false)
      const { said } = yield* run(odoo, [remove], [{ key: "A", ids: [1] }, { key: "B", ids: [9] }])
      assert.deepStrictEqual([said, [...odoo.records.keys()]], [["changed A", "changed B"], [2]])
      yield* run(odoo, [remove], [{ key: "A", ids: [1] }])
      assert.deepStrictEqual(odoo.methods, ["read(2)", "unlink(1)", "read(1)"])
    }))

  it.effect("takes a deletion by somebody else for its own", () =>
    Effect.gen(function* () {
      const odoo = milestones(false)
      odoo.intercept = (call) => {
        if (call.method === "unlink") odoo.records.delete(1)
        return undefined
      }
      const { said } = yield* run(odoo, [remove], [{ key: "A", ids: [1] }])
      assert.deepStrictEqual(said, ["changed A"])
    }))

  it.effect("refuses when Odoo does", () =>
    Effect.gen(function* () {
      const odoo = milestones(false, false)
      odoo.intercept = (call) =>
        call.method === "unlink" && call.ids!.includes(1)
          ? odoo.error(call, "ODOO-VALIDATION", "invoiced already")
          : undefined
      const { said } = yield* run(odoo, [remove], [{ key: "A", ids: [1] }, { key: "B", ids: [2] }])
      assert.deepStrictEqual([said, [...odoo.records.keys()]], [["ODOO-VALIDATION", "changed B"], [1]])
    }))
})

describe("invoke", () => {
  it.effect("calls once for all events with the same arguments, and not at all without records", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      for (const n of [1, 2]) odoo.add("sale.order", `o.${n}`, { state: "draft" })
      const lock = invoke<Data>({
        name: "lock",
        model: "sale.order",
        method: "action_lock",
        records: ({ data }) => data.ids,
      })
      const { said } = yield* run(odoo, [lock], [{ key: "A", ids: [1] }, { key: "B", ids: [2] }, { key: "C", ids: [] }])
      assert.deepStrictEqual([said.length, odoo.methods], [3, ["action_lock(2)"]])
    }))
})

describe("query", () => {
  const hours = (limit: number) =>
    query<Data>({
      name: "hours",
      model: "account.analytic.line",
      domain: ({ data }) => data.value === undefined ? null : [["so_line", "=", data.value]],
      fields: ["unit_amount"],
      limit,
    })
  const odoo = (): TinyOdoo => {
    const tiny = new TinyOdoo()
    for (const n of [1, 2, 3]) tiny.add("account.analytic.line", `l.${n}`, { so_line: "S" })
    return tiny
  }

  it.effect("reads the records of its condition, and asks nothing without one", () =>
    Effect.gen(function* () {
      const { writes } = yield* run(odoo(), [hours(3)], [{ key: "A", ids: [], value: "S" }, { key: "B", ids: [] }])
      assert.deepStrictEqual(
        writes.map(({ read }) => (read["hours"]!["records"] as ReadonlyArray<unknown>).length),
        [3, 0],
      )
    }))

  it.effect("tells the external ids of what it found, where asked to", () =>
    Effect.gen(function* () {
      const tiny = odoo()
      const named = { ...hours(3), externalIds: true }
      const { writes } = yield* run(tiny, [named], [{ key: "A", ids: [], value: "S" }, {
        key: "B",
        ids: [],
        value: "T",
      }])
      const records = writes[0]!.read["hours"]!["records"] as ReadonlyArray<{ readonly external_id: string }>
      assert.deepStrictEqual(records.map(({ external_id }) => external_id).sort(), ["l.1", "l.2", "l.3"])
      assert.deepStrictEqual(tiny.methods, ["search_read", "get_external_id(3)", "search_read"])
    }))

  it.effect("refuses an event with more records than the limit", () =>
    Effect.gen(function* () {
      const { said } = yield* run(odoo(), [hours(2)], [{ key: "A", ids: [], value: "S" }])
      assert.deepStrictEqual(said, ["ODOO-TOO-MANY"])
    }))
})
