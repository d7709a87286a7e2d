/**
 * Metered use becomes one order line per period, with what the period came to as delivered quantity.
 *
 *   usage.recorded ─> counted in the window of its month (the ledger; no call to Odoo)
 *                            │  month over, grace over, nothing new for a while
 *                            ▼
 *   usage.rolled-up ─> billable? ─> a line of the period at the agreed price ─> delivered := quantity ─> billing-ready
 *   usage.trued-up  ─> billable? ─> a line of the difference                 ─> delivered := actual - period's
 *
 * Quantities are written as absolute values: whatever is replayed changes nothing. A record whose month is closed counts in
 * the month in which it came, or becomes an exception, as the policy says.
 */
import { BigDecimal, Duration } from "effect"
import { format, formatOdooFloat, fromOdooFloat } from "../schemas/money.ts"
import { UsageRecorded, usageRecordedFrom1, UsageRolledUp, UsageTruedUp } from "../schemas/usage.ts"
import { event, type Flow, type OutcomeEvent } from "../src/flow/Flow.ts"
import { check, load, read, type Refusal, type Row, type Step, update } from "../src/flow/Step.ts"
import { externalId, type Write } from "../src/flow/Write.ts"
import type { Contribution, Window } from "../src/ledger/Windows.ts"
import { many2one } from "../src/odoo/CompanyCalls.ts"
import { billableSteps, recordsIn } from "./billability.ts"
import { closingOf, lateFor } from "./closing.ts"
import { id } from "./codes.ts"
import { fact } from "./facts.ts"
import { engagementPart, parent } from "./keys.ts"
import { productOf, productSeeds } from "./products.ts"
import { maskOf } from "./ownership.ts"

export interface UsagePolicy {
  /** How long after the end of its month a window stays open for records that are on their way. */
  readonly grace: Duration.Input
  /** A window closes only when nothing was counted in it for this long, so that a backlog is read first. */
  readonly quiet: Duration.Input
  /** A record whose window is closed counts in the month in which it comes, or is an exception (`USAGE-LATE`). */
  readonly late: "next-window" | "exception"
}

const FLOW = "usage"
/** Decimals of quantities that Odoo keeps. */
const SCALE = 2
const SALE_LINE = "sale.order.line"

type Billed = { readonly engagement: string; readonly line: string; readonly period: string }

const monthOf = (millis: number): string => new Date(millis).toISOString().slice(0, 7)

/** The first moment after a month. */
const endOf = (month: string): number => Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5, 7)), 1)

const contributionOf = ({ at, engagement, line, quantity }: UsageRecorded, nowMillis: number, policy: UsagePolicy) => {
  const closing = (period: string) => ({
    period,
    closesAtMillis: endOf(period) + Duration.toMillis(Duration.fromInputUnsafe(policy.grace)),
  })
  const own = closing(at.slice(0, 7))
  const current = closing(monthOf(nowMillis))
  const later = policy.late === "next-window" && current.period > own.period ? current : null
  return {
    series: `${engagement}/${line}`,
    ...own,
    quantity: BigDecimal.format(quantity),
    late: later,
  } satisfies Contribution
}

/** What a closed window came to, as the event that writes it. */
const rolledUpOf = ({ events, late, period, quantity, series }: Window) => {
  const [engagement, line] = series.split("/") as [string, string]
  const data = { engagement, line, period, quantity, records: events, late } satisfies typeof UsageRolledUp.Encoded
  return { type: "usage.rolled-up", id: `${series}/${period}`, data }
}

const periodKey = ({ engagement, line, period }: Billed): string => `${engagement}.${line}.${period}`

const referencesOf = ({ engagement, line }: Billed | UsageRecorded) => [
  { flow: "engagements", key: engagement },
  engagementPart(engagement, "line", line),
]

/** The line with the agreed price. */
const agreedOf = ({ references }: Write<unknown>): number => references[1]!.id

const before = <D extends Billed>(): ReadonlyArray<Step<D>> => [
  check<D>({
    name: "open",
    refuse: ({ consulted, data }) => lateFor(data.engagement, consulted?.[0], `${data.period}-01`),
  }),
  ...billableSteps<D>("usage", agreedOf),
  read<D>({
    name: "agreed",
    model: SALE_LINE,
    records: (write) => [agreedOf(write)],
    fields: ["order_id", "name", "price_unit", "discount", "tax_ids"],
  }),
]

/** A line at the agreed price, of which nothing is ordered: what is delivered is what is billed. */
const lineRow = (write: Write<Billed>, suffix: string): Row | Refusal => {
  const [agreed] = recordsIn(write, "agreed")
  const order = many2one(agreed?.["order_id"])
  if (agreed === undefined || order === undefined) {
    return { code: "ODOO-RECORD-MISSING", detail: `${SALE_LINE} ${agreedOf(write)} is gone` }
  }
  const { company, data, key } = write
  return {
    externalId: externalId(company.entity, FLOW, key),
    values: {
      "order_id/.id": id(order),
      "product_id/id": productOf.usage,
      name: `${String(agreed["name"])} ${data.period}${suffix}`,
      product_uom_qty: "0",
      price_unit: String(agreed["price_unit"]),
      discount: String(agreed["discount"] ?? 0),
      "tax_ids/.id": (agreed["tax_ids"] as ReadonlyArray<number>).join(","),
    },
  }
}

