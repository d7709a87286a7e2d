/**
 * A payment that a customer contests at bank or provider: the invoices that it had paid are marked until that is decided.
 * When it is lost, `payment.failed` follows.
 *
 *   payment.disputed ─> account.move blocked        payment.dispute-closed ─> goes on where it stands
 */
import { PaymentDisputed } from "../schemas/payment.ts"
import { event, type EventSpec } from "../src/flow/Flow.ts"
import { block, unblock } from "./blocking.ts"
import { parent } from "./keys.ts"
import { FLOW } from "./paymentRow.ts"

const spec = {
  version: 1,
  schema: PaymentDisputed,
  key: ({ key }: PaymentDisputed) => key,
  parents: ({ invoices }: PaymentDisputed) => invoices.map(parent.invoice),
  // The invoices first: they are what is marked.
  references: ({ invoices, payment }: PaymentDisputed) => [
    ...invoices.map((key) => ({ flow: "invoices", key })),
    { flow: FLOW, key: payment },
  ],
  versions: "gate",
} as const

export const chargebacks: ReadonlyArray<EventSpec<unknown>> = [
  event<PaymentDisputed>({
    ...spec,
    type: "payment.disputed",
    plan: [block<PaymentDisputed>(({ data, references }) => references.slice(0, data.invoices.length))],
    fact: ({ payment }) => `${payment} is disputed`,
  }),
  event<PaymentDisputed>({
    ...spec,
    type: "payment.dispute-closed",
    plan: [unblock<PaymentDisputed>(({ data, references }) => references.slice(0, data.invoices.length))],
    fact: ({ payment }) => `the dispute about ${payment} is closed`,
  }),
]
