/**
 * Customers of the source become partners in Odoo.
 *
 *   customer.upserted ─> res.partner (upsert)
 *
 * The source owns the columns written here; every other field of the partner belongs to Odoo's users and stays.
 */
import { CustomerUpserted } from "../schemas/customer.ts"
import { event, type Flow } from "../src/flow/Flow.ts"
import { load } from "../src/flow/Step.ts"
import { countryOf, id } from "./codes.ts"
import { customerId, parent } from "./keys.ts"

const upserted = event<CustomerUpserted>({
  type: "customer.upserted",
  version: 1,
  schema: CustomerUpserted,
  key: (customer) => customer.key,
  parents: (customer) => [parent.customer(customer.key)],
  references: () => [],
  versions: "gate",
  record: "partner",
  plan: [
    load({
      name: "partner",
      model: "res.partner",
      mode: "upsert",
      rewritten: ["vat", "phone"],
      rows: ({ data, company }) => ({
        externalId: customerId(company.entity, data.key),
        values: {
          name: data.name,
          is_company: data.kind === "company",
          ref: data.reference ?? data.key,
          "company_id/.id": id(company.id),
          "country_id/id": countryOf(data.address.country),
          ...(data.address.street !== undefined && { street: data.address.street }),
          ...(data.address.city !== undefined && { city: data.address.city }),
          ...(data.address.zip !== undefined && { zip: data.address.zip }),
          ...(data.vat !== undefined && { vat: data.vat }),
          ...(data.email !== undefined && { email: data.email }),
          ...(data.phone !== undefined && { phone: data.phone }),
        },
      }),
    }),
  ],
})

export const customers: Flow = {
  name: "customers",
  domain: "customer",
  description: "Customer accounts become partners; the newest version stands",
  lane: "normal",
  batch: { size: 100, linger: "50 millis", concurrency: 2 },
  inFlight: 400,
  referenceDeadline: "1 hour",
  events: [upserted],
}
