/**
 * Sentences of the contract suite about money beyond one currency and one document: rates, exchange differences, journal
 * entries, credit notes, refunds, bounced payments, settlements, disputes, and invoices that bill timesheets.
 */
import { assert, type layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Json } from "../../src/odoo/Odoo.ts"
import {
  cents,
  type Company,
  draftInvoice,
  engagement,
  first,
  idOf,
  nameOf,
  paymentColumns,
  paymentRow,
  postedInvoice,
  postedPayment,
  receivable,
  type Record,
  refused,
  share,
  sum,
  timesheetColumns,
  timesheetRow,
  World,
} from "./World.ts"

type It = Parameters<Parameters<ReturnType<typeof layer<World, never>>>[1]>[0]

const lineFields = [
  "account_id",
  "debit",
  "credit",
  "amount_currency",
  "amount_residual",
  "amount_residual_currency",
  "currency_id",
  "reconciled",
]

/** Journals and accounts that the entries of these sentences are booked on. */
const books = Effect.gen(function* () {
  const { company, search } = yield* World
  const misc = first(yield* search("account.journal", [["type", "=", "general"], ["code", "=", "MISC"]], "code")).id
  const accounts = yield* search("account.account", [], "code", "name", "account_type", "reconcile")
  const of = (test: (account: Record) => boolean): Record => first(accounts.filter(test))
  return {
    misc,
    expense: of((account) => account["account_type"] === "expense"),
    income: of((account) => account["account_type"] === "income"),
    transfer: of(({ account_type, name, reconcile }) =>
      account_type === "asset_current" && reconcile === true && !String(name).startsWith("Outstanding")
    ),
    receivable: accounts.find((account) => account["code"] === receivableCode(company)) ??
      of((account) => account["account_type"] === "asset_receivable"),
  }
})

const receivableCode = ({ currency }: Company): string => currency === "EUR" ? "400000" : "121000"

const rateColumns = ["id", "name", "currency_id/id", "company_id/.id", "company_rate"]

/** Rates for one of the company's currency, activated; once per database. */
const rates = Effect.gen(function* () {
  const { call, company, search } = yield* World
  const rows = [["JPY", "2026-11-01", "163.27"], ["KWD", "2026-11-01", "0.3321"], ["USD", "2026-11-01", "1.234567"], [
    "USD",
    "2026-11-15",
    "1.1",
  ]] as const
  const currencies = yield* call("res.currency", "search_read", {
    args: { domain: [["name", "in", ["JPY", "KWD", "USD"]]], fields: ["name", "active"] },
    context: { active_test: false },
  }).pipe(Effect.map((answer) => answer as ReadonlyArray<Record>))
  yield* call("res.currency", "write", { ids: currencies.map(({ id }) => id), args: { vals: { active: true } } })
  for (const [currency, name, company_rate] of rows) {
    const id = currencies.find((each) => each["name"] === currency)?.id ?? 0
    const known = yield* search(
      "res.currency.rate",
      [["currency_id", "=", id], ["company_id", "=", company.id], ["name", "=", name]],
      "company_rate",
    )
    // Databases are used again: rates of an earlier run are set to these.
    if (known.length > 0) {
      yield* call("res.currency.rate", "write", {
        ids: [first(known).id],
        args: { vals: { company_rate: Number(company_rate) } },
      })
    } else {
      yield* call("res.currency.rate", "load", {
        args: {
          fields: rateColumns,
          data: [[
            `weir_rates.${currency}_${name}_${company.id}`,
            name,
            `base.${currency}`,
            String(company.id),
            company_rate,
          ]],
        },
        context: { mode: "update", noupdate: true },
      })
    }
  }
})

/** Draft invoice in a currency with lines `[quantity, price]`. */
const foreignInvoice = Effect.fnUntraced(function* (
  key: string,
  currency: string,
  lines: ReadonlyArray<readonly [quantity: string, price: string]>,
  { date = "2026-11-10", rate, type = "out_invoice", of }: {
    readonly date?: string
    readonly rate?: string
    readonly type?: string
    readonly of?: string
  } = {},
) {
  const { company, load, xid } = yield* World
  const head = {
    id: xid("invoices", key),
    move_type: type,
    "partner_id/id": xid("customers", "C-0"),
    "journal_id/.id": String(company.sales),
    "currency_id/id": `base.${currency}`,
    invoice_date: date,
    invoice_date_due: "2026-12-10",
    ref: key,
    payment_reference: key,
    ...(rate !== undefined && { invoice_currency_rate: rate }),
    ...(of !== undefined && { "reversed_entry_id/id": of }),
  }
  const columns = ["id", "name", "quantity", "price_unit", "tax_ids/.id"].map((name) => `invoice_line_ids/${name}`)
  const rows = lines.map(([quantity, price], at) => [
    ...Object.values(head).map((cell) => at === 0 ? cell : ""),
    xid("invoices", `${key}.line-${at}`),
    "Line",
    quantity,
    price,
    String(company.tax),
  ])
  return first(yield* load("account.move", [...Object.keys(head), ...columns], rows))
})