/** Sets what is delivered and reads what is ready by that. */
const deliveredSteps = <D extends Billed>(
  of: string,
  quantity: (write: Write<D>) => BigDecimal.BigDecimal,
): ReadonlyArray<Step<D>> => [
  update<D>({
    name: "delivered",
    model: SALE_LINE,
    records: ({ ids }) => [ids[of]!],
    values: (write) => ({ qty_delivered: Number(format(quantity(write), SCALE)) }),
  }),
  read<D>({
    name: "ready",
    model: SALE_LINE,
    records: ({ ids }) => [ids[of]!],
    fields: ["qty_to_invoice", "price_unit"],
  }),
]

const readiness = (write: Write<Billed>): ReadonlyArray<OutcomeEvent> =>
  recordsIn(write, "ready").map((line) =>
    fact("engagement.billing-ready", {
      engagement: write.data.engagement,
      source: { flow: FLOW, key: write.key },
      lineId: line.id,
      toInvoice: formatOdooFloat(Number(line["qty_to_invoice"]), SCALE),
      unitPrice: BigDecimal.format(BigDecimal.normalize(fromOdooFloat(Number(line["price_unit"]), 6))),
    })
  )

const recorded = (policy: UsagePolicy) =>
  event<UsageRecorded>({
    type: "usage.recorded",
    version: 2,
    schema: UsageRecorded,
    upcasts: { 1: usageRecordedFrom1 },
    key: ({ key }) => key,
    parents: () => [],
    references: referencesOf,
    consults: ({ engagement }) => [closingOf(engagement)],
    versions: "once",
    plan: [
      check({
        name: "open",
        refuse: ({ consulted, data }) => lateFor(data.engagement, consulted?.[0], data.at.slice(0, 10)),
      }),
    ],
    fact: ({ engagement, line, quantity }) => `${BigDecimal.format(quantity)} of ${engagement} ${line}`,
    adds: (data, nowMillis) => contributionOf(data, nowMillis, policy),
  })

const rolledUp = event<UsageRolledUp>({
  type: "usage.rolled-up",
  version: 1,
  schema: UsageRolledUp,
  key: periodKey,
  parents: ({ engagement }) => [parent.engagement(engagement)],
  references: referencesOf,
  consults: ({ engagement }) => [closingOf(engagement)],
  versions: "once",
  record: "period",
  plan: [
    ...before<UsageRolledUp>(),
    load({ name: "period", model: SALE_LINE, mode: "create", rows: (write) => lineRow(write, "") }),
    ...deliveredSteps<UsageRolledUp>("period", ({ data }) => data.quantity),
  ],
  publishes: ["engagement.billing-ready"],
  outcomes: readiness,
})

const truedUp = event<UsageTruedUp>({
  type: "usage.trued-up",
  version: 1,
  schema: UsageTruedUp,
  key: (data) => `${periodKey(data)}.true-up`,
  parents: ({ engagement }) => [parent.engagement(engagement)],
  references: (data) => [...referencesOf(data), { flow: FLOW, key: periodKey(data) }],
  consults: ({ engagement }) => [closingOf(engagement)],
  versions: "gate",
  record: "difference",
  plan: [
    ...before<UsageTruedUp>(),
    read({
      name: "period",
      model: SALE_LINE,
      records: ({ references }) => [references[2]!.id],
      fields: ["qty_delivered"],
    }),
    check({
      name: "stands",
      refuse: (write) =>
        recordsIn(write, "period").length > 0 ? undefined : {
          code: "ODOO-RECORD-MISSING",
          detail: `the line of ${periodKey(write.data)} is gone`,
        },
    }),
    load({
      name: "difference",
      model: SALE_LINE,
      mode: "create",
      rows: (write) => lineRow(write, `, ${write.data.reason ?? "settled"}`),
    }),
    ...deliveredSteps<UsageTruedUp>("difference", (write) =>
      BigDecimal.subtract(
        write.data.quantity,
        fromOdooFloat(Number(recordsIn(write, "period")[0]?.["qty_delivered"]), SCALE),
      )),
  ],
  publishes: ["engagement.billing-ready"],
  outcomes: readiness,
})

export const usageFlow = (policy: UsagePolicy): Flow => ({
  name: FLOW,
  domain: "usage",
  description: "Metered use is added up per month and becomes delivered quantities of the engagement's order",
  lane: "bulk",
  batch: { size: 200, linger: "50 millis", concurrency: 2 },
  inFlight: 800,
  referenceDeadline: "1 day",
  seeds: productSeeds,
  windows: { quiet: policy.quiet, closed: rolledUpOf },
  mask: maskOf(FLOW),
  events: [recorded(policy), rolledUp, truedUp],
})

export const usage = usageFlow({ grace: "2 days", quiet: "15 minutes", late: "next-window" })
