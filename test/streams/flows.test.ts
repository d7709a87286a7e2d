import { assert, describe, it } from "@effect/vitest"
import { BigDecimal, Schema } from "effect"
import { catalog } from "../../streams/catalog.ts"
import { countryOf } from "../../streams/codes.ts"
import type { EventSpec } from "../../src/flow/Flow.ts"
import type { Row, Step } from "../../src/flow/Step.ts"
import type { Write } from "../../src/flow/Write.ts"
import type { Mapping } from "../../src/ledger/Ledger.ts"
import { company, customer, engagement, invoice, payment, timesheet } from "./samples.ts"

const specOf = (type: string): EventSpec<unknown> => {
  const spec = catalog.flatMap((flow) => flow.events).find((candidate) => candidate.type === type)
  if (spec === undefined) throw new Error(`no spec of ${type}`)
  return spec
}

const mapping = (model: string, id: number): Mapping => ({
  model,
  id,
  externalId: `weir_be01.x${id}`,
  version: 1,
  links: {},
})

/** A write as the engine would hand it to the steps. */
const writeOf = (type: string, wire: unknown, known: Partial<Write<unknown>> = {}): Write<unknown> => {
  const spec = specOf(type)
  const data = Schema.decodeUnknownSync(spec.schema)(wire)
  return { data, key: spec.key(data), company, references: [], previous: null, ids: {}, read: {}, ...known }
}

const stepOf = (type: string, name: string): Step<unknown> => {
  const step = specOf(type).plan.find((candidate) => candidate.name === name)
  if (step === undefined) throw new Error(`no step ${name} of ${type}`)
  return step
}

const rowsOf = (type: string, name: string, write: Write<unknown>) => {
  const step = stepOf(type, name)
  if (step._tag !== "Load") throw new Error(`${name} is no load step`)
  return step.rows(write)
}

const outline = (type: string): ReadonlyArray<string> =>
  specOf(type).plan.map((step) =>
    [step._tag, step.name, "model" in step ? step.model : "", "mode" in step ? step.mode : ""].filter(Boolean).join(" ")
  )

const coordinates = (type: string, wire: unknown) => {
  const spec = specOf(type)
  const data = Schema.decodeUnknownSync(spec.schema)(wire)
  return {
    key: spec.key(data),
    parents: spec.parents(data),
    references: spec.references(data),
    versions: spec.versions,
  }
}

describe("customer.upserted", () => {
  const type = "customer.upserted"

  it("is ordered by its customer, gated by version, and needs nothing before it", () => {
    assert.deepStrictEqual(coordinates(type, customer), {
      key: "CUS-0042",
      parents: ["customer:CUS-0042"],
      references: [],
      versions: "gate",
    })
    assert.deepStrictEqual(outline(type), ["Load partner res.partner upsert"])
  })

  it("writes the columns that the source owns", () => {
    assert.deepStrictEqual(rowsOf(type, "partner", writeOf(type, customer)), {
      externalId: "weir_be01.customers_CUS-0042",
      values: {
        name: "Delft Marine BV",
        is_company: true,
        ref: "CUS-0042",
        "company_id/.id": "3",
        "country_id/id": "base.be",
        street: "Kaai 1",
        city: "Brussel",
        zip: "1000",
        vat: "BE0477472701",
        email: "accounts@delft-marine.example",
        phone: "+32 2 123 45 67",
      },
    })
  })

  it("leaves out what the source does not know, so that Odoo keeps it", () => {
    const sparse = { key: "C1", name: "Ada", kind: "person", address: { country: "GB" }, reference: "ada-1" }
    assert.deepStrictEqual(rowsOf(type, "partner", writeOf(type, sparse)), {
      externalId: "weir_be01.customers_C1",
      values: { name: "Ada", is_company: false, ref: "ada-1", "company_id/.id": "3", "country_id/id": "base.uk" },
    })
  })

  it("names countries as Odoo does", () => {
    assert.deepStrictEqual(["BE", "GB", "US"].map(countryOf), ["base.be", "base.uk", "base.us"])
  })
})

