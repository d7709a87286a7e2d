/** What an agreement must have before its first record is written: legal entity, taxes, contract, schedule, price list. */
import { BigDecimal } from "effect"
import type { EngagementActivated, EngagementKind } from "../schemas/engagement.ts"
import type { SubscriptionStarted } from "../schemas/subscription.ts"
import type { Company } from "../src/odoo/Company.ts"
import type { Json } from "../src/odoo/Odoo.ts"
import { check, query, type Refusal, type Step } from "../src/flow/Step.ts"
import type { Write } from "../src/flow/Write.ts"
import { isRefusal, taxOf } from "./codes.ts"
import { billedBy, gapsIn } from "./schedule.ts"

/** What engagements and subscriptions have in common. */
type Terms = Pick<EngagementActivated, "key" | "legalEntity" | "currency" | "priceList" | "contract">

interface Findings {
  /** The source's tax codes that stand on its lines. */
  readonly taxCodes: ReadonlyArray<string>
  /** What it lacks beside a contract number, in words. */
  readonly lacks: ReadonlyArray<string>
  /** What would be delivered and never billed, in words. */
  readonly unbilled: ReadonlyArray<string>
}

/** Why no record of the agreement may be written; undefined when it is complete. */
const gapIn = ({ contract, key, legalEntity }: Terms, company: Company, findings: Findings): Refusal | undefined => {
  if (legalEntity !== undefined && legalEntity !== company.entity) {
    return {
      code: "LEGAL-ENTITY-MISMATCH",
      detail: `${key} is a contract of ${legalEntity}, the subject says ${company.entity}`,
    }
  }
  const unmapped = findings.taxCodes.map((code) => taxOf(company, code)).find(isRefusal)
  if (unmapped !== undefined) return unmapped
  const lacks = [...(contract === undefined ? ["has no contract number"] : []), ...findings.lacks]
  if (lacks.length > 0) return { code: "AGREEMENT-INCOMPLETE", detail: `${key}: ${lacks.join("; ")}` }
  return findings.unbilled.length === 0
    ? undefined
    : { code: "BILLING-SCHEDULE-MISSING", detail: `${key}: ${findings.unbilled.join("; ")}` }
}

/** A line that was dropped needs no price; of one that is billed as delivered, a quantity of 0 is only the estimate. */
const isPriceless = ({ kind, quantity, unitPrice }: EngagementActivated["lines"][number], whole: EngagementKind) =>
  BigDecimal.isZero(unitPrice) && (!BigDecimal.isZero(quantity) || billedBy[kind ?? whole] === "rhythm")

/** Why an engagement may not be written: whatever is delivered needs a price, and something that bills it. */
export const engagementGap = (agreement: EngagementActivated, company: Company): Refusal | undefined =>
  gapIn(agreement, company, {
    taxCodes: agreement.lines.map(({ taxCode }) => taxCode),
    lacks: agreement.lines.filter((line) => isPriceless(line, agreement.kind)).map(({ key }) =>
      `line ${key} has no price`
    ),
    unbilled: gapsIn(agreement),
  })

/** Why a subscription may not be written: its plan is billed period by period. */
export const subscriptionGap = (contract: SubscriptionStarted, company: Company): Refusal | undefined =>
  gapIn(contract, company, {
    taxCodes: [...contract.plans, ...contract.prorations ?? []].map(({ taxCode }) => taxCode),
    lacks: [],
    unbilled: contract.billing?.rhythm === undefined ? ["the plan needs a rhythm"] : [],
  })

/** Odoo takes an order's currency from its price list; one in the company's own currency needs none. */
const priceListDomain = ({ currency, priceList }: Terms, company: Company): ReadonlyArray<Json> | null =>
  currency === company.currency && priceList === undefined ? null : [
    ["currency_id.name", "=", currency],
    ["company_id", "in", [false, company.id]],
    ...(priceList === undefined ? [] : [["name", "=", priceList]]),
  ]

const PRICE_LISTS = "priceLists"

/** Database id of the order's price list, undefined when it needs none, or why the order cannot be priced. */
const listOf = ({ company, data, read }: Write<Terms>): number | undefined | Refusal => {
  if (priceListDomain(data, company) === null) return undefined
  const found = (read[PRICE_LISTS]?.["records"] ?? []) as ReadonlyArray<{ readonly id: number; readonly name: string }>
  const [only, other] = found
  if (only !== undefined && other === undefined) return only.id
  const { currency, key, priceList } = data
  const list = `price list ${priceList === undefined ? "" : `"${priceList}" `}in ${currency} for ${company.entity}`
  return {
    code: "PRICE-LIST-MISSING",
    detail: only === undefined
      ? `${key} is in ${currency}: Odoo has no ${list}`
      : `${key} is in ${currency}: Odoo has more than one ${list}: ${found.map(({ name }) => `"${name}"`).join(", ")}`,
  }
}

/** Steps that find the order's price list, before any record is made. */
export const pricingSteps = <D extends Terms>(): ReadonlyArray<Step<D>> => [
  query<D>({
    name: PRICE_LISTS,
    model: "product.pricelist",
    domain: ({ company, data }) => priceListDomain(data, company),
    fields: ["name"],
    limit: 20,
  }),
  check<D>({
    name: "priced",
    refuse: (write) => {
      const list = listOf(write)
      return typeof list === "object" ? list : undefined
    },
  }),
]

/** The order's column for it; none in the company's own currency. */
export const priceListColumn = (write: Write<Terms>): { readonly [column: string]: string } => {
  const list = listOf(write)
  return typeof list === "number" ? { "pricelist_id/.id": String(list) } : {}
}
