/**
 * What the peers know of Odoo: JSON-2 calls, and one time line or invoice brought in the way scripts do, looked for and then
 * made, an invoice posted. `JOB` says which.
 */
const { ODOO_KEY, ODOO_URL } = process.env
const headers = {
  authorization: `bearer ${ODOO_KEY}`,
  "content-type": "application/json",
}
const context = { allowed_company_ids: [1] }

export const call = async (model, method, args) => {
  const response = await fetch(`${ODOO_URL}/json/2/${model}/${method}`, {
    method: "POST",
    headers,
    body: JSON.stringify({ ...args, context }),
  })
  const answer = await response.json()
  if (response.status !== 200) {
    throw new Error(`${model}/${method}: ${answer.message}`)
  }
  return answer
}

const employees = new Map()

/** Employees are few: asked for once. */
export const employeeOf = (email) => {
  const known = employees.get(email)
  if (known !== undefined) return known
  const asked = call("hr.employee", "search_read", {
    domain: [["work_email", "=", email]],
    fields: ["id"],
  })
    .then(([employee]) => employee.id)
  employees.set(email, asked)
  return asked
}

export const fields = [
  "date",
  "name",
  "unit_amount",
  "employee_id/.id",
  "project_id/id",
  "task_id/id",
  "so_line/id",
  "is_so_line_edited",
]

export const nameOf = (data) => `${data.key} ${data.description}`

export const rowOf = (data, employee) => {
  const engagement = `weir_be01.engagements_${data.engagement}`
  return [
    data.date,
    nameOf(data),
    data.hours,
    String(employee),
    `${engagement}.project`,
    `${engagement}.task-${data.task}`,
    data.billable ? `${engagement}.line-${data.line}` : "",
    "1",
  ]
}

export const load = async (rows) => {
  const { ids, messages } = await call("account.analytic.line", "load", {
    fields,
    data: rows,
  })
  if (ids === false) throw new Error(messages[0].message)
}

const once = new Map()
/** The one record of a model that a domain names, asked for once. */
const known = (model, domain) => {
  const name = JSON.stringify([model, domain])
  if (!once.has(name)) {
    once.set(name, call(model, "search_read", { domain, fields: ["id"], limit: 1 }).then(([found]) => found.id))
  }
  return once.get(name)
}

/** An invoice as `create` takes it. */
export const invoiceOf = async (data) => ({
  move_type: "out_invoice",
  ref: data.key,
  invoice_date: data.invoiceDate,
  partner_id: await known("res.partner", [["name", "=", "Customer of be01"]]),
  journal_id: await known("account.journal", [["type", "=", "sale"]]),
  invoice_line_ids: await Promise.all(data.lines.map(async (line) => [0, 0, {
    name: line.description,
    quantity: Number(line.quantity),
    price_unit: Number(line.unitPrice),
    tax_ids: [[6, 0, [
      await known("account.tax", [["name", "=", "21%"], ["type_tax_use", "=", "sale"]]),
    ]]],
  }])),
})

const bringInvoice = async ({ data }) => {
  const domain = [["ref", "=", data.key], ["move_type", "=", "out_invoice"]]
  let [invoice] = await call("account.move", "search_read", { domain, fields: ["state"] })
  if (invoice === undefined) {
    const [id] = await call("account.move", "create", { vals_list: [await invoiceOf(data)] })
    invoice = { id, state: "draft" }
  }
  if (invoice.state === "draft") await call("account.move", "action_post", { ids: [invoice.id] })
}

/** One event, as far as its author can tell exactly once: a crash between the two calls and the ack is looked for again. */
const bringTime = async ({ data }) => {
  const employee = await employeeOf(data.consultant)
  const domain = [["name", "=", nameOf(data)]]
  const found = await call("account.analytic.line", "search_read", {
    domain,
    fields: ["id"],
  })
  if (found.length === 0) await load([rowOf(data, employee)])
}

export const bring = process.env.JOB === "invoices" ? bringInvoice : bringTime
