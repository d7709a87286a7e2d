import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { Classification } from "../../schemas/classification.ts"
import { financial, personal, secret } from "../../schemas/classification.ts"
import { CustomerUpserted } from "../../schemas/customer.ts"
import { InvoiceRequested } from "../../schemas/invoice.ts"
import type { JsonValue } from "../../src/ledger/Amendments.ts"
import { clearanceOf } from "../../src/operate/Caller.ts"
import { differences, moveMoney } from "../../src/operate/exceptions/differences.ts"
import { classificationAt, maskCause, maskData, maskDetail } from "../../src/operate/masking.ts"
import { customer, invoice } from "../streams/samples.ts"

const clearance = (...classes: ReadonlyArray<Classification>) => new Set(classes)
const codec = (schema: Schema.Top) => schema as unknown as Schema.Codec<unknown, unknown>
const all = clearance("personal", "financial")

describe("payloads", () => {
  it("are shown as far as the caller is cleared", () => {
    const data = invoice as unknown as JsonValue
    const nothing = maskData(codec(InvoiceRequested), data, clearance()) as typeof invoice
    assert.deepStrictEqual(nothing.totals, { untaxed: "(financial)", tax: "(financial)", total: "(financial)" })
    assert.deepStrictEqual(
      [nothing.lines[0]?.description, nothing.lines[0]?.unitPrice, nothing.lines[0]?.taxCode, nothing.key],
      ["(personal)", "(financial)", "S21", invoice.key],
    )
    const money = maskData(codec(InvoiceRequested), data, clearance("financial")) as typeof invoice
    assert.deepStrictEqual([money.totals, money.lines[0]?.description], [invoice.totals, "(personal)"])
    assert.deepStrictEqual(maskData(codec(InvoiceRequested), data, all), data)
  })

  it("show what no schema knows to those only who may see everything", () => {
    const data = { ...customer, nickname: "Zoë", extra: { deep: [1, "x"] } } as unknown as JsonValue
    const masked = maskData(codec(CustomerUpserted), data, clearance("personal")) as Record<string, unknown>
    assert.deepStrictEqual([masked["nickname"], masked["extra"]], ["(not shown)", {
      deep: ["(not shown)", "(not shown)"],
    }])
    assert.strictEqual(masked["name"], customer.name)
    assert.deepStrictEqual(maskData(null, { a: 1, b: ["x"] }, clearance()), { a: "(not shown)", b: ["(not shown)"] })
    assert.deepStrictEqual(maskData(null, { a: 1 }, all), { a: 1 })
  })

  it("show nothing through a value of another shape than the schema's", () => {
    const misshapen = {
      ...invoice,
      totals: "1103.65 for Jan",
      key: { name: "Jan" },
      lines: "Jan",
    } as unknown as JsonValue
    const text = JSON.stringify(maskData(codec(InvoiceRequested), misshapen, clearance()))
    assert.notInclude(text, "Jan")
    const proto = JSON.parse(`{"__proto__": {"a": "Jan"}, "constructor": "Jan"}`) as JsonValue
    assert.notInclude(JSON.stringify(maskData(codec(InvoiceRequested), proto, clearance())), "Jan")
  })

  it("never show what is secret", () => {
    const schema = codec(
      Schema.Struct({ pin: secret(Schema.String), who: personal(Schema.String), what: financial(Schema.String) }),
    )
    for (const role of ["viewer", "operator", "approver", "admin"] as const) {
      const masked = maskData(schema, { pin: "1234", who: "Jan", what: "9" }, clearanceOf({ roles: [role] }))
      assert.strictEqual((masked as { readonly pin: string }).pin, "(secret)", role)
    }
    assert.strictEqual(classificationAt(schema, ["pin"]), "secret")
    assert.strictEqual(classificationAt(codec(InvoiceRequested), ["lines", 0, "unitPrice"]), "financial")
    assert.strictEqual(classificationAt(codec(InvoiceRequested), ["lines", 0, "taxCode"]), null)
  })
})

describe("causes", () => {
  it("lose their numbers and names for those who are not cleared, and what Odoo says altogether", () => {
    const detail = 'email: Expected a mail, got "jan@example.test" in 17'
    assert.strictEqual(maskDetail("EVENT-INVALID", detail, all), detail)
    assert.strictEqual(maskDetail("EVENT-INVALID", detail, clearance()), 'email: Expected a mail, got "*" in #')
    const said = "account.move/action_post: Jan Jansen may not do this"
    assert.strictEqual(maskDetail("ODOO-VALIDATION", said, clearance("financial")), "Odoo refuses the record.")
    assert.strictEqual(maskCause("ODOO-VALIDATION", said, clearance()), "Odoo refuses the record.")
    assert.strictEqual(maskCause("ODOO-VALIDATION", said, all), said)
  })
})

describe("what is different", () => {
  const data = invoice as unknown as { readonly [key: string]: JsonValue }
  const schema = codec(InvoiceRequested)
  const paths = (after: JsonValue) =>
    differences(schema, data, after).map(({ classification, path }) => `${path} ${classification}`)

  it("is told leaf by leaf, with what each holds", () => {
    assert.deepStrictEqual(paths(data), [])
    assert.deepStrictEqual(paths({ ...data, totals: { ...invoice.totals, tax: "1" }, currency: "USD" }), [
      "currency null",
      "totals.tax financial",
    ])
    const shorter = { ...data, lines: [invoice.lines[0]] } as unknown as JsonValue
    assert.deepStrictEqual(paths(shorter), [
      "lines.1.description personal",
      "lines.1.key null",
      "lines.1.quantity financial",
      "lines.1.taxCode null",
      "lines.1.unitPrice financial",
    ])
    const { dueDate: _, ...undated } = data
    assert.deepStrictEqual(differences(schema, data, undated), [
      { path: "dueDate", from: "2026-11-30", classification: null },
    ])
  })

  it("moves money, unless it is a personal text or the event carries none", () => {
    const change = (after: JsonValue) => moveMoney(schema, differences(schema, data, after))
    assert.isTrue(change({ ...data, customer: "CUS-1" }))
    assert.isTrue(change({ ...data, invoiceDate: "2026-10-30" }))
    assert.isFalse(change({ ...data, lines: [{ ...invoice.lines[0], description: "x" }, invoice.lines[1]] as never }))
    const before = customer as unknown as { readonly [key: string]: JsonValue }
    const moved = differences(codec(CustomerUpserted), before, { ...before, kind: "person" })
    assert.isFalse(moveMoney(codec(CustomerUpserted), moved))
  })
})
