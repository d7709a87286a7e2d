import { assert, describe, it } from "@effect/vitest"
import { BigDecimal, Effect, Fiber, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import type { EventSpec } from "../../src/flow/Flow.ts"
import { compare, find, load, reconcile, type Row, type Step, transition } from "../../src/flow/Step.ts"
import type { Write } from "../../src/flow/Write.ts"
import * as CallGate from "../../src/odoo/CallGate.ts"
import * as MasterData from "../../src/odoo/MasterData.ts"
import { type Json, OdooError } from "../../src/odoo/Odoo.ts"
import { differenceOf } from "../../src/odoo/plan/compare.ts"
import { KeyedMutex } from "../../src/odoo/plan/KeyedMutex.ts"
import { MAX_ROWS } from "../../src/odoo/plan/load.ts"
import * as Plan from "../../src/odoo/plan/Plan.ts"
import { pairsOf } from "../../src/odoo/plan/reconcile.ts"
import { TinyOdoo } from "./TinyOdoo.ts"

interface Data {
  readonly key: string
  readonly [field: string]: string | number | boolean | ReadonlyArray<number>
}

const company = { entity: "be01", database: "main", id: 3, currency: "EUR", journals: { sales: 13 }, taxes: { S21: 9 } }

const specOf = (record: string, plan: ReadonlyArray<Step<Data>>): EventSpec<unknown> => {
  const spec: EventSpec<Data> = {
    type: "thing.made",
    version: 1,
    schema: Schema.Any,
    key: ({ key }) => key,
    parents: () => [],
    references: () => [],
    versions: "once",
    plan,
    record,
  }
  return spec as EventSpec<never> as EventSpec<unknown>
}

const writeOf = (data: Data): Write<unknown> => ({
  data,
  key: data.key,
  company,
  references: [],
  previous: null,
  ids: {},
  read: {},
})

const run = (odoo: TinyOdoo, spec: EventSpec<unknown>, data: ReadonlyArray<Data>, drafts = false) => {
  const writes = data.map(writeOf)
  return Plan.Plan.use((plan) => plan.run(spec, writes, { flow: "things", lane: "normal", drafts })).pipe(
    Effect.map((results) => ({ results, writes, tags: results.map((result) => result._tag) })),
    Effect.provide(
      Plan.layer.pipe(
        Layer.provide(MasterData.layer()),
        Layer.provide(CallGate.layer({ databases: new Map([["main", { workers: 4, share: 1 }]]) })),
        Layer.provide(odoo.layer),
      ),
    ),
  )
}

const refusalOf = (result: Plan.WriteResult): string => result._tag === "Refused" ? result.refusal.code : result._tag

const partnerOf = ({ key, ...values }: Data): Row => ({
  externalId: `weir_be01.customers_${key}`,
  values: values as Row["values"],
})
const upsert = load<Data>({
  name: "partner",
  model: "res.partner",
  mode: "upsert",
  rows: ({ data }) => partnerOf(data),
})
const create = load<Data>({
  name: "move",
  model: "account.move",
  mode: "create",
  rows: ({ data: { key, ref = key } }) => ({ externalId: `weir_be01.invoices_${key}`, values: { ref: String(ref) } }),
})
const post = transition<Data>({
  name: "post",
  model: "account.move",
  of: "move",
  method: "action_posted",
  field: "state",
  from: ["draft"],
  to: ["posted"],
  posts: true,
  lock: () => "journal:13",
  fields: ["ref"],
})
const keys = (count: number, prefix = "K"): ReadonlyArray<Data> =>
  Array.from({ length: count }, (_, n) => ({ key: `${prefix}${n}` }))

const drafts = (): TinyOdoo => {
  const odoo = new TinyOdoo()
  odoo.defaults = { state: "draft" }
  return odoo
}

describe("load", () => {
  it.effect("loads a batch in one call and answers in the order of the events", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      const { results } = yield* run(odoo, specOf("partner", [upsert]), [
        { key: "B", name: "Bea" },
        { key: "A", name: "Al" },
      ])
      assert.deepStrictEqual(results, [
        { _tag: "Written", mapping: mapping("res.partner", 1, "weir_be01.customers_B") },
        { _tag: "Written", mapping: mapping("res.partner", 2, "weir_be01.customers_A") },
      ])
      assert.deepStrictEqual(odoo.calls.map(({ args, context }) => ({ args, context })), [{
        args: { fields: ["id", "name"], data: [["weir_be01.customers_B", "Bea"], ["weir_be01.customers_A", "Al"]] },
        context: { allowed_company_ids: [3] },
      }])
    }))

  it.effect("never sends a column that a record does not have, because an empty cell clears the field", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      const { tags } = yield* run(odoo, specOf("partner", [upsert]), [
        { key: "A", name: "Al" },
        { key: "B", name: "Bea", vat: "BE1" },
        { key: "C", name: "Cy" },
      ])
      assert.deepStrictEqual(tags, ["Written", "Written", "Written"])
      assert.deepStrictEqual(odoo.calls.map(({ args }) => args!["fields"]), [["id", "name"], ["id", "name", "vat"]])
      assert.deepStrictEqual((odoo.calls[0]!.args!["data"] as ReadonlyArray<Json>).length, 2)
      const cells = odoo.calls.flatMap(({ args }) => (args!["data"] as ReadonlyArray<ReadonlyArray<string>>).flat())
      assert.notInclude(cells, "")
    }))

  it.effect("puts lines into continuation rows and every cell into a string", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      const order = load<Data>({
        name: "order",
        model: "sale.order",
        mode: "create",
        rows: ({ data }) => ({
          externalId: data.key,
          values: { "journal_id/.id": 13, active: true },
          lines: {
            field: "order_line",
            rows: [
              { externalId: `${data.key}.1`, values: { qty: 1.5, "tax_ids/.id": 9 } },
              { externalId: `${data.key}.2`, values: { qty: 2 } },
            ],
          },
        }),
      })
      yield* run(odoo, specOf("order", [order]), [{ key: "E.1" }])
      assert.deepStrictEqual(odoo.calls[0]!.args, {
        fields: ["id", "journal_id/.id", "active", "order_line/id", "order_line/qty", "order_line/tax_ids/.id"],
        data: [["E.1", "13", "1", "E.1.1", "1.5", "9"], ["", "", "", "E.1.2", "2", ""]],
      })
      assert.deepStrictEqual(odoo.calls[0]!.context, { allowed_company_ids: [3], mode: "update", noupdate: true })
    }))

  it.effect("gives an event of several records the id of its first, and numbers the others", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      const two = load<Data>({
        name: "partner",
        model: "res.partner",
        mode: "create",
        rows: ({ data }) =>
          ["main", "contact"].map((part) => ({ externalId: `${data.key}.${part}`, values: { name: part } })),
      })
      const { writes } = yield* run(odoo, specOf("partner", [two]), [{ key: "A" }, { key: "B" }])
      assert.deepStrictEqual(writes.map(({ ids }) => ids), [{ partner: 1, "partner.1": 2 }, {
        partner: 3,
        "partner.1": 4,
      }])
      assert.strictEqual(odoo.calls.length, 1)
    }))

  it.effect("changes nothing when run again", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      const spec = specOf("move", [create])
      const first = yield* run(odoo, spec, [{ key: "A", ref: "one" }])
      const again = yield* run(odoo, spec, [{ key: "A", ref: "other" }])
      assert.deepStrictEqual(again.results, first.results)
      assert.strictEqual(odoo.find("weir_be01.invoices_A")!["ref"], "one")
    }))

  it.effect("takes out the rows that Odoo names and gets the rest through in one more call", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      odoo.badRow = (cells) =>
        cells.get("ref")!.startsWith("bad") ? { message: `no ${cells.get("ref")}`, named: true } : undefined
      const data = keys(100).map((each, n) => n % 30 === 7 ? { ...each, ref: `bad${n}` } : each)
      const { results } = yield* run(odoo, specOf("move", [create]), data)
      assert.deepStrictEqual(
        results.flatMap((result) => result._tag === "Refused" ? [result.refusal] : []),
        [7, 37, 67, 97].map((n) => ({ code: "ODOO-VALIDATION", detail: `account.move/load: no bad${n}` })),
      )
      assert.strictEqual(odoo.records.size, 96)
      assert.strictEqual(odoo.calls.length, 2)
    }))

  it.effect("finds the guilty by halves when Odoo names nobody", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      odoo.badRow = (cells) => cells.get("ref") === "K37" ? { message: "broken", named: false } : undefined
      const { results } = yield* run(odoo, specOf("move", [create]), keys(64))
      assert.deepStrictEqual(results.map(refusalOf).flatMap((code, n) => code === "Written" ? [] : [n, code]), [
        37,
        "ODOO-VALIDATION",
      ])
      assert.strictEqual(odoo.records.size, 63)
      assert.isAtMost(odoo.calls.length, 12)
    }))

  it.effect("tries records alone when the events they belong to could have dragged each other down", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      const pair = load<Data>({
        name: "partner",
        model: "res.partner",
        mode: "create",
        rows: ({ data }) => ["a", "b"].map((part) => ({ externalId: `${data.key}.${part}`, values: { name: part } })),
      })
      // Odoo blames A's second record too, but only because B's failure rolled back A's first.
      odoo.badRow = (cells) => cells.get("id") === "B.a" ? { message: "bad", named: true } : undefined
      odoo.intercept = (call) =>
        odoo.calls.length > 1 ? undefined : new OdooError({
          code: "ODOO-VALIDATION",
          operation: "res.partner/load",
          message: "bad",
          row: 1,
          failures: [1, 2].map((row) => ({
            row,
            code: "ODOO-VALIDATION" as const,
            message: `row ${row} of ${call.method}`,
          })),
        })
      const { results } = yield* run(odoo, specOf("partner", [pair]), [{ key: "A" }, { key: "B" }, { key: "C" }])
      assert.deepStrictEqual(results.map(refusalOf), ["Written", "ODOO-VALIDATION", "Written"])
    }))

  it.effect("does not try every record when the call itself is wrong", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      odoo.intercept = (call) => odoo.error(call, "ODOO-REFUSED-CALL", "Invalid field name 'nope'")
      const { results } = yield* run(odoo, specOf("move", [create]), keys(200))
      assert.deepStrictEqual([...new Set(results.map(refusalOf))], ["ODOO-REFUSED-CALL"])
      assert.strictEqual(odoo.calls.length, 3)
    }))

  it.effect("fails as a whole on contention, so that the batch is repeated", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      odoo.intercept = (call) => odoo.error(call, "ODOO-CONTENTION", "concurrent update")
      const error = yield* Effect.flip(run(odoo, specOf("move", [create]), keys(3)))
      assert.strictEqual(error.code, "ODOO-CONTENTION")
      assert.strictEqual(odoo.calls.length, 1)
    }))

  it.effect("takes a load without its ids for an unknown outcome", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      odoo.intercept = () => ({ ids: [1], messages: [], nextrow: 1 })
      const error = yield* Effect.flip(run(odoo, specOf("move", [create]), keys(3)))
      assert.strictEqual(error.code, "ODOO-UNKNOWN-ANSWER")
    }))

  it.effect("cuts a batch into calls of bounded size", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      yield* run(odoo, specOf("move", [create]), keys(MAX_ROWS + 1))
      assert.deepStrictEqual(odoo.calls.map(({ args }) => (args!["data"] as ReadonlyArray<Json>).length), [MAX_ROWS, 1])
    }))

  it.effect("leaves out an event whose rows say that it cannot go on", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      const picky = load<Data>({
        ...create,
        rows: (write) =>
          write.data.key === "K1" ? { code: "MAPPING-MISSING", detail: "no tax code X" } : create.rows(write),
      })
      const { results } = yield* run(odoo, specOf("move", [picky]), keys(3))
      assert.deepStrictEqual(results.map(refusalOf), ["Written", "MAPPING-MISSING", "Written"])
    }))
})

