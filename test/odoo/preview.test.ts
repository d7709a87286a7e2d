/** A look at plans over the real flows and the stand-in: what is said about what stands, and that nothing is written. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { StandIn } from "../../fixtures/odoo/StandIn.ts"
import { make as makeOdoo } from "../../fixtures/odoo/StandInOdoo.ts"
import type { EventSpec } from "../../src/flow/Flow.ts"
import { check } from "../../src/flow/Step.ts"
import type { Write } from "../../src/flow/Write.ts"
import type { Mapping } from "../../src/ledger/Ledger.ts"
import * as CallGate from "../../src/odoo/CallGate.ts"
import * as MasterData from "../../src/odoo/MasterData.ts"
import { type Json, Odoo } from "../../src/odoo/Odoo.ts"
import * as Plan from "../../src/odoo/plan/Plan.ts"
import * as Preview from "../../src/odoo/plan/preview/Preview.ts"
import type { Sight } from "../../src/odoo/plan/preview/Sight.ts"
import { catalog } from "../../streams/catalog.ts"
import { customer, engagement, invoice, payment, timesheet } from "../streams/samples.ts"
import { configuration } from "../simulation/World.ts"

const settings = { code: "be01", latePolicy: "exception" as const, ...configuration.entities.be01 }
const events = {
  "customer.upserted": customer,
  "engagement.activated": engagement,
  "timesheet.approved": timesheet,
  "invoice.requested": invoice,
  "payment.received": { ...payment, invoices: ["INV-1"] },
} as const
type Type = keyof typeof events

const specOf = (type: Type): { readonly flow: string; readonly spec: EventSpec<unknown> } => {
  for (const flow of catalog) {
    const spec = flow.events.find((candidate) => candidate.type === type)
    if (spec !== undefined) return { flow: flow.name, spec }
  }
  throw new Error(`no spec of ${type}`)
}

/** Odoo without anything of Weir's in it but what `bring` puts there; `look` at what stands. */
const world = Effect.gen(function* () {
  const standIn = new StandIn({
    employees: [{ name: "Consultant 1", work_email: timesheet.consultant, company: 3 }],
    now: () => 0,
  })
  const calls: Array<string> = []
  const odoo = makeOdoo(standIn)
  const layer = Layer.mergeAll(Plan.layer, Preview.layer).pipe(
    Layer.provideMerge(MasterData.layer()),
    Layer.provideMerge(CallGate.layer({ databases: new Map([["main", { workers: 4, share: 1 }]]) })),
    Layer.provideMerge(Layer.succeed(
      Odoo,
      Odoo.of({
        ...odoo,
        call: (call) => {
          calls.push(`${call.model}/${call.method}`)
          return odoo.call(call)
        },
      }),
    )),
  )
  const context = yield* Layer.build(layer)
  const provided = <A, E>(effect: Effect.Effect<A, E, Plan.Plan | Preview.Preview | MasterData.MasterData | Odoo>) =>
    Effect.provideContext(effect, context)
  const company = yield* provided(
    MasterData.MasterData.use((master) =>
      Effect.tap(
        master.company(settings),
        (company) => master.seed(company, catalog.flatMap((flow) => flow.seeds ?? [])),
      )
    ),
  )
  const mappings = new Map<string, Mapping>()

  const writeOf = (type: Type, change: object = {}): Write<unknown> => {
    const { flow, spec } = specOf(type)
    const data = Schema.decodeUnknownSync(spec.schema)({ ...events[type], ...change })
    const key = spec.key(data)
    return {
      data,
      key,
      company,
      references: spec.references(data).map(({ flow, key }) => mappings.get(`${flow} ${key}`)!),
      consulted: (spec.consults?.(data) ?? []).map(() => null),
      previous: spec.versions === "once" ? null : mappings.get(`${flow} ${key}`) ?? null,
      ids: {},
      read: {},
    }
  }
  const mappingOf = (type: Type, change: object) =>
    mappings.get(`${specOf(type).flow} ${writeOf(type, change).key}`) ?? null
  const bring = Effect.fnUntraced(function* (type: Type, drafts = false) {
    const { flow, spec } = specOf(type)
    const write = writeOf(type)
    const [result] = yield* provided(
      Plan.Plan.use((plan) => plan.run(spec, [write], { flow, lane: "normal", drafts })),
    )
    if (result?._tag !== "Written") throw new Error(JSON.stringify(result))
    mappings.set(`${flow} ${write.key}`, result.mapping)
    for (const { flow, key, record } of result.parts ?? []) {
      mappings.set(`${flow} ${key}`, { ...record!, version: null, links: {} })
    }
    return result.mapping.id
  })
  /** `applied` and a rule of its plan against it: as of an event whose engagement was closed since. */
  const look = Effect.fnUntraced(function* (type: Type, change: object = {}, against?: { readonly applied: boolean }) {
    const before = calls.length
    const { spec } = specOf(type)
    const refusal = { code: "ENGAGEMENT-CLOSED", detail: "it was closed" } as const
    const rule = check<unknown>({ name: "isOpen", refuse: () => refusal })
    const sights = yield* provided(
      Preview.Preview.use((preview) =>
        preview.open(company, "backfill").at(
          against === undefined ? spec : { ...spec, plan: [rule, ...spec.plan] },
          [writeOf(type, change)],
          [mappingOf(type, change)],
          [against?.applied === true],
        )
      ),
    )
    const made = calls.slice(before).filter((call) =>
      !/\/(?:read|search_read|get_metadata|fields_get|check_object_reference)$/u.test(call)
    )
    assert.deepStrictEqual(made, [], "a look only reads")
    return sights[0]!
  })
  const odooCall = (model: string, method: string, ids: ReadonlyArray<number>, args: { [name: string]: Json } = {}) =>
    odoo.call({ database: "main", model, method, ids, args, context: { allowed_company_ids: [3] } })
  return { standIn, bring, look, mappings, call: odooCall, calls }
})

