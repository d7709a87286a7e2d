/** Invoice requests: what billing wants invoiced, with the totals it promised to the customer. */
import { BigDecimal, Schema } from "effect"
import { Person } from "./approval.ts"
import { AccountCode, BusinessKey, Day, JournalRole, Label, repeated, TaxCode } from "./ids.ts"
import { Currency, Decimal, fits, PositiveDecimal, scaleOf } from "./money.ts"

/** Most lines of one invoice: Odoo writes about 50 lines a second and a call must end well within a minute. */
export const INVOICE_MAX_LINES = 200

/** Most timesheets that one invoice names. */
export const INVOICE_MAX_TIMESHEETS = 500

export const InvoiceLine = Schema.Struct({
  key: BusinessKey.annotate({ description: "key of the line within the invoice", examples: ["1"] }),
  description: Label,
  quantity: Decimal.annotate({ description: "at most 2 decimals", examples: [BigDecimal.make(75n, 1)] }),
  unitPrice: Schema.optionalKey(Decimal.annotate({
    description: "without tax; left out: the service `pricing` is asked",
    examples: [BigDecimal.make(12550n, 2)],
  })),
  taxCode: Schema.optionalKey(TaxCode.annotate({
    description: "the source's code of a sales tax; left out: the service `tax` is asked",
  })),
  engagementLine: Schema.optionalKey(
    BusinessKey.annotate({ description: "order line of the invoice's engagement that this invoices" }),
  ),
  subscriptionLine: Schema.optionalKey(
    BusinessKey.annotate({ description: "plan version or proration of the invoice's subscription that this invoices" }),
  ),
  timesheets: Schema.optionalKey(
    Schema.Array(BusinessKey).check(Schema.isMaxLength(INVOICE_MAX_TIMESHEETS)).annotate({
      description: "timesheet lines that this bills; they are fixed from then on",
    }),
  ),
  account: Schema.optionalKey(AccountCode.annotate({
    description: "the source's code of the income account; left out: Odoo's",
  })),
}).annotate({ identifier: "InvoiceLine" })
export type InvoiceLine = typeof InvoiceLine.Type

export const InvoiceTotals = Schema.Struct({
  untaxed: Decimal,
  tax: Decimal,
  total: Decimal,
}).annotate({ identifier: "InvoiceTotals", description: "what Odoo must compute, in the invoice's currency" })

/** What explicit requests and requests for what is ready have in common. */
const head = {
  key: BusinessKey.annotate({ description: "number of the request", examples: ["INV-00123"] }),
  customer: BusinessKey.annotate({ description: "customer number", examples: ["CUS-0042"] }),
  invoiceDate: Day,
  dueDate: Schema.optionalKey(Day.annotate({ description: "the customer's payment terms when left out" })),
  currency: Currency,
  exchangeRate: Schema.optionalKey(PositiveDecimal.annotate({
    description: "units of the invoice's currency for one of the company's; Odoo's rate of the day when left out",
    examples: [BigDecimal.make(10842n, 4)],
  })),
  journal: Schema.optionalKey(
    JournalRole.annotate({ description: "role of the sales journal; `sales` when left out" }),
  ),
  hold: Schema.optionalKey(Schema.Boolean.annotate({
    description: "true: the draft is not posted before `invoice.released`",
  })),
}

/** Half a minor unit per line and one for the sum: sources round per line or once, and both are right. */
const roundingOf = (lines: number, scale: number) => BigDecimal.make(5n * BigInt(lines + 1), scale + 1)

interface Totals {
  readonly untaxed: BigDecimal.BigDecimal
  readonly tax: BigDecimal.BigDecimal
  readonly total: BigDecimal.BigDecimal
}

/** What is wrong with totals by themselves. */
const totalsIssue = (totals: Totals, currency: Currency) => {
  for (const [field, amount] of Object.entries(totals)) {
    if (!fits(amount, currency)) return { path: ["totals", field], issue: `has more decimals than ${currency}` }
  }
  return BigDecimal.equals(BigDecimal.sum(totals.untaxed, totals.tax), totals.total)
    ? undefined
    : { path: ["totals", "total"], issue: "must be untaxed plus tax" }
}

const dueIssue = ({ dueDate, invoiceDate }: { readonly dueDate?: string; readonly invoiceDate: string }) =>
  dueDate !== undefined && dueDate < invoiceDate
    ? { path: ["dueDate"], issue: "must not be before invoiceDate" }
    : undefined

/**
 * `invoice.requested`: make and post this invoice. Sent once; a correction is a credit note, an event of its own. Before
 * it is posted, Odoo's totals are compared with `totals`, to the cent.
 */
