/**
 * Accruals and reclassifications of the closing team become journal entries; with a day to reverse them, pairs of them.
 *
 *   journal-entry.requested ─> account.move (entry) ─> and its opposite ─> both posted ─> journal-entry.posted goes out
 *
 * Balanced by the Schema before any call is made. Accounts are the source's codes, mapped entity by entity.
 */
import { BigDecimal } from "effect"
import { type EntryItem, JournalEntryRequested } from "../schemas/journalEntry.ts"
import { format, scaleOf } from "../schemas/money.ts"
import { event, type Flow } from "../src/flow/Flow.ts"
import { check, load, type Refusal, type Row } from "../src/flow/Step.ts"
import { externalId, type Write } from "../src/flow/Write.ts"
import { accountOf, isRefusal } from "./codes.ts"
import { entryRow, type Item, postEntry } from "./entries.ts"
import { fact, textOf } from "./facts.ts"
import { customerId, parent } from "./keys.ts"
import { maskOf } from "./ownership.ts"

const FLOW = "journal-entries"

type Requested = Write<JournalEntryRequested>

const engagementsIn = ({ items }: JournalEntryRequested): ReadonlyArray<string> => [
  ...new Set(items.flatMap(({ engagement }) => engagement ?? [])),
]
const customersIn = ({ items }: JournalEntryRequested): ReadonlyArray<string> => [
  ...new Set(items.flatMap(({ customer }) => customer ?? [])),
]

const ZERO = BigDecimal.make(0n, 0)

/** Odoo's distribution: the whole of it on the engagement's analytic account. */
const analyticOf = ({ data, references }: Requested, { engagement }: EntryItem): string | Refusal => {
  if (engagement === undefined) return ""
  const account = references[engagementsIn(data).indexOf(engagement)]?.links["analytic"]
  return account === undefined
    ? { code: "MASTER-DATA-MISSING", detail: `the engagement ${engagement} has no analytic account` }
    : JSON.stringify({ [account]: 100 })
}

const itemsOf = (write: Requested, sign: 1 | -1): ReadonlyArray<Item> | Refusal => {
  const { company, data } = write
  const items: Array<Item> = []
  const isBorne = data.items.some(({ engagement }) => engagement !== undefined)
  const signed = (amount: BigDecimal.BigDecimal) => sign === 1 ? amount : BigDecimal.negate(amount)
  for (const item of data.items) {
    const account = accountOf(company, item.account)
    if (isRefusal(account)) return account
    const analytic = analyticOf(write, item)
    if (isRefusal(analytic)) return analytic
    items.push({
      key: item.key,
      name: item.description ?? data.description,
      account,
      amount: signed(BigDecimal.subtract(item.debit ?? ZERO, item.credit ?? ZERO)),
      ...(item.customer !== undefined && { partner: customerId(company.entity, item.customer) }),
      ...(isBorne && { analytic }),
      ...(item.foreign !== undefined && {
        foreign: { currency: item.foreign.currency, amount: signed(item.foreign.amount) },
      }),
    })
  }
  return items
}

const rowOf = (write: Requested, part?: "reversal"): Row | Refusal => {
  const { company, data } = write
  const own = externalId(company.entity, FLOW, data.key)
  const items = itemsOf(write, part === undefined ? 1 : -1)
  if ("code" in items) return items
  return entryRow(write, {
    externalId: part === undefined ? own : `${own}.${part}`,
    date: part === undefined ? data.date : data.reverseOn ?? data.date,
    ref: part === undefined ? data.key : `${data.key} reversal`,
    ...(data.journal !== undefined && { journal: data.journal }),
    currency: data.currency,
    ...(part !== undefined && { reverses: own }),
    items,
  })
}

const requested = event<JournalEntryRequested>({
  type: "journal-entry.requested",
  version: 1,
  schema: JournalEntryRequested,
  key: ({ key }) => key,
  parents: (entry) => [...engagementsIn(entry).map(parent.engagement), ...customersIn(entry).map(parent.customer)],
  references: (entry) => [
    ...engagementsIn(entry).map((key) => ({ flow: "engagements", key })),
    ...customersIn(entry).map((key) => ({ flow: "customers", key })),
  ],
  versions: "once",
  record: "entry",
  alike: { field: "ref", value: ({ key }) => key, domain: [["move_type", "=", "entry"]] },
  plan: [
    check({
      name: "currency",
      refuse: ({ company, data }) =>
        data.currency === company.currency ? undefined : {
          code: "EVENT-INVALID",
          detail: `currency: the books of ${company.entity} are in ${company.currency}`,
        },
    }),
    load({ name: "entry", model: "account.move", mode: "create", rows: (write) => rowOf(write) }),
    load({
      name: "reversal",
      model: "account.move",
      mode: "create",
      rows: (write) => write.data.reverseOn === undefined ? [] : rowOf(write, "reversal"),
    }),
    postEntry("post", "entry", ({ date }) => date, ({ journal }) => journal),
    postEntry("postReversal", "reversal", ({ date, reverseOn }) => reverseOn ?? date, ({ journal }) => journal),
  ],
  publishes: ["journal-entry.posted"],
  outcomes: ({ data, read }) => {
    const posted = read["post"]
    if (posted === undefined) return []
    const scale = scaleOf(data.currency)
    const debited = BigDecimal.sumAll(data.items.map(({ debit = ZERO }) => debit))
    return [fact("journal-entry.posted", {
      entry: data.key,
      number: textOf(posted["name"]),
      accountingDate: textOf(posted["date"]),
      reversal: textOf(read["postReversal"]?.["name"]),
      reversalDate: textOf(read["postReversal"]?.["date"]),
      currency: data.currency,
      amount: format(debited, scale),
    })]
  },
})

export const journalEntries: Flow = {
  name: FLOW,
  domain: "journal-entry",
  description: "Accruals and reclassifications become posted journal entries, with their reversals",
  lane: "normal",
  batch: { size: 25, linger: "50 millis", concurrency: 1 },
  inFlight: 100,
  referenceDeadline: "1 day",
  mask: maskOf(FLOW),
  events: [requested],
}
