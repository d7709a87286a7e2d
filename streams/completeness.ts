/** What an agreement must have before its first record is written: legal entity, taxes, contract, schedule, price list. */
import { BigDecimal } from "effect"
import type { EngagementActivated, EngagementKind } from "../schemas/engagement.ts"
import type { Company } from "../src/odoo/Company.ts"
import type { Json } from "../src/odoo/Odoo.ts"
import type { Refusal } from "../src/flow/Step.ts"
import { isRefusal, taxOf } from "./codes.ts"
import { type Billed, billedBy, gapsIn } from "./schedule.ts"

type Terms = Pick<EngagementActivated, "key" | "legalEntity" | "currency" | "priceList" | "contract">

/** Why no record of the agreement may be written; undefined when it is complete. */
export const gapIn = (
  terms: Terms,
  billed: Billed,
  taxCodes: ReadonlyArray<string>,
  missing: ReadonlyArray<string>,
  company: Company,
): Refusal | undefined => {
  const { contract, key, legalEntity } = terms
  if (legalEntity !== undefined && legalEntity !== company.entity) {
    return {
      code: "LEGAL-ENTITY-MISMATCH",
      detail: `${key} is a contract of ${legalEntity}, the subject says ${company.entity}`,
    }
  }
  const unmapped = taxCodes.map((code) => taxOf(company, code)).find(isRefusal)
  if (unmapped !== undefined) return unmapped
  const lacks = [...(contract === undefined ? ["has no contract number"] : []), ...missing]
  if (lacks.length > 0) return { code: "ENGAGEMENT-INCOMPLETE", detail: `${key}: ${lacks.join("; ")}` }
  const gaps = gapsIn(billed)
  return gaps.length === 0 ? undefined : { code: "BILLING-SCHEDULE-MISSING", detail: `${key}: ${gaps.join("; ")}` }
}

/** The same for an engagement: whatever is delivered needs a price. */
export const agreementGap = (agreement: EngagementActivated, company: Company): Refusal | undefined =>
  gapIn(
    agreement,
    agreement,
    agreement.lines.map(({ taxCode }) => taxCode),
    agreement.lines.filter((line) => isPriceless(line, agreement.kind)).map(({ key }) => `line ${key} has no price`),
    company,
  )

/** A line that was dropped needs no price; of one that is billed as delivered, a quantity of 0 is only the estimate. */
const isPriceless = ({ kind, quantity, unitPrice }: EngagementActivated["lines"][number], whole: EngagementKind) =>
  BigDecimal.isZero(unitPrice) && (!BigDecimal.isZero(quantity) || billedBy[kind ?? whole] === "rhythm")

/** Odoo takes an order's currency from its price list; one in the company's own currency needs none. */
export const priceListDomain = ({ currency, priceList }: Terms, company: Company): ReadonlyArray<Json> | null =>
  currency === company.currency && priceList === undefined ? null : [
    ["currency_id.name", "=", currency],
    ["company_id", "in", [false, company.id]],
    ...(priceList === undefined ? [] : [["name", "=", priceList]]),
  ]

/** Database id of the order's price list, undefined when it needs none, or why the order cannot be priced. */
export const priceListOf = (
  terms: Terms,
  company: Company,
  found: { readonly [field: string]: unknown } | undefined,
): number | undefined | Refusal => {
  if (priceListDomain(terms, company) === null) return undefined
  const lists = (found?.["records"] ?? []) as ReadonlyArray<{ readonly id: number; readonly name: string }>
  const [only, other] = lists
  if (only !== undefined && other === undefined) return only.id
  const about = terms.priceList === undefined ? "price list" : `price list "${terms.priceList}"`
  const names = [...new Set(lists.map(({ name }) => `"${name}"`))].join(", ")
  return {
    code: "PRICE-LIST-MISSING",
    detail: `${terms.key} is in ${terms.currency}: Odoo has ${
      only === undefined ? "no" : `${lists.length} of the`
    } ${about} in ${terms.currency} for ${company.entity}${only === undefined ? "" : `: ${names}`}`,
  }
}
