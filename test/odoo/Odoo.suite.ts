/**
 * The contract of the `Odoo` port: every call that the flows make, done, repeated, done at once and refused. It runs
 * over the stand-in in this process, over its HTTP server and, in `test/live/`, over a real Odoo 19. Where a run differs
 * from the real one, the stand-in is mended.
 *
 * It finds company, journals and taxes by itself, and each run has an entity code of its own, so that it can be repeated
 * on the same database.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, type Scope } from "effect"
import { account } from "../../fixtures/odoo/readback.ts"
import type { Currency } from "../../schemas/money.ts"
import { keyStanding } from "../../src/odoo/keys.ts"
import { marksOf } from "../../src/odoo/marks.ts"
import type { Json } from "../../src/odoo/Odoo.ts"
import { moneySentences } from "./Odoo.money.ts"
import { feedSentences } from "./Odoo.feed.ts"
import { masterSentences } from "./Odoo.master.ts"
import { recordSentences } from "./Odoo.records.ts"
import { workSentences } from "./Odoo.work.ts"
import {
  cents,
  database,
  draftInvoice,
  draftOrder,
  engagement,
  first,
  idOf,
  makeWorld,
  nameOf,
  orderColumns,
  paymentColumns,
  paymentRow,
  postedInvoice,
  postedPayment,
  receivable,
  type Record,
  refused,
  share,
  skip,
  sum,
  type Target,
  timesheetColumns,
  timesheetRow,
  World,
} from "./World.ts"

/** Clients that send the same call at once; more than Odoo has workers. */
const rivals = 4
/** A contended call is repeated until it got through; Odoo gives each of them its turn. */
const attempts = 20

