import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import type { EventSpec } from "../../src/flow/Flow.ts"
import { find, load, read, resolve, type Step } from "../../src/flow/Step.ts"
import type { Write } from "../../src/flow/Write.ts"
import * as CallGate from "../../src/odoo/CallGate.ts"
import { type CompanySettings, layer as masterLayer, MasterData } from "../../src/odoo/MasterData.ts"
import { OdooError } from "../../src/odoo/Odoo.ts"
import * as Plan from "../../src/odoo/plan/Plan.ts"
import { TinyOdoo } from "./TinyOdoo.ts"

interface Data {
  readonly key: string
  readonly line?: string
}

const company = { entity: "be01", database: "main", id: 1, currency: "EUR", journals: {}, taxes: {} }

const servicesOf = (odoo: TinyOdoo) =>
  Plan.layer.pipe(
    Layer.provideMerge(masterLayer()),
    Layer.provide(CallGate.layer({ databases: new Map([["main", { workers: 4, share: 1 }]]) })),
    Layer.provide(odoo.layer),
  )

const run = Effect.fnUntraced(function* (
  plan: ReadonlyArray<Step<Data>>,
  data: ReadonlyArray<Data>,
  of: Write<unknown>["company"] = company,
) {
  const spec: EventSpec<Data> = {
    type: "thing.changed",
    version: 1,
    schema: Schema.Any,
    key: ({ key }) => key,
    parents: () => [],
    references: () => [],
    versions: "gate",
    plan,
    fact: ({ key }) => key,
  }
  const writes = data.map((each): Write<unknown> => ({
    data: each,
    key: each.key,
    company: of,
    references: [],
    previous: null,
    ids: {},
    read: {},
  }))
  const results = yield* Plan.Plan.use((plan) =>
    plan.run(spec as EventSpec<never> as EventSpec<unknown>, writes, { flow: "things", lane: "normal", drafts: false })
  )
  return {
    writes,
    said: results.map((result) => result._tag === "Refused" ? result.refusal.code : "written"),
  }
})

const lineOf = resolve<Data>({
  name: "line",
  model: "sale.order.line",
  externalId: ({ data: { line } }) => line ?? null,
})
const lineRead = read<Data>({
  name: "lines",
  model: "sale.order.line",
  records: ({ ids }) => ids["line"] === undefined ? [] : [ids["line"]],
  fields: ["name"],
})

/** Order lines with these external ids; Odoo makes none of nothing. */
const lines = (...externalIds: ReadonlyArray<string>): TinyOdoo => {
  const odoo = new TinyOdoo()
  for (const externalId of externalIds) odoo.add("sale.order.line", externalId, { name: externalId })
  odoo.badRow = (cells) =>
    cells.size === 1 && odoo.find(cells.get("id")!) === undefined
      ? { message: "Missing required value for the field 'Order Reference'", named: true }
      : undefined
  return odoo
}