const mapping = (model: string, id: number, externalId: string, links: Record<string, number> = {}) => ({
  model,
  id,
  externalId,
  version: null,
  links,
})

describe("transition", () => {
  const spec = specOf("move", [create, post])

  it.effect("posts a batch in one call and reads the fields afterwards", () =>
    Effect.gen(function* () {
      const odoo = drafts()
      const { tags, writes } = yield* run(odoo, spec, keys(3))
      assert.deepStrictEqual(tags, ["Written", "Written", "Written"])
      assert.deepStrictEqual(odoo.methods, ["load", "read(3)", "action_posted(3)", "read(3)"])
      assert.deepStrictEqual(writes.map(({ read }) => read["post"]!["ref"]), ["K0", "K1", "K2"])
    }))

  it.effect("calls nothing again on a re-run, and still reads the fields", () =>
    Effect.gen(function* () {
      const odoo = drafts()
      yield* run(odoo, spec, keys(3))
      odoo.calls.length = 0
      const { tags, writes } = yield* run(odoo, spec, keys(3))
      assert.deepStrictEqual(tags, ["Written", "Written", "Written"])
      assert.deepStrictEqual(odoo.methods, ["load", "read(3)"])
      assert.strictEqual(writes[2]!.read["post"]!["state"], "posted")
    }))

  it.effect("moves all records that an event has of the step, or refuses the event", () =>
    Effect.gen(function* () {
      const odoo = drafts()
      const pair = load<Data>({
        name: "move",
        model: "account.move",
        mode: "create",
        rows: ({ data }) => ["a", "b"].map((part) => ({ externalId: `${data.key}.${part}`, values: { ref: part } })),
      })
      odoo.add("account.move", "K1.b", { state: "cancel" })
      const { results, writes } = yield* run(odoo, specOf("move", [pair, post]), keys(2))
      assert.deepStrictEqual(results.map(refusalOf), ["Written", "ODOO-UNEXPECTED-STATE"])
      assert.deepStrictEqual(["K0.a", "K0.b"].map((id) => odoo.find(id)!["state"]), ["posted", "posted"])
      assert.strictEqual(writes[0]!.read["post"]!["ref"], "a")
    }))

  it.effect("leaves alone what a person has posted, and refuses what a person has cancelled", () =>
    Effect.gen(function* () {
      const odoo = drafts()
      odoo.add("account.move", "weir_be01.invoices_K0", { state: "posted" })
      odoo.add("account.move", "weir_be01.invoices_K1", { state: "cancel" })
      const { results } = yield* run(odoo, spec, keys(3))
      assert.deepStrictEqual(results.map(refusalOf), ["Written", "ODOO-UNEXPECTED-STATE", "Written"])
      assert.include(odoo.methods, "action_posted(1)")
      assert.strictEqual((results[1] as { standing: string }).standing, "account.move 2 (weir_be01.invoices_K1)")
    }))

  it.effect("gets the innocent through when one record of the batch cannot be posted", () =>
    Effect.gen(function* () {
      const odoo = drafts()
      odoo.add("account.move", "weir_be01.invoices_K20", { stuck: true })
      const { results } = yield* run(odoo, spec, keys(50))
      assert.deepStrictEqual(
        results.flatMap((result, n) => result._tag === "Refused" ? [[n, result.refusal.code]] : []),
        [
          [20, "ODOO-VALIDATION"],
        ],
      )
      assert.strictEqual([...odoo.records.values()].filter((record) => record["state"] === "posted").length, 49)
      assert.isAtMost(odoo.calls.length, 16)
    }))

  it.effect("looks again before it blames anybody, because an earlier try may have been committed late", () =>
    Effect.gen(function* () {
      const odoo = drafts()
      odoo.intercept = (call) => {
        // The records are posted between our look and our call.
        if (call.method === "action_posted") { for (const record of odoo.records.values()) record["state"] = "posted" }
        return undefined
      }
      const { tags } = yield* run(odoo, spec, keys(8))
      assert.deepStrictEqual([...new Set(tags)], ["Written"])
      assert.strictEqual(odoo.methods.filter((method) => method.startsWith("action")).length, 1)
    }))

  it.effect("refuses a record that did not move although the call went through", () =>
    Effect.gen(function* () {
      const odoo = drafts()
      odoo.intercept = (call) => call.method === "action_posted" ? { type: "ir.actions.act_window" } : undefined
      const { results } = yield* run(odoo, spec, keys(1))
      assert.deepStrictEqual(results.map(refusalOf), ["ODOO-UNEXPECTED-STATE"])
    }))

  it.effect("refuses a record that somebody deleted meanwhile", () =>
    Effect.gen(function* () {
      const odoo = drafts()
      odoo.intercept = (call) => call.method === "read" ? [] : undefined
      const { results } = yield* run(odoo, spec, keys(1))
      assert.deepStrictEqual(results.map(refusalOf), ["ODOO-RECORD-MISSING"])
    }))

  it.effect("creates and compares but posts nothing in mode drafts", () =>
    Effect.gen(function* () {
      const odoo = drafts()
      const after = load<Data>({ ...create, name: "later", model: "account.payment" })
      const { results } = yield* run(odoo, specOf("move", [create, post, after]), keys(2), true)
      assert.deepStrictEqual(odoo.methods, ["load"])
      assert.deepStrictEqual(results[1], {
        _tag: "Written",
        mapping: mapping("account.move", 2, "weir_be01.invoices_K1"),
      })
    }))

  it.effect("maps the records of all load steps: the named one and the others as links", () =>
    Effect.gen(function* () {
      const odoo = drafts()
      const line = load<Data>({
        name: "line",
        model: "account.analytic.line",
        mode: "create",
        rows: ({ data, ids }) => ({ externalId: `l.${data.key}`, values: { "move_id/.id": ids["move"]! } }),
      })
      const { results } = yield* run(odoo, specOf("line", [create, line]), [{ key: "A" }])
      assert.deepStrictEqual(results, [{
        _tag: "Written",
        mapping: mapping("account.analytic.line", 2, "l.A", { move: 1 }),
      }])
    }))
})

