/**
 * One movement at the bank stands for many payments, less what the provider kept: an entry takes the payments off the
 * outstanding accounts.
 *
 *   payment.settled ─> items of the payments on outstanding accounts ─> compared ─> entry ─> posted ─> reconciled
 *                   ─> payment.settled goes out
 *
 * The money arrives on the account with the role `settlement`: the bank's own, or an account for transfers where bank
 * statements are imported as well.
 */
import { BigDecimal } from "effect"
import { PaymentSettled } from "../schemas/payment.ts"
import { format, fromOdooFloat, scaleOf } from "../schemas/money.ts"
import { event } from "../src/flow/Flow.ts"
import { check, load, query, reconcile, type Refusal, type Row } from "../src/flow/Step.ts"
import { externalId, type Write } from "../src/flow/Write.ts"
import { accountOf, isRefusal } from "./codes.ts"
import { entryRow, type Item, ownEntries, postEntry } from "./entries.ts"
import { fact, textOf } from "./facts.ts"
import { oneOf, recordsOf } from "./found.ts"
import { FLOW, idsOf } from "./paymentRow.ts"

/** Most items of the payments in it: each may have parts. */
const MAX_ITEMS = 2000

type Settled = Write<PaymentSettled>

/** All payments in it, parts included. */
const paymentsOf = ({ references }: Settled): ReadonlyArray<number> => references.flatMap(idsOf)

const amountOf = (item: { readonly [field: string]: unknown }, scale: number): BigDecimal.BigDecimal =>
  fromOdooFloat(Number(item["balance"]), scale)

const mismatch = (write: Settled): Refusal | undefined => {
  const { company, data } = write
  const scale = scaleOf(company.currency)
  const items = recordsOf(write, "items")
  const refuse = (what: string): Refusal => ({ code: "SETTLEMENT-MISMATCH", detail: `${data.key}: ${what}` })
  if (data.currency !== company.currency) {
    return refuse(`it is in ${data.currency}, the books are in ${company.currency}`)
  }
  const found = new Set(items.map((item) => oneOf(item["payment_id"])))
  const own = externalId(company.entity, FLOW, data.key)
  const isBooked = recordsOf(write, "own").some((move) => move["external_id"] === own)
  const before = isBooked ? [] : items.filter(({ reconciled }) => reconciled === true)
  if (before.length > 0) {
    return refuse(`account.payment ${before.map((item) => oneOf(item["payment_id"])).join(", ")} was paid out before`)
  }
  const missing = paymentsOf(write).filter((payment) => !found.has(payment))
  if (missing.length > 0) return refuse(`account.payment ${missing.join(", ")} is not posted`)
  const sum = BigDecimal.sumAll(items.map((item) => amountOf(item, scale)))
  const stated = BigDecimal.sum(data.net, data.fee?.amount ?? BigDecimal.make(0n, 0))
  return BigDecimal.equals(sum, stated)
    ? undefined
    : refuse(`net and fee come to ${format(stated, scale)}, its payments to ${format(sum, scale)}`)
}

const rowOf = (write: Settled): Row | Refusal => {
  const { company, data } = write
  const scale = scaleOf(company.currency)
  const account = accountOf(company, "settlement")
  if (isRefusal(account)) return account
  const items: Array<Item> = [{ key: "net", name: data.key, account, amount: data.net }]
  if (data.fee !== undefined) {
    const expense = accountOf(company, data.fee.account ?? "payment-fee")
    if (isRefusal(expense)) return expense
    items.push({ key: "fee", name: `fee of ${data.key}`, account: expense, amount: data.fee.amount })
  }
  for (const item of recordsOf(write, "items")) {
    items.push({
      key: `payment-${oneOf(item["payment_id"])}`,
      name: data.key,
      account: String(oneOf(item["account_id"])),
      amount: BigDecimal.negate(amountOf(item, scale)),
    })
  }
  return entryRow(write, {
    externalId: externalId(company.entity, FLOW, data.key),
    date: data.date,
    ref: data.key,
    currency: data.currency,
    items,
  })
}

export const settled = event<PaymentSettled>({
  type: "payment.settled",
  version: 1,
  schema: PaymentSettled,
  key: ({ key }) => key,
  parents: ({ payments }) => payments.map((payment) => `payment:${payment}`),
  references: ({ payments }) => payments.map((key) => ({ flow: FLOW, key })),
  versions: "once",
  record: "entry",
  plan: [
    query({
      name: "items",
      model: "account.move.line",
      domain: (write) => [
        ["payment_id", "in", paymentsOf(write)],
        ["account_type", "!=", "asset_receivable"],
        ["parent_state", "=", "posted"],
      ],
      fields: ["payment_id", "account_id", "balance", "reconciled"],
      limit: MAX_ITEMS,
    }),
    ownEntries(),
    check({ name: "sums", refuse: mismatch }),
    load({ name: "entry", model: "account.move", mode: "create", rows: rowOf }),
    postEntry("post", "entry", ({ date }) => date),
    reconcile({
      name: "reconcile",
      sets: (write) => {
        const accounts = [...new Set(recordsOf(write, "items").map((item) => oneOf(item["account_id"])))]
        return accounts.map((account) => ({
          payments: paymentsOf(write).filter((payment) =>
            recordsOf(write, "items").some((item) =>
              oneOf(item["payment_id"]) === payment && oneOf(item["account_id"]) === account
            )
          ),
          owed: [write.ids["entry"]!],
          account,
        }))
      },
    }),
  ],
  publishes: ["payment.settled"],
  outcomes: ({ data, read }) => {
    const posted = read["post"]
    if (posted === undefined) return []
    const scale = scaleOf(data.currency)
    return [fact("payment.settled", {
      payout: data.key,
      number: textOf(posted["name"]),
      valueDate: data.date,
      accountingDate: textOf(posted["date"]),
      currency: data.currency,
      net: format(data.net, scale),
      ...(data.fee !== undefined && { fee: format(data.fee.amount, scale) }),
      payments: data.payments,
    })]
  },
})
