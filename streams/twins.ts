/**
 * No partner is made twice. A new customer whose VAT number or reference a partner in Odoo has already is an exception that
 * names the candidates: people decide, and the event then says which partner it is, or that it is another one. Matches are
 * exact; nothing is guessed from names.
 */
import type { CustomerUpserted } from "../schemas/customer.ts"
import type { Json } from "../src/odoo/Odoo.ts"
import { many2one, type OdooRecord } from "../src/odoo/CompanyCalls.ts"
import { check, load, query, type Refusal, type Step } from "../src/flow/Step.ts"
import type { Write } from "../src/flow/Write.ts"
import { customerId, customerKeyOf } from "./keys.ts"
import { mergeSteps } from "./merging.ts"

/** What the partner's reference is in Odoo. */
export const referenceOf = ({ key, reference }: CustomerUpserted): string => reference ?? key

/** Archived partners count too: they come back when somebody needs them. */
const ARCHIVED_TOO: Json = ["active", "in", [true, false]]

/** The partner that the event names, or those that might be it; only asked before the customer has a partner. */
const candidates = ({ data, previous }: Write<CustomerUpserted>): ReadonlyArray<Json> | null => {
  if (data.odooPartner !== undefined) return [["id", "=", data.odooPartner], ARCHIVED_TOO]
  if (previous !== null || data.distinct === true) return null
  const same: ReadonlyArray<Json> = [["ref", "=", referenceOf(data)]]
  return [
    ["parent_id", "=", false],
    ARCHIVED_TOO,
    ...(data.vat === undefined ? same : ["|", ["vat", "=", data.vat], ...same]),
  ]
}

const found = ({ read }: Write<CustomerUpserted>): ReadonlyArray<OdooRecord> =>
  (read["twins"]?.["records"] ?? []) as ReadonlyArray<OdooRecord>

const nameOf = (partner: OdooRecord): string => {
  const externalId = String(partner["external_id"])
  return `res.partner ${partner.id} "${partner["name"]}"${externalId === "" ? "" : ` (${externalId})`}`
}

/** Why the partner that the event names cannot be taken over. */
const strange = (write: Write<CustomerUpserted>, partner: OdooRecord | undefined): Refusal | undefined => {
  const { company, data } = write
  if (partner === undefined) {
    return { code: "MASTER-DATA-MISSING", detail: `Odoo has no res.partner ${data.odooPartner} for ${company.entity}` }
  }
  const above = many2one(partner["parent_id"])
  if (above !== undefined) {
    return {
      code: "CUSTOMER-DUPLICATE",
      detail: `${nameOf(partner)} is a contact of res.partner ${above}, no customer`,
    }
  }
  const key = customerKeyOf(company.entity, String(partner["external_id"]))
  return key === undefined || key === data.key
    ? undefined
    : { code: "CUSTOMER-DUPLICATE", detail: `${nameOf(partner)} is customer ${key} already` }
}

const twin = (write: Write<CustomerUpserted>): Refusal | undefined => {
  const { company, data } = write
  if (data.odooPartner !== undefined) return strange(write, found(write)[0])
  // What an earlier try of this very event has made is no twin.
  const others = found(write).filter((partner) => partner["external_id"] !== customerId(company.entity, data.key))
  if (others.length === 0) return undefined
  const vat = others.filter((partner) => data.vat !== undefined && partner["vat"] === data.vat)
  const [what, which] = vat.length > 0
    ? [`the VAT number ${data.vat}`, vat] as const
    : [`the reference ${referenceOf(data)}`, others] as const
  return { code: "CUSTOMER-DUPLICATE", detail: `${what} is that of ${which.map(nameOf).join(", ")}` }
}

/**
 * Looks for partners like the new customer, and takes over the one that the event names. External ids cannot be given to a
 * record that stands: a partner of ours is made and merged into it, and its external id goes along.
 */
export const twinSteps: ReadonlyArray<Step<CustomerUpserted>> = [
  query({
    name: "twins",
    model: "res.partner",
    domain: candidates,
    fields: ["name", "vat", "email", "parent_id"],
    externalIds: true,
    limit: 20,
  }),
  check({ name: "single", refuse: twin }),
  load({
    name: "stub",
    model: "res.partner",
    mode: "create",
    rows: ({ company, data }) =>
      data.odooPartner === undefined
        ? []
        : { externalId: customerId(company.entity, data.key), values: { name: data.name } },
  }),
  ...mergeSteps<CustomerUpserted>({
    from: "stub",
    into: ({ data }) => data.odooPartner,
    email: (write) => found(write)[0]?.["email"],
  }),
]
