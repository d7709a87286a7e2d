/**
 * A write-off gives up what an invoice still has open, or a part of it, after somebody else than its requester has approved
 * it: an entry of its own, reconciled with the invoice.
 *
 *   write-off.requested ─> approved ─> what is open ─> account.move (entry) ─> posted ─> reconciled ─> write-off.posted
 */
import { BigDecimal } from "effect"
import { WriteOffRequested } from "../schemas/creditNote.ts"
import { format, fromOdooFloat, scaleOf } from "../schemas/money.ts"
import { event, type Flow } from "../src/flow/Flow.ts"
import { check, load, query, reconcile, type Refusal, type Row } from "../src/flow/Step.ts"
import { externalId, type Write } from "../src/flow/Write.ts"
import { approvalOf, obstacleIn } from "./approvals.ts"
import { accountOf, isRefusal } from "./codes.ts"
import { entryRow, ownEntries, postEntry } from "./entries.ts"
import { exchangeRateOf } from "./exchange.ts"
import { fact, textOf } from "./facts.ts"
import { oneOf, recordsOf } from "./found.ts"
import { customerId, parent } from "./keys.ts"
import { maskOf } from "./ownership.ts"

const FLOW = "write-offs"

type WriteOff = Write<WriteOffRequested>

const entryId = ({ company, data }: WriteOff): string => externalId(company.entity, FLOW, data.key)

const openEnough = (write: WriteOff): Refusal | undefined => {
  const { data } = write
  // Once it is booked it has taken its part of what was open.
  if (recordsOf(write, "own").some((move) => move["external_id"] === entryId(write))) return undefined
  const scale = scaleOf(data.currency)
  const items = recordsOf(write, "receivable")
  const foreign = items.find((item) => (item["currency_id"] as readonly [number, string])[1] !== data.currency)
  const open = BigDecimal.sumAll(items.map((item) => fromOdooFloat(Number(item["amount_residual_currency"]), scale)))
  const refuse = (what: string): Refusal => ({
    code: "WRITE-OFF-EXCEEDS-OPEN",
    detail: `${data.invoice} ${what}, ${format(data.amount, scale)} ${data.currency} are to be written off`,
  })
  if (foreign !== undefined) return refuse(`is in ${(foreign["currency_id"] as readonly [number, string])[1]}`)
  return BigDecimal.isGreaterThan(data.amount, open) ? refuse(`has ${format(open, scale)} open`) : undefined
}

const rowOf = (write: WriteOff): Row | Refusal => {
  const { company, data } = write
  const account = accountOf(company, data.account ?? "write-off")
  if (isRefusal(account)) return account
  const receivable = oneOf(recordsOf(write, "receivable")[0]?.["account_id"])
  if (receivable === 0) {
    return { code: "ODOO-UNEXPECTED-STATE", detail: `the invoice ${data.invoice} has no posted receivable item` }
  }
  return entryRow(write, {
    externalId: entryId(write),
    date: data.date,
    ref: data.key,
    currency: data.currency,
    items: [
      { key: "expense", name: data.reason, account, amount: data.amount },
      {
        key: "receivable",
        name: data.reason,
        account: String(receivable),
        amount: BigDecimal.negate(data.amount),
        partner: customerId(company.entity, data.customer),
      },
    ],
  })
}

const requested = event<WriteOffRequested>({
  type: "write-off.requested",
  version: 1,
  schema: WriteOffRequested,
  key: ({ key }) => key,
  parents: ({ customer, invoice }) => [parent.customer(customer), parent.invoice(invoice)],
  references: ({ customer, invoice, key }) => [
    { flow: "customers", key: customer },
    { flow: "invoices", key: invoice },
    approvalOf(FLOW, key),
  ],
  versions: "once",
  record: "entry",
  plan: [
    check({
      name: "approval",
      refuse: ({ data, references }) => obstacleIn(references[2]!, FLOW, data.key, data.requestedBy),
    }),
    ...exchangeRateOf<WriteOffRequested>(({ date }) => date),
    query({
      name: "receivable",
      model: "account.move.line",
      domain: ({ references }) => [
        ["move_id", "=", references[1]!.id],
        ["account_type", "=", "asset_receivable"],
        ["parent_state", "=", "posted"],
      ],
      fields: ["account_id", "currency_id", "amount_residual_currency"],
      limit: 100,
    }),
    ownEntries(),
    check({ name: "open", refuse: openEnough }),
    load({ name: "entry", model: "account.move", mode: "create", rows: rowOf }),
    postEntry("post", "entry", ({ date }) => date),
    reconcile({
      name: "reconcile",
      sets: ({ ids, references }) => [{ entries: [ids["entry"]!], owed: [references[1]!.id] }],
    }),
  ],
  publishes: ["write-off.posted"],
  outcomes: ({ data, read }) => {
    const posted = read["post"]
    if (posted === undefined) return []
    return [fact("write-off.posted", {
      writeOff: data.key,
      invoice: data.invoice,
      number: textOf(posted["name"]),
      accountingDate: textOf(posted["date"]),
      currency: data.currency,
      amount: format(data.amount, scaleOf(data.currency)),
      requestedBy: data.requestedBy,
    })]
  },
})

export const writeOffs: Flow = {
  name: FLOW,
  domain: "write-off",
  description: "Approved write-offs give up what invoices still have open",
  lane: "critical",
  batch: { size: 25, linger: "50 millis", concurrency: 2 },
  inFlight: 100,
  // An approval is a reference: people get their time.
  referenceDeadline: "30 days",
  mask: maskOf(FLOW),
  events: [requested],
}