describe("engagement.activated", () => {
  const type = "engagement.activated"

  it("waits for its customer and locks customer and engagement", () => {
    assert.deepStrictEqual(coordinates(type, engagement), {
      key: "ENG-7",
      parents: ["customer:CUS-0042", "engagement:ENG-7"],
      references: [{ flow: "customers", key: "CUS-0042" }],
      versions: "once",
    })
  })

  it("confirms the order before anything names its lines", () => {
    assert.deepStrictEqual(outline(type), [
      "Load analytic account.analytic.account create",
      "Load project project.project create",
      "Load order sale.order create",
      "Transition confirm sale.order",
      "Load milestones project.milestone create",
      "Load tasks project.task create",
    ])
    const confirm = stepOf(type, "confirm")
    assert.deepInclude(confirm, { of: "order", method: "action_confirm", field: "state", from: ["draft", "sent"] })
  })

  it("writes analytic account and project", () => {
    const write = writeOf(type, engagement)
    assert.deepStrictEqual(rowsOf(type, "analytic", write), {
      externalId: "weir_be01.engagements_ENG-7.analytic",
      values: {
        name: "Fleet planning",
        code: "ENG-7",
        "plan_id/id": "analytic.analytic_plan_projects",
        "partner_id/id": "weir_be01.customers_CUS-0042",
        "company_id/.id": "3",
      },
    })
    assert.deepStrictEqual(rowsOf(type, "project", write), {
      externalId: "weir_be01.engagements_ENG-7.project",
      values: {
        name: "Fleet planning",
        "partner_id/id": "weir_be01.customers_CUS-0042",
        "company_id/.id": "3",
        "account_id/id": "weir_be01.engagements_ENG-7.analytic",
        allow_billable: true,
        allow_timesheets: true,
        allow_milestones: true,
        date_start: "2026-10-01",
        date: "2026-12-31",
      },
    })
  })

  it("writes the order with a product per kind of billing, each line with an external id of its own", () => {
    assert.deepStrictEqual(rowsOf(type, "order", writeOf(type, engagement)), {
      externalId: "weir_be01.engagements_ENG-7",
      values: {
        "partner_id/id": "weir_be01.customers_CUS-0042",
        "company_id/.id": "3",
        "project_id/id": "weir_be01.engagements_ENG-7.project",
        client_order_ref: "ENG-7",
      },
      lines: {
        field: "order_line",
        rows: [
          {
            externalId: "weir_be01.engagements_ENG-7.line-senior",
            values: {
              "product_id/id": "weir.product_time",
              name: "Senior consultant",
              product_uom_qty: "160",
              price_unit: "125.5",
              "tax_ids/.id": "9",
            },
          },
          {
            externalId: "weir_be01.engagements_ENG-7.line-setup",
            values: {
              "product_id/id": "weir.product_milestones",
              name: "Setup",
              product_uom_qty: "1",
              price_unit: "5000",
              "tax_ids/.id": "14",
            },
          },
        ],
      },
    })
  })

  it("writes milestones and tasks on the lines they release and deliver", () => {
    const write = writeOf(type, engagement)
    assert.deepStrictEqual(rowsOf(type, "milestones", write), [{
      externalId: "weir_be01.engagements_ENG-7.milestone-go-live",
      values: {
        name: "Go live",
        "project_id/id": "weir_be01.engagements_ENG-7.project",
        "sale_line_id/id": "weir_be01.engagements_ENG-7.line-setup",
        quantity_percentage: "0.4",
      },
    }])
    assert.deepStrictEqual(rowsOf(type, "tasks", write), [
      {
        externalId: "weir_be01.engagements_ENG-7.task-design",
        values: {
          name: "Design",
          "project_id/id": "weir_be01.engagements_ENG-7.project",
          "sale_line_id/id": "weir_be01.engagements_ENG-7.line-senior",
        },
      },
      {
        externalId: "weir_be01.engagements_ENG-7.task-steering",
        values: { name: "Steering", "project_id/id": "weir_be01.engagements_ENG-7.project" },
      },
    ])
    const bare = writeOf(type, { ...engagement, tasks: [], milestones: [] })
    assert.deepStrictEqual([rowsOf(type, "milestones", bare), rowsOf(type, "tasks", bare)], [[], []])
  })

  it("is refused when the entity maps no such tax, by code and entity, before anything is written", () => {
    const wire = { ...engagement, lines: [{ ...engagement.lines[0], taxCode: "S99" }], tasks: [], milestones: [] }
    for (const step of ["analytic", "order"]) {
      assert.deepStrictEqual(rowsOf(type, step, writeOf(type, wire)), {
        code: "MAPPING-MISSING",
        detail: "entity be01 maps no tax code S99: add it to entities.be01.taxes in weir.json",
      })
    }
  })

  it("is refused in another currency than the company's, which Odoo would silently change", () => {
    assert.deepStrictEqual(rowsOf(type, "analytic", writeOf(type, { ...engagement, currency: "USD" })), {
      code: "MAPPING-MISSING",
      detail: "entity be01 takes orders in EUR only, engagement ENG-7 is in USD",
    })
  })

  it("tells which records it made", () => {
    const write = writeOf(type, engagement, {
      ids: { order: 5, project: 6 },
      read: { confirm: { name: "S00005" } },
    })
    assert.deepStrictEqual(specOf(type).outcomes?.(write), [{
      type: "engagement.provisioned",
      data: { engagement: "ENG-7", order: "S00005", orderId: 5, projectId: 6 },
    }])
  })
})

