/** Sentences of the contract about looking at what stands: external ids, whichever the model; records by what they are of. */
import { assert, type layer } from "@effect/vitest"
import { Effect } from "effect"
import { lockDatesOf, lockFields } from "../../src/odoo/Locks.ts"
import { engagement, postedInvoice, type Record, World } from "./World.ts"

type It = Parameters<Parameters<ReturnType<typeof layer<World, never>>>[1]>[0]

/** An engagement with a milestone on its second line. */
const withMilestone = Effect.fnUntraced(function* (key: string) {
  const { load, xid } = yield* World
  const part = (name: string) => xid("engagements", `${key}.${name}`)
  const made = yield* engagement(key)
  const [milestone = 0] = yield* load(
    "project.milestone",
    ["id", "name", "project_id/id", "sale_line_id/id", "quantity_percentage"],
    [[part("milestone"), "Done", part("project"), part("line-2"), "1"]],
  )
  return { ...made, milestone }
})

export const recordSentences = (it: It): void => {
  it.effect("every model tells the external ids of its records; of one without there is none", () =>
    Effect.gen(function* () {
      const { call, company, employee, load, search, xid } = yield* World
      const { analytic = 0, milestone, order, project = 0, task } = yield* withMilestone("R-1")
      const part = (name: string) => xid("engagements", `R-1.${name}`)
      const [line = 0] = yield* load("sale.order.line", ["id"], [[part("line-1")]])
      const [product = 0] = yield* load("product.product", ["id"], [[xid("seed", "time")]])
      for (
        const [model, id, name] of [
          ["sale.order", order, xid("engagements", "R-1")],
          ["sale.order.line", line, part("line-1")],
          ["account.analytic.account", analytic, part("analytic")],
          ["project.project", project, part("project")],
          ["project.task", task, part("task-1")],
          ["project.milestone", milestone, part("milestone")],
          ["product.product", product, xid("seed", "time")],
        ] as const
      ) assert.deepStrictEqual(yield* call(model, "get_external_id", { ids: [id] }), { [String(id)]: name }, model)

      // What Odoo or people made has none.
      const invoice = yield* postedInvoice("R-1", "10")
      const [due] = yield* search(
        "account.move.line",
        [["move_id", "=", invoice], ["display_type", "=", "tax"]],
        "name",
      )
      const typed = (yield* call("hr.expense", "create", {
        args: { vals_list: [{ name: "By hand", employee_id: employee, company_id: company.id }] },
      })) as ReadonlyArray<number>
      for (const [model, id] of [["account.move.line", due!.id], ["hr.expense", typed[0]!]] as const) {
        assert.deepStrictEqual(yield* call(model, "get_external_id", { ids: [id] }), { [String(id)]: "" }, model)
      }
      const rates = yield* search("res.currency.rate", [["company_id", "=", company.id]], "name")
      const names = yield* call("res.currency.rate", "get_external_id", { ids: rates.map(({ id }) => id) })
      assert.sameMembers(Object.keys(names as object), rates.map(({ id }) => String(id)))
    }))

  it.effect("what an engagement is made of is found by what it belongs to, and a milestone is reached by a write", () =>
    Effect.gen(function* () {
      const { call, read, search } = yield* World
      const { analytic = 0, milestone, project = 0, task } = yield* withMilestone("R-2")
      const ids = (model: string, field: string, value: number | string) =>
        Effect.map(search(model, [[field, "=", value]], "id"), (found) => found.map(({ id }) => id))
      assert.deepStrictEqual(yield* ids("project.milestone", "project_id", project), [milestone])
      assert.include(yield* ids("project.task", "project_id", project), task)
      assert.include(yield* ids("account.analytic.account", "code", "R-2"), analytic)
      assert.isNotEmpty(yield* ids("product.product", "type", "service"))
      // Twice is once.
      for (let n = 0; n < 2; n++) {
        yield* call("project.milestone", "write", { ids: [milestone], args: { vals: { is_reached: true } } })
        assert.isTrue((yield* read("project.milestone", milestone, "is_reached"))["is_reached"])
      }
    }))

  it.effect("what is another company's only is found by none of its fields", () =>
    Effect.gen(function* () {
      const { call, entity, load, other, search } = yield* World
      const context = { allowed_company_ids: [other.id] }
      const [currency = 0] = yield* load("res.currency", ["id"], [[`base.${other.currency}`]])
      const theirs = { name: `Theirs ${entity}`, company_id: other.id }
      for (
        const [model, values] of [
          ["res.partner", theirs],
          ["product.pricelist", { ...theirs, currency_id: currency }],
          ["hr.employee", { ...theirs, work_email: `theirs@${entity}.example.test` }],
        ] as const
      ) {
        const made = yield* call(model, "create", { args: { vals_list: [values] }, context })
        const [id = 0] = made as ReadonlyArray<number>
        for (const domain of [["id", "=", id], ["name", "=", theirs.name]]) {
          assert.deepStrictEqual(yield* search(model, [domain, ["active", "in", [true, false]]], "name"), [], model)
        }
        const found = yield* call(model, "search_read", {
          args: { domain: [["id", "=", id]], fields: ["name"] },
          context,
        })
        assert.lengthOf(found as ReadonlyArray<Record>, 1, model)
        if (model === "product.pricelist") {
          yield* call(model, "write", { ids: [id], args: { vals: { active: false } }, context })
        }
      }
    }))

  it.effect("a price list is made once, by its external id", () =>
    Effect.gen(function* () {
      const { company, load, xid } = yield* World
      const columns = ["id", "name", "currency_id/id", "company_id/.id"]
      const row = [xid("seed", "prices"), "Prices", `base.${company.currency}`, String(company.id)]
      const [made = 0] = yield* load("product.pricelist", columns, [row])
      assert.isAbove(made, 0)
      assert.deepStrictEqual(yield* load("product.pricelist", columns, [row]), [made])
    }))

  it.effect("a company tells its lock dates to who may not set them", () =>
    Effect.gen(function* () {
      const { company, read } = yield* World
      const dates = lockDatesOf(yield* read("res.company", company.id, ...lockFields))
      for (const day of Object.values(dates)) assert.match(day, /^(?:\d{4}-\d{2}-\d{2})?$/u)
    }))
}
