/**
 * Money that arrived becomes a posted payment, matched with the invoices it settles.
 *
 *   payment.received ─> account.payment (draft) ─> posted ─> reconciled ─> payment.reconciled goes out
 *
 * Never Odoo's payment wizard: repeated, it pays twice.
 */
import { PaymentReceived } from "../schemas/payment.ts"
import { format, scaleOf } from "../schemas/money.ts"
import { event, type Flow } from "../src/flow/Flow.ts"
import { load, reconcile, transition } from "../src/flow/Step.ts"
import { externalId } from "../src/flow/Write.ts"
import { currencyOf, isRefusal, journalLock, journalOf } from "./codes.ts"
import { customerId, parent } from "./keys.ts"

const received = event<PaymentReceived>({
  type: "payment.received",
  version: 1,
  schema: PaymentReceived,
  key: (payment) => payment.key,
  parents: (payment) => [parent.customer(payment.customer), ...payment.invoices.map(parent.invoice)],
  references: (payment) => [
    { flow: "customers", key: payment.customer },
    ...payment.invoices.map((key) => ({ flow: "invoices", key })),
  ],
  versions: "once",
  record: "payment",
  plan: [
    load({
      name: "payment",
      model: "account.payment",
      mode: "create",
      rows: ({ data, company }) => {
        const journal = journalOf(company, "bank")
        if (isRefusal(journal)) return journal
        return {
          externalId: externalId(company.entity, "payments", data.key),
          values: {
            payment_type: "inbound",
            partner_type: "customer",
            "partner_id/id": customerId(company.entity, data.customer),
            amount: format(data.amount, scaleOf(data.currency)),
            "currency_id/id": currencyOf(data.currency),
            date: data.date,
            "journal_id/.id": journal,
            memo: data.memo ?? `${data.method} ${data.key}`,
            payment_reference: data.key,
          },
        }
      },
    }),
    transition({
      name: "post",
      model: "account.payment",
      of: "payment",
      method: "action_post",
      field: "state",
      from: ["draft"],
      to: ["in_process", "paid"],
      posts: true,
      lock: ({ company }) => journalLock(company, "bank"),
      period: { kind: "payment", field: "date", entry: "move_id", reference: "memo", date: ({ date }) => date },
      fields: ["name", "date"],
    }),
    reconcile({
      name: "reconcile",
      // The first reference is the customer, the others are the invoices in the order in which they are paid.
      sets: ({ ids, references }) => [{
        payments: [ids["payment"]!],
        owed: references.slice(1).map((invoice) => invoice.id),
      }],
    }),
  ],
  control: ({ amount, currency, date }) => ({ day: date, amounts: { amount }, currency }),
  population: {
    model: "account.payment",
    domain: [
      ["payment_type", "=", "inbound"],
      ["partner_type", "=", "customer"],
      ["state", "in", ["in_process", "paid"]],
    ],
    day: "date",
  },
  outcomes: ({ data, read }) => {
    const posted = read["post"]
    if (posted === undefined) return []
    return [{
      type: "payment.reconciled",
      data: {
        payment: data.key,
        number: posted["name"],
        valueDate: data.date,
        accountingDate: posted["date"] ?? null,
        currency: data.currency,
        amount: format(data.amount, scaleOf(data.currency)),
        invoices: data.invoices,
      },
    }]
  },
})

export const payments: Flow = {
  name: "payments",
  domain: "payment",
  description: "Payments that arrived are posted and matched with the invoices they settle",
  lane: "critical",
  batch: { size: 50, linger: "50 millis", concurrency: 2 },
  inFlight: 200,
  referenceDeadline: "1 day",
  events: [received],
}
