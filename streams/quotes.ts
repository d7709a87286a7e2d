/**
 * Prices and taxes that an invoice request leaves open, asked of the services `pricing` and `tax`. What they say goes into
 * the draft; the tax that is quoted must be what Odoo computes.
 */
import { BigDecimal, Exit, Schema } from "effect"
import type { InvoiceLine, InvoiceRequested } from "../schemas/invoice.ts"
import { PriceQuote, TaxQuote } from "../schemas/quote.ts"
import { enrich, type Refusal } from "../src/flow/Step.ts"
import type { Write } from "../src/flow/Write.ts"
import type { Json } from "../src/odoo/Odoo.ts"

type Asked = Write<InvoiceRequested>

const decodePrices = Schema.decodeUnknownExit(PriceQuote)
const decodeTax = Schema.decodeUnknownExit(TaxQuote)

/** What both services are told about the invoice. */
const aboutInvoice = ({ currency, customer, engagement, invoiceDate, key }: InvoiceRequested) => ({
  document: "invoice",
  key,
  customer,
  ...(engagement !== undefined && { engagement }),
  currency,
  date: invoiceDate,
})

const aboutLine = ({ description, engagementLine, key, quantity }: InvoiceLine) => ({
  key,
  description,
  quantity: BigDecimal.format(quantity),
  ...(engagementLine !== undefined && { engagementLine }),
})

const notUnderstood = (service: string, why: string): Refusal => ({
  code: "DEPENDENCY-REFUSED",
  detail: `${service}: its answer is not understood: ${why}`,
})

/** The answer when it has a line for each that was asked, and each once. */
const complete = <A extends { readonly lines: ReadonlyArray<{ readonly key: string }> }>(
  service: string,
  answer: Exit.Exit<A, Schema.SchemaError>,
  asked: ReadonlyArray<InvoiceLine>,
): A | Refusal => {
  if (Exit.isFailure(answer)) return notUnderstood(service, "it does not have the agreed form")
  const keys = answer.value.lines.map(({ key }) => key)
  const missing = asked.find(({ key }) => keys.filter((each) => each === key).length !== 1)
  return missing === undefined ? answer.value : notUnderstood(service, `line ${missing.key} must be in it once`)
}

const unpriced = ({ lines }: InvoiceRequested) => lines.filter(({ unitPrice }) => unitPrice === undefined)
const untaxed = ({ lines }: InvoiceRequested) => lines.filter(({ taxCode }) => taxCode === undefined)

export const askPrices = enrich<InvoiceRequested>({
  name: "prices",
  dependency: "pricing",
  question: ({ data }) => {
    const lines = unpriced(data).map(aboutLine)
    return lines.length === 0 ? null : { ...aboutInvoice(data), lines }
  },
  accept: (answer, { data }) => complete("pricing", decodePrices(answer), unpriced(data)),
})

export const askTax = enrich<InvoiceRequested>({
  name: "tax",
  dependency: "tax",
  question: (write) => {
    const { data } = write
    if (untaxed(data).length === 0) return null
    const lines = data.lines.map((line): Json => ({
      ...aboutLine(line),
      unitPrice: BigDecimal.format(priceOf(write, line)),
      ...(line.taxCode !== undefined && { taxCode: line.taxCode }),
    }))
    return { ...aboutInvoice(data), lines }
  },
  accept: (answer, { data }) => complete("tax", decodeTax(answer), untaxed(data)),
})

const quoteIn = <A>({ read }: Asked, step: string): A | undefined => read[step] as unknown as A | undefined

/** The line's price: its own, or the quoted one. */
export const priceOf = (write: Asked, { key, unitPrice }: InvoiceLine): BigDecimal.BigDecimal => {
  const quoted = quoteIn<PriceQuote>(write, "prices")?.lines.find((line) => line.key === key)?.unitPrice
  const price = unitPrice ?? quoted
  if (price === undefined) throw new Error(`line ${key} has no price, and none was asked for`)
  return price
}

/** The line's tax code: its own, or the quoted one. */
export const taxCodeOf = (write: Asked, { key, taxCode }: InvoiceLine): string => {
  const code = taxCode ?? quoteIn<TaxQuote>(write, "tax")?.lines.find((line) => line.key === key)?.taxCode
  if (code === undefined) throw new Error(`line ${key} has no tax code, and none was asked for`)
  return code
}

/** The tax that was quoted for the whole invoice; undefined when it was not asked. */
export const quotedTax = (write: Asked): BigDecimal.BigDecimal | undefined => quoteIn<TaxQuote>(write, "tax")?.tax