export const InvoiceRequested = Schema.Struct({
  ...head,
  engagement: Schema.optionalKey(BusinessKey.annotate({ description: "engagement code", examples: ["ENG-0007"] })),
  subscription: Schema.optionalKey(
    BusinessKey.annotate({ description: "subscription number", examples: ["SUB-0031"] }),
  ),
  lines: Schema.Array(InvoiceLine).check(Schema.isMinLength(1), Schema.isMaxLength(INVOICE_MAX_LINES)),
  totals: Schema.optionalKey(
    InvoiceTotals.annotate({ description: "required when every line has its price and its tax code" }),
  ),
}).check(Schema.makeFilter((invoice) => {
  const { currency, engagement, lines, totals } = invoice
  const twice = repeated(lines.map((line) => line.key))
  if (twice !== undefined) return { path: ["lines"], issue: `has the key ${twice} twice` }
  if (engagement === undefined && lines.some((line) => line.engagementLine !== undefined)) {
    return { path: ["engagement"], issue: "must be there when a line names an engagementLine" }
  }
  if (invoice.subscription === undefined && lines.some((line) => line.subscriptionLine !== undefined)) {
    return { path: ["subscription"], issue: "must be there when a line names a subscriptionLine" }
  }
  if (lines.some((line) => line.engagementLine !== undefined && line.subscriptionLine !== undefined)) {
    return { path: ["lines"], issue: "must name an engagementLine or a subscriptionLine, not both" }
  }
  const timesheets = lines.flatMap((line) => line.timesheets ?? [])
  const billedTwice = repeated(timesheets)
  if (billedTwice !== undefined) return { path: ["lines"], issue: `bills the timesheet ${billedTwice} twice` }
  if (timesheets.length > INVOICE_MAX_TIMESHEETS) {
    return { path: ["lines"], issue: `names more than ${INVOICE_MAX_TIMESHEETS} timesheets` }
  }
  if (lines.some((line) => line.timesheets !== undefined && line.engagementLine === undefined)) {
    return { path: ["lines"], issue: "must name the engagementLine that its timesheets are delivered on" }
  }
  if (totals === undefined) {
    return lines.every((line) => line.unitPrice !== undefined && line.taxCode !== undefined)
      ? { path: ["totals"], issue: "must be there when every line has its price and its tax code" }
      : dueIssue(invoice)
  }
  const issue = dueIssue(invoice) ?? totalsIssue(totals, currency)
  if (issue !== undefined) return issue
  const amounts = lines.flatMap(({ quantity, unitPrice }) =>
    unitPrice === undefined ? [] : [BigDecimal.multiply(quantity, unitPrice)]
  )
  if (amounts.length < lines.length) return undefined
  const off = BigDecimal.abs(BigDecimal.subtract(BigDecimal.sumAll(amounts), totals.untaxed))
  return BigDecimal.isGreaterThan(off, roundingOf(lines.length, scaleOf(currency)))
    ? { path: ["totals", "untaxed"], issue: "is not what the lines add up to" }
    : undefined
})).annotate({ identifier: "InvoiceRequested", description: "Billing asks for an invoice" })
export type InvoiceRequested = typeof InvoiceRequested.Type

export const BilledFraction = Schema.Struct({
  line: BusinessKey.annotate({ description: "order line of the engagement" }),
  fraction: PositiveDecimal.check(Schema.isLessThanOrEqualToBigDecimal(BigDecimal.make(1n, 0))).annotate({
    description: "part of the line's quantity to bill now, above 0 and up to 1",
    examples: [BigDecimal.make(5n, 1)],
  }),
}).annotate({ identifier: "BilledFraction" })

/**
 * `invoice.ready-requested`: bill what is ready of an engagement up to a day: timesheets that are on no invoice, milestones
 * that are reached, what else was delivered, and the given fractions of what is billed by fractions (fixed prices and
 * retainers). At the prices and taxes of the order. Sent once per invoice; another one takes what has become ready since.
 */
export const InvoiceReadyRequested = Schema.Struct({
  ...head,
  engagement: BusinessKey.annotate({ description: "engagement code", examples: ["ENG-0007"] }),
  until: Day.annotate({ description: "last day whose timesheets are billed" }),
  fractions: Schema.optionalKey(
    Schema.Array(BilledFraction).check(Schema.isMaxLength(INVOICE_MAX_LINES)).annotate({
      description: "parts of fixed prices and retainers that are due now; without them these are not billed",
    }),
  ),
  totals: Schema.optionalKey(InvoiceTotals.annotate({ description: "when the source knows what comes of it" })),
}).check(Schema.makeFilter((invoice) => {
  const twice = repeated((invoice.fractions ?? []).map(({ line }) => line))
  if (twice !== undefined) return { path: ["fractions"], issue: `has ${twice} twice` }
  return dueIssue(invoice) ??
    (invoice.totals === undefined ? undefined : totalsIssue(invoice.totals, invoice.currency))
})).annotate({ identifier: "InvoiceReadyRequested", description: "Billing asks for an invoice of what is ready" })
export type InvoiceReadyRequested = typeof InvoiceReadyRequested.Type

/** `invoice.released`: the invoice that was requested with `hold` may be posted. It may come before the request. */
export const InvoiceReleased = Schema.Struct({
  key: BusinessKey.annotate({ description: "number of the invoice request", examples: ["INV-00123"] }),
  by: Person.annotate({ description: "who released it" }),
}).annotate({ identifier: "InvoiceReleased", description: "A held invoice may be posted" })
export type InvoiceReleased = typeof InvoiceReleased.Type
