/** Payments as rows, and their posting. */
import type { BigDecimal } from "effect"
import { format, scaleOf } from "../schemas/money.ts"
import type { Reference } from "../src/flow/Flow.ts"
import { type Refusal, type Row, type Transition, transition } from "../src/flow/Step.ts"
import type { Mapping } from "../src/ledger/Ledger.ts"
import type { Company } from "../src/odoo/Company.ts"
import { currencyOf, isRefusal, journalLock, journalOf } from "./codes.ts"
import { customerId } from "./keys.ts"

export const FLOW = "payments"

/** A part of a payment that is one of its own in Odoo. */
export const partOf = (key: string, role: string): Reference => ({ flow: FLOW, key: `${key}.${role}` })

/** All payments that a payment's key stands for: itself, or its parts. */
export const idsOf = ({ id, links }: Mapping): ReadonlyArray<number> => [
  ...new Set([
    id,
    ...Object.entries(links).flatMap(([role, part]) => role.startsWith("for-") || role === "rest" ? [part] : []),
  ]),
]

export interface Paid {
  readonly externalId: string
  readonly type: "inbound" | "outbound"
  readonly amount: BigDecimal.BigDecimal
  readonly memo: string
  readonly data: { readonly key: string; readonly customer: string; readonly currency: string; readonly date: string }
}

export const paymentRow = (company: Company, { amount, data, externalId, memo, type }: Paid): Row | Refusal => {
  const journal = journalOf(company, "bank")
  if (isRefusal(journal)) return journal
  return {
    externalId,
    values: {
      payment_type: type,
      partner_type: "customer",
      "partner_id/id": customerId(company.entity, data.customer),
      amount: format(amount, scaleOf(data.currency)),
      "currency_id/id": currencyOf(data.currency),
      date: data.date,
      "journal_id/.id": journal,
      memo,
      payment_reference: data.key,
    },
  }
}

/** Posts the payments that step `of` has loaded. */
export const postPayment = <D extends { readonly date: string }>(name: string, of: string): Transition<D> =>
  transition({
    name,
    model: "account.payment",
    of,
    method: "action_post",
    field: "state",
    from: ["draft"],
    to: ["in_process", "paid"],
    posts: true,
    lock: ({ company }) => journalLock(company, "bank"),
    period: { kind: "payment", field: "date", entry: "move_id", reference: "memo", date: ({ date }) => date },
    fields: ["name", "date", "move_id"],
  })
