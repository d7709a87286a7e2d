/**
 * Subscriptions: what a customer pays for by the period. Every event carries the whole contract as of its version, so that
 * it does not matter which of them arrives: the one with the largest sequence stands.
 */
import { BigDecimal, Schema } from "effect"
import { BillingSchedule } from "./billing.ts"
import { BusinessKey, Day, EntityCode, Label, repeated, TaxCode } from "./ids.ts"
import { Currency, Decimal, PositiveDecimal } from "./money.ts"

/** Most plan versions, and most prorations, of one contract. */
export const SUBSCRIPTION_MAX_LINES = 100
/** Most periods that one plan version is agreed for. */
export const SUBSCRIPTION_MAX_PERIODS = 120

/** One version of the plan: an order line. A change of plan ends one, with fewer periods, and begins another. */
export const PlanVersion = Schema.Struct({
  key: BusinessKey.annotate({ description: "key of the plan version within the contract", examples: ["team-1"] }),
  description: Label.annotate({ examples: ["Team plan, 10 seats, monthly"] }),
  from: Day,
  until: Schema.optionalKey(Day),
  quantity: PositiveDecimal.annotate({ description: "units per period, for example seats" }),
  periods: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: SUBSCRIPTION_MAX_PERIODS })).annotate({
    description: "how many periods are agreed at this version, those invoiced already included",
    examples: [12],
  }),
  unitPrice: Decimal.annotate({
    description: "per unit and period, without tax",
    examples: [BigDecimal.make(1900n, 2)],
  }),
  taxCode: TaxCode,
}).annotate({ identifier: "PlanVersion" })
export type PlanVersion = typeof PlanVersion.Type

/** What a change within a period costs or gives back, as the source computed it. */
export const Proration = Schema.Struct({
  key: BusinessKey.annotate({ description: "key of the proration within the contract", examples: ["upgrade-1"] }),
  description: Label,
  date: Day,
  amount: Decimal.annotate({ description: "without tax; negative: given back", examples: [BigDecimal.make(6130n, 2)] }),
  taxCode: TaxCode,
}).annotate({ identifier: "Proration" })
export type Proration = typeof Proration.Type

const contract = {
  key: BusinessKey.annotate({ description: "subscription number", examples: ["SUB-0031"] }),
  customer: BusinessKey.annotate({ description: "customer number", examples: ["CUS-0042"] }),
  legalEntity: Schema.optionalKey(
    EntityCode.annotate({ description: "who the contract is with; must be the entity of the subject" }),
  ),
  contract: Schema.optionalKey(
    Label.annotate({ description: "number of the signed contract, as the customer knows it" }),
  ),
  name: Label.annotate({ examples: ["Team plan"] }),
  currency: Currency,
  priceList: Schema.optionalKey(
    Label.annotate({ description: "exact name of Odoo's price list, where there are several in the currency" }),
  ),
  startDate: Day,
  termEnd: Day.annotate({ description: "last day of the term" }),
  billing: Schema.optionalKey(BillingSchedule),
  plans: Schema.Array(PlanVersion).check(Schema.isMinLength(1), Schema.isMaxLength(SUBSCRIPTION_MAX_LINES)).annotate({
    description: "all versions of the plan so far",
  }),
  prorations: Schema.optionalKey(
    Schema.Array(Proration).check(Schema.isMaxLength(SUBSCRIPTION_MAX_LINES)).annotate({
      description: "all of them so far",
    }),
  ),
} as const

interface Contract {
  readonly startDate: string
  readonly termEnd: string
  readonly plans: ReadonlyArray<{ readonly key: string; readonly from: string; readonly until?: string }>
  readonly prorations?: ReadonlyArray<{ readonly key: string }>
}

const coherent = ({ plans, prorations = [], startDate, termEnd }: Contract) => {
  const twice = repeated([...plans, ...prorations].map(({ key }) => key))
  if (twice !== undefined) return { path: ["plans"], issue: `or prorations have the key ${twice} twice` }
  if (termEnd < startDate) return { path: ["termEnd"], issue: "must not be before startDate" }
  const reversed = plans.find(({ from, until }) => until !== undefined && until < from)
  return reversed === undefined ? undefined : { path: ["plans"], issue: `${reversed.key} ends before it begins` }
}

/** `subscription.started`: the envelope's `sequence` counts the versions of the contract, in all its events. */
export const SubscriptionStarted = Schema.Struct(contract).check(Schema.makeFilter(coherent)).annotate({
  identifier: "SubscriptionStarted",
  description: "A subscription starts",
})
export type SubscriptionStarted = typeof SubscriptionStarted.Type

/** `subscription.amended`: the contract after a change of plan, quantity or price. */
export const SubscriptionAmended = Schema.Struct({
  ...contract,
  effective: Day.annotate({ description: "day from which the change counts" }),
}).check(Schema.makeFilter(coherent)).annotate({
  identifier: "SubscriptionAmended",
  description: "A subscription was changed",
})
export type SubscriptionAmended = typeof SubscriptionAmended.Type

/** `subscription.renewed`: the contract with its new term. */
export const SubscriptionRenewed = Schema.Struct(contract).check(Schema.makeFilter(coherent)).annotate({
  identifier: "SubscriptionRenewed",
  description: "A subscription was renewed",
})
export type SubscriptionRenewed = typeof SubscriptionRenewed.Type

/** `subscription.cancelled`: the contract as it ends: plan versions with the periods that are owed, no more. */
export const SubscriptionCancelled = Schema.Struct({
  ...contract,
  effective: Day.annotate({ description: "first day without it" }),
  reason: Schema.optionalKey(Label),
}).check(Schema.makeFilter(coherent)).annotate({
  identifier: "SubscriptionCancelled",
  description: "A subscription ends",
})
export type SubscriptionCancelled = typeof SubscriptionCancelled.Type