const post = Effect.fnUntraced(function* (...ids: ReadonlyArray<number>) {
  const { call } = yield* World
  yield* call("account.move", "action_post", { ids })
})

/** A posted payment in a currency. */
const paid = Effect.fnUntraced(function* (
  key: string,
  amount: string,
  { currency, date = "2026-11-16", outbound = false }: {
    readonly currency?: string
    readonly date?: string
    readonly outbound?: boolean
  } = {},
) {
  const { call, load } = yield* World
  const row = [...yield* paymentRow(key, amount)]
  const set = (column: string, cell: string) => row[paymentColumns.indexOf(column)] = cell
  if (currency !== undefined) set("currency_id/id", `base.${currency}`)
  if (outbound) set("payment_type", "outbound")
  set("date", date)
  const id = first(yield* load("account.payment", paymentColumns, [row]))
  yield* call("account.payment", "action_post", { ids: [id] })
  return id
})

/** A journal entry: `[account, debit, credit]`, or with the amount in a currency instead. */
const entry = Effect.fnUntraced(function* (
  key: string,
  items: ReadonlyArray<
    readonly [account: number, debit: string, credit: string] | readonly [account: number, amount: string]
  >,
  { currency, date = "2026-11-20", of }: { readonly currency?: string; readonly date?: string; readonly of?: string } =
    {},
) {
  const { load, xid } = yield* World
  const { misc } = yield* books
  const head = {
    id: xid("journal-entries", key),
    move_type: "entry",
    date,
    ref: key,
    "journal_id/.id": String(misc),
    ...(of !== undefined && { "reversed_entry_id/id": of }),
  }
  const names = currency === undefined ? ["debit", "credit"] : ["currency_id/id", "amount_currency"]
  const columns = ["id", "name", "account_id/.id", "partner_id/id", ...names].map((name) => `line_ids/${name}`)
  const rows = items.map(([account, ...amounts], at) => [
    ...Object.values(head).map((cell) => at === 0 ? cell : ""),
    xid("journal-entries", `${key}.line-${at}`),
    "Item",
    String(account),
    xid("customers", "C-0"),
    ...(currency === undefined ? amounts : [`base.${currency}`, ...amounts]),
  ])
  return first(yield* load("account.move", [...Object.keys(head), ...columns], rows))
})

const itemsOf = Effect.fnUntraced(function* (move: number, ...more: ReadonlyArray<readonly [string, string, Json]>) {
  const { search } = yield* World
  return yield* search("account.move.line", [["move_id", "=", move], ...more], ...lineFields)
})

const match = Effect.fnUntraced(function* (...lines: ReadonlyArray<Record>) {
  const { call } = yield* World
  assert.isNull(yield* call("account.move.line", "reconcile", { ids: lines.map(({ id }) => id) }))
})

const amounts = (record: Record, ...fields: ReadonlyArray<string>): ReadonlyArray<Json | undefined> =>
  fields.map((field) => typeof record[field] === "number" ? Number(Number(record[field]).toFixed(3)) : record[field])