describe("resolve and read", () => {
  it.effect("ask once for all events, remember the ids, and ask nothing for an event without", () => {
    const odoo = lines("l.1", "l.2")
    return Effect.gen(function* () {
      const data = [{ key: "A", line: "l.1" }, { key: "B", line: "l.2" }, { key: "C", line: "l.1" }, { key: "D" }]
      const { said, writes } = yield* run([lineOf, lineRead], data)
      assert.deepStrictEqual(said, ["written", "written", "written", "written"])
      assert.deepStrictEqual(writes.map(({ ids }) => ids["line"]), [1, 2, 1, undefined])
      assert.deepStrictEqual(
        writes.map(({ read }) =>
          (read["lines"]!["records"] as ReadonlyArray<{ name: string }>).map(({ name }) => name)
        ),
        [["l.1"], ["l.2"], ["l.1"], []],
      )
      assert.deepStrictEqual(odoo.methods, ["load", "read(2)"])
      yield* run([lineOf, lineRead], data)
      assert.deepStrictEqual(odoo.methods.slice(2), ["read(2)"])
    }).pipe(Effect.provide(servicesOf(odoo)))
  })

  it.effect("refuse only the event whose record Odoo does not have, in the step's words", () => {
    const odoo = lines("l.1", "l.3")
    const wording = resolve<Data>({
      ...lineOf,
      missing: ({ data }) => ({ code: "MASTER-DATA-MISSING", detail: `no line ${data.line}` }),
    })
    return Effect.gen(function* () {
      const data = ["l.1", "l.2", "l.3", "l.4"].map((line) => ({ key: line, line }))
      assert.deepStrictEqual((yield* run([lineOf], data)).said, [
        "written",
        "ODOO-RECORD-MISSING",
        "written",
        "ODOO-RECORD-MISSING",
      ])
      assert.deepStrictEqual((yield* run([wording], [{ key: "A", line: "l.9" }])).said, ["MASTER-DATA-MISSING"])
      assert.strictEqual(odoo.records.size, 2)
    }).pipe(Effect.provide(servicesOf(odoo)))
  })
})

const employee = find<Data>({ name: "employee", model: "hr.employee", field: "work_email", value: () => "ann@x" })
const sheet = load<Data>({
  name: "sheet",
  model: "account.analytic.line",
  mode: "create",
  rows: ({ data, ids, company }) => ({
    externalId: `t.${data.key}`,
    values: { "employee_id/.id": String(ids["employee"]), "tax/.id": String(company.taxes["S21"] ?? 0) },
  }),
})

