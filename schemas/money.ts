/**
 * Money as it travels: decimals as strings, currencies as ISO 4217 codes. Never a float, so that no cent is lost on
 * the way from the source to Odoo.
 */
import { BigDecimal, Schema, SchemaTransformation } from "effect"
import { financial } from "./classification.ts"

const codes = [
  "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP",
  "CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR",
  "IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU",
  "MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG",
  "SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST",
  "XAF XCD XCG XOF XPF YER ZAR ZMW ZWG",
].join(" ").split(" ")

/** Minor units of the currencies that do not have two decimals (ISO 4217, list one). */
const minorUnits = new Map<string, number>([
  ..."BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(" ").map((code) => [code, 0] as const),
  ..."BHD IQD JOD KWD LYD OMR TND".split(" ").map((code) => [code, 3] as const),
])

/** An ISO 4217 alphabetic code of a currency in use, for example `EUR`. */
export const Currency = Schema.Literals(codes).annotate({
  identifier: "Currency",
  description: "ISO 4217 currency code",
  examples: ["EUR"],
})
export type Currency = typeof Currency.Type

/** The number of decimals `currency` is counted in: EUR 2, JPY 0, KWD 3. */
export const scaleOf = (currency: Currency): number => minorUnits.get(currency) ?? 2

/**
 * A decimal number written as a JSON string, at most 15 digits before the point and 6 after it, no exponent:
 * `"1250.50"`. It tells prices, quantities or amounts. A JSON number is refused, because the sender's float may already have lost a cent.
 */
export const Decimal = financial(
  Schema.String.check(
    Schema.isPattern(/^-?\d{1,15}(?:\.\d{1,6})?$/u, {
      message: 'must be a decimal in a string, for example "1250.50"',
    }),
  ).pipe(Schema.decodeTo(
    Schema.BigDecimal,
    SchemaTransformation.transform({
      decode: (text: string) => BigDecimal.fromStringUnsafe(text),
      encode: (decimal) => BigDecimal.format(decimal),
    }),
  )).annotate({ identifier: "Decimal", description: "decimal number in a string" }),
)

/** A `Decimal` above zero, for amounts whose direction the event type tells. */
export const PositiveDecimal = Decimal.check(Schema.isGreaterThanBigDecimal(BigDecimal.make(0n, 0)))

/** `decimal` as plain digits with exactly `scale` decimals, half away from zero: `format(1.005, 2)` is `"1.01"`. */
export const format = (decimal: BigDecimal.BigDecimal, scale: number): string => {
  const minor = BigDecimal.scale(BigDecimal.round(decimal, { scale, mode: "half-from-zero" }), scale).value
  const digits = (minor < 0n ? -minor : minor).toString().padStart(scale + 1, "0")
  const point = digits.length - scale
  return `${minor < 0n ? "-" : ""}${digits.slice(0, point)}${scale > 0 ? `.${digits.slice(point)}` : ""}`
}

/** From here on `toFixed` writes an exponent. */
const MAX_FIXED = 1e21

/**
 * A float as Odoo's JSON answers carry it, brought back to the exact decimal Odoo stores: `118.10000000000001` at
 * scale 2 is `118.10`.
 */
export const fromOdooFloat = (float: number, scale: number): BigDecimal.BigDecimal =>
  BigDecimal.fromStringUnsafe(float.toFixed(scale))

/** The same as plain digits: `format(fromOdooFloat(float, scale), scale)`, without a decimal on the way. */
export const formatOdooFloat = (float: number, scale: number): string => {
  if (!(Math.abs(float) < MAX_FIXED)) throw new RangeError(`${float} is no number of Odoo's`)
  const text = float.toFixed(scale)
  return text.startsWith("-") && Number(text) === 0 ? text.slice(1) : text
}

/** Whether `decimal` needs no more decimals than `currency` is counted in: 1.005 EUR does not fit. */
export const fits = (decimal: BigDecimal.BigDecimal, currency: Currency): boolean =>
  BigDecimal.normalize(decimal).scale <= scaleOf(currency)