export const moneySentences = (it: It): void => {
  it.effect("a rate is made once, one per currency, company and day, and can be changed", () =>
    Effect.gen(function* () {
      const { company, load, read, search, xid } = yield* World
      yield* rates
      const day = `20${10 + Math.floor(Math.random() * 15)}-01-${
        String(1 + Math.floor(Math.random() * 28)).padStart(2, "0")
      }`
      const row = [xid("exchange-rates", day), day, "base.USD", String(company.id), "1.05"]
      const known = yield* search("res.currency.rate", [["name", "=", day], ["company_id", "=", company.id]], "name")
      if (known.length > 0) return
      const [id = 0] = yield* load("res.currency.rate", rateColumns, [row])
      assert.deepStrictEqual(yield* load("res.currency.rate", rateColumns, [row]), [id])
      const again = yield* refused(
        load("res.currency.rate", rateColumns, [[xid("exchange-rates", "twice"), ...row.slice(1)]]),
      )
      assert.match(again.message, /Only one currency rate per day allowed!/u)
      yield* load("res.currency.rate", ["id", "company_rate"], [[xid("exchange-rates", day), "1.06"]], "upsert")
      assert.deepStrictEqual(amounts(yield* read("res.currency.rate", id, "company_rate"), "company_rate"), [1.06])
    }))

  it.effect("a document in a currency that nobody activated cannot be posted", () =>
    Effect.gen(function* () {
      const { call, load, search } = yield* World
      const chf = yield* search("res.currency", [["name", "=", "CHF"]], "active")
      if (chf.length > 0) return
      const id = yield* foreignInvoice("F-CHF", "CHF", [["1", "10"]])
      const error = yield* refused(call("account.move", "action_post", { ids: [id] }))
      assert.match(error.message, /inactive currency: CHF/u)
      assert.deepStrictEqual((yield* load("res.currency", ["id", "active"], [["base.JPY", "1"]], "upsert")).length, 1)
    }))

  it.effect("amounts are rounded as their currency is counted, and booked at the day's rate", () =>
    Effect.gen(function* () {
      const { company, read } = yield* World
      yield* rates
      const cases = [
        ["JPY", [["1", "10000"], ["3", "333.5"]], 0, "11001", "11000.5", 163.27],
        ["KWD", [["1", "1.234"], ["3", "3.3335"]], 3, "11.235", "11.2345", 0.3321],
        ["USD", [["1", "100"], ["3", "33.335"]], 2, "200.01", "200.005", 1.234567],
      ] as const
      for (const [currency, lines, scale, untaxed, exact, rate] of cases) {
        if (currency === company.currency) continue
        const id = yield* foreignInvoice(`F-${currency}`, currency, lines)
        const move = yield* read(
          "account.move",
          id,
          "amount_untaxed",
          "amount_tax",
          "amount_total",
          "amount_residual",
          "amount_total_signed",
          "invoice_currency_rate",
        )
        const tax = share(exact, company.rate, scale)
        const total = sum3(untaxed, tax, scale)
        assert.deepStrictEqual(
          ["amount_untaxed", "amount_tax", "amount_total", "amount_residual"].map((field) =>
            Number(move[field]).toFixed(scale)
          ),
          [Number(untaxed).toFixed(scale), tax, total, total],
          currency,
        )
        assert.strictEqual(Number(move["invoice_currency_rate"]).toFixed(6), rate.toFixed(6))
        assert.closeTo(Number(move["amount_total_signed"]), Number(exact) * (1 + company.rate / 100) / rate, 0.0101)
      }
      const forced = yield* foreignInvoice("F-forced", "USD", [["1", "100"]], { rate: "1.5" })
      assert.strictEqual(
        cents((yield* read("account.move", forced, "amount_untaxed_signed"))["amount_untaxed_signed"]),
        "66.67",
      )
      const early = yield* foreignInvoice("F-early", "JPY", [["1", "100"]], { date: "2005-01-01" })
      // Before the first rate Odoo takes the first.
      assert.strictEqual((yield* read("account.move", early, "invoice_currency_rate"))["invoice_currency_rate"], 163.27)
    }))

  it.effect("a payment in the invoice's currency settles it to the unit; what rates make of it is an exchange entry", () =>
    Effect.gen(function* () {
      const { read, search } = yield* World
      yield* rates
      const invoice = yield* foreignInvoice("M-1", "USD", [["1", "100"], ["3", "33.335"]])
      yield* post(invoice)
      const [due] = yield* itemsOf(invoice, ["account_type", "=", "asset_receivable"])
      const total = Number(first([due!])["amount_residual_currency"])
      const part = yield* receivable("payment_id", yield* paid("M-1a", "150", { currency: "USD" }))
      yield* match(part, due!)
      const partly = yield* read("account.move", invoice, "payment_state", "amount_residual")
      assert.deepStrictEqual([partly["payment_state"], cents(partly["amount_residual"])], [
        "partial",
        cents(total - 150),
      ])
      const rest = yield* receivable("payment_id", yield* paid("M-1b", (total - 150).toFixed(2), { currency: "USD" }))
      yield* match(rest, due!)
      const settled = yield* read("account.move", invoice, "payment_state", "amount_residual", "amount_residual_signed")
      assert.deepStrictEqual(amounts(settled, "payment_state", "amount_residual", "amount_residual_signed"), [
        "paid",
        0,
        0,
      ])
      const partials = yield* search(
        "account.partial.reconcile",
        [["debit_move_id", "=", due!.id]],
        "amount",
        "debit_amount_currency",
        "exchange_move_id",
      )
      assert.strictEqual(
        cents(partials.reduce((all, one) => all + Number(one["debit_amount_currency"]), 0)),
        cents(total),
      )
      // The rate went from 1.234567 to 1.1: more was received than booked.
      const exchange = idOf(first(partials)["exchange_move_id"])
      const gain = yield* itemsOf(exchange, ["account_type", "!=", "asset_receivable"])
      assert.isAbove(Number(first(gain)["credit"]), 0)
      assert.match(nameOf(first(partials)["exchange_move_id"]), /^EXCH\/\d{4}\/\d{2}\/\d{4}/u)
    }))

  it.effect("a payment that comes to nothing in the company's currency settles its part all the same", () =>
    Effect.gen(function* () {
      const { read } = yield* World
      yield* rates
      const invoice = yield* foreignInvoice("M-3", "KWD", [["1", "10"]])
      yield* post(invoice)
      const [due] = yield* itemsOf(invoice, ["account_type", "=", "asset_receivable"])
      const total = Number(due!["amount_residual_currency"])
      const least = yield* receivable("payment_id", yield* paid("M-3a", "0.001", { currency: "KWD" }))
      yield* match(least, due!)
      const rest = yield* receivable("payment_id", yield* paid("M-3b", (total - 0.001).toFixed(3), { currency: "KWD" }))
      yield* match(rest, due!)
      const settled = yield* read("account.move", invoice, "payment_state", "amount_residual", "amount_residual_signed")
      assert.deepStrictEqual(amounts(settled, "payment_state", "amount_residual", "amount_residual_signed"), [
        "paid",
        0,
        0,
      ])
    }))

  it.effect("a payment in the company's currency pays a foreign invoice at the payment's rate", () =>
    Effect.gen(function* () {
      const { company, read } = yield* World
      yield* rates
      const invoice = yield* foreignInvoice("M-2", "USD", [["1", "100"]])
      yield* post(invoice)
      const [due] = yield* itemsOf(invoice, ["account_type", "=", "asset_receivable"])
      const total = Number(due!["amount_residual_currency"])
      const ours = yield* receivable("payment_id", yield* paid("M-2a", "20", { currency: company.currency }))
      yield* match(ours, due!)
      const partly = yield* read("account.move", invoice, "payment_state", "amount_residual")
      assert.deepStrictEqual([partly["payment_state"], cents(partly["amount_residual"])], [
        "partial",
        cents(total - 22),
      ])
    }))

  it.effect("an entry is made once, posted once, and refused when it is empty or not balanced", () =>
    Effect.gen(function* () {
      const { call, load, read, xid } = yield* World
      const { expense, misc, transfer } = yield* books
      const items = [[expense.id, "500.10", ""], [transfer.id, "", "500.10"]] as const
      const id = yield* entry("J-1", items)
      assert.strictEqual(yield* entry("J-1", items), id)
      const draft = yield* itemsOf(id)
      assert.deepStrictEqual(draft.map((line) => amounts(line, "debit", "credit", "amount_currency")), [
        [500.1, 0, 500.1],
        [0, 500.1, -500.1],
      ])
      assert.strictEqual(yield* call("account.move", "action_post", { ids: [id] }), false)
      assert.deepInclude(yield* read("account.move", id, "state", "date", "move_type"), {
        state: "posted",
        date: "2026-11-20",
        move_type: "entry",
      })
      assert.match(String((yield* read("account.move", id, "name"))["name"]), /^MISC\/2026\/11\/\d{4}$/u)
      assert.match((yield* refused(call("account.move", "action_post", { ids: [id] }))).message, /must be in draft/u)
      assert.strictEqual((yield* refused(call("account.move", "unlink", { ids: [id] }))).code, "ODOO-VALIDATION")
      const unbalanced = yield* refused(entry("J-2", [[expense.id, "5", ""], [transfer.id, "", "4"]]))
      assert.deepStrictEqual([unbalanced.code, unbalanced.message], ["ODOO-VALIDATION", "The entry is not balanced."])
      const [empty = 0] = yield* load("account.move", ["id", "move_type", "date", "journal_id/.id"], [
        [xid("journal-entries", "J-3"), "entry", "2026-11-20", String(misc)],
      ])
      assert.match((yield* refused(call("account.move", "action_post", { ids: [empty] }))).message, /magicians/u)
    }))

  it.effect("the reversal of an entry clears its open items by itself, in future periods too", () =>
    Effect.gen(function* () {
      const { read, xid } = yield* World
      const { income, receivable } = yield* books
      const accrual = yield* entry("J-4", [[receivable.id, "70", ""], [income.id, "", "70"]], { date: "2026-10-31" })
      yield* post(accrual)
      const reversal = yield* entry("J-4r", [[receivable.id, "", "70"], [income.id, "70", ""]], {
        date: "2027-01-01",
        of: xid("journal-entries", "J-4"),
      })
      yield* post(reversal)
      assert.deepInclude(yield* read("account.move", reversal, "state", "date"), {
        state: "posted",
        date: "2027-01-01",
      })
      for (const move of [accrual, reversal]) {
        const [open] = yield* itemsOf(move, ["account_type", "=", "asset_receivable"])
        assert.deepStrictEqual(amounts(open!, "reconciled", "amount_residual"), [true, 0])
      }
    }))

  it.effect("an entry in a foreign currency is booked at the rate of its day", () =>
    Effect.gen(function* () {
      const { company } = yield* World
      if (company.currency === "USD") return
      yield* rates
      const { expense, receivable } = yield* books
      const id = yield* entry("J-5", [[expense.id, "10.01"], [receivable.id, "-10.01"]], { currency: "USD" })
      const items = yield* itemsOf(id)
      // 10.01 / 1.1
      assert.deepStrictEqual(items.map((line) => amounts(line, "debit", "credit", "amount_currency")), [
        [9.1, 0, 10.01],
        [0, 9.1, -10.01],
      ])
    }))

  it.effect("an own entry writes a part of an invoice off", () =>
    Effect.gen(function* () {
      const { read } = yield* World
      const { expense } = yield* books
      const invoice = yield* postedInvoice("W-1", "100")
      const due = yield* receivable("move_id", invoice)
      const total = Number((yield* read("account.move", invoice, "amount_total"))["amount_total"])
      const id = yield* entry("W-1", [[expense.id, "2.55", ""], [idOf(due["account_id"]), "", "2.55"]])
      yield* post(id)
      const [credit] = yield* itemsOf(id, ["account_type", "=", "asset_receivable"])
      yield* match(credit!, due)
      const after = yield* read("account.move", invoice, "payment_state", "amount_residual")
      assert.deepStrictEqual([after["payment_state"], cents(after["amount_residual"])], [
        "partial",
        cents(total - 2.55),
      ])
    }))

  it.effect("an invoice takes its timesheets along in the call that makes it, and never more of them later", () =>
    Effect.gen(function* () {
      const { call, company, load, read, search, xid } = yield* World
      yield* engagement("BL-1")
      const sheets = yield* load("account.analytic.line", timesheetColumns, [
        yield* timesheetRow("BL-1", "BL-1", "2.5"),
        yield* timesheetRow("BL-1", "BL-2", "1.5"),
        yield* timesheetRow("BL-1", "BL-3", "8"),
      ])
      const columns = (by: "id" | ".id") => [
        "id",
        "move_type",
        "partner_id/id",
        "journal_id/.id",
        "invoice_date",
        "payment_reference",
        `timesheet_ids/${by}`,
        "invoice_line_ids/id",
        "invoice_line_ids/name",
        "invoice_line_ids/quantity",
        "invoice_line_ids/price_unit",
        "invoice_line_ids/tax_ids/.id",
        "invoice_line_ids/sale_line_ids/id",
      ]
      const row = (key: string, hours: string, billed: string) => [
        xid("invoices", key),
        "out_invoice",
        xid("customers", "C-0"),
        String(company.sales),
        "2026-11-10",
        key,
        billed,
        xid("invoices", `${key}.line-1`),
        "Hours",
        hours,
        "150.50",
        String(company.tax),
        xid("engagements", "BL-1.line-1"),
      ]
      const billed = `${sheets[0]},${sheets[1]}`
      const [id = 0] = yield* load("account.move", columns(".id"), [row("BL-1", "4", billed)])
      assert.deepStrictEqual(
        yield* load("account.move", columns(".id"), [row("BL-1", "12", `${billed},${sheets[2]}`)]),
        [id],
      )
      const linked = yield* search("account.analytic.line", [["id", "in", sheets]], "timesheet_invoice_id")
      assert.deepStrictEqual(linked.map((sheet) => idOf(sheet["timesheet_invoice_id"])), [id, id, 0])
      const [line = 0] = yield* load("sale.order.line", ["id"], [[xid("engagements", "BL-1.line-1")]])
      assert.deepStrictEqual(amounts(yield* read("sale.order.line", line, "qty_to_invoice"), "qty_to_invoice"), [8])
      const open = yield* search(
        "account.analytic.line",
        [["so_line", "=", line], ["timesheet_invoice_id", "=", false], ["date", "<=", "2026-11-03"]],
        "unit_amount",
      )
      assert.deepStrictEqual(open.map((sheet) => sheet.id), [sheets[2]])
      const locked = yield* refused(
        call("account.analytic.line", "write", { ids: [sheets[0]!], args: { vals: { unit_amount: 1 } } }),
      )
      assert.match(locked.message, /already invoiced/u)
      const wrong = yield* refused(load("account.move", columns("id"), [row("BL-2", "1", xid("timesheets", "nope"))]))
      assert.strictEqual(wrong.code, "ODOO-VALIDATION")
      const [other = 0] = yield* load("account.move", columns("id"), [row("BL-3", "8", xid("timesheets", "BL-3"))])
      assert.strictEqual(
        idOf((yield* read("account.analytic.line", sheets[2]!, "timesheet_invoice_id"))["timesheet_invoice_id"]),
        other,
      )
      yield* call("account.move", "unlink", { ids: [other] })
      assert.strictEqual(
        (yield* read("account.analytic.line", sheets[2]!, "timesheet_invoice_id"))["timesheet_invoice_id"],
        false,
      )
      const mine = yield* search(
        "account.move",
        [["payment_reference", "=", "BL-1"], ["move_type", "=", "out_invoice"], ["id", "=", id]],
        "state",
      )
      assert.deepStrictEqual(mine.map(({ state }) => state), ["draft"])
    }))

  it.effect("a credit note is matched by itself; it frees its order line's timesheets but those set aside", () =>
    Effect.gen(function* () {
      const { call, company, load, read, search, xid } = yield* World
      yield* engagement("BL-4")
      const sheets = yield* load("account.analytic.line", timesheetColumns, [
        yield* timesheetRow("BL-4", "BL-4a", "3"),
        yield* timesheetRow("BL-4", "BL-4b", "1"),
      ])
      const { id: invoice } = yield* draftInvoice("BL-4", [["4", "100"]], xid("engagements", "BL-4.line-1"))
      const link = (ids: ReadonlyArray<number>, to: number) =>
        call("account.analytic.line", "write", { ids, args: { vals: { timesheet_invoice_id: to } } })
      yield* link(sheets, invoice)
      yield* post(invoice)
      const columns = [
        "id",
        "move_type",
        "partner_id/id",
        "journal_id/.id",
        "invoice_date",
        "ref",
        "reversed_entry_id/id",
        "invoice_line_ids/id",
        "invoice_line_ids/name",
        "invoice_line_ids/quantity",
        "invoice_line_ids/price_unit",
        "invoice_line_ids/tax_ids/.id",
        "invoice_line_ids/sale_line_ids/id",
      ]
      const row = [
        xid("credit-notes", "BL-4"),
        "out_refund",
        xid("customers", "C-0"),
        String(company.sales),
        "2026-11-12",
        "BL-4",
        xid("invoices", "BL-4"),
        xid("credit-notes", "BL-4.line-1"),
        "Back",
        "1",
        "100",
        String(company.tax),
        xid("engagements", "BL-4.line-1"),
      ]
      const [note = 0] = yield* load("account.move", columns, [row])
      // The hours that stay billed are set aside on the note until it is posted.
      yield* link([sheets[0]!], note)
      yield* post(note)
      yield* link([sheets[0]!], invoice)
      const after = yield* search("account.analytic.line", [["id", "in", sheets]], "timesheet_invoice_id")
      assert.deepStrictEqual(after.map((sheet) => idOf(sheet["timesheet_invoice_id"])), [invoice, 0])
      assert.deepStrictEqual(yield* load("account.move", columns, [row]), [note])
      const credit = cents((yield* read("account.move", note, "amount_total"))["amount_total"])
      assert.strictEqual(credit, sum("100.00", share("100", company.rate)))
      assert.match(String((yield* read("account.move", note, "name"))["name"]), /^RINV\/2026\/\d{5}$/u)
      const left = yield* read("account.move", invoice, "payment_state", "amount_residual", "amount_total")
      assert.deepStrictEqual(
        [left["payment_state"], cents(left["amount_residual"])],
        ["partial", cents(Number(left["amount_total"]) - Number(credit))],
      )
      const [line = 0] = yield* load("sale.order.line", ["id"], [[xid("engagements", "BL-4.line-1")]])
      assert.deepStrictEqual(
        amounts(
          yield* read("sale.order.line", line, "qty_invoiced", "qty_to_invoice"),
          "qty_invoiced",
          "qty_to_invoice",
        ),
        [3, 1],
      )
      const notes = yield* search(
        "account.move",
        [["reversed_entry_id", "=", invoice], ["state", "=", "posted"]],
        "name",
      )
      assert.deepStrictEqual(notes.map(({ id }) => id), [note])
    }))

  it.effect("a posted line of an engagement is an analytic line too, of no project, until it is taken back", () =>
    Effect.gen(function* () {
      const { call, search, xid } = yield* World
      const { analytic } = yield* engagement("BL-20")
      const { id } = yield* draftInvoice("BL-20", [["2", "100"]], xid("engagements", "BL-20.line-1"))
      const booked = search(
        "account.analytic.line",
        [["move_line_id.move_id", "=", id]],
        "amount",
        "unit_amount",
        "project_id",
        "account_id",
        "so_line",
      )
      assert.deepStrictEqual(yield* booked, [])
      yield* post(id)
      const [line, ...others] = yield* booked
      assert.deepStrictEqual([others, amounts(line!, "amount", "unit_amount", "project_id", "so_line")], [
        [],
        [200, 2, false, false],
      ])
      assert.strictEqual(idOf(line!["account_id"]), analytic)
      yield* call("account.move", "button_draft", { ids: [id] })
      assert.deepStrictEqual(yield* booked, [])
    }))

  it.effect("an invoice that is credited whole is reversed", () =>
    Effect.gen(function* () {
      const { read, xid } = yield* World
      const invoice = yield* postedInvoice("BL-5", "100")
      const currency = (yield* World).company.currency
      const note = yield* foreignInvoice("BL-5n", currency, [["1", "100"]], {
        type: "out_refund",
        of: xid("invoices", "BL-5"),
      })
      yield* post(note)
      assert.deepInclude(yield* read("account.move", invoice, "payment_state", "amount_residual"), {
        payment_state: "reversed",
        amount_residual: 0,
      })
      assert.strictEqual((yield* read("account.move", note, "payment_state"))["payment_state"], "paid")
    }))

  it.effect("a credit note is paid out by an outbound payment", () =>
    Effect.gen(function* () {
      const { company, read } = yield* World
      const note = yield* foreignInvoice("BL-6", company.currency, [["1", "75"]], { type: "out_refund" })
      yield* post(note)
      const total = cents((yield* read("account.move", note, "amount_total"))["amount_total"])
      const out = yield* paid("BL-6", total, { outbound: true })
      yield* match(yield* receivable("payment_id", out), yield* receivable("move_id", note))
      assert.deepInclude(yield* read("account.move", note, "payment_state", "amount_residual"), {
        payment_state: "paid",
        amount_residual: 0,
      })
    }))

  it.effect("a bounced payment is taken off its invoices by its own item, and matched with its own way back", () =>
    Effect.gen(function* () {
      const { call, read, search } = yield* World
      const invoices = [yield* postedInvoice("BL-7", "100"), yield* postedInvoice("BL-8", "50")]
      const total = Number((yield* read("account.move", invoices[0]!, "amount_total"))["amount_total"])
      const keeps = yield* receivable("payment_id", yield* postedPayment("BL-7a", "10"))
      yield* match(keeps, yield* receivable("move_id", invoices[0]!))
      const payment = yield* postedPayment("BL-7", String(total - 10 + 1))
      const item = yield* receivable("payment_id", payment)
      for (const invoice of invoices) yield* match(item, yield* receivable("move_id", invoice))
      const matchings = (line: number) =>
        search("account.partial.reconcile", [["credit_move_id", "=", line]], "amount", "debit_move_id")
      assert.strictEqual((yield* matchings(item.id)).length, 2)
      const remove = call("account.move.line", "remove_move_reconcile", { ids: [item.id] })
      assert.isNull(yield* remove)
      assert.isNull(yield* remove)
      const open = yield* Effect.forEach(invoices, (id) => read("account.move", id, "payment_state", "amount_residual"))
      assert.deepStrictEqual(open.map((one) => one["payment_state"]), ["partial", "not_paid"])
      assert.strictEqual(cents(open[0]?.["amount_residual"]), cents(total - 10))
      assert.strictEqual((yield* read("account.payment", payment, "state"))["state"], "in_process")
      const back = yield* paid("BL-7b", String(total - 10 + 1), { outbound: true })
      const theirs = yield* receivable("payment_id", back)
      yield* match(item, theirs)
      assert.deepInclude(yield* read("account.payment", payment, "is_reconciled", "reconciled_invoice_ids"), {
        is_reconciled: true,
        reconciled_invoice_ids: [],
      })
      assert.deepStrictEqual((yield* matchings(item.id)).map((one) => idOf(one["debit_move_id"])), [theirs.id])
    }))

  it.effect("taking a matching back takes its exchange difference back", () =>
    Effect.gen(function* () {
      const { call, read } = yield* World
      yield* rates
      const invoice = yield* foreignInvoice("BL-9", "USD", [["1", "100"]])
      yield* post(invoice)
      const before = yield* read("account.move", invoice, "amount_residual", "amount_residual_signed")
      const [due] = yield* itemsOf(invoice, ["account_type", "=", "asset_receivable"])
      const item = yield* receivable("payment_id", yield* paid("BL-9", "40", { currency: "USD" }))
      yield* match(item, due!)
      yield* call("account.move.line", "remove_move_reconcile", { ids: [item.id] })
      assert.deepStrictEqual(yield* read("account.move", invoice, "amount_residual", "amount_residual_signed"), before)
      const [again] = yield* itemsOf(idOf(item["move_id"]), ["account_type", "=", "asset_receivable"])
      assert.deepStrictEqual(amounts(again!, "amount_residual_currency", "reconciled"), [-40, false])
    }))

  it.effect("a disputed invoice is marked, stays so while it is paid, and goes on where it stands", () =>
    Effect.gen(function* () {
      const { call, read } = yield* World
      const invoice = yield* postedInvoice("BL-10", "100")
      const mark = (payment_state: string) =>
        call("account.move", "write", { ids: [invoice], args: { vals: { payment_state } } })
      const state = Effect.map(read("account.move", invoice, "payment_state"), (move) => move["payment_state"])
      yield* mark("blocked")
      yield* mark("blocked")
      assert.strictEqual(yield* state, "blocked")
      const payment = yield* postedPayment("BL-10", "21")
      yield* match(yield* receivable("payment_id", payment), yield* receivable("move_id", invoice))
      assert.strictEqual(yield* state, "blocked")
      assert.strictEqual((yield* read("account.payment", payment, "state"))["state"], "in_process")
      yield* mark("not_paid")
      assert.strictEqual(yield* state, "partial")
      const rest = yield* postedPayment(
        "BL-10r",
        cents((yield* read("account.move", invoice, "amount_residual"))["amount_residual"]),
      )
      yield* match(yield* receivable("payment_id", rest), yield* receivable("move_id", invoice))
      const stateOfRest = Effect.map(read("account.payment", rest, "state"), (found) => found["state"])
      assert.deepStrictEqual([yield* state, yield* stateOfRest], ["paid", "paid"])
      yield* mark("blocked")
      assert.deepStrictEqual([yield* state, yield* stateOfRest], ["blocked", "in_process"])
      yield* mark("not_paid")
      assert.deepStrictEqual([yield* state, yield* stateOfRest], ["paid", "paid"])
    }))

  it.effect("an own entry settles payments at the bank, with what the provider kept", () =>
    Effect.gen(function* () {
      const { read, search } = yield* World
      const { expense, transfer } = yield* books
      const payments = [yield* postedPayment("BL-11", "100"), yield* postedPayment("BL-12", "50.50")]
      const outstanding = yield* search(
        "account.move.line",
        [["payment_id", "in", payments], ["account_type", "!=", "asset_receivable"]],
        ...lineFields,
      )
      const account = idOf(first(outstanding)["account_id"])
      const settlement = yield* entry("BL-11", [
        [transfer.id, "146.15", ""],
        [expense.id, "4.35", ""],
        [account, "", "100"],
        [account, "", "50.50"],
      ])
      yield* post(settlement)
      const ours = yield* itemsOf(settlement, ["account_id", "=", account])
      yield* match(...outstanding, ...ours)
      for (const id of payments) {
        assert.deepInclude(yield* read("account.payment", id, "state", "is_matched"), {
          state: "paid",
          is_matched: true,
        })
      }
      const after = yield* itemsOf(settlement, ["account_id", "=", account])
      assert.deepStrictEqual(after.map((line) => line["reconciled"]), [true, true])
    }))
}

const sum3 = (a: string, b: string, scale: number): string => (Number(a) + Number(b)).toFixed(scale)
