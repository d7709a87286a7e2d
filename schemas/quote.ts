/** What the services beside Odoo are asked about an invoice, and what they answer: prices, and taxes. */
import { Schema } from "effect"
import { BusinessKey, TaxCode } from "./ids.ts"
import { Decimal } from "./money.ts"

/** The answer of the service `pricing`: a price for each line that was asked. */
export const PriceQuote = Schema.Struct({
  lines: Schema.Array(Schema.Struct({ key: BusinessKey, unitPrice: Decimal })),
}).annotate({ identifier: "PriceQuote", description: "prices without tax, by line" })
export type PriceQuote = typeof PriceQuote.Type

/** The answer of the service `tax`: a tax code for each line that was asked, and the tax of the whole invoice. */
export const TaxQuote = Schema.Struct({
  lines: Schema.Array(Schema.Struct({ key: BusinessKey, taxCode: TaxCode })),
  tax: Decimal.annotate({ description: "what Odoo must compute, in the invoice's currency" }),
}).annotate({ identifier: "TaxQuote", description: "tax codes by line, and the tax in all" })
export type TaxQuote = typeof TaxQuote.Type