const all = Effect.fnUntraced(function* (drafts = false) {
  const made = yield* world
  const ids: { [type: string]: number } = {}
  for (const type of Object.keys(events) as Array<Type>) ids[type] = yield* made.bring(type, drafts)
  return { ...made, ids: ids as Readonly<Record<Type, number>> }
})

const isThere = (sight: Sight, what: string) =>
  assert.deepStrictEqual(
    { missing: sight.missing, differences: sight.differences, pending: sight.pending, refusal: sight.refusal },
    { missing: [], differences: [], pending: [], refusal: null },
    what,
  )

describe("Preview", () => {
  it.effect("finds all there what the plans have written, whether the ledger knows the records or not", () =>
    Effect.gen(function* () {
      const { ids, look, mappings } = yield* all()
      for (const type of Object.keys(events) as Array<Type>) {
        const sight = yield* look(type)
        isThere(sight, type)
        assert.strictEqual(sight.record?.id, ids[type], type)
      }
      for (const type of ["customer.upserted", "engagement.activated", "timesheet.approved"] as const) {
        const own = `${specOf(type).flow} ${events[type].key}`
        const known = mappings.get(own)!
        mappings.delete(own)
        const sight = yield* look(type)
        isThere(sight, `${type} by its external id`)
        assert.strictEqual(sight.record?.id, ids[type], type)
        assert.deepStrictEqual(sight.links, known.links, "and its other records")
        mappings.set(own, known)
      }
    }))

  it.effect("names the records that would be created", () =>
    Effect.gen(function* () {
      const { look } = yield* world
      const sight = yield* look("customer.upserted")
      assert.deepStrictEqual(sight.missing, [
        { model: "res.partner", externalId: `weir_be01.customers_${customer.key}` },
      ])
      assert.isNull(sight.record)
    }))

  it.effect("sees that a record which the ledger knows was deleted by hand", () =>
    Effect.gen(function* () {
      const { call, ids, look } = yield* all(true)
      yield* call("account.move", "unlink", [ids["invoice.requested"]])
      assert.deepStrictEqual((yield* look("invoice.requested")).missing, [
        { model: "account.move", externalId: "weir_be01.invoices_INV-1" },
      ])
    }))

  it.effect("looks past a rule that an event which was applied would not pass today", () =>
    Effect.gen(function* () {
      const { call, ids, look } = yield* all(true)
      const code = "ENGAGEMENT-CLOSED"
      const standing = yield* look("invoice.requested", {}, { applied: true })
      assert.deepStrictEqual([standing.missing, standing.differences, standing.refusal], [[], [], null])
      assert.strictEqual(standing.objection?.code, code)
      yield* call("account.move", "unlink", [ids["invoice.requested"]])
      const gone = yield* look("invoice.requested", {}, { applied: true })
      assert.deepStrictEqual([gone.missing.length, gone.refusal, gone.objection?.code], [1, null, code])
      const fresh = yield* look("invoice.requested", {}, { applied: false })
      assert.deepStrictEqual([fresh.missing.length, fresh.refusal?.code], [0, code], "new, it is refused there")
    }))

  it.effect("sees that a task of an engagement was deleted by hand", () =>
    Effect.gen(function* () {
      const { bring, call, look, mappings } = yield* world
      yield* bring("customer.upserted")
      yield* bring("engagement.activated")
      yield* call("project.task", "unlink", [mappings.get(`engagements ${engagement.key}`)!.links["tasks"]!])
      assert.deepStrictEqual((yield* look("engagement.activated")).missing, [
        { model: "project.task", externalId: `weir_be01.engagements_${engagement.key}.task-design` },
      ])
    }))

  it.effect("says field by field what a person has changed", () =>
    Effect.gen(function* () {
      const { call, ids, look, standIn } = yield* all(true)
      yield* call("res.partner", "write", [ids["customer.upserted"]], { vals: { name: "Renamed", city: false } })
      const partner = yield* look("customer.upserted")
      assert.deepStrictEqual(partner.differences.map(({ event, field, odoo }) => [field, event, odoo]), [
        ["name", customer.name, "Renamed"],
        ["city", "Brussel", ""],
      ])
      const move = ids["invoice.requested"]
      const [line] = [...standIn.store.tables.get("account.move.line")!.rows.values()].filter((row) =>
        row["move_id"] === move && row["name"] === "Travel"
      )
      yield* call("account.move.line", "write", [line!.id], { vals: { price_unit: 3.23 } })
      const changed = yield* look("invoice.requested")
      assert.deepStrictEqual(changed.differences.map(({ event, field, odoo }) => [field, event, odoo]), [
        ["invoice_line_ids/price_unit", "2.23", "3.23"],
        ["amount_untaxed", "912.11", "913.11"],
        ["amount_tax", "191.54", "191.75"],
        ["amount_total", "1103.65", "1104.86"],
      ])
      assert.isTrue(changed.draft)
    }))

  it.effect("sees a line that is gone, and one that was added to an invoice, but not one added to an order", () =>
    Effect.gen(function* () {
      const { call, ids, look, standIn } = yield* all(true)
      const move = ids["invoice.requested"]
      const lines = [...standIn.store.tables.get("account.move.line")!.rows.values()]
      const travel = lines.find((row) => row["move_id"] === move && row["name"] === "Travel")!.id
      yield* call("account.move", "write", [move], {
        vals: { invoice_line_ids: [[2, travel, 0], [0, 0, { name: "By hand", quantity: 1, price_unit: 2.23 }]] },
      })
      const { differences } = yield* look("invoice.requested")
      const byHand = [...standIn.store.tables.get("account.move.line")!.rows.values()].find((row) =>
        row["name"] === "By hand"
      )!.id
      assert.deepStrictEqual(
        differences.filter(({ field }) => field === "invoice_line_ids").map(({ event, odoo }) => [event, odoo]),
        [["weir_be01.invoices_INV-1.line-2", ""], ["", `account.move.line ${byHand}`]],
      )
      yield* call("sale.order", "write", [ids["engagement.activated"]], {
        vals: { order_line: [[0, 0, { name: "More", product_id: 1, product_uom_qty: 1, price_unit: 1 }]] },
      })
      isThere(yield* look("engagement.activated"), "orders get lines from others")
    }))

  it.effect("says which steps are left on what stands, and that it is a draft", () =>
    Effect.gen(function* () {
      const { look } = yield* all(true)
      const sight = yield* look("invoice.requested")
      assert.deepStrictEqual(sight.pending.map(({ detail, harmless, step }) => [step, detail, harmless]), [
        ["post", "state is draft; action_post makes it posted", false],
      ])
      assert.isTrue(sight.draft)
      assert.isFalse((yield* Effect.flatMap(all(), ({ look }) => look("invoice.requested"))).draft)
    }))

  it.effect("says that a payment and its invoice are not matched any more", () =>
    Effect.gen(function* () {
      const { call, ids, look, mappings, bring } = yield* all()
      yield* call("account.move", "button_draft", [ids["invoice.requested"]])
      yield* call("account.move", "action_post", [ids["invoice.requested"]])
      assert.deepStrictEqual((yield* look("payment.received")).pending.map(({ harmless, step }) => [step, harmless]), [
        ["reconcile", true],
      ])
      yield* bring("payment.received")
      isThere(yield* look("payment.received"), "the plan has matched them again")
      mappings.set("invoices INV-1", { ...mappings.get("invoices INV-1")!, id: 9_999 })
      isThere(yield* look("payment.received"), "a payment that is matched asks for no invoices")
    }))

  it.effect("warns of what would be booked in a locked period", () =>
    Effect.gen(function* () {
      const { bring, look, standIn } = yield* world
      yield* bring("customer.upserted")
      yield* bring("engagement.activated")
      standIn.lock(3, "sale", "2026-10-31")
      assert.deepStrictEqual((yield* look("invoice.requested")).locked, {
        day: "2026-10-31",
        until: "2026-10-31",
        lock: "sale_lock_date",
      })
    }))

  it.effect("takes a new payload of the same key for what it changes", () =>
    Effect.gen(function* () {
      const { look } = yield* all()
      const change = { dueDate: "2026-12-15" }
      const { differences } = yield* look("invoice.requested", change)
      assert.deepStrictEqual(differences.map(({ event, field, odoo }) => [field, event, odoo]), [
        ["invoice_date_due", "2026-12-15", "2026-11-30"],
      ])
    }))

  it.effect("refuses what the plan would refuse, and asks nothing more", () =>
    Effect.gen(function* () {
      const { look } = yield* world
      const sight = yield* look("timesheet.approved", { consultant: "nobody@example.test" })
      assert.strictEqual(sight.refusal?.code, "MASTER-DATA-MISSING")
    }))
})
