/**
 * Vendors of procurement become partners in Odoo.
 *
 *   vendor.upserted ─> res.partner (upsert)
 */
import { event, type Flow } from "../../../src/flow/Flow.ts"
import { load } from "../../../src/flow/Step.ts"
import { externalId } from "../../../src/flow/Write.ts"
import { countryOf, id } from "../../../streams/codes.ts"
import { VendorUpserted } from "./vendor.ts"

const upserted = event<VendorUpserted>({
  type: "vendor.upserted",
  version: 1,
  schema: VendorUpserted,
  key: (vendor) => vendor.key,
  parents: (vendor) => [`vendor:${vendor.key}`],
  references: () => [],
  versions: "gate",
  record: "partner",
  plan: [
    load({
      name: "partner",
      model: "res.partner",
      mode: "upsert",
      rows: ({ data, company }) => ({
        externalId: externalId(company.entity, "vendors", data.key),
        values: {
          name: data.name,
          is_company: true,
          ref: data.key,
          "company_id/.id": id(company.id),
          "country_id/id": countryOf(data.country),
          ...(data.email !== undefined && { email: data.email }),
        },
      }),
    }),
  ],
  publishes: ["vendor.registered"],
  outcomes: ({ data, ids }) => [{
    type: "vendor.registered",
    data: { vendor: data.key, partnerId: ids["partner"] ?? null },
  }],
})

export const vendors: Flow = {
  name: "vendors",
  domain: "vendor",
  description: "Vendors become partners; the newest version stands",
  lane: "normal",
  batch: { size: 100, linger: "50 millis", concurrency: 2 },
  inFlight: 400,
  referenceDeadline: "1 hour",
  mask: { "res.partner": { always: "name is_company ref company_id/.id country_id/id email" } },
  events: [upserted],
}
