/** Exchange rates of the company's treasury. */
import { BigDecimal, Schema } from "effect"
import { Day } from "./ids.ts"
import { Currency, PositiveDecimal } from "./money.ts"

/** `exchange-rate.published`: the rate of a day. A later one of the same day replaces it. */
export const ExchangeRatePublished = Schema.Struct({
  currency: Currency.annotate({ description: "foreign currency", examples: ["USD"] }),
  date: Day.annotate({ description: "first day on which it counts" }),
  rate: PositiveDecimal.annotate({
    description: "units of the foreign currency for one of the company's",
    examples: [BigDecimal.make(10842n, 4)],
  }),
}).annotate({ identifier: "ExchangeRatePublished", description: "The exchange rate of a day" })
export type ExchangeRatePublished = typeof ExchangeRatePublished.Type