describe("timesheet.approved", () => {
  const type = "timesheet.approved"

  it("waits for its engagement and locks it", () => {
    assert.deepStrictEqual(coordinates(type, timesheet), {
      key: "T-1",
      parents: ["engagement:ENG-7"],
      references: [{ flow: "engagements", key: "ENG-7" }],
      versions: "once",
    })
    assert.deepStrictEqual(outline(type), ["Find employee hr.employee", "Load line account.analytic.line create"])
  })

  it("finds the employee by work e-mail", () => {
    const step = stepOf(type, "employee")
    assert.strictEqual(step._tag === "Find" ? step.value(writeOf(type, timesheet)) : "", "c01@be01.example.test")
    assert.deepInclude(step, { model: "hr.employee", field: "work_email" })
  })

  it("writes the line on project, task and order line, the order line chosen for good", () => {
    assert.deepStrictEqual(rowsOf(type, "line", writeOf(type, timesheet, { ids: { employee: 77 } })), {
      externalId: "weir_be01.timesheets_T-1",
      values: {
        date: "2026-10-05",
        name: "Design of the fleet model",
        unit_amount: "7.25",
        "employee_id/.id": "77",
        "project_id/id": "weir_be01.engagements_ENG-7.project",
        "task_id/id": "weir_be01.engagements_ENG-7.task-design",
        "so_line/id": "weir_be01.engagements_ENG-7.line-senior",
        is_so_line_edited: true,
      },
    })
  })

  it("keeps unbillable time off every order line", () => {
    const { task: _, ...loose } = timesheet
    const row = rowsOf(type, "line", writeOf(type, { ...loose, billable: false }, { ids: { employee: 77 } }))
    assert.deepStrictEqual((row as Row).values, {
      date: "2026-10-05",
      name: "Design of the fleet model",
      unit_amount: "7.25",
      "employee_id/.id": "77",
      "project_id/id": "weir_be01.engagements_ENG-7.project",
      "task_id/id": "",
      "so_line/id": "",
      is_so_line_edited: true,
    })
  })
})

