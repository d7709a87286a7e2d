/**
 * What the contract suite of the `Odoo` port works with: a company it found, an entity code of its own, and records as the
 * flows write them.
 */
import { BigDecimal, Context, Effect } from "effect"
import { format, fromOdooFloat } from "../../schemas/money.ts"
import type { Json, Odoo, OdooError } from "../../src/odoo/Odoo.ts"

/** What a run is made over: the port for the technical user, for a user with few rights, and with a wrong key. */
export interface Target {
  readonly odoo: Odoo["Service"]
  readonly low: Odoo["Service"]
  readonly wrongKey: Odoo["Service"]
}

export interface Company {
  readonly id: number
  readonly currency: string
  readonly sales: number
  readonly bank: number
  readonly tax: number
  /** In percent. */
  readonly rate: number
}

export type Record = { readonly id: number; readonly [field: string]: Json }
export type Row = ReadonlyArray<string>

export const database = "main"
export const skip = { mode: "update", noupdate: true } as const

export class World extends Context.Service<World, {
  readonly target: Target
  readonly entity: string
  readonly company: Company
  readonly other: Company
  /** `weir_<entity>.<flow>_<key>` */
  readonly xid: (flow: string, key: string) => string
  readonly call: (model: string, method: string, input?: Input) => Effect.Effect<Json, OdooError>
  /** Create-or-skip; `upsert`: default mode. Gives the ids. */
  readonly load: (
    model: string,
    fields: ReadonlyArray<string>,
    data: ReadonlyArray<ReadonlyArray<Json>>,
    upsert?: "upsert",
  ) => Effect.Effect<ReadonlyArray<number>, OdooError>
  readonly read: (model: string, id: number, ...fields: ReadonlyArray<string>) => Effect.Effect<Record, OdooError>
  readonly search: (
    model: string,
    domain: ReadonlyArray<Json>,
    ...fields: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyArray<Record>, OdooError>
  readonly employee: number
}>()("test/odoo/World") {}

export interface Input {
  readonly ids?: ReadonlyArray<number>
  readonly args?: { readonly [name: string]: Json }
  readonly context?: { readonly [name: string]: Json }
}

export const makeWorld = Effect.fnUntraced(function* (target: Target) {
  const entity = `t${Date.now().toString(36)}`
  const bare = (model: string, domain: ReadonlyArray<Json>, fields: ReadonlyArray<string>, company?: number) =>
    target.odoo.call({
      database,
      model,
      method: "search_read",
      args: { domain, fields, order: "id" },
      ...(company !== undefined && { context: { allowed_company_ids: [company] } }),
    }).pipe(Effect.map((answer) => answer as ReadonlyArray<Record>))

  const companies: Array<Company> = []
  for (const { currency_id, id } of yield* bare("res.company", [], ["currency_id"])) {
    const journals = yield* bare("account.journal", [["company_id", "=", id]], ["type"], id)
    const taxes = yield* bare(
      "account.tax",
      [["company_id", "=", id], ["type_tax_use", "=", "sale"], ["amount_type", "=", "percent"], ["amount", ">", 0]],
      ["amount", "price_include"],
      id,
    )
    const sales = journals.find((one) => one["type"] === "sale")?.id
    const bank = journals.find((one) => one["type"] === "bank")?.id
    const tax = taxes.find((one) => one["price_include"] === false)
    if (sales === undefined || bank === undefined || tax === undefined) continue
    companies.push({ id, currency: nameOf(currency_id), sales, bank, tax: tax.id, rate: Number(tax["amount"]) })
  }
  const company = companies.find((one) => one.currency === "EUR") ?? companies[0]
  const other = companies.find((one) => one.id !== company?.id)
  if (company === undefined || other === undefined) {
    return yield* Effect.die(
      new Error(
        "The contract suite needs two companies with a sales journal, a bank journal and a sales tax in percent.",
      ),
    )
  }

  const call = (model: string, method: string, { args, context, ids }: Input = {}) =>
    target.odoo.call({
      database,
      model,
      method,
      context: { allowed_company_ids: [company.id], ...context },
      ...(ids !== undefined && { ids }),
      ...(args !== undefined && { args }),
    })
  const load = (
    model: string,
    fields: ReadonlyArray<string>,
    data: ReadonlyArray<ReadonlyArray<Json>>,
    upsert?: "upsert",
  ) =>
    call(model, "load", { args: { fields, data }, ...(upsert === undefined && { context: skip }) }).pipe(
      Effect.map((answer) => (answer as { readonly ids: ReadonlyArray<number> }).ids),
    )
  const xid = (flow: string, key: string) => `weir_${entity}.${flow}_${key}`
  const search = (model: string, domain: ReadonlyArray<Json>, ...fields: ReadonlyArray<string>) =>
    call(model, "search_read", { args: { domain, fields, order: "id" } }).pipe(
      Effect.map((answer) => answer as ReadonlyArray<Record>),
    )
  const read = (model: string, id: number, ...fields: ReadonlyArray<string>) =>
    call(model, "read", { ids: [id], args: { fields } }).pipe(
      Effect.map((answer) => first(answer as ReadonlyArray<Record>)),
    )

  // What all flows build on.
  const [employee = 0] = yield* load("hr.employee", ["id", "name", "work_email", "company_id/.id"], [
    [xid("seed", "employee"), "Consultant", `${entity}@example.test`, String(company.id)],
  ])
  yield* load("product.product", productColumns, [
    [xid("seed", "time"), "Time", "service", "delivery", "timesheet", "no", "no", "uom.product_uom_hour", "0"],
    [xid("seed", "fixed"), "Fixed", "service", "order", "manual", "no", "no", "uom.product_uom_unit", "0"],
  ])
  yield* load("res.partner", ["id", "name", "is_company", "ref", "company_id/.id", "country_id/id"], [
    [xid("customers", "C-0"), "Customer 0", "1", `${entity}-C-0`, String(company.id), "base.be"],
  ], "upsert")
  return World.of({ target, entity, company, other, xid, call, load, read, search, employee })
})

export const productColumns = [
  "id",
  "name",
  "type",
  "invoice_policy",
  "service_type",
  "service_tracking",
  "expense_policy",
  "uom_id/id",
  "list_price",
]

/** An engagement as its flow writes it, with two lines of 100 × 150.50 and 1 × 5000; the order is still a draft. */
export const draftOrder = Effect.fnUntraced(function* (key: string) {
  const { company, load, xid } = yield* World
  const [analytic] = yield* load(
    "account.analytic.account",
    ["id", "name", "code", "plan_id/id", "partner_id/id", "company_id/.id"],
    [[
      xid("engagements", `${key}.analytic`),
      key,
      key,
      "analytic.analytic_plan_projects",
      xid("customers", "C-0"),
      String(company.id),
    ]],
  )
  const [project] = yield* load(
    "project.project",
    [
      "id",
      "name",
      "partner_id/id",
      "company_id/.id",
      "account_id/id",
      "allow_billable",
      "allow_timesheets",
      "allow_milestones",
    ],
    [[
      xid("engagements", `${key}.project`),
      key,
      xid("customers", "C-0"),
      String(company.id),
      xid("engagements", `${key}.analytic`),
      "1",
      "1",
      "1",
    ]],
  )
  const rows: ReadonlyArray<Row> = [
    [
      xid("engagements", key),
      xid("customers", "C-0"),
      String(company.id),
      `base.${company.currency}`,
      xid("engagements", `${key}.project`),
      key,
      xid("engagements", `${key}.line-1`),
      xid("seed", "time"),
      "Senior",
      "100",
      "150.50",
      String(company.tax),
    ],
    [
      "",
      "",
      "",
      "",
      "",
      "",
      xid("engagements", `${key}.line-2`),
      xid("seed", "fixed"),
      "Fee",
      "1",
      "5000",
      String(company.tax),
    ],
  ]
  const [order = 0] = yield* load("sale.order", orderColumns, rows)
  return { analytic, project, order, rows }
})

export const orderColumns = [
  "id",
  "partner_id/id",
  "company_id/.id",
  "currency_id/id",
  "project_id/id",
  "client_order_ref",
  "order_line/id",
  "order_line/product_id/id",
  "order_line/name",
  "order_line/product_uom_qty",
  "order_line/price_unit",
  "order_line/tax_ids/.id",
]

/** The same, confirmed, with a task on its first line. */
export const engagement = Effect.fnUntraced(function* (key: string) {
  const { call, load, xid } = yield* World
  const made = yield* draftOrder(key)
  yield* call("sale.order", "action_confirm", { ids: [made.order] })
  const [task = 0] = yield* load("project.task", ["id", "name", "project_id/id", "sale_line_id/id"], [
    [
      xid("engagements", `${key}.task-1`),
      "Task",
      xid("engagements", `${key}.project`),
      xid("engagements", `${key}.line-1`),
    ],
  ])
  return { ...made, task }
})

export const timesheetColumns = [
  "id",
  "date",
  "name",
  "unit_amount",
  "employee_id/.id",
  "project_id/id",
  "task_id/id",
  "so_line/id",
  "is_so_line_edited",
]

export const timesheetRow = Effect.fnUntraced(function* (of: string, key: string, hours: string) {
  const { employee, xid } = yield* World
  const part = (name: string) => xid("engagements", `${of}.${name}`)
  return [
    xid("timesheets", key),
    "2026-11-03",
    "work",
    hours,
    String(employee),
    part("project"),
    part("task-1"),
    part("line-1"),
    "1",
  ]
})

/** Draft invoice with lines `[quantity, price]`; `line`: the order line that they bill. */
export const draftInvoice = Effect.fnUntraced(function* (
  key: string,
  lines: ReadonlyArray<readonly [quantity: string, price: string]>,
  line?: string,
) {
  const { company, load, xid } = yield* World
  const columns = [
    "id",
    "move_type",
    "partner_id/id",
    "journal_id/.id",
    "currency_id/id",
    "invoice_date",
    "invoice_date_due",
    "ref",
    "payment_reference",
    "invoice_line_ids/id",
    "invoice_line_ids/name",
    "invoice_line_ids/quantity",
    "invoice_line_ids/price_unit",
    "invoice_line_ids/tax_ids/.id",
    ...(line === undefined ? [] : ["invoice_line_ids/sale_line_ids/id"]),
  ]
  const head = [
    xid("invoices", key),
    "out_invoice",
    xid("customers", "C-0"),
    String(company.sales),
    `base.${company.currency}`,
    "2026-11-10",
    "2026-12-10",
    key,
    key,
  ]
  const rows = (lines.length === 0 ? [["", ""] as const] : lines).map(([quantity, price], at) => [
    ...(at === 0 ? head : head.map(() => "")),
    ...(lines.length === 0
      ? ["", "", "", "", ""]
      : [xid("invoices", `${key}.line-${at}`), "Line", quantity, price, String(company.tax)]),
    ...(line === undefined ? [] : [line]),
  ])
  const [id = 0] = yield* load("account.move", columns, rows)
  return { id, columns, rows }
})

export const postedInvoice = Effect.fnUntraced(function* (key: string, price: string) {
  const { call } = yield* World
  const { id } = yield* draftInvoice(key, [["1", price]])
  yield* call("account.move", "action_post", { ids: [id] })
  return id
})

export const paymentColumns = [
  "id",
  "payment_type",
  "partner_type",
  "partner_id/id",
  "amount",
  "currency_id/id",
  "date",
  "journal_id/.id",
  "memo",
  "payment_reference",
]

export const paymentRow = Effect.fnUntraced(function* (key: string, amount: string, journal?: number) {
  const { company, xid } = yield* World
  return [
    xid("payments", key),
    "inbound",
    "customer",
    xid("customers", "C-0"),
    amount,
    `base.${company.currency}`,
    "2026-11-16",
    String(journal ?? company.bank),
    `wire ${key}`,
    key,
  ]
})

export const postedPayment = Effect.fnUntraced(function* (key: string, amount: string) {
  const { call, load } = yield* World
  const [id = 0] = yield* load("account.payment", paymentColumns, [yield* paymentRow(key, amount)])
  yield* call("account.payment", "action_post", { ids: [id] })
  return id
})

/** The open receivable item of an invoice or of a payment's entry. */
export const receivable = Effect.fnUntraced(function* (field: "move_id" | "payment_id", id: number) {
  const { search } = yield* World
  return first(
    yield* search(
      "account.move.line",
      [[field, "in", [id]], ["account_type", "=", "asset_receivable"], ["parent_state", "=", "posted"]],
      "amount_residual",
      "reconciled",
      "account_id",
      "move_id",
    ),
  )
})

/** Fails the test when the call succeeds. */
export const refused = (call: Effect.Effect<unknown, OdooError, World>) =>
  Effect.flatMap(
    Effect.result(call),
    (result) =>
      result._tag === "Failure"
        ? Effect.succeed(result.failure)
        : Effect.die(new Error(`the call was not refused: ${JSON.stringify(result.success)}`)),
  )

export const nameOf = (value: Json | undefined): string => (Array.isArray(value) ? String(value[1]) : "")
export const idOf = (value: Json | undefined): number => (Array.isArray(value) ? Number(value[0]) : 0)
export const first = <A>(items: ReadonlyArray<A>): A => {
  const [item] = items
  if (item === undefined) throw new Error("expected a record, found none")
  return item
}
export const cents = (value: Json | undefined): string => format(fromOdooFloat(Number(value), 6), 2)
/** `percent` of `amount`, exact, to `scale` decimals. */
export const share = (amount: string, percent: number, scale = 2): string =>
  format(
    BigDecimal.multiply(BigDecimal.fromStringUnsafe(amount), BigDecimal.fromStringUnsafe(String(percent / 100))),
    scale,
  )
export const sum = (...amounts: ReadonlyArray<string>): string =>
  format(BigDecimal.sumAll(amounts.map((one) => BigDecimal.fromStringUnsafe(one))), 2)
