/** How codes of events become what Odoo's `load` takes: database ids as strings, standard records by external id. */
import type { Company } from "../src/odoo/Company.ts"
import type { Refusal } from "../src/flow/Step.ts"

/** Value of a `.id` column: Odoo wants database ids as strings. */
export const id = (databaseId: number): string => String(databaseId)

/** The `account.tax` id that the entity's configuration gives for `code`, or why the event cannot go on. */
export const taxOf = (company: Company, code: string): string | Refusal => {
  const tax = company.taxes[code]
  return tax === undefined ? unmapped(company, "tax code", code, "taxes") : id(tax)
}

/** The purchase tax likewise. */
export const purchaseTaxOf = (company: Company, code: string): string | Refusal => {
  const tax = company.purchaseTaxes?.[code]
  return tax === undefined ? unmapped(company, "purchase tax code", code, "purchaseTaxes") : id(tax)
}

/** The `account.journal` id that the entity's configuration gives for `role`, or why the event cannot go on. */
export const journalOf = (company: Company, role: string): string | Refusal => {
  const journal = company.journals[role]
  return journal === undefined ? unmapped(company, "journal", role, "journals") : id(journal)
}

/** The `account.account` id that the entity's configuration gives for `code`, or why the event cannot go on. */
export const accountOf = (company: Company, code: string): string | Refusal => {
  const account = company.accounts?.[code]
  return account === undefined ? unmapped(company, "account", code, "accounts") : id(account)
}

/** Postings of one journal are serialised: Odoo numbers them without gaps. */
export const journalLock = (company: Company, role: string): string =>
  `journal:${company.database}:${company.journals[role] ?? role}`

/** Odoo's own currency records: `EUR` is `base.EUR`. */
export const currencyOf = (code: string): string => `base.${code}`

/** Odoo's own country records: `BE` is `base.be`. The United Kingdom is the one whose name is not its code. */
export const countryOf = (code: string): string => `base.${code === "GB" ? "uk" : code.toLowerCase()}`

export const isRefusal = (value: string | Refusal): value is Refusal => typeof value !== "string"

const unmapped = (company: Company, what: string, code: string, section: string): Refusal => ({
  code: "MAPPING-MISSING",
  detail:
    `entity ${company.entity} maps no ${what} ${code}: add it to entities.${company.entity}.${section} in weir.json`,
})
