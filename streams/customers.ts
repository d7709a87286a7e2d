/**
 * Customers of the source become partners in Odoo, their contacts partners below them.
 *
 *   customer.upserted ─> no partner like it? ─> res.partner (upsert) ─> contacts (upsert)
 *   customer.merged   ─> both partners merged ─> the number that ends maps to the partner that remains
 *
 * The source owns the columns written here; every other field of the partner belongs to Odoo's users and stays
 * (`ownership.ts`). A partner that Odoo has already is never made a second time (`twins.ts`).
 */
import { CustomerMerged, CustomerUpserted } from "../schemas/customer.ts"
import { event, type Flow } from "../src/flow/Flow.ts"
import { check, load, read } from "../src/flow/Step.ts"
import type { Write } from "../src/flow/Write.ts"
import type { OdooRecord } from "../src/odoo/CompanyCalls.ts"
import { countryOf, id } from "./codes.ts"
import { fact } from "./facts.ts"
import { contactId, customerId, customerKeyOf, parent } from "./keys.ts"
import { mergeSteps } from "./merging.ts"
import { referenceOf, twinSteps } from "./twins.ts"
import { maskOf } from "./ownership.ts"

const PARTNER = "res.partner"

const ownId = ({ company, data }: Write<{ readonly key: string }>): string => customerId(company.entity, data.key)

/** A partner that was taken over keeps its company: it may be shared by several. */
const companyColumn = ({ company, data, previous }: Write<CustomerUpserted>) =>
  data.odooPartner !== undefined || previous?.links["stub"] !== undefined ? {} : { "company_id/.id": id(company.id) }

const upserted = event<CustomerUpserted>({
  type: "customer.upserted",
  version: 1,
  schema: CustomerUpserted,
  key: (customer) => customer.key,
  parents: (customer) => [
    parent.customer(customer.key),
    parent.identity("ref", referenceOf(customer)),
    ...(customer.vat === undefined ? [] : [parent.identity("vat", customer.vat)]),
  ],
  references: () => [],
  versions: "gate",
  record: "partner",
  alike: { field: "ref", value: referenceOf, domain: [["parent_id", "=", false]] },
  plan: [
    check({
      name: "current",
      refuse: (write) =>
        write.previous === null || write.previous.externalId === ownId(write) ? undefined : {
          code: "CUSTOMER-MERGED",
          detail: `${write.data.key} was merged into ${customerKeyOf(write.company.entity, write.previous.externalId)}`,
        },
    }),
    ...twinSteps,
    load({
      name: "partner",
      model: PARTNER,
      mode: "upsert",
      rewritten: ["vat", "phone"],
      rows: (write) => {
        const { data } = write
        return {
          externalId: ownId(write),
          values: {
            name: data.name,
            is_company: data.kind === "company",
            ref: referenceOf(data),
            ...companyColumn(write),
            "country_id/id": countryOf(data.address.country),
            ...(data.address.street !== undefined && { street: data.address.street }),
            ...(data.address.city !== undefined && { city: data.address.city }),
            ...(data.address.zip !== undefined && { zip: data.address.zip }),
            ...(data.vat !== undefined && { vat: data.vat }),
            ...(data.email !== undefined && { email: data.email }),
            ...(data.phone !== undefined && { phone: data.phone }),
          },
        }
      },
    }),
    load({
      name: "contacts",
      model: PARTNER,
      mode: "upsert",
      rows: (write) =>
        (write.data.contacts ?? []).map((contact) => ({
          externalId: contactId(write.company.entity, write.data.key, contact.key),
          values: {
            "parent_id/id": ownId(write),
            name: contact.name,
            type: contact.use ?? "contact",
            ...companyColumn(write),
            function: contact.function ?? "",
            email: contact.email ?? "",
            phone: contact.phone ?? "",
            active: contact.former !== true,
          },
        })),
    }),
  ],
})

const survivor = ({ read }: Write<CustomerMerged>): OdooRecord | undefined =>
  ((read["remaining"]?.["records"] ?? []) as ReadonlyArray<OdooRecord>)[0]

const merged = event<CustomerMerged>({
  type: "customer.merged",
  version: 1,
  schema: CustomerMerged,
  key: ({ key }) => key,
  parents: ({ into, key }) => [parent.customer(key), parent.customer(into)],
  references: ({ into }) => [{ flow: "customers", key: into }],
  versions: "gate",
  // The number that ends maps to the partner of the one that remains, under that one's external id.
  record: "survivor",
  plan: [
    load({
      name: "survivor",
      model: PARTNER,
      mode: "create",
      rows: ({ company, data }) => ({ externalId: customerId(company.entity, data.into), values: {} }),
    }),
    read({
      name: "remaining",
      model: PARTNER,
      records: ({ ids }) => ids["survivor"] === undefined ? [] : [ids["survivor"]],
      fields: ["name", "email"],
    }),
    // A number that never came gets a partner for the moment, so that its external id can follow.
    load({
      name: "ending",
      model: PARTNER,
      mode: "create",
      rows: (write) => ({
        externalId: ownId(write),
        values: { name: String(survivor(write)?.["name"] ?? write.data.key), "company_id/.id": id(write.company.id) },
      }),
    }),
    ...mergeSteps<CustomerMerged>({
      from: "ending",
      into: ({ ids }) => ids["survivor"],
      email: (write) => survivor(write)?.["email"],
    }),
  ],
  publishes: ["customer.merged"],
  outcomes: ({ data, ids }) => [
    fact("customer.merged", { customer: data.key, into: data.into, partnerId: ids["survivor"] ?? null }),
  ],
})

export const customers: Flow = {
  name: "customers",
  domain: "customer",
  description:
    "Customer accounts and their contacts become partners; the newest version stands, duplicates are refused",
  lane: "normal",
  batch: { size: 100, linger: "50 millis", concurrency: 2 },
  inFlight: 400,
  referenceDeadline: "1 hour",
  mask: maskOf("customers"),
  events: [upserted, merged],
}