describe("invoice.requested", () => {
  const type = "invoice.requested"

  it("waits for customer and engagement and locks both, and itself", () => {
    assert.deepStrictEqual(coordinates(type, invoice), {
      key: "INV-1",
      parents: ["customer:CUS-0042", "invoice:INV-1", "engagement:ENG-7"],
      references: [{ flow: "customers", key: "CUS-0042" }, { flow: "engagements", key: "ENG-7" }],
      versions: "once",
    })
  })

  it("compares before it posts, and posts one call at a time per journal", () => {
    assert.deepStrictEqual(outline(type), [
      "Load invoice account.move create",
      "Compare totals account.move",
      "Transition post account.move",
    ])
    const post = stepOf(type, "post")
    assert.deepInclude(post, { method: "action_post", from: ["draft"], to: ["posted"], posts: true })
    assert.strictEqual(
      post._tag === "Transition" ? post.lock?.(writeOf(type, invoice)) : undefined,
      "journal:main:13",
    )
  })

  it("writes the draft with its business key for people and banks, and what each line bills", () => {
    assert.deepStrictEqual(rowsOf(type, "invoice", writeOf(type, invoice)), {
      externalId: "weir_be01.invoices_INV-1",
      values: {
        move_type: "out_invoice",
        "partner_id/id": "weir_be01.customers_CUS-0042",
        "journal_id/.id": "13",
        "currency_id/id": "base.EUR",
        invoice_date: "2026-10-31",
        invoice_date_due: "2026-11-30",
        ref: "INV-1",
        payment_reference: "INV-1",
      },
      lines: {
        field: "invoice_line_ids",
        rows: [
          {
            externalId: "weir_be01.invoices_INV-1.line-1",
            values: {
              name: "Senior",
              quantity: "7.25",
              price_unit: "125.5",
              "tax_ids/.id": "9",
              "sale_line_ids/id": "weir_be01.engagements_ENG-7.line-senior",
            },
          },
          {
            externalId: "weir_be01.invoices_INV-1.line-2",
            values: { name: "Travel", quantity: "1", price_unit: "2.23", "tax_ids/.id": "9" },
          },
        ],
      },
    })
  })

  it("expects of Odoo what was promised", () => {
    const step = stepOf(type, "totals")
    const expected = step._tag === "Compare" ? step.expect(writeOf(type, invoice)) : {}
    assert.deepStrictEqual(
      Object.fromEntries(Object.entries(expected).map(([field, amount]) => [field, BigDecimal.format(amount)])),
      { amount_untaxed: "912.11", amount_tax: "191.54", amount_total: "1103.65" },
    )
  })

  it("is refused without the tax or the sales journal in the configuration", () => {
    const lines = [{ ...invoice.lines[0], taxCode: "S99" }]
    const wire = { ...invoice, lines, totals: { untaxed: "909.88", tax: "0", total: "909.88" } }
    assert.deepInclude(rowsOf(type, "invoice", writeOf(type, wire)), { code: "MAPPING-MISSING" })
    const bare = writeOf(type, invoice, { company: { ...company, journals: {} } })
    assert.deepStrictEqual(rowsOf(type, "invoice", bare), {
      code: "MAPPING-MISSING",
      detail: "entity be01 maps no journal sales: add it to entities.be01.journals in weir.json",
    })
  })

  it("tells the number once it is posted, and nothing while it is a draft", () => {
    const { outcomes } = specOf(type)
    assert.deepStrictEqual(outcomes?.(writeOf(type, invoice)), [])
    assert.deepStrictEqual(
      outcomes?.(writeOf(type, invoice, { read: { post: { name: "INV/2026/00001", date: "2026-11-01" } } })),
      [{
        type: "invoice.posted",
        data: {
          invoice: "INV-1",
          number: "INV/2026/00001",
          invoiceDate: "2026-10-31",
          accountingDate: "2026-11-01",
          currency: "EUR",
          untaxed: "912.11",
          tax: "191.54",
          total: "1103.65",
        },
      }],
    )
  })
})

describe("payment.received", () => {
  const type = "payment.received"

  it("waits for customer and invoices and locks them all", () => {
    assert.deepStrictEqual(coordinates(type, payment), {
      key: "PAY-1",
      parents: ["customer:CUS-0042", "invoice:INV-1", "invoice:INV-2"],
      references: [
        { flow: "customers", key: "CUS-0042" },
        { flow: "invoices", key: "INV-1" },
        { flow: "invoices", key: "INV-2" },
      ],
      versions: "once",
    })
    assert.deepStrictEqual(outline(type), [
      "Load payment account.payment create",
      "Transition post account.payment",
      "Reconcile reconcile",
    ])
  })

  it("writes an inbound customer payment", () => {
    assert.deepStrictEqual(rowsOf(type, "payment", writeOf(type, payment)), {
      externalId: "weir_be01.payments_PAY-1",
      values: {
        payment_type: "inbound",
        partner_type: "customer",
        "partner_id/id": "weir_be01.customers_CUS-0042",
        amount: "1103.65",
        "currency_id/id": "base.EUR",
        date: "2026-11-03",
        "journal_id/.id": "18",
        memo: "transfer PAY-1",
        payment_reference: "PAY-1",
      },
    })
  })

  it("pays the invoices in the order in which the payment names them", () => {
    const step = stepOf(type, "reconcile")
    const references = [mapping("res.partner", 1), mapping("account.move", 20), mapping("account.move", 10)]
    assert.deepStrictEqual(
      step._tag === "Reconcile" ? step.sets(writeOf(type, payment, { references, ids: { payment: 5 } })) : [],
      [{ payments: [5], owed: [20, 10] }],
    )
  })

  it("tells what it settled once it is posted", () => {
    const write = writeOf(type, payment, { read: { post: { name: "PBNK1/2026/00001", date: "2026-11-03" } } })
    assert.deepStrictEqual(specOf(type).outcomes?.(write), [{
      type: "payment.reconciled",
      data: {
        payment: "PAY-1",
        number: "PBNK1/2026/00001",
        valueDate: "2026-11-03",
        accountingDate: "2026-11-03",
        currency: "EUR",
        amount: "1103.65",
        invoices: ["INV-1", "INV-2"],
      },
    }])
  })
})
