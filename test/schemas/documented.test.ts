import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { readFileSync } from "node:fs"
import { CustomerUpserted } from "../../schemas/customer.ts"
import { EngagementActivated } from "../../schemas/engagement.ts"
import { Envelope } from "../../schemas/envelope.ts"
import { InvoiceRequested } from "../../schemas/invoice.ts"
import { PaymentReceived } from "../../schemas/payment.ts"
import { TimesheetApproved } from "../../schemas/timesheet.ts"
import { catalog } from "../../streams/catalog.ts"

const page = readFileSync(new URL("../../docs/events.md", import.meta.url), "utf8")

/** Text of the section that documents an event type. */
const sectionOf = (type: string): string => {
  const [, section] = page.split(`## \`${type}\`\n`)
  if (section === undefined) throw new Error(`docs/events.md has no section ${type}`)
  return section.split("\n## ")[0] ?? ""
}

const fields = {
  "customer.upserted": Object.keys(CustomerUpserted.fields),
  "engagement.activated": Object.keys(EngagementActivated.fields),
  "timesheet.approved": Object.keys(TimesheetApproved.fields),
  "invoice.requested": Object.keys(InvoiceRequested.fields),
  "payment.received": Object.keys(PaymentReceived.fields),
}

describe("docs/events.md", () => {
  it("documents every field of every event, and shows each in its example", () => {
    for (const [type, names] of Object.entries(fields)) {
      const section = sectionOf(type)
      for (const name of names) {
        assert.include(section, `\`${name}\``, `${type}: ${name} is not documented`)
        assert.include(section, `"${name}":`, `${type}: ${name} is not in the example`)
      }
    }
  })

  it("has examples that the flows read", () => {
    const specs = catalog.flatMap((flow) => flow.events)
    for (const spec of specs) {
      const [, text = ""] = sectionOf(spec.type).match(/```json\n([\s\S]*?)```/u) ?? []
      const envelope = Schema.decodeUnknownSync(Envelope)(JSON.parse(text))
      assert.strictEqual(envelope.type, spec.type)
      assert.strictEqual(spec.key(Schema.decodeUnknownSync(spec.schema)(envelope.data)), dataKey(envelope.data))
    }
  })

  it("names every envelope attribute", () => {
    for (const name of Object.keys(Envelope.fields)) {
      if (name === "subject" || name === "datacontenttype" || name === "dataschema") continue
      assert.include(page, `\`${name}\``)
    }
  })
})

const dataKey = (data: unknown): unknown => data !== null && typeof data === "object" && "key" in data ? data.key : null