describe("master data that has changed in Odoo", () => {
  it.effect("is asked again when a write that used it is refused, and the write goes through", () => {
    const odoo = new TinyOdoo()
    const ann = odoo.add("hr.employee", "", { work_email: "ann@x" })
    odoo.badRow = (cells) =>
      odoo.records.has(Number(cells.get("employee_id/.id")))
        ? undefined
        : { message: "No matching record found for database id", named: true }
    return Effect.gen(function* () {
      assert.deepStrictEqual((yield* run([employee, sheet], [{ key: "A" }])).said, ["written"])
      odoo.records.delete(ann.id)
      odoo.records.set(77, { id: 77, model: "hr.employee", externalId: "", work_email: "ann@x" })
      // What was asked just now is not to blame: nothing is tried twice.
      assert.deepStrictEqual((yield* run([employee, sheet], [{ key: "B" }])).said, ["ODOO-VALIDATION"])
      yield* TestClock.adjust("31 seconds")
      const { said, writes } = yield* run([employee, sheet], [{ key: "B" }, { key: "C" }])
      assert.deepStrictEqual(said, ["written", "written"])
      assert.deepStrictEqual(writes.map(({ ids }) => ids["employee"]), [77, 77])
    }).pipe(Effect.provide(servicesOf(odoo)))
  })

  const settings: CompanySettings = {
    code: "be01",
    database: "main",
    company: 1,
    currency: "EUR",
    journals: {},
    taxes: { S21: "21%" },
  }
  const belgium = (): TinyOdoo => {
    const odoo = new TinyOdoo()
    odoo.add("res.company", "", { name: "Entity BE", currency_id: [1, "EUR"] })
    odoo.add("account.tax", "", { name: "21%", type_tax_use: "sale", company_id: 1 })
    return odoo
  }
  const replaceTax = (odoo: TinyOdoo): void => {
    odoo.records.delete(2)
    odoo.records.set(9, {
      id: 9,
      model: "account.tax",
      externalId: "",
      name: "21%",
      type_tax_use: "sale",
      company_id: 1,
    })
  }
  const onlyTax = (odoo: TinyOdoo) => (cells: ReadonlyMap<string, string>) =>
    cells.has("tax/.id") && !odoo.records.has(Number(cells.get("tax/.id")))
      ? { message: "No matching record found for database id", named: true }
      : undefined

  it.effect("a tax that was replaced is found by its name before the event becomes an exception", () => {
    const odoo = belgium()
    odoo.badRow = onlyTax(odoo)
    return Effect.gen(function* () {
      const known = yield* MasterData.use((master) => master.company(settings))
      assert.strictEqual(known.taxes["S21"], 2)
      replaceTax(odoo)
      yield* TestClock.adjust("31 seconds")
      const { said } = yield* run([sheet], [{ key: "A" }], known)
      assert.deepStrictEqual(said, ["written"])
      assert.strictEqual(odoo.find("t.A")!["tax/.id"], "9")
    }).pipe(Effect.provide(servicesOf(odoo)))
  })

  it.effect("a company is asked again after ten minutes by one of those who need it", () => {
    const odoo = belgium()
    return Effect.gen(function* () {
      const known = yield* MasterData.use((master) => master.company(settings))
      const asked = odoo.calls.length
      replaceTax(odoo)
      yield* TestClock.adjust("9 minutes")
      yield* run([sheet], [{ key: "A" }], known)
      assert.strictEqual(odoo.calls.length, asked + 1)
      yield* TestClock.adjust("2 minutes")
      yield* Effect.all([run([sheet], [{ key: "B" }], known), run([sheet], [{ key: "C" }], known)], { concurrency: 2 })
      assert.deepStrictEqual(["t.B", "t.C"].map((id) => odoo.find(id)!["tax/.id"]), ["9", "9"])
      assert.strictEqual(odoo.calls.length, asked + 1 + asked + 2)
    }).pipe(Effect.provide(servicesOf(odoo)))
  })

  it.effect("what is gone from Odoo stays as it was known, and is not asked for by every batch", () => {
    const odoo = belgium()
    return Effect.gen(function* () {
      const known = yield* MasterData.use((master) => master.company(settings))
      const asked = odoo.calls.length
      odoo.records.delete(2)
      yield* TestClock.adjust("11 minutes")
      yield* run([sheet], [{ key: "A" }], known)
      yield* run([sheet], [{ key: "B" }], known)
      assert.strictEqual(odoo.find("t.B")!["tax/.id"], "2")
      assert.strictEqual(odoo.calls.length, asked + asked + 2)
    }).pipe(Effect.provide(servicesOf(odoo)))
  })

  it.effect("an Odoo that is away fails the run, which is repeated, and decides nothing", () => {
    const odoo = belgium()
    return Effect.gen(function* () {
      const known = yield* MasterData.use((master) => master.company(settings))
      yield* TestClock.adjust("11 minutes")
      odoo.intercept = (call) => odoo.error(call, "ODOO-UNAVAILABLE", "away")
      const error = yield* Effect.flip(run([sheet], [{ key: "A" }], known))
      assert.isTrue(error instanceof OdooError && error.isRetryable)
    }).pipe(Effect.provide(servicesOf(odoo)))
  })

  it.effect("a product that was deleted is made again when a write misses it", () => {
    const odoo = belgium()
    const seed = { model: "product.product", externalId: "weir.product_time", values: { name: "Time" } }
    odoo.badRow = (cells) =>
      cells.has("tax/.id") && odoo.find(seed.externalId) === undefined
        ? { message: "No matching record found for external id 'weir.product_time'", named: true }
        : undefined
    return Effect.gen(function* () {
      const known = yield* MasterData.use((master) =>
        Effect.tap(master.company(settings), (company) => master.seed(company, [seed]))
      )
      const made = odoo.find(seed.externalId)!
      odoo.records.set(made.id, { ...made, model: "", externalId: "" })
      yield* TestClock.adjust("31 seconds")
      assert.deepStrictEqual((yield* run([sheet], [{ key: "A" }], known)).said, ["written"])
      assert.isDefined(odoo.find(seed.externalId))
    }).pipe(Effect.provide(servicesOf(odoo)))
  })
})
