/**
 * Sentences of the contract suite about work: corrected and withdrawn timesheets, expenses that employees advanced and that
 * the company paid, what is charged of them, used quantities, and seeing what people changed.
 */
import { assert, type layer } from "@effect/vitest"
import { Effect } from "effect"
import {
  cents,
  draftInvoice,
  engagement,
  first,
  idOf,
  type Record,
  refused,
  timesheetColumns,
  timesheetRow,
  World,
} from "./World.ts"

type It = Parameters<Parameters<ReturnType<typeof layer<World, never>>>[1]>[0]

const TIMESHEET = "account.analytic.line"
const referencedColumns = [...timesheetColumns, "ref"]

const lineOf = Effect.fnUntraced(function* (of: string, line = "line-1") {
  const { load, xid } = yield* World
  const [id = 0] = yield* load("sale.order.line", ["id"], [[xid("engagements", `${of}.${line}`)]])
  return id
})
const quantities = Effect.fnUntraced(function* (line: number) {
  const { read } = yield* World
  const { qty_delivered, qty_to_invoice } = yield* read("sale.order.line", line, "qty_delivered", "qty_to_invoice")
  return [qty_delivered, qty_to_invoice]
})

/** A purchase tax, the purchase journal and an account of costs. */
const costs = Effect.gen(function* () {
  const { company, search } = yield* World
  const own = ["company_id", "=", company.id] as const
  const taxes = yield* search(
    "account.tax",
    [own, ["type_tax_use", "=", "purchase"], ["amount_type", "=", "percent"], ["amount", ">", 0]],
    "amount",
  )
  const [journal] = yield* search("account.journal", [own, ["type", "=", "purchase"]], "code")
  const [account] = yield* search("account.account", [["account_type", "=", "expense"]], "code")
  const tax = first(taxes)
  return { tax: tax.id, rate: Number(tax["amount"]), journal: journal?.id ?? 0, account: account?.id ?? 0 }
})

const expenseColumns = [
  "id",
  "name",
  "employee_id/.id",
  "product_id/id",
  "total_amount_currency",
  "currency_id/id",
  "total_amount",
  "date",
  "payment_mode",
  "company_id/.id",
  "account_id/.id",
  "tax_ids/.id",
  "analytic_distribution",
  "description",
]

interface Expense {
  readonly amount?: string
  readonly mode?: "own_account" | "company_account"
  readonly currency?: string
  readonly booked?: string
  readonly taxed?: boolean
  readonly distribution?: string
  readonly employee?: number
}

const expenseRow = Effect.fnUntraced(function* (key: string, given: Expense = {}) {
  const { company, employee, xid } = yield* World
  const { account, tax } = yield* costs
  const { amount = "121.01", currency = company.currency, mode = "own_account" } = given
  return [
    xid("expenses", key),
    `Expense ${key}`,
    String(given.employee ?? employee),
    xid("seed", "fixed"),
    amount,
    `base.${currency}`,
    given.booked ?? amount,
    "2026-10-05",
    mode,
    String(company.id),
    String(account),
    given.taxed === false ? "" : String(tax),
    given.distribution ?? "",
    key,
  ]
})

const expenseFields = [
  "state",
  "total_amount",
  "total_amount_currency",
  "tax_amount",
  "untaxed_amount",
  "account_move_id",
  "analytic_distribution",
  "description",
]

const receiptColumns = [
  "id",
  "move_type",
  "partner_id/.id",
  "journal_id/.id",
  "currency_id/id",
  "invoice_date",
  "date",
  "ref",
  "expense_ids/.id",
  "invoice_line_ids/id",
  "invoice_line_ids/product_id/id",
  "invoice_line_ids/name",
  "invoice_line_ids/quantity",
  "invoice_line_ids/price_unit",
  "invoice_line_ids/account_id/.id",
  "invoice_line_ids/tax_ids/.id",
  "invoice_line_ids/expense_id/.id",
  "invoice_line_ids/analytic_distribution",
]

