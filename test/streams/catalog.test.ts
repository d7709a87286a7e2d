import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { catalog, validateCatalog } from "../../streams/catalog.ts"
import { customers } from "../../streams/customers.ts"
import { engagements } from "../../streams/engagements.ts"
import { invoices } from "../../streams/invoices.ts"
import { payments } from "../../streams/payments.ts"
import { exampleOf } from "./examples.ts"
import type { EventSpec, Flow } from "../../src/flow/Flow.ts"

const withSpec = (flow: Flow, change: (spec: EventSpec<unknown>) => Partial<EventSpec<unknown>>): Flow => ({
  ...flow,
  events: flow.events.map((spec) => ({ ...spec, ...change(spec) })),
})

const complains = (flows: ReadonlyArray<Flow>, about: RegExp): void => {
  const issues = validateCatalog(flows)
  assert.isTrue(issues.some((issue) => about.test(issue)), `${about} is not in: ${issues.join("; ") || "no issues"}`)
}

describe("the catalogue", () => {
  it("is sound", () => {
    assert.deepStrictEqual(validateCatalog(catalog), [])
  })

  it("holds the flows in the lanes of the business", () => {
    assert.deepStrictEqual(Object.fromEntries(catalog.map((flow) => [flow.name, flow.lane])), {
      approvals: "critical",
      payments: "critical",
      invoices: "critical",
      "credit-notes": "critical",
      "write-offs": "critical",
      disputes: "critical",
      "exchange-rates": "critical",
      "journal-entries": "normal",
      customers: "normal",
      engagements: "normal",
      rates: "normal",
      milestones: "normal",
      subscriptions: "normal",
      timesheets: "bulk",
      totals: "normal",
      expenses: "bulk",
      usage: "bulk",
    })
  })

  it("refers only to flows that it holds", () => {
    const names = new Set(catalog.map((flow) => flow.name))
    for (const spec of catalog.flatMap((flow) => flow.events)) {
      const data = Schema.decodeUnknownSync(spec.schema)(exampleOf(spec.type).data)
      for (const { flow } of [...spec.references(data), ...spec.holds?.(data) ?? []]) {
        assert.isTrue(names.has(flow), `${spec.type} refers to ${flow}`)
      }
    }
  })

  it("refuses two flows of one name or one domain", () => {
    complains([customers, customers], /two flows have the name customers/)
    complains([customers, { ...customers, name: "clients" }], /two flows have the domain customer/)
  })

  it("refuses batches that are empty, too large or larger than what may be in flight", () => {
    const { batch } = customers
    complains([{ ...customers, batch: { ...batch, size: 0 } }], /batch.size must be 1 to 500/)
    complains([{ ...customers, batch: { ...batch, size: 501 } }], /batch.size must be 1 to 500/)
    complains([{ ...customers, batch: { ...batch, concurrency: 0 } }], /batch.concurrency/)
    complains([{ ...customers, inFlight: batch.size - 1 }], /inFlight must be/)
    complains([{ ...customers, referenceDeadline: 0 }], /referenceDeadline must be a duration above zero/)
  })

  it("refuses a flow without events, a foreign type and two specs of one version", () => {
    complains([{ ...customers, events: [] }], /it has no events/)
    complains([withSpec(customers, () => ({ type: "client.upserted" }))], /must begin with customer\./)
    complains([{ ...customers, events: [...customers.events, ...customers.events] }], /two specs of customer.upserted/)
    complains([withSpec(customers, () => ({ version: 0 }))], /its version must be 1 to 999/)
  })

  it("refuses a plan whose record or whose steps point nowhere", () => {
    complains([withSpec(customers, () => ({ record: "client" }))], /its record client is no step/)
    complains([withSpec(invoices, () => ({ record: "post" }))], /its record post must be a load step/)
    complains([withSpec(customers, () => ({ plan: [] }))], /its plan has no steps/)
    complains([withSpec(invoices, ({ plan }) => ({ plan: plan.toReversed() }))], /step post needs invoice, which is no/)
    complains(
      [withSpec(payments, ({ plan }) => ({ plan: plan.filter(({ name }) => name !== "payment") }))],
      /step post needs payment/,
    )
    complains([withSpec(engagements, ({ plan }) => ({ plan: [...plan, ...plan] }))], /two steps have the name order/)
  })

  it("refuses a seed that stands twice with different values", () => {
    const seed = engagements.seeds?.[0]
    if (seed === undefined) throw new Error("engagements need seeds for this test")
    const other = { ...customers, seeds: [{ ...seed, values: { ...seed.values, name: "Other" } }] }
    complains([engagements, other], /seed weir.product_time stands twice with different values/)
    assert.deepStrictEqual(validateCatalog([engagements, { ...customers, seeds: [seed] }]), [])
  })
})
