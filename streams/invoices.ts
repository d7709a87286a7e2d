/**
 * An invoice request becomes a posted customer invoice: with the lines that billing gives, or with what is ready of an
 * engagement.
 *
 *   invoice.requested        ─> prices, tax asked where they are left open ─┐
 *   invoice.ready-requested  ─> what is ready of the order                 ─┴─> account.move (draft) ─> amounts compared
 *                                     ─> released, when it was held ─> posted ─> invoice.posted goes out
 *   invoice.released         ─> fact that a held one waits for
 *
 * Never Odoo's invoicing wizard: repeated, it invoices twice. What each line bills is said by `sale_line_ids`.
 */
import { BigDecimal } from "effect"
import { InvoiceReleased, InvoiceRequested } from "../schemas/invoice.ts"
import { event, type Flow } from "../src/flow/Flow.ts"
import { load, type Refusal, type Row } from "../src/flow/Step.ts"
import { externalId, type Write } from "../src/flow/Write.ts"
import { accountOf, isRefusal, taxOf } from "./codes.ts"
import { exchangeRateOf } from "./exchange.ts"
import { invoiceFeed } from "./invoiceFeed.ts"
import {
  draft,
  FLOW,
  headOf,
  invoiceId,
  isRefused,
  posting,
  promised,
  rebillOf,
  releaseOf,
  shared,
  untaxedOf,
} from "./invoicing.ts"
import { engagementIds, parent, subscriptionIds, subscriptionPart } from "./keys.ts"
import { askPrices, askTax, priceOf, quotedTax, taxCodeOf } from "./quotes.ts"
import { readyRequested } from "./readyInvoices.ts"
import { maskOf } from "./ownership.ts"

/** Lines that give their own price and tax, and the timesheets they name, linked in the same call. */
const requestedRow = (write: Write<InvoiceRequested>): Row | Refusal => {
  const { company, data } = write
  const head = headOf(write)
  if (isRefused(head)) return head
  const rows: Array<Row> = []
  for (const line of data.lines) {
    const tax = taxOf(company, taxCodeOf(write, line))
    if (isRefusal(tax)) return tax
    const account = line.account === undefined ? undefined : accountOf(company, line.account)
    if (account !== undefined && isRefusal(account)) return account
    rows.push({
      externalId: invoiceId(company.entity, data.key, `line-${line.key}`),
      values: {
        name: line.description,
        quantity: BigDecimal.format(line.quantity),
        price_unit: BigDecimal.format(priceOf(write, line)),
        "tax_ids/.id": tax,
        ...(account !== undefined && { "account_id/.id": account }),
        ...(data.engagement !== undefined && line.engagementLine !== undefined && {
          "sale_line_ids/id": engagementIds(company.entity, data.engagement).line(line.engagementLine),
        }),
        ...(data.subscription !== undefined && line.subscriptionLine !== undefined && {
          "sale_line_ids/id": subscriptionIds(company.entity, data.subscription).line(line.subscriptionLine),
        }),
      },
    })
  }
  const timesheets = data.lines.flatMap((line) => line.timesheets ?? [])
    .map((key) => externalId(company.entity, "timesheets", key))
  return {
    externalId: invoiceId(company.entity, data.key),
    values: { ...head, ...(timesheets.length > 0 && { "timesheet_ids/id": timesheets.join(",") }) },
    lines: { field: "invoice_line_ids", rows },
  }
}

const requested = event<InvoiceRequested>({
  ...shared,
  type: "invoice.requested",
  schema: InvoiceRequested,
  rebill: rebillOf("invoice.requested", InvoiceRequested),
  parents: (invoice) => [
    ...shared.parents(invoice),
    ...(invoice.subscription === undefined ? [] : [parent.subscription(invoice.subscription)]),
  ],
  references: ({ customer, engagement, lines, subscription }) => [
    { flow: "customers", key: customer },
    ...(engagement === undefined ? [] : [{ flow: "engagements", key: engagement }]),
    // A plan version that an amendment brings is waited for.
    ...lines.flatMap((line) =>
      subscription === undefined || line.subscriptionLine === undefined
        ? []
        : [subscriptionPart(subscription, line.subscriptionLine)]
    ),
    ...lines.flatMap((line) => line.timesheets ?? []).map((key) => ({ flow: "timesheets", key })),
  ],
  plan: [
    askPrices,
    askTax,
    ...exchangeRateOf<InvoiceRequested>(({ invoiceDate }) => invoiceDate),
    load({ ...draft, rows: requestedRow }),
    ...posting<InvoiceRequested>((write) =>
      promised(
        write.data.totals,
        () =>
          untaxedOf(
            write.data.lines.map((line) => BigDecimal.multiply(line.quantity, priceOf(write, line))),
            write.data.currency,
          ),
        quotedTax(write),
      )
    ),
  ],
  population: {
    model: "account.move",
    domain: [["move_type", "=", "out_invoice"], ["state", "=", "posted"]],
    day: "invoice_date",
  },
})

const released = event<InvoiceReleased>({
  type: "invoice.released",
  version: 1,
  schema: InvoiceReleased,
  key: ({ key }) => releaseOf(key).key,
  parents: () => [],
  references: () => [],
  versions: "gate",
  plan: [],
  fact: ({ by }) => `released by ${by}`,
})

export const invoices: Flow = {
  name: FLOW,
  domain: "invoice",
  description: "Invoice requests become posted customer invoices whose totals are the promised ones",
  lane: "critical",
  batch: { size: 25, linger: "50 millis", concurrency: 2 },
  inFlight: 100,
  referenceDeadline: "1 day",
  feed: invoiceFeed,
  mask: maskOf(FLOW),
  events: [requested, readyRequested, released],
}