const receiptRow = Effect.fnUntraced(function* (key: string, expense: number, amount = "121.01") {
  const { company, employee, read, xid } = yield* World
  const { account, journal, tax } = yield* costs
  const contact = idOf((yield* read("hr.employee", employee, "work_contact_id"))["work_contact_id"])
  return [
    xid("expenses", `${key}.receipt`),
    "in_receipt",
    String(contact),
    String(journal),
    `base.${company.currency}`,
    "2026-10-05",
    "2026-10-05",
    key,
    String(expense),
    xid("expenses", `${key}.receipt-line`),
    xid("seed", "fixed"),
    `Expense ${key}`,
    "1",
    amount,
    String(account),
    String(tax),
    String(expense),
    "",
  ]
})

export const workSentences = (it: It): void => {
  it.effect("a record is found by its external id alone, and none is made of nothing", () =>
    Effect.gen(function* () {
      const { load, xid } = yield* World
      yield* engagement("W-1")
      const known = xid("engagements", "W-1.line-1")
      const line = yield* lineOf("W-1")
      assert.deepStrictEqual(yield* load("sale.order.line", ["id"], [[known], [known]]), [line, line])
      const cases = [
        ["sale.order.line", xid("engagements", "W-1.line-9")],
        ["product.product", xid("seed", "nothing")],
        // A currency in use that Odoo does not have.
        ["res.currency", "base.ZWG"],
      ] as const
      for (const [model, unknown] of cases) {
        const error = yield* refused(load(model, ["id"], [[unknown]]))
        assert.strictEqual(error.code, "ODOO-VALIDATION")
        assert.match(error.message, /Missing required value/u)
      }
    }))

  it.effect("a timesheet is found by reference on its project, corrected before it is invoiced, and moved to another line", () =>
    Effect.gen(function* () {
      const { call, load, read, search, xid } = yield* World
      const { project = 0, task } = yield* engagement("W-2")
      const [id = 0] = yield* load(TIMESHEET, timesheetColumns, [yield* timesheetRow("W-2", "W-2a", "4")])
      const hourly = yield* lineOf("W-2")
      const fixed = yield* lineOf("W-2", "line-2")
      assert.deepStrictEqual(yield* quantities(hourly), [4, 4])
      const byId = ["id", "date", "name", "unit_amount", "task_id/.id", "so_line/.id", "is_so_line_edited"]
      const row = [xid("timesheets", "W-2a"), "2026-11-04", "corrected", "2.5", String(task), String(hourly), "1"]
      assert.deepStrictEqual(yield* load(TIMESHEET, byId, [row], "upsert"), [id])
      assert.deepStrictEqual(yield* quantities(hourly), [2.5, 2.5])
      assert.deepInclude(yield* read(TIMESHEET, id, "date", "name", "unit_amount"), {
        date: "2026-11-04",
        name: "corrected",
        unit_amount: 2.5,
      })
      // On a fixed price, and on no line at all, the time stays with the project.
      yield* load(TIMESHEET, ["id", "so_line/.id", "is_so_line_edited"], [[row[0]!, String(fixed), "1"]], "upsert")
      assert.deepStrictEqual([yield* quantities(hourly), yield* quantities(fixed)], [[0, 0], [0, 1]])
      yield* load(TIMESHEET, ["id", "so_line/.id", "is_so_line_edited"], [[row[0]!, "", "1"]], "upsert")
      assert.strictEqual((yield* read(TIMESHEET, id, "so_line"))["so_line"], false)

      yield* load(TIMESHEET, referencedColumns, [[...yield* timesheetRow("W-2", "W-2a.reversal-1", "-1"), "W-2a.back"]])
      const domain = ["|", ["id", "=", id], "&", ["project_id", "=", project], ["ref", "in", ["W-2a.back", "nothing"]]]
      const found = yield* search(TIMESHEET, domain, "unit_amount", "ref")
      assert.deepStrictEqual(found.map(({ ref, unit_amount }) => [unit_amount, ref]), [[2.5, false], [-1, "W-2a.back"]])
      assert.strictEqual(yield* call(TIMESHEET, "unlink", { ids: [id] }), true)
      assert.deepStrictEqual((yield* search(TIMESHEET, domain, "ref")).length, 1)
    }))

  it.effect("what is invoiced is taken back by a negative line and said anew, until the invoice is cancelled", () =>
    Effect.gen(function* () {
      const { call, load, xid } = yield* World
      yield* engagement("W-3")
      const [id = 0] = yield* load(TIMESHEET, timesheetColumns, [yield* timesheetRow("W-3", "W-3a", "4")])
      const line = yield* lineOf("W-3")
      const { id: invoice } = yield* draftInvoice("W-3", [["4", "150.50"]], xid("engagements", "W-3.line-1"))
      yield* call(TIMESHEET, "write", { ids: [id], args: { vals: { timesheet_invoice_id: invoice } } })
      const change = load(TIMESHEET, ["id", "unit_amount"], [[xid("timesheets", "W-3a"), "5"]], "upsert")
      assert.match((yield* refused(change)).message, /already invoiced/u)
      const rows = [
        [...yield* timesheetRow("W-3", "W-3a.correction-1", "5"), "W-3a.correction-1"],
        [...yield* timesheetRow("W-3", "W-3a.reversal-1", "-4"), "W-3a.reversal-1"],
      ]
      const made = yield* load(TIMESHEET, referencedColumns, rows)
      assert.deepStrictEqual(yield* load(TIMESHEET, referencedColumns, rows), made)
      assert.deepStrictEqual(yield* quantities(line), [5, 1])
      yield* call("account.move", "button_cancel", { ids: [invoice] })
      yield* change
      assert.deepStrictEqual(yield* quantities(line), [6, 6])
    }))

  it.effect("time on a fixed price may be changed although it is invoiced", () =>
    Effect.gen(function* () {
      const { call, load, read, xid } = yield* World
      yield* engagement("W-4")
      const row = [...yield* timesheetRow("W-4", "W-4a", "4")]
      row[timesheetColumns.indexOf("so_line/id")] = xid("engagements", "W-4.line-2")
      const [id = 0] = yield* load(TIMESHEET, timesheetColumns, [row])
      const { id: invoice } = yield* draftInvoice("W-4", [["1", "5000"]], xid("engagements", "W-4.line-2"))
      yield* call(TIMESHEET, "write", { ids: [id], args: { vals: { timesheet_invoice_id: invoice } } })
      yield* load(TIMESHEET, ["id", "unit_amount"], [[xid("timesheets", "W-4a"), "5"]], "upsert")
      assert.strictEqual((yield* read(TIMESHEET, id, "unit_amount"))["unit_amount"], 5)
    }))

  it.effect("a delivered quantity is set to what was used, at two decimals, on a line that is added later", () =>
    Effect.gen(function* () {
      const { call, company, load, read, xid } = yield* World
      const { order } = yield* engagement("W-5")
      yield* load("product.product", [
        "id",
        "name",
        "type",
        "invoice_policy",
        "service_type",
        "service_tracking",
        "expense_policy",
        "uom_id/id",
        "list_price",
      ], [[xid("seed", "usage"), "Usage", "service", "delivery", "manual", "no", "no", "uom.product_uom_unit", "0"]])
      const columns = ["id", "order_id/.id", "product_id/id", "name", "product_uom_qty", "price_unit", "tax_ids/.id"]
      const row = [
        xid("usage", "W-5.tokens"),
        String(order),
        xid("seed", "usage"),
        "October",
        "0",
        "0.0125",
        String(company.tax),
      ]
      const [line = 0] = yield* load("sale.order.line", columns, [row])
      assert.deepStrictEqual(yield* load("sale.order.line", columns, [row]), [line])
      const set = (quantity: number) =>
        call("sale.order.line", "write", { ids: [line], args: { vals: { qty_delivered: quantity } } })
      yield* set(1234.567)
      assert.deepStrictEqual(yield* quantities(line), [1234.57, 1234.57])
      yield* set(1234.57)
      assert.deepStrictEqual(yield* quantities(line), [1234.57, 1234.57])
      assert.deepInclude(yield* read("sale.order.line", line, "price_unit", "state"), {
        price_unit: 0.0125,
        state: "sale",
      })
      assert.deepStrictEqual((yield* read("sale.order", order, "state"))["state"], "sale")
    }))

  it.effect("an expense is made once, contains its tax, and is approved when nobody else has to", () =>
    Effect.gen(function* () {
      const { call, load, read } = yield* World
      const { rate } = yield* costs
      const row = yield* expenseRow("X-1")
      const [id = 0] = yield* load("hr.expense", expenseColumns, [row])
      assert.deepStrictEqual(yield* load("hr.expense", expenseColumns, [row]), [id])
      const draft = yield* read("hr.expense", id, ...expenseFields)
      const tax = (121.01 * rate / (100 + rate)).toFixed(2)
      assert.deepInclude(draft, { state: "draft", total_amount: 121.01, description: "X-1", account_move_id: false })
      assert.deepStrictEqual([cents(draft["tax_amount"]), cents(draft["untaxed_amount"])], [
        tax,
        (121.01 - Number(tax)).toFixed(2),
      ])
      const submit = Effect.andThen(
        call("hr.expense", "action_submit", { ids: [id] }),
        Effect.map(read("hr.expense", id, "state"), (record) => record["state"]),
      )
      assert.strictEqual(yield* submit, "approved")
      // Not to be repeated: it has an approver now, whoever approved it.
      assert.strictEqual(yield* submit, "submitted")
    }))

  it.effect("what the company paid is booked by Odoo, once, on its day and its analytic account", () =>
    Effect.gen(function* () {
      const { call, load, read, search } = yield* World
      const { analytic } = yield* engagement("W-6")
      const distribution = JSON.stringify({ [analytic ?? 0]: 100 })
      const row = yield* expenseRow("X-2", { mode: "company_account", distribution })
      const [id = 0] = yield* load("hr.expense", expenseColumns, [row])
      const early = yield* refused(call("hr.expense", "action_post", { ids: [id] }))
      assert.match(early.message, /for approved expense/u)
      yield* call("hr.expense", "action_submit", { ids: [id] })
      assert.isNull(yield* call("hr.expense", "action_post", { ids: [id] }))
      assert.match((yield* refused(call("hr.expense", "action_post", { ids: [id] }))).message, /for approved expense/u)
      const posted = yield* read("hr.expense", id, "state", "account_move_id")
      assert.strictEqual(posted["state"], "paid")
      const entry = yield* read("account.move", idOf(posted["account_move_id"]), "state", "date", "move_type", "name")
      assert.deepInclude(entry, { state: "posted", date: "2026-10-05", move_type: "entry" })
      assert.match(String(entry["name"]), /^PBNK1\/2026\/\d{5}$/u)
      const [payment, ...more] = yield* search(
        "account.payment",
        [["move_id", "=", entry.id]],
        "payment_type",
        "partner_type",
        "state",
        "is_reconciled",
      )
      assert.deepStrictEqual(more, [])
      const { id: _, ...paid } = payment!
      assert.deepStrictEqual(paid, {
        payment_type: "outbound",
        partner_type: "supplier",
        state: "in_process",
        is_reconciled: true,
      })
      const items = yield* search("account.move.line", [["move_id", "=", entry.id]], "balance", "analytic_distribution")
      assert.deepStrictEqual(
        items.map(({ analytic_distribution }) => analytic_distribution).filter((each) => each !== false),
        [{ [String(analytic)]: 100 }],
      )
      assert.deepStrictEqual(cents(items.reduce((sum, { balance }) => sum + Number(balance), 0)), "0.00")
      assert.match((yield* refused(call("hr.expense", "unlink", { ids: [id] }))).message, /posted or approved/u)
    }))

  it.effect("a receipt of our own books what an employee advanced, once, without Odoo's wizard", () =>
    Effect.gen(function* () {
      const { call, load, read, search } = yield* World
      const { account, rate } = yield* costs
      const [expense = 0] = yield* load("hr.expense", expenseColumns, [yield* expenseRow("X-3")])
      yield* call("hr.expense", "action_submit", { ids: [expense] })
      // Posting it asks a person, and nothing happens.
      assert.deepInclude((yield* call("hr.expense", "action_post", { ids: [expense] })) as Record, {
        res_model: "hr.expense.post.wizard",
      })
      assert.strictEqual((yield* read("hr.expense", expense, "state"))["state"], "approved")

      const row = yield* receiptRow("X-3", expense)
      const [receipt = 0] = yield* load("account.move", receiptColumns, [row])
      assert.deepStrictEqual(yield* load("account.move", receiptColumns, [row]), [receipt])
      const tax = (121.01 * rate / (100 + rate)).toFixed(2)
      const draft = yield* read("account.move", receipt, "state", "amount_total", "amount_tax", "date", "expense_ids")
      assert.deepInclude(draft, { state: "draft", date: "2026-10-05" })
      assert.deepStrictEqual([cents(draft["amount_total"]), cents(draft["amount_tax"])], ["121.01", tax])
      assert.deepStrictEqual(draft["expense_ids"], [expense])
      assert.deepInclude(yield* read("hr.expense", expense, "state"), { state: "posted" })

      assert.strictEqual(yield* call("account.move", "action_post", { ids: [receipt] }), false)
      assert.match(
        (yield* refused(call("account.move", "action_post", { ids: [receipt] }))).message,
        /must be in draft/u,
      )
      assert.match((yield* refused(call("hr.expense", "action_post", { ids: [expense] }))).message, /for approved/u)
      const posted = yield* read(
        "account.move",
        receipt,
        ...["state", "date", "name", "payment_state", "amount_residual", "amount_residual_signed"],
      )
      assert.deepInclude(posted, { state: "posted", date: "2026-10-05", payment_state: "not_paid" })
      assert.deepStrictEqual(
        [cents(posted["amount_residual"]), cents(posted["amount_residual_signed"])],
        ["121.01", "-121.01"],
      )
      assert.match(String(posted["name"]), /^BILL\/2026\/10\/\d{4}$/u)
      const items = yield* search(
        "account.move.line",
        [["move_id", "=", receipt]],
        "display_type",
        "balance",
        "account_id",
      )
      const cost = items.find((item) => item["display_type"] === "product")
      assert.strictEqual(idOf(cost?.["account_id"]), account)
      assert.deepStrictEqual(
        Object.fromEntries(items.map(({ balance, display_type }) => [String(display_type), cents(balance)])),
        { product: (121.01 - Number(tax)).toFixed(2), tax, payment_term: "-121.01" },
      )
      assert.deepInclude(yield* read("hr.expense", expense, "state"), { state: "posted" })
      assert.strictEqual(idOf((yield* read("hr.expense", expense, "account_move_id"))["account_move_id"]), receipt)
    }))

  it.effect("a receipt that a person cancels sets its expense free again", () =>
    Effect.gen(function* () {
      const { call, load, read } = yield* World
      const [expense = 0] = yield* load("hr.expense", expenseColumns, [yield* expenseRow("X-4")])
      yield* call("hr.expense", "action_submit", { ids: [expense] })
      const [receipt = 0] = yield* load("account.move", receiptColumns, [yield* receiptRow("X-4", expense)])
      yield* call("account.move", "button_cancel", { ids: [receipt] })
      assert.deepInclude(yield* read("hr.expense", expense, "state", "account_move_id"), {
        state: "approved",
        account_move_id: false,
      })
    }))

  it.effect("an expense with an approver waits for approval, and a possible duplicate is not approved by a call", () =>
    Effect.gen(function* () {
      const { call, company, entity, load, read, search, xid } = yield* World
      const writer = first(yield* search("res.users", [["login", "=", "stream"]], "name")).id
      const [employee = 0] = yield* load(
        "hr.employee",
        ["id", "name", "work_email", "company_id/.id", "expense_manager_id/.id"],
        [[xid("seed", "led"), "Led", `${entity}-led@example.test`, String(company.id), String(writer)]],
      )
      const state = (id: number) => Effect.map(read("hr.expense", id, "state"), (record) => record["state"])
      const [one = 0] = yield* load("hr.expense", expenseColumns, [yield* expenseRow("X-5", { employee })])
      yield* call("hr.expense", "action_submit", { ids: [one] })
      assert.strictEqual(yield* state(one), "submitted")
      assert.isNull(yield* call("hr.expense", "action_approve", { ids: [one] }))
      assert.strictEqual(yield* state(one), "approved")
      const [two = 0] = yield* load("hr.expense", expenseColumns, [yield* expenseRow("X-6", { employee })])
      yield* call("hr.expense", "action_submit", { ids: [two] })
      assert.deepInclude((yield* call("hr.expense", "action_approve", { ids: [two] })) as Record, {
        res_model: "hr.expense.approve.duplicate",
      })
      assert.strictEqual(yield* state(two), "submitted")
    }))

  it.effect("an expense in another currency is booked at the amount that is given with it", () =>
    Effect.gen(function* () {
      const { call, company, load, other, read } = yield* World
      const row = yield* expenseRow("X-7", {
        mode: "company_account",
        amount: "100",
        booked: "118.55",
        currency: other.currency,
        taxed: false,
      })
      assert.notStrictEqual(other.currency, company.currency)
      const [id = 0] = yield* load("hr.expense", expenseColumns, [row])
      assert.deepInclude(yield* read("hr.expense", id, "total_amount", "total_amount_currency"), {
        total_amount: 118.55,
        total_amount_currency: 100,
      })
      yield* call("hr.expense", "action_submit", { ids: [id] })
      yield* call("hr.expense", "action_post", { ids: [id] })
      assert.strictEqual((yield* read("hr.expense", id, "state"))["state"], "paid")
    }))

  it.effect("an employee or a tax of another company, and nothing at all, are no expense", () =>
    Effect.gen(function* () {
      const { call, load, other, search, target, xid } = yield* World
      const answer = yield* target.odoo.call({
        database: "main",
        model: "hr.employee",
        method: "load",
        args: { fields: ["id", "name", "company_id/.id"], data: [[xid("seed", "abroad"), "Abroad", String(other.id)]] },
        context: { allowed_company_ids: [other.id], mode: "update", noupdate: true },
      })
      const [employee] = (answer as { readonly ids: ReadonlyArray<number> }).ids
      const foreign = yield* refused(
        load("hr.expense", expenseColumns, [yield* expenseRow("X-8", { employee: employee! })]),
      )
      assert.include(["ODOO-VALIDATION", "ODOO-ACCESS"], foreign.code)
      const row = [...yield* expenseRow("X-9")]
      row[expenseColumns.indexOf("tax_ids/.id")] = String(other.tax)
      assert.include(
        ["ODOO-VALIDATION", "ODOO-ACCESS"],
        (yield* refused(load("hr.expense", expenseColumns, [row]))).code,
      )
      const [zero = 0] = yield* load("hr.expense", expenseColumns, [
        yield* expenseRow("X-10", { amount: "0", taxed: false }),
      ])
      const nothing = yield* refused(call("hr.expense", "action_submit", { ids: [zero] }))
      assert.match(nothing.message, /total of 0/u)
      assert.strictEqual(yield* call("hr.expense", "unlink", { ids: [zero] }), true)
      assert.deepStrictEqual(yield* search("hr.expense", [["id", "=", zero]], "state"), [])
    }))
}