export const odooSuite = (name: string, target: Effect.Effect<Target, never, Scope.Scope>): void => {
  const worldLayer = Layer.effect(World, Effect.flatMap(target, (made) => Effect.orDie(makeWorld(made))))
  layer(worldLayer, { excludeTestServices: true, timeout: "2 minutes" })(name, (it) => {
    it.effect("tells its version without a key", () =>
      Effect.gen(function* () {
        const { target } = yield* World
        assert.match(yield* target.odoo.version(database), /^19\./u)
      }))

    it.effect("tells its technical user when the key was made and when it ends", () =>
      Effect.gen(function* () {
        const { target } = yield* World
        const { endsAtMillis, keys, madeAtMillis } = yield* keyStanding(target.odoo, database)
        assert.isAtLeast(keys, 1)
        assert.isAbove(madeAtMillis ?? 0, Date.UTC(2026, 0, 1))
        assert.isNull(endsAtMillis)
      }))

    it.effect("shows everybody its mark, a contact tag", () =>
      Effect.gen(function* () {
        const { call, target } = yield* World
        assert.deepStrictEqual(yield* marksOf(target.odoo, database), [])
        const [tag = 0] = (yield* call("res.partner.category", "create", {
          args: { vals_list: [{ name: "weir: test" }] },
        })) as ReadonlyArray<number>
        assert.deepStrictEqual(yield* marksOf(target.odoo, database), ["test"])
        yield* call("res.partner.category", "unlink", { ids: [tag] })
        assert.deepStrictEqual(yield* marksOf(target.odoo, database), [])
      }))

    it.effect("makes a customer once and updates only the columns it is given", () =>
      Effect.gen(function* () {
        const { company, load, read, xid } = yield* World
        const columns = ["id", "name", "is_company", "email", "vat", "country_id/id", "company_id/.id", "ref"]
        const row = [
          xid("customers", "C-1"),
          "One",
          "1",
          "a@one.test",
          "be 0477.472.701",
          "base.be",
          String(company.id),
          "R-1",
        ]
        const [id = 0] = yield* load("res.partner", columns, [row], "upsert")
        assert.deepStrictEqual(yield* load("res.partner", columns, [row], "upsert"), [id])
        assert.deepStrictEqual(
          yield* load("res.partner", ["id", "name"], [[xid("customers", "C-1"), "Uno"]], "upsert"),
          [id],
        )
        const partner = yield* read(
          "res.partner",
          id,
          "name",
          "email",
          "is_company",
          "vat",
          "ref",
          "company_id",
          "country_id",
        )
        assert.deepInclude(partner, {
          name: "Uno",
          email: "a@one.test",
          is_company: true,
          vat: "BE0477472701",
          ref: "R-1",
        })
        assert.strictEqual(idOf(partner["company_id"]), company.id)
        assert.strictEqual(nameOf(partner["country_id"]), "Belgium")
      }))

    it.effect("create-or-skip leaves what stands as it is, and resolves an external id", () =>
      Effect.gen(function* () {
        const { load, read, xid } = yield* World
        const [id = 0] = yield* load("res.partner", ["id", "name"], [[xid("customers", "C-2"), "Two"]])
        assert.deepStrictEqual(yield* load("res.partner", ["id", "name"], [[xid("customers", "C-2"), "Changed"]]), [id])
        assert.deepStrictEqual(yield* load("res.partner", ["id"], [[xid("customers", "C-2")]]), [id])
        assert.strictEqual((yield* read("res.partner", id, "name"))["name"], "Two")
      }))

    it.effect("a batch with bad rows makes nothing and names them", () =>
      Effect.gen(function* () {
        const { call, entity, load, xid } = yield* World
        const error = yield* refused(load("res.partner", ["id", "name", "ref", "country_id/id"], [
          [xid("customers", "C-3"), "Three", `${entity}-3`, "base.be"],
          [xid("customers", "C-4"), "Four", `${entity}-3`, "base.xx"],
          [xid("customers", "C-5"), "", `${entity}-3`, "base.be"],
        ]))
        assert.strictEqual(error.code, "ODOO-VALIDATION")
        assert.deepStrictEqual(error.failures?.map(({ row }) => row), [1, 2])
        assert.match(error.message, /No matching record found for external id 'base.xx' in field 'Country'/u)
        const domain = [["ref", "=", `${entity}-3`]]
        assert.strictEqual(yield* call("res.partner", "search_count", { args: { domain } }), 0)
      }))

    it.effect("refuses a VAT number that does not check", () =>
      Effect.gen(function* () {
        const { load, xid } = yield* World
        const error = yield* refused(
          load("res.partner", ["id", "name", "vat", "country_id/id"], [[
            xid("customers", "C-6"),
            "Six",
            "BE0477472702",
            "base.be",
          ]]),
        )
        assert.strictEqual(error.code, "ODOO-VALIDATION")
        assert.match(error.message, /does not seem to be valid/u)
      }))

    it.effect("rivals with the same rows make each record once", () =>
      Effect.gen(function* () {
        const { call, entity, load, xid } = yield* World
        const rows = Array.from(
          { length: 10 },
          (_, at) => [xid("customers", `R-${at}`), `Rival ${at}`, `${entity}-rival`],
        )
        const once = load("res.partner", ["id", "name", "ref"], rows)
        const answers = yield* Effect.all(
          Array.from({ length: rivals }, () =>
            Effect.retry(once, { times: attempts, while: (error) => error.code === "ODOO-CONTENTION" })),
          { concurrency: "unbounded" },
        )
        for (const answer of answers) {
          assert.deepStrictEqual(answer, answers[0])
        }
        const domain = [["ref", "=", `${entity}-rival`]]
        assert.strictEqual(yield* call("res.partner", "search_count", { args: { domain } }), rows.length)
      }))

    it.effect("an external id of another model is refused", () =>
      Effect.gen(function* () {
        const { load, xid } = yield* World
        const error = yield* refused(load("project.task", ["id", "name"], [[xid("customers", "C-0"), "Task"]]))
        assert.strictEqual(error.code, "ODOO-VALIDATION")
        assert.match(error.message, /found record of different model res\.partner/u)
      }))

    it.effect("cells must be strings where Odoo splits or lowers them", () =>
      Effect.gen(function* () {
        const { company, load, xid } = yield* World
        const flag = yield* refused(
          load("res.partner", ["id", "name", "is_company"], [[xid("customers", "C-7"), "x", true]]),
        )
        assert.deepStrictEqual([flag.code, flag.odooName], ["ODOO-REFUSED-CALL", "builtins.AttributeError"])
        const columns = ["id", "name", "taxes_id/.id"]
        const many = yield* refused(load("product.product", columns, [[xid("seed", "bad"), "x", company.tax]]))
        assert.deepStrictEqual([many.code, many.odooName], ["ODOO-REFUSED-CALL", "builtins.AttributeError"])
      }))

    it.effect("an engagement's order is made once, with its totals, and confirmed once", () =>
      Effect.gen(function* () {
        const { call, company, load, read, search, xid } = yield* World
        const { order, project, rows } = yield* draftOrder("E-1")
        assert.deepStrictEqual(yield* load("sale.order", orderColumns, rows), [order])
        const fields = ["state", "amount_untaxed", "amount_tax", "amount_total", "project_id", "client_order_ref"]
        const draft = yield* read("sale.order", order, ...fields)
        assert.deepInclude(draft, { state: "draft", client_order_ref: "E-1" })
        assert.strictEqual(idOf(draft["project_id"]), project)
        assert.strictEqual(cents(draft["amount_untaxed"]), "20050.00")
        assert.strictEqual(cents(draft["amount_tax"]), share("20050.00", company.rate))
        assert.strictEqual(cents(draft["amount_total"]), sum("20050.00", share("20050.00", company.rate)))

        assert.strictEqual(yield* call("sale.order", "action_confirm", { ids: [order] }), true)
        const again = yield* refused(call("sale.order", "action_confirm", { ids: [order] }))
        assert.strictEqual(again.code, "ODOO-VALIDATION")
        assert.match(again.message, /not in a state requiring confirmation/u)
        assert.strictEqual((yield* read("sale.order", order, "state", "name"))["state"], "sale")

        const lines = yield* search(
          "sale.order.line",
          [["order_id", "=", order]],
          "name",
          "product_uom_qty",
          "price_unit",
          "price_subtotal",
          "qty_to_invoice",
          "analytic_distribution",
        )
        assert.deepStrictEqual(lines.map((line) => line["name"]), ["Senior", "Fee"])
        assert.deepStrictEqual(lines.map((line) => line["price_subtotal"]), [15050, 5000])
        // Time is billed when delivered, the fee as ordered.
        assert.deepStrictEqual(lines.map((line) => line["qty_to_invoice"]), [0, 1])
        assert.deepStrictEqual(yield* load("sale.order.line", ["id"], [[xid("engagements", "E-1.line-1")]]), [
          first(lines).id,
        ])
      }))

    it.effect("a task or milestone on a draft order's line confirms the order", () =>
      Effect.gen(function* () {
        const { load, read, xid } = yield* World
        const { order } = yield* draftOrder("E-2")
        yield* load("project.task", ["id", "name", "project_id/id", "sale_line_id/id"], [
          [
            xid("engagements", "E-2.task-1"),
            "Task",
            xid("engagements", "E-2.project"),
            xid("engagements", "E-2.line-1"),
          ],
        ])
        assert.strictEqual((yield* read("sale.order", order, "state"))["state"], "sale")
      }))

    it.effect("milestones keep their fraction", () =>
      Effect.gen(function* () {
        const { load, read, xid } = yield* World
        yield* engagement("E-3")
        const columns = ["id", "name", "project_id/id", "sale_line_id/id", "quantity_percentage"]
        const row = [
          xid("engagements", "E-3.milestone-1"),
          "M",
          xid("engagements", "E-3.project"),
          xid("engagements", "E-3.line-2"),
          "0.4",
        ]
        const [id = 0] = yield* load("project.milestone", columns, [row])
        assert.deepStrictEqual(yield* load("project.milestone", columns, [row]), [id])
        assert.deepInclude(yield* read("project.milestone", id, "quantity_percentage", "is_reached"), {
          quantity_percentage: 0.4,
          is_reached: false,
        })
      }))

    it.effect("a tax of another company is an access error, and no order is made", () =>
      Effect.gen(function* () {
        const { call, load, other, xid } = yield* World
        const columns = [
          "id",
          "partner_id/id",
          "client_order_ref",
          "order_line/id",
          "order_line/product_id/id",
          "order_line/tax_ids/.id",
        ]
        const error = yield* refused(load("sale.order", columns, [[
          xid("engagements", "E-4"),
          xid("customers", "C-0"),
          xid("engagements", "E-4"),
          xid("engagements", "E-4.line-1"),
          xid("seed", "time"),
          String(other.tax),
        ]]))
        assert.strictEqual(error.code, "ODOO-ACCESS")
        const domain = [["client_order_ref", "=", xid("engagements", "E-4")]]
        assert.strictEqual(yield* call("sale.order", "search_count", { args: { domain } }), 0)
      }))

    it.effect("an engagement cancelled by a person cannot be confirmed", () =>
      Effect.gen(function* () {
        const { call, read } = yield* World
        const { order } = yield* draftOrder("E-5")
        yield* call("sale.order", "action_cancel", { ids: [order] })
        assert.strictEqual((yield* read("sale.order", order, "state"))["state"], "cancel")
        assert.strictEqual(
          (yield* refused(call("sale.order", "action_confirm", { ids: [order] }))).code,
          "ODOO-VALIDATION",
        )
      }))

    it.effect("a batch of timesheets is made once and delivers its hours to the order line", () =>
      Effect.gen(function* () {
        const { employee, load, read, xid } = yield* World
        const { task } = yield* engagement("E-6")
        const rows = yield* Effect.forEach(
          Array.from({ length: 50 }, (_, at) => at),
          (at) => timesheetRow("E-6", `T-${at}`, "0.1"),
        )
        const ids = yield* load("account.analytic.line", timesheetColumns, rows)
        assert.strictEqual(new Set(ids).size, rows.length)
        assert.deepStrictEqual(yield* load("account.analytic.line", timesheetColumns, rows), ids)
        const [line = 0] = yield* load("sale.order.line", ["id"], [[xid("engagements", "E-6.line-1")]])
        assert.deepInclude(yield* read("sale.order.line", line, "qty_delivered", "qty_to_invoice"), {
          qty_delivered: 5,
          qty_to_invoice: 5,
        })
        const sheet = yield* read(
          "account.analytic.line",
          first(ids),
          "date",
          "name",
          "unit_amount",
          "employee_id",
          "task_id",
          "so_line",
          "is_so_line_edited",
        )
        assert.deepInclude(sheet, { date: "2026-11-03", name: "work", unit_amount: 0.1, is_so_line_edited: true })
        assert.deepStrictEqual([sheet["employee_id"], sheet["task_id"], sheet["so_line"]].map(idOf), [
          employee,
          task,
          line,
        ])
      }))

    it.effect("timesheets with a bad reference, number, date or employee are refused with their row", () =>
      Effect.gen(function* () {
        const { load, other, read, search, xid } = yield* World
        yield* engagement("E-7")
        const good = yield* timesheetRow("E-7", "G-1", "2.5")
        const foreign = first(yield* search("hr.employee", [["company_id", "!=", false]], "company_id")).id
        const bad: ReadonlyArray<readonly [column: string, cell: string, message: RegExp]> = [
          [
            "project_id/id",
            xid("engagements", "nope"),
            /No matching record found for external id '.*nope' in field 'Project'/u,
          ],
          ["employee_id/.id", "999999999", /No matching record found for database id '999999999' in field 'Employee'/u],
          ["unit_amount", "abc", /'abc' does not seem to be a number for field 'Quantity'/u],
          ["date", "2026-13-03", /'2026-13-03' does not seem to be a valid date for field 'Date'/u],
          ["date", "", /Missing required value for the field 'Date'/u],
        ]
        for (const [column, cell, message] of bad) {
          const row = [...yield* timesheetRow("E-7", "B-1", "2.5")]
          row[timesheetColumns.indexOf(column)] = cell
          const error = yield* refused(load("account.analytic.line", timesheetColumns, [good, row]))
          assert.strictEqual(error.code, "ODOO-VALIDATION", column)
          assert.match(error.failures?.find((each) => each.row === 1)?.message ?? "", message)
        }
        assert.isAbove(foreign, 0)
        assert.isAbove(other.id, 0)
        const [line = 0] = yield* load("sale.order.line", ["id"], [[xid("engagements", "E-7.line-1")]])
        assert.strictEqual((yield* read("sale.order.line", line, "qty_delivered"))["qty_delivered"], 0)
      }))

    it.effect("an employee of another company cannot have timesheets here", () =>
      Effect.gen(function* () {
        const { entity, load, other, target, xid } = yield* World
        yield* engagement("E-8")
        const answer = yield* target.odoo.call({
          database,
          model: "hr.employee",
          method: "load",
          args: {
            fields: ["id", "name", "work_email", "company_id/.id"],
            data: [[xid("seed", "foreigner"), "Foreigner", `${entity}-2@example.test`, String(other.id)]],
          },
          context: { allowed_company_ids: [other.id], ...skip },
        })
        const [foreigner] = (answer as { readonly ids: ReadonlyArray<number> }).ids
        const row = [...yield* timesheetRow("E-8", "F-1", "1")]
        row[timesheetColumns.indexOf("employee_id/.id")] = String(foreigner)
        const error = yield* refused(load("account.analytic.line", timesheetColumns, [row]))
        assert.include(["ODOO-VALIDATION", "ODOO-ACCESS"], error.code)
      }))

    it.effect("a timesheet deleted by a person is gone for read, and a replay makes a new one", () =>
      Effect.gen(function* () {
        const { call, load, read, xid } = yield* World
        yield* engagement("E-9")
        const rows = [yield* timesheetRow("E-9", "D-1", "2.5"), yield* timesheetRow("E-9", "D-2", "-1.333")]
        const [id = 0] = yield* load("account.analytic.line", timesheetColumns, rows)
        const [line = 0] = yield* load("sale.order.line", ["id"], [[xid("engagements", "E-9.line-1")]])
        // 1.167, at the two decimals of quantities.
        assert.strictEqual((yield* read("sale.order.line", line, "qty_delivered"))["qty_delivered"], 1.17)
        assert.strictEqual(yield* call("account.analytic.line", "unlink", { ids: [id] }), true)
        assert.deepStrictEqual(
          yield* call("account.analytic.line", "read", { ids: [id], args: { fields: ["name"] } }),
          [],
        )
        assert.strictEqual(
          (yield* refused(call("account.analytic.line", "unlink", { ids: [id] }))).code,
          "ODOO-RECORD-MISSING",
        )
        const [fresh = 0] = yield* load("account.analytic.line", timesheetColumns, rows)
        assert.isAbove(fresh, id)
      }))

    it.effect("an invoice's totals are rounded over the whole document", () =>
      Effect.gen(function* () {
        const { company, read } = yield* World
        const cases: ReadonlyArray<
          readonly [lines: ReadonlyArray<readonly [string, string]>, base: string, exact: string]
        > = [
          [[["2.8", "150.50"], ["0.5", "5000"]], "2921.40", "2921.40"],
          [[["1", "0.05"], ["1", "0.05"], ["1", "0.05"]], "0.15", "0.15"],
          [[["1", "1.024"], ["1", "1.024"]], "2.05", "2.048"],
          [[["0.333", "100.01"], ["1.005", "99.995"]], "134.00", "133.99825"],
          [[["1", "2.675"], ["-1", "0.115"], ["1", "0.005"]], "2.57", "2.565"],
          [[["2.5", "33.333333"], ["7", "19.99"]], "223.26", "223.2633325"],
        ]
        for (const [at, [lines, base, exact]] of cases.entries()) {
          const { id } = yield* draftInvoice(`R-${at}`, lines)
          const move = yield* read(
            "account.move",
            id,
            "amount_untaxed",
            "amount_tax",
            "amount_total",
            "amount_residual",
          )
          assert.strictEqual(cents(move["amount_untaxed"]), base, JSON.stringify(lines))
          assert.strictEqual(cents(move["amount_tax"]), share(exact, company.rate), JSON.stringify(lines))
          assert.strictEqual(cents(move["amount_total"]), sum(base, share(exact, company.rate)))
          assert.strictEqual(cents(move["amount_residual"]), cents(move["amount_total"]))
        }
      }))

    it.effect("an invoice is made once, posted once, and then stands", () =>
      Effect.gen(function* () {
        const { call, company, load, read, xid } = yield* World
        yield* engagement("E-10")
        yield* load("account.analytic.line", timesheetColumns, [yield* timesheetRow("E-10", "I-1", "4")])
        const { columns, id, rows } = yield* draftInvoice("I-1", [["3", "150.50"]], xid("engagements", "E-10.line-1"))
        assert.deepStrictEqual(yield* load("account.move", columns, rows), [id])
        const draft = yield* read(
          "account.move",
          id,
          "state",
          "name",
          "invoice_line_ids",
          "payment_state",
          "journal_id",
          "date",
        )
        assert.deepInclude(draft, { state: "draft", name: false, payment_state: "not_paid", date: "2026-11-10" })
        assert.strictEqual((draft["invoice_line_ids"] as ReadonlyArray<Json>).length, 1)
        assert.strictEqual(idOf(draft["journal_id"]), company.sales)

        assert.strictEqual(yield* call("account.move", "action_post", { ids: [id] }), false)
        const again = yield* refused(call("account.move", "action_post", { ids: [id] }))
        assert.strictEqual(again.code, "ODOO-VALIDATION")
        assert.match(again.message, /must be in draft/u)
        const posted = yield* read(
          "account.move",
          id,
          "state",
          "name",
          "ref",
          "payment_reference",
          "invoice_date_due",
          "payment_state",
        )
        assert.deepInclude(posted, {
          state: "posted",
          ref: "I-1",
          payment_reference: "I-1",
          invoice_date_due: "2026-12-10",
          payment_state: "not_paid",
        })
        assert.match(String(posted["name"]), /^INV\/2026\/\d{5}$/u)

        assert.deepStrictEqual(yield* load("account.move", columns, rows), [id])
        const upsert = yield* refused(load("account.move", columns, rows, "upsert"))
        assert.match(upsert.message, /readonly fields on a posted move/u)
        const [line = 0] = yield* load("sale.order.line", ["id"], [[xid("engagements", "E-10.line-1")]])
        assert.deepInclude(yield* read("sale.order.line", line, "qty_delivered", "qty_invoiced", "qty_to_invoice"), {
          qty_delivered: 4,
          qty_invoiced: 3,
          qty_to_invoice: 1,
        })
        assert.strictEqual((yield* refused(call("account.move", "unlink", { ids: [id] }))).code, "ODOO-VALIDATION")
      }))

    it.effect("numbers follow each other without a gap", () =>
      Effect.gen(function* () {
        const { read } = yield* World
        const ids = [yield* postedInvoice("N-1", "10"), yield* postedInvoice("N-2", "10")]
        const numbers = yield* Effect.forEach(ids, (id) =>
          Effect.map(read("account.move", id, "name"), ({ name }) => String(name)))
        const [one = 0, two = 0] = numbers.map((name) =>
          Number(name.split("/").at(-1))
        )
        assert.strictEqual(two, one + 1)
      }))

    it.effect("posting is all or nothing: one posted, empty or negative invoice holds the batch", () =>
      Effect.gen(function* () {
        const { call, read } = yield* World
        const { id: good } = yield* draftInvoice("P-1", [["1", "100"]])
        const { id: empty } = yield* draftInvoice("P-2", [])
        const { id: negative } = yield* draftInvoice("P-3", [["1", "-50"]])
        const posted = yield* postedInvoice("P-4", "10")
        const bad = [[empty, /magicians/u], [negative, /negative total/u], [posted, /must be in draft/u]] as const
        for (const [id, message] of bad) {
          const error = yield* refused(call("account.move", "action_post", { ids: [good, id] }))
          assert.strictEqual(error.code, "ODOO-VALIDATION")
          assert.match(error.message, message)
          assert.strictEqual((yield* read("account.move", good, "state"))["state"], "draft")
        }
      }))

    it.effect("rivals that post the same invoices post them once", () =>
      Effect.gen(function* () {
        const { call, search } = yield* World
        const ids = [(yield* draftInvoice("Q-1", [["1", "1"]])).id, (yield* draftInvoice("Q-2", [["1", "1"]])).id]
        const results = yield* Effect.all(
          Array.from({ length: rivals }, () => Effect.result(call("account.move", "action_post", { ids }))),
          { concurrency: "unbounded" },
        )
        assert.strictEqual(results.filter((result) => result._tag === "Success").length, 1)
        for (const result of results) {
          if (result._tag === "Failure") assert.include(["ODOO-VALIDATION", "ODOO-CONTENTION"], result.failure.code)
        }
        const moves = yield* search("account.move", [["id", "in", ids]], "state", "name")
        assert.deepStrictEqual(moves.map((move) => move["state"]), ["posted", "posted"])
        assert.strictEqual(new Set(moves.map((move) => move["name"])).size, ids.length)
      }))

    it.effect("an invoice cancelled by a person cannot be posted", () =>
      Effect.gen(function* () {
        const { call, read } = yield* World
        const { id } = yield* draftInvoice("X-1", [["1", "10"]])
        yield* call("account.move", "button_cancel", { ids: [id] })
        assert.strictEqual((yield* read("account.move", id, "state"))["state"], "cancel")
        assert.strictEqual((yield* refused(call("account.move", "action_post", { ids: [id] }))).code, "ODOO-VALIDATION")
      }))

    it.effect("a posted invoice that a person takes back keeps its number, and a cancelled one does not count as invoiced", () =>
      Effect.gen(function* () {
        const { call, load, read, xid } = yield* World
        yield* engagement("E-12")
        const { id } = yield* draftInvoice("X-3", [["2", "100"]], xid("engagements", "E-12.line-1"))
        yield* call("account.move", "action_post", { ids: [id] })
        const { name } = yield* read("account.move", id, "name")
        assert.isNull(yield* call("account.move", "button_draft", { ids: [id] }))
        assert.strictEqual(
          (yield* refused(call("account.move", "button_draft", { ids: [id] }))).code,
          "ODOO-VALIDATION",
        )
        yield* call("account.move", "action_post", { ids: [id] })
        assert.deepInclude(yield* read("account.move", id, "name", "state"), { name, state: "posted" })
        const [line = 0] = yield* load("sale.order.line", ["id"], [[xid("engagements", "E-12.line-1")]])
        assert.strictEqual((yield* read("sale.order.line", line, "qty_invoiced"))["qty_invoiced"], 2)
        yield* call("account.move", "button_cancel", { ids: [id] })
        assert.strictEqual((yield* read("account.move", id, "state"))["state"], "cancel")
        assert.strictEqual((yield* read("sale.order.line", line, "qty_invoiced"))["qty_invoiced"], 0)
        assert.strictEqual(
          (yield* refused(call("account.move", "button_cancel", { ids: [id] }))).code,
          "ODOO-VALIDATION",
        )
      }))

    it.effect("an upsert changes hours and order lines, and what is computed from them", () =>
      Effect.gen(function* () {
        const { call, load, read, xid } = yield* World
        const { order } = yield* engagement("E-13")
        yield* load("account.analytic.line", timesheetColumns, [yield* timesheetRow("E-13", "U-1", "2.5")])
        yield* load("account.analytic.line", ["id", "unit_amount"], [[xid("timesheets", "U-1"), "4"]], "upsert")
        const [line = 0] = yield* load("sale.order.line", ["id"], [[xid("engagements", "E-13.line-1")]])
        assert.strictEqual((yield* read("sale.order.line", line, "qty_delivered"))["qty_delivered"], 4)
        const columns = ["id", "product_uom_qty", "price_unit"]
        yield* load("sale.order.line", columns, [[xid("engagements", "E-13.line-1"), "120", "151"]], "upsert")
        assert.strictEqual(cents((yield* read("sale.order", order, "amount_untaxed"))["amount_untaxed"]), "23120.00")
        const unlinks = [
          call("sale.order", "unlink", { ids: [order] }),
          call("sale.order.line", "unlink", { ids: [line] }),
        ]
        for (const one of unlinks) assert.strictEqual((yield* refused(one)).code, "ODOO-VALIDATION")
      }))

    it.effect("a draft deleted by a person is missing for posting and absent for read", () =>
      Effect.gen(function* () {
        const { call } = yield* World
        const { id } = yield* draftInvoice("X-2", [["1", "10"]])
        assert.strictEqual(yield* call("account.move", "unlink", { ids: [id] }), true)
        assert.strictEqual(
          (yield* refused(call("account.move", "action_post", { ids: [id] }))).code,
          "ODOO-RECORD-MISSING",
        )
        assert.deepStrictEqual(yield* call("account.move", "read", { ids: [id], args: { fields: ["state"] } }), [])
      }))

    it.effect("a payment is made once, posted once, and matched with its invoice", () =>
      Effect.gen(function* () {
        const { call, load, read } = yield* World
        const invoice = yield* postedInvoice("Y-1", "100")
        const total = cents((yield* read("account.move", invoice, "amount_total"))["amount_total"])
        const row = yield* paymentRow("PAY-1", total)
        const [payment = 0] = yield* load("account.payment", paymentColumns, [row])
        assert.deepStrictEqual(yield* load("account.payment", paymentColumns, [row]), [payment])
        assert.deepInclude(yield* read("account.payment", payment, "state", "memo", "payment_reference"), {
          state: "draft",
          memo: "wire PAY-1",
          payment_reference: "PAY-1",
        })
        assert.isNull(yield* call("account.payment", "action_post", { ids: [payment] }))
        assert.isNull(yield* call("account.payment", "action_post", { ids: [payment] }))
        const posted = yield* read("account.payment", payment, "state", "name", "move_id")
        assert.strictEqual(posted["state"], "in_process")
        assert.match(String(posted["name"]), /^PBNK1\/2026\/\d{5}$/u)

        const ours = yield* receivable("payment_id", payment)
        const theirs = yield* receivable("move_id", invoice)
        assert.strictEqual(idOf(ours["move_id"]), idOf(posted["move_id"]))
        assert.deepStrictEqual(ours["account_id"], theirs["account_id"])
        assert.isNull(yield* call("account.move.line", "reconcile", { ids: [ours.id, theirs.id] }))
        assert.deepInclude(yield* read("account.move", invoice, "payment_state", "amount_residual"), {
          payment_state: "paid",
          amount_residual: 0,
        })
        const after = yield* read("account.payment", payment, "state", "is_reconciled", "reconciled_invoice_ids")
        assert.deepInclude(after, { state: "paid", is_reconciled: true })
        assert.deepStrictEqual(after["reconciled_invoice_ids"], [invoice])
        const again = yield* refused(call("account.move.line", "reconcile", { ids: [ours.id, theirs.id] }))
        assert.strictEqual(again.code, "ODOO-VALIDATION")
        assert.match(again.message, /already reconciled/u)
      }))

    it.effect("a part leaves a residual, an overpayment leaves the payment open", () =>
      Effect.gen(function* () {
        const { call, read } = yield* World
        const invoice = yield* postedInvoice("Y-2", "100")
        const total = Number((yield* read("account.move", invoice, "amount_total"))["amount_total"])
        const part = yield* receivable("payment_id", yield* postedPayment("PAY-2", "40"))
        const more = yield* receivable("payment_id", yield* postedPayment("PAY-3", "500.10"))
        const due = yield* receivable("move_id", invoice)
        yield* call("account.move.line", "reconcile", { ids: [part.id, due.id] })
        const partial = yield* read("account.move", invoice, "payment_state", "amount_residual")
        assert.strictEqual(partial["payment_state"], "partial")
        assert.strictEqual(cents(partial["amount_residual"]), cents(total - 40))
        // The invoice is still open, so a repetition is harmless.
        assert.isNull(yield* call("account.move.line", "reconcile", { ids: [part.id, due.id] }))
        yield* call("account.move.line", "reconcile", { ids: [more.id, due.id] })
        assert.deepInclude(yield* read("account.move", invoice, "payment_state", "amount_residual"), {
          payment_state: "paid",
          amount_residual: 0,
        })
        const rest = yield* read("account.move.line", more.id, "amount_residual", "reconciled")
        assert.strictEqual(cents(rest["amount_residual"]), cents(total - 40 - 500.1))
        assert.strictEqual(rest["reconciled"], false)
      }))

    it.effect("one payment settles several invoices, oldest due first", () =>
      Effect.gen(function* () {
        const { call, read } = yield* World
        const invoices = [yield* postedInvoice("Y-3", "100"), yield* postedInvoice("Y-4", "100")]
        const total = Number((yield* read("account.move", first(invoices), "amount_total"))["amount_total"])
        const ours = yield* receivable("payment_id", yield* postedPayment("PAY-4", String(total + 1)))
        const due = yield* Effect.forEach(invoices, (id) => receivable("move_id", id))
        yield* call("account.move.line", "reconcile", { ids: [ours.id, ...due.map((line) => line.id)] })
        const states = yield* Effect.forEach(invoices, (id) =>
          read("account.move", id, "payment_state", "amount_residual"))
        assert.deepStrictEqual(
          states.map((state) =>
            state["payment_state"]
          ),
          ["paid", "partial"],
        )
        assert.strictEqual(cents(states[1]?.["amount_residual"]), cents(total - 1))
      }))

    it.effect("items of different accounts, or none, are not matched", () =>
      Effect.gen(function* () {
        const { call, search } = yield* World
        const invoice = yield* postedInvoice("Y-5", "10")
        const items = yield* search("account.move.line", [["move_id", "=", invoice]], "display_type")
        const error = yield* refused(call("account.move.line", "reconcile", { ids: items.map((line) => line.id) }))
        assert.strictEqual(error.code, "ODOO-VALIDATION")
        assert.match(error.message, /not from the same account/u)
        const gone = yield* refused(call("account.move.line", "reconcile", { ids: [999999999] }))
        assert.strictEqual(gone.code, "ODOO-RECORD-MISSING")
      }))

    it.effect("a payment with a negative amount, or on a journal that is no bank, is refused", () =>
      Effect.gen(function* () {
        const { company, load, other } = yield* World
        const cases: ReadonlyArray<readonly [row: ReadonlyArray<string>, message: RegExp]> = [
          [yield* paymentRow("PAY-5", "-5"), /cannot be negative/u],
          [yield* paymentRow("PAY-6", "5", company.sales), /payment method line/u],
        ]
        for (const [row, message] of cases) {
          const error = yield* refused(load("account.payment", paymentColumns, [row]))
          assert.strictEqual(error.code, "ODOO-VALIDATION")
          assert.match(error.message, message)
        }
        const elsewhere = yield* paymentRow("PAY-7", "5", other.bank)
        const error = yield* refused(
          load("account.payment", [...paymentColumns, "company_id/.id"], [[...elsewhere, String(company.id)]]),
        )
        assert.include(["ODOO-VALIDATION", "ODOO-ACCESS"], error.code)
      }))

    it.effect("a payment cancelled by a person stays cancelled, and a posted one cannot be deleted", () =>
      Effect.gen(function* () {
        const { call, load, read } = yield* World
        const [id = 0] = yield* load("account.payment", paymentColumns, [yield* paymentRow("PAY-8", "5")])
        yield* call("account.payment", "action_cancel", { ids: [id] })
        // No error: posting a cancelled payment does nothing.
        assert.isNull(yield* call("account.payment", "action_post", { ids: [id] }))
        assert.strictEqual((yield* read("account.payment", id, "state"))["state"], "canceled")
        const posted = yield* postedPayment("PAY-9", "5")
        assert.strictEqual(
          (yield* refused(call("account.payment", "unlink", { ids: [posted] }))).code,
          "ODOO-VALIDATION",
        )
      }))

    it.effect("a customer with invoices cannot be deleted", () =>
      Effect.gen(function* () {
        const { call, load, xid } = yield* World
        yield* draftInvoice("X-4", [["1", "10"]])
        const [id = 0] = yield* load("res.partner", ["id"], [[xid("customers", "C-0")]])
        assert.strictEqual((yield* refused(call("res.partner", "unlink", { ids: [id] }))).code, "ODOO-VALIDATION")
      }))

    it.effect("records of a company that the call is not made for are out of reach", () =>
      Effect.gen(function* () {
        const { call, other } = yield* World
        const { id } = yield* draftInvoice("A-1", [["1", "10"]])
        const { order } = yield* draftOrder("E-11")
        const context = { allowed_company_ids: [other.id] }
        const calls = [
          call("account.move", "read", { ids: [id], args: { fields: ["state"] }, context }),
          call("account.move", "action_post", { ids: [id], context }),
          call("sale.order", "action_confirm", { ids: [order], context }),
        ]
        for (const one of calls) assert.strictEqual((yield* refused(one)).code, "ODOO-ACCESS")
        const domain = [["id", "=", id]]
        assert.strictEqual(yield* call("account.move", "search_count", { args: { domain }, context }), 0)
        const nobodys = yield* refused(
          call("account.move", "search_count", { args: { domain }, context: { allowed_company_ids: [999999] } }),
        )
        assert.strictEqual(nobodys.code, "ODOO-ACCESS")
      }))

    it.effect("metadata names the external ids of records, and says nothing of those that are gone", () =>
      Effect.gen(function* () {
        const { call, load, other, xid } = yield* World
        const names = ["C-20", "C-21"].map((key) => xid("customers", key))
        const made = yield* load("res.partner", ["id", "name"], names.map((name) => [name, "Named"]))
        const byHand = first(
          (yield* call("res.partner", "create", { args: { vals_list: [{ name: "By hand" }] } })) as ReadonlyArray<
            number
          >,
        )
        const gone = first(
          (yield* call("res.partner", "create", { args: { vals_list: [{ name: "Gone" }] } })) as ReadonlyArray<number>,
        )
        yield* call("res.partner", "unlink", { ids: [gone] })
        const told = (yield* call("res.partner", "get_metadata", { ids: [...made, byHand, gone] })) as ReadonlyArray<
          Record & { readonly xmlids: ReadonlyArray<{ readonly xmlid: string }> }
        >
        assert.deepStrictEqual(
          told.map(({ id, xmlids }) => [id, xmlids.map(({ xmlid }) => xmlid)]).sort(([a], [b]) =>
            Number(a) - Number(b)
          ),
          [[made[0], [names[0]]], [made[1], [names[1]]], [byHand, []]],
        )
        assert.match(String(told[0]?.["write_date"]), /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/u)
        assert.isTrue(Array.isArray(told[0]?.["write_uid"]))
        const { order } = yield* draftOrder("E-20")
        const foreign = call("sale.order", "get_metadata", {
          ids: [order],
          context: { allowed_company_ids: [other.id] },
        })
        assert.strictEqual((yield* refused(foreign)).code, "ODOO-ACCESS")
      }))

    it.effect("an external id leads to its record without the right to read external ids", () =>
      Effect.gen(function* () {
        const { call, entity, load, xid } = yield* World
        const [id = 0] = yield* load("res.partner", ["id", "name"], [[xid("customers", "C-22"), "Found"]])
        const find = (key: string) =>
          call("ir.model.data", "check_object_reference", {
            args: { module: `weir_${entity}`, xml_id: `customers_${key}` },
          })
        assert.deepStrictEqual(yield* find("C-22"), ["res.partner", id])
        const missing = yield* refused(find("C-23"))
        assert.strictEqual(missing.odooName, "builtins.ValueError")
        assert.include(missing.message, "External ID not found")
        yield* call("res.partner", "unlink", { ids: [id] })
        assert.strictEqual((yield* refused(find("C-22"))).odooName, "builtins.ValueError")
      }))

    it.effect("fields tell their type and the model that they refer to", () =>
      Effect.gen(function* () {
        const { call } = yield* World
        const told = (yield* call("account.move.line", "fields_get", {
          args: { allfields: ["name", "tax_ids", "move_id", "x_nobody_made"], attributes: ["type", "relation"] },
        })) as { readonly [field: string]: { readonly type: string; readonly relation?: string } }
        assert.deepStrictEqual(Object.keys(told).sort(), ["move_id", "name", "tax_ids"])
        assert.deepStrictEqual([told["name"]?.type, told["name"]?.relation], ["char", undefined])
        assert.deepStrictEqual([told["move_id"]?.type, told["move_id"]?.relation], ["many2one", "account.move"])
        assert.deepStrictEqual([told["tax_ids"]?.type, told["tax_ids"]?.relation], ["many2many", "account.tax"])
      }))

    it.effect("a line of a draft is changed and taken out by its id; of a posted invoice only its price, and the totals stay", () =>
      Effect.gen(function* () {
        const { call, read } = yield* World
        const { id } = yield* draftInvoice("TAKE-1", [["1", "100"], ["1", "50"]])
        const lines = (yield* read("account.move", id, "invoice_line_ids"))["invoice_line_ids"] as ReadonlyArray<number>
        const take = (line: number | undefined) =>
          call("account.move", "write", { ids: [id], args: { vals: { invoice_line_ids: [[2, line ?? 0, 0]] } } })
        yield* take(lines[1])
        const left = yield* read("account.move", id, "invoice_line_ids", "amount_untaxed")
        assert.deepStrictEqual([left["invoice_line_ids"], left["amount_untaxed"]], [[lines[0]], 100])
        const price = (price_unit: number) =>
          call("account.move.line", "write", { ids: [lines[0] ?? 0], args: { vals: { price_unit } } })
        yield* price(80)
        assert.strictEqual((yield* read("account.move", id, "amount_untaxed"))["amount_untaxed"], 80)
        yield* call("account.move", "action_post", { ids: [id] })
        yield* refused(take(lines[0]))
        // Odoo takes it, and the invoice's totals stay: only a comparison of the lines shows it.
        yield* price(70)
        assert.strictEqual((yield* read("account.move.line", lines[0] ?? 0, "price_unit"))["price_unit"], 70)
        assert.strictEqual((yield* read("account.move", id, "amount_untaxed"))["amount_untaxed"], 80)
      }))

    it.effect("a wrong key is told from missing rights", () =>
      Effect.gen(function* () {
        const { target, xid } = yield* World
        const count = { database, model: "res.partner", method: "search_count", args: { domain: [] } }
        assert.strictEqual((yield* refused(target.wrongKey.call(count))).code, "ODOO-AUTH")
        assert.strictEqual((yield* refused(target.low.call({ ...count, model: "account.move" }))).code, "ODOO-ACCESS")
        const load = target.low.call({
          database,
          model: "account.move",
          method: "load",
          args: { fields: ["id", "move_type"], data: [[xid("invoices", "LOW-1"), "out_invoice"]] },
          context: skip,
        })
        assert.strictEqual((yield* refused(load)).code, "ODOO-ACCESS")
      }))

    it.effect("calls that Odoo does not understand are told from data it refuses", () =>
      Effect.gen(function* () {
        const { call, load, xid } = yield* World
        const domain: ReadonlyArray<Json> = []
        const calls = [
          call("res.nope", "search_count", { args: { domain } }),
          call("res.partner", "frobnicate"),
          call("res.partner", "search", {}),
          call("res.partner", "search", { args: { domain, nope: 1 } }),
          call("res.partner", "read", { ids: [1], args: { fields: ["nope"] } }),
          call("res.partner", "search_read", { args: { domain: [["nope", "=", 1]], fields: ["id"] } }),
          call("res.partner", "write", { ids: [1], args: { vals: { nope: 1 } } }),
          load("res.partner", ["id", "name", "nope"], [[xid("customers", "C-8"), "x", "y"]]),
          load("account.move", ["id", "invoice_line_ids/nope"], [[xid("invoices", "BAD-1"), "x"]]),
        ]
        for (const [at, one] of calls.entries()) {
          assert.strictEqual((yield* refused(one)).code, "ODOO-REFUSED-CALL", `call ${at}`)
        }
        const hidden = yield* refused(call("ir.model.data", "search_read", { args: { domain, fields: ["name"] } }))
        assert.strictEqual(hidden.code, "ODOO-ACCESS")
      }))

    it.effect("finds master data by exact value and pages by id", () =>
      Effect.gen(function* () {
        const { call, company, employee, entity, search } = yield* World
        const domain = [["work_email", "in", [`${entity}@example.test`, "nobody@example.test"]], [
          "company_id",
          "=",
          company.id,
        ]]
        assert.deepStrictEqual((yield* search("hr.employee", domain, "work_email")).map(({ id }) => id), [employee])
        const [eur] = yield* search("res.currency", [["name", "=", company.currency]], "decimal_places")
        assert.strictEqual(eur?.["decimal_places"], 2)
        const all = yield* search("account.journal", [["company_id", "=", company.id]], "code")
        const page = (after: number) =>
          call("account.journal", "search_read", {
            args: {
              domain: [["company_id", "=", company.id], ["id", ">", after]],
              fields: ["code"],
              order: "id",
              limit: 2,
            },
          }).pipe(Effect.map((answer) => answer as ReadonlyArray<Record>))
        const paged: Array<Record> = []
        for (let last = 0;;) {
          const next = yield* page(last)
          if (next.length === 0) break
          paged.push(...next)
          last = next.at(-1)?.id ?? last
        }
        assert.deepStrictEqual(paged.map(({ id }) => id), all.map(({ id }) => id))
      }))

    it.effect("reads back what one entity has, and nothing of another", () =>
      Effect.gen(function* () {
        const { company, entity, load, read, target, xid } = yield* World
        const profile = { entity, database, companyId: company.id, currency: company.currency as Currency }
        const before = yield* account(target.odoo, profile)
        yield* load("res.partner", ["id", "name", "company_id/.id"], [
          [xid("customers", "Z-1"), "Z", String(company.id)],
          [`weir_${entity}x.customers_Z-1`, "Foreign", String(company.id)],
        ])
        yield* engagement("Z-2")
        yield* load("account.analytic.line", timesheetColumns, [
          yield* timesheetRow("Z-2", "Z-1", "0.1"),
          yield* timesheetRow("Z-2", "Z-2", "0.2"),
        ])
        const invoice = yield* postedInvoice("Z-1", "0.05")
        yield* draftInvoice("Z-2", [["1", "7"]])
        yield* postedPayment("Z-1", "12.34")
        const after = yield* account(target.odoo, profile)
        const move = yield* read("account.move", invoice, "amount_tax", "amount_total")
        assert.deepStrictEqual(after.own, {
          customers: { records: before.own.customers.records + 1 },
          engagements: {
            records: before.own.engagements.records + 1,
            untaxed: sum(before.own.engagements.untaxed, "20050.00"),
          },
          timesheets: { records: before.own.timesheets.records + 2, hours: sum(before.own.timesheets.hours, "0.30") },
          invoices: {
            records: before.own.invoices.records + 1,
            untaxed: sum(before.own.invoices.untaxed, "0.05"),
            tax: sum(before.own.invoices.tax, cents(move["amount_tax"])),
            total: sum(before.own.invoices.total, cents(move["amount_total"])),
            residual: sum(before.own.invoices.residual, cents(move["amount_total"])),
          },
          payments: {
            records: before.own.payments.records + 1,
            amount: sum(before.own.payments.amount, "12.34"),
          },
        })
        assert.strictEqual(after.others.customers, before.others.customers + 1)
      }))

    moneySentences(it)
    workSentences(it)
    feedSentences(it)
    masterSentences(it)
    recordSentences(it)
  })
}
