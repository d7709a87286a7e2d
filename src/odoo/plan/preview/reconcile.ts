/** Whether a payment and its invoices still have open items that belong together. */
import { Effect } from "effect"
import type { Reconcile } from "../../../flow/Step.ts"
import { many2one } from "../../CompanyCalls.ts"
import { PAGE } from "../../ExternalIds.ts"
import { type OpenLine, openLines } from "../reconcile.ts"
import type { Glass } from "./Glass.ts"
import type { Looking } from "./Looking.ts"

const PAYMENT = "account.payment"
const MOVE = "account.move"

const openOf = Effect.fnUntraced(function* (moves: Iterable<number>, glass: Glass) {
  const distinct = [...new Set(moves)]
  const open = new Map<number, ReadonlyArray<OpenLine>>()
  for (let from = 0; from < distinct.length; from += PAGE) {
    for (const [move, lines] of yield* openLines(distinct.slice(from, from + PAGE), glass.calls)) open.set(move, lines)
  }
  return open
})

export const lookAtReconcile = Effect.fnUntraced(function* (step: Reconcile<unknown>, looking: Looking, glass: Glass) {
  const matches = looking.open.flatMap((index) => {
    const payment = looking.recordOf(index, step.payment)
    return payment === undefined
      ? []
      : [{ index, payment: payment.id, invoices: step.invoices(looking.writes[index]!) }]
  })
  const payments = yield* glass.read(PAYMENT, matches.map(({ payment }) => payment), ["move_id"])
  const moveOf = (payment: number): number => many2one(payments.get(payment)?.["move_id"]) ?? 0
  const unpaid = yield* openOf(matches.map(({ payment }) => moveOf(payment)).filter((move) => move > 0), glass)
  const open = matches.filter(({ payment }) => unpaid.has(moveOf(payment)))
  const invoices = yield* glass.read(MOVE, open.flatMap(({ invoices }) => invoices.filter((id) => id > 0)), ["state"])
  const owed = yield* openOf(invoices.keys(), glass)
  for (const match of open) {
    const gone = match.invoices.find((id) => id > 0 && !invoices.has(id))
    if (gone !== undefined) {
      looking.refuse(match.index, { code: "REFERENCE-MISSING", detail: `${MOVE} ${gone}, which it settles, is gone` })
    } else if (match.invoices.some((id) => owed.has(id))) {
      looking.pends(match.index, {
        step: step.name,
        model: PAYMENT,
        id: match.payment,
        detail: "it and its invoices are both open; reconciling matches them",
        harmless: true,
      })
    }
  }
})