describe("compare", () => {
  const totals = compare<Data>({
    name: "totals",
    model: "account.move",
    of: "move",
    code: "TOTALS-MISMATCH",
    expect: ({ data }) => ({
      amount_untaxed: BigDecimal.fromStringUnsafe("100"),
      amount_total: BigDecimal.fromStringUnsafe(String(data["total"] ?? "118.10")),
    }),
  })

  it.effect("refuses before posting, and names each field with both amounts", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      odoo.defaults = { state: "draft", amount_untaxed: 100, amount_total: 118.10000000000001 }
      const { results } = yield* run(odoo, specOf("move", [create, totals, post]), [
        { key: "A" },
        { key: "B", total: "118.11" },
      ])
      assert.deepStrictEqual(results.map(refusalOf), ["Written", "TOTALS-MISMATCH"])
      assert.deepStrictEqual(results[1], {
        _tag: "Refused",
        refusal: {
          code: "TOTALS-MISMATCH",
          detail: "account.move 2: amount_total: promised 118.11, Odoo computes 118.10",
        },
        standing: "account.move 2 (weir_be01.invoices_B)",
      })
      assert.strictEqual(odoo.records.get(2)!["state"], "draft")
    }))

  it.effect("says by a code of its own which field is the first that differs", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      odoo.defaults = { state: "draft", amount_untaxed: 100, amount_total: 118.1 }
      const coded = { ...totals, codes: { amount_total: "TAX-MISMATCH" as const } }
      const { results } = yield* run(odoo, specOf("move", [create, coded]), [{ key: "A", total: "119" }])
      assert.deepStrictEqual(results.map(refusalOf), ["TAX-MISMATCH"])
      odoo.records.get(1)!["amount_untaxed"] = 99
      const both = yield* run(odoo, specOf("move", [create, coded]), [{ key: "A", total: "119" }])
      assert.deepStrictEqual(both.results.map(refusalOf), ["TOTALS-MISMATCH"])
    }))

  it.effect("counts in the currency of the document, whatever zeros the promise leaves out", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      odoo.defaults = { state: "draft", amount_untaxed: 100, amount_total: 11.234 }
      const dinars = { ...totals, currency: () => "KWD" }
      const { results } = yield* run(odoo, specOf("move", [create, dinars]), [{ key: "A", total: "11.23" }])
      assert.deepStrictEqual(results.map(refusalOf), ["TOTALS-MISMATCH"])
    }))

  it.effect("what a load step had no row for is left out of what later steps do to its record", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      odoo.defaults = { state: "draft", amount_untaxed: 100, amount_total: 118.1 }
      const extra = load<Data>({
        name: "move",
        model: "account.move",
        mode: "create",
        rows: ({ data }) => data["none"] === true ? [] : [{ externalId: `x.${data.key}`, values: {} }],
      })
      const spec = { ...specOf("move", [extra, totals, post]), record: "own" }
      const own = load<Data>({
        name: "own",
        model: "res.partner",
        mode: "create",
        rows: ({ data }) => partnerOf({ key: data.key }),
      })
      const plan = [own, ...spec.plan] as ReadonlyArray<Step<unknown>>
      const { tags } = yield* run(odoo, { ...spec, plan }, [{ key: "A", none: true }, { key: "B" }])
      assert.deepStrictEqual(tags, ["Written", "Written"])
      assert.deepStrictEqual(
        [...odoo.records.values()].filter(({ model }) => model === "account.move").map((
          move,
        ) => [move.externalId, move["state"]]),
        [["x.B", "posted"]],
      )
    }))

  it("compares exactly at the scale of the currency, or of the promise when that is finer", () => {
    const differs = (promised: string, computed: Json, scale: number) =>
      differenceOf("amount", BigDecimal.fromStringUnsafe(promised), computed, scale) !== undefined
    assert.isFalse(differs("0.3", 0.1 + 0.2, 2))
    assert.isFalse(differs("118.100", 118.1, 2))
    assert.isFalse(differs("1000", 1000.0000000001, 0))
    assert.isFalse(differs("1.234", 1.234, 2))
    assert.isFalse(differs("0", -0, 2))
    assert.isTrue(differs("1.234", 1.23, 2))
    assert.isTrue(differs("0.01", 0, 2))
    assert.isTrue(differs("-1", 1, 2))
    assert.isTrue(differs("1", false, 2))
  })
})

