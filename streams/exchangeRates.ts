/**
 * Exchange rates of treasury become Odoo's, each for its day and company; the currency is activated with its first one.
 *
 *   exchange-rate.published ─> a currency of Odoo's? ─> res.currency (active) ─> res.currency.rate
 *
 * Odoo has one rate per day, currency and company: one that people entered, or that Odoo fetched, is set to what was
 * published.
 */
import { BigDecimal } from "effect"
import { ExchangeRatePublished } from "../schemas/exchangeRate.ts"
import { event, type Flow } from "../src/flow/Flow.ts"
import { check, load, query, resolve, update } from "../src/flow/Step.ts"
import { externalId, type Write } from "../src/flow/Write.ts"
import { currencyOf, id } from "./codes.ts"
import { type Found, recordsOf } from "./found.ts"
import { maskOf } from "./ownership.ts"

const FLOW = "exchange-rates"

type Published = Write<ExchangeRatePublished>

const keyOf = ({ currency, date }: ExchangeRatePublished): string => `${currency}-${date}`
const rateId = ({ company, data }: Published): string => externalId(company.entity, FLOW, keyOf(data))

/** The rate of the day that is not ours. */
const foreignIn = (write: Published): Found | undefined =>
  recordsOf(write, "known").find((rate) => rate["external_id"] !== rateId(write))

const published = event<ExchangeRatePublished>({
  type: "exchange-rate.published",
  version: 1,
  schema: ExchangeRatePublished,
  key: keyOf,
  parents: ({ currency }) => [`currency:${currency}`],
  references: () => [],
  versions: "gate",
  plan: [
    check({
      name: "foreign",
      refuse: ({ company, data }) =>
        data.currency === company.currency
          ? { code: "EVENT-INVALID", detail: `currency: ${data.currency} is the currency of ${company.entity} itself` }
          : undefined,
    }),
    resolve({
      name: "currency",
      model: "res.currency",
      externalId: ({ data }) => currencyOf(data.currency),
      missing: ({ data }) => ({
        code: "MASTER-DATA-MISSING",
        detail: `Odoo has no currency ${data.currency} (${currencyOf(data.currency)})`,
      }),
    }),
    load({
      name: "activated",
      model: "res.currency",
      mode: "upsert",
      rows: ({ data }) => ({ externalId: currencyOf(data.currency), values: { active: true } }),
    }),
    query({
      name: "known",
      model: "res.currency.rate",
      domain: ({ company, data, ids }) => [
        ["currency_id", "=", ids["currency"]!],
        ["company_id", "=", company.id],
        ["name", "=", data.date],
      ],
      fields: ["company_rate"],
      externalIds: true,
      limit: 1,
    }),
    load({
      name: "rate",
      model: "res.currency.rate",
      mode: "upsert",
      rows: (write) =>
        foreignIn(write) !== undefined ? [] : {
          externalId: rateId(write),
          values: {
            name: write.data.date,
            "currency_id/id": currencyOf(write.data.currency),
            "company_id/.id": id(write.company.id),
            company_rate: BigDecimal.format(write.data.rate),
          },
        },
    }),
    update({
      name: "entered",
      model: "res.currency.rate",
      records: (write) => {
        const foreign = foreignIn(write)
        return foreign === undefined ? [] : [foreign.id]
      },
      values: ({ data }) => ({ company_rate: Number(BigDecimal.format(data.rate)) }),
    }),
  ],
  fact: ({ currency, date, rate }) => `${BigDecimal.format(rate)} ${currency} from ${date}`,
})

export const exchangeRates: Flow = {
  name: FLOW,
  domain: "exchange-rate",
  description: "Exchange rates become Odoo's; the newest version of a day stands",
  lane: "critical",
  batch: { size: 50, linger: "50 millis", concurrency: 1 },
  inFlight: 200,
  referenceDeadline: "1 hour",
  mask: maskOf(FLOW),
  events: [published],
}