describe("find", () => {
  const employee = find<Data>({
    name: "employee",
    model: "hr.employee",
    field: "work_email",
    value: ({ data }) => String(data["email"]),
  })
  const use = load<Data>({
    name: "sheet",
    model: "account.analytic.line",
    mode: "create",
    rows: ({ data, ids }) => ({ externalId: data.key, values: { "employee_id/.id": ids["employee"]! } }),
  })

  it.effect("asks once for all values and refuses those that nobody or more than one has", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      for (const email of ["a@x", "twin@x", "twin@x"]) odoo.add("hr.employee", "", { work_email: email })
      const { results } = yield* run(odoo, specOf("sheet", [employee, use]), [
        { key: "1", email: "a@x" },
        { key: "2", email: "nobody@x" },
        { key: "3", email: "twin@x" },
        { key: "4", email: "a@x" },
      ])
      assert.deepStrictEqual(results.map(refusalOf), [
        "Written",
        "MASTER-DATA-MISSING",
        "MASTER-DATA-MISSING",
        "Written",
      ])
      assert.deepStrictEqual(odoo.methods, ["search_read", "load"])
      assert.strictEqual(odoo.find("4")!["employee_id/.id"], "1")
    }))
})

describe("reconcile", () => {
  const pay = load<Data>({
    name: "payment",
    model: "account.payment",
    mode: "create",
    rows: ({ data }) => ({ externalId: data.key, values: { amount: String(data["amount"]) } }),
  })
  const match = reconcile<Data>({
    name: "reconcile",
    sets: ({ data, ids }) => [{ payments: [ids["payment"]!], owed: data["invoices"] as ReadonlyArray<number> }],
  })
  const spec = specOf("payment", [pay, match])

  /** Invoices of these residuals, each with its receivable line; a payment and its line exist already. */
  const books = (residuals: ReadonlyArray<number>, amount: number) => {
    const odoo = new TinyOdoo()
    const line = (move: number, residual: number) =>
      odoo.add("account.move.line", "", {
        move_id: [move, "x"],
        account_id: [1, "400000"],
        account_type: "asset_receivable",
        parent_state: "posted",
        reconciled: false,
        currency_id: [1, "EUR"],
        amount_residual: residual,
        amount_residual_currency: residual,
      })
    const invoices = residuals.map((residual) => {
      const move = odoo.add("account.move", "", { state: "posted", payment_state: "not_paid" })
      line(move.id, residual)
      return move.id
    })
    const entry = odoo.add("account.move", "", { state: "posted" })
    line(entry.id, -amount)
    odoo.add("account.payment", "P", { state: "in_process", move_id: [entry.id, "P"] })
    const pairs: Array<ReadonlyArray<number>> = []
    odoo.intercept = (call) => {
      if (call.method !== "reconcile") return undefined
      pairs.push(call.ids!)
      let credit = 0
      for (const id of call.ids!) credit = Math.min(credit, odoo.records.get(id)!["amount_residual"] as number)
      for (const id of call.ids!) {
        const record = odoo.records.get(id)!
        const residual = record["amount_residual"] as number
        if (residual <= 0) continue
        const used = Math.min(residual, -credit)
        credit += used
        record["amount_residual"] = record["amount_residual_currency"] = residual - used
      }
      for (const id of call.ids!) {
        const record = odoo.records.get(id)!
        if ((record["amount_residual"] as number) < 0) {
          record["amount_residual"] = record["amount_residual_currency"] = credit
        }
        record["reconciled"] = record["amount_residual"] === 0
      }
      return null
    }
    return { odoo, invoices, pairs, open: (invoice: number) => odoo.records.get(invoice + 1)!["amount_residual"] }
  }

  it.effect("matches a payment that covers its invoices in one call, and nothing on a re-run", () =>
    Effect.gen(function* () {
      const { invoices, odoo, open, pairs } = books([100, 50], 150)
      const data = [{ key: "P", invoices }]
      const { tags } = yield* run(odoo, spec, data)
      assert.deepStrictEqual(tags, ["Written"])
      assert.deepStrictEqual(pairs, [[6, 2, 4]])
      assert.deepStrictEqual(invoices.map(open), [0, 0])
      const again = yield* run(odoo, spec, data)
      assert.deepStrictEqual(again.tags, ["Written"])
      assert.strictEqual(pairs.length, 1)
    }))

  it.effect("pays invoices in the order of the event when the payment does not cover them all", () =>
    Effect.gen(function* () {
      const { invoices, odoo, open } = books([100, 50], 80)
      const { tags } = yield* run(odoo, spec, [{ key: "P", invoices: [...invoices].reverse() }])
      assert.deepStrictEqual(tags, ["Written"])
      assert.deepStrictEqual(invoices.map(open), [70, 0])
    }))

  it.effect("takes an overpayment for done when its invoices are paid", () =>
    Effect.gen(function* () {
      const { invoices, odoo, open } = books([100], 130)
      const { tags } = yield* run(odoo, spec, [{ key: "P", invoices }])
      assert.deepStrictEqual([tags, open(invoices[0]!)], [["Written"], 0])
    }))

  it.effect("takes 'already reconciled' for success when it is so, and refuses what stays open", () =>
    Effect.gen(function* () {
      const already = (done: boolean) => {
        const { invoices, odoo } = books([100], 100)
        odoo.intercept = (call) => {
          if (call.method !== "reconcile") return undefined
          if (done) { for (const id of call.ids!) odoo.records.get(id)!["reconciled"] = true }
          return odoo.error(
            call,
            "ODOO-VALIDATION",
            "You are trying to reconcile some entries that are already reconciled.",
          )
        }
        return run(odoo, spec, [{ key: "P", invoices }])
      }
      assert.deepStrictEqual((yield* already(true)).results.map(refusalOf), ["Written"])
      assert.deepStrictEqual((yield* already(false)).results.map(refusalOf), ["ODOO-VALIDATION"])
    }))

  it.effect("refuses when an invoice is not posted or gone, and says which", () =>
    Effect.gen(function* () {
      const { invoices, odoo, pairs } = books([100], 100)
      odoo.records.get(invoices[0]!)!["state"] = "draft"
      const draft = yield* run(odoo, spec, [{ key: "P", invoices }])
      assert.deepStrictEqual(draft.results.map(refusalOf), ["ODOO-UNEXPECTED-STATE"])
      const gone = yield* run(odoo, spec, [{ key: "P", invoices: [999] }])
      assert.deepStrictEqual(gone.results.map(refusalOf), ["ODOO-RECORD-MISSING"])
      assert.strictEqual(pairs.length, 0)
    }))

  it("asks for nothing when one side has nothing open", () => {
    const line = (id: number, residual: number) => ({
      id,
      account: 1,
      currency: 1,
      residual,
      residualCurrency: residual,
    })
    assert.deepStrictEqual(pairsOf([], [[line(1, 10)]]), [])
    assert.deepStrictEqual(pairsOf([line(1, -10)], [[]]), [])
    assert.deepStrictEqual(pairsOf([line(1, -10)], [[line(2, 5)], [], [line(3, 50)]]), [[1, 2], [1, 3]])
  })

  it("tells by the currency that all items share whether everything is paid, else by the company's", () => {
    const line = (id: number, residual: number, residualCurrency: number, currency = 2) => ({
      id,
      account: 1,
      currency,
      residual,
      residualCurrency,
    })
    // In dollars it is paid in full, though the rate of its day makes fewer euros of it.
    assert.deepStrictEqual(pairsOf([line(1, -90, -100)], [[line(2, 50, 50)], [line(3, 50, 50)]]), [[1, 2, 3]])
    assert.deepStrictEqual(pairsOf([line(1, -90, -90, 1)], [[line(2, 50, 50)], [line(3, 50, 50)]]), [[1, 2], [1, 3]])
  })

  it.effect("matches entries and several sets, each on its own account", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      const move = (account: number, type: string, residual: number): number => {
        const { id } = odoo.add("account.move", "", { state: "posted" })
        odoo.add("account.move.line", "", {
          move_id: [id, "x"],
          account_id: [account, "x"],
          account_type: type,
          parent_state: "posted",
          reconciled: false,
          currency_id: [1, "EUR"],
          amount_residual: residual,
          amount_residual_currency: residual,
        })
        return id
      }
      const [fee, invoice] = [move(1, "asset_receivable", -3), move(1, "asset_receivable", 100)]
      const [payout, receipt] = [move(7, "asset_current", -50), move(7, "asset_current", 50)]
      odoo.add("account.payment", "P", { state: "in_process", move_id: [receipt, "P"] })
      const pairs: Array<ReadonlyArray<number>> = []
      odoo.intercept = (call) => {
        if (call.method === "search_read") {
          const known = [...odoo.records.values()].filter(({ model }) => model === "account.move.line")
          return known.filter((line) => line["reconciled"] === false)
        }
        if (call.method !== "reconcile") return undefined
        pairs.push(call.ids!)
        for (const id of call.ids!) odoo.records.get(id)!["reconciled"] = true
        return null
      }
      const both = reconcile<Data>({
        name: "reconcile",
        sets: () => [{ entries: [fee], owed: [invoice] }, { payments: [9], owed: [payout], account: 7 }],
      })
      const { tags } = yield* run(odoo, specOf("payment", [pay, both]), [{ key: "P" }])
      assert.deepStrictEqual(tags, ["Written"])
      assert.deepStrictEqual(pairs, [[fee + 1, invoice + 1], [receipt + 1, payout + 1]])
    }))
})

describe("KeyedMutex", () => {
  it.effect("lets one in per key, others beside it, and forgets keys that nobody holds", () =>
    Effect.gen(function* () {
      const mutex = new KeyedMutex()
      const log: Array<string> = []
      const work = (key: string, name: string) =>
        mutex.run(
          key,
          Effect.sync(() => log.push(`${name} in`)).pipe(
            Effect.andThen(Effect.sleep("1 second")),
            Effect.andThen(Effect.sync(() => log.push(`${name} out`))),
          ),
        )
      const fibers = yield* Effect.forEach([["a", "1"], ["a", "2"], ["b", "3"]], ([key, name]) =>
        Effect.forkChild(work(key!, name!), { startImmediately: true }))
      yield* Fiber.interrupt(fibers[0]!)
      yield* TestClock.adjust("2 seconds")
      yield* Effect.forEach(fibers, Fiber.await)
      assert.deepStrictEqual(log, ["1 in", "3 in", "2 in", "3 out", "2 out"])
      assert.strictEqual(mutex.size, 0)
    }))
})
