/** What people have approved that a batch may need: months whose late documents may be booked. */
import { Effect } from "effect"
import { type Claim, Ledger } from "../ledger/Ledger.ts"
import type { Company } from "../odoo/Company.ts"
import { monthOf } from "../odoo/Locks.ts"
import { PERIOD_FLOW } from "../odoo/plan/period.ts"
import type { Item, Payload } from "./Item.ts"
import { untilAvailable } from "./patience.ts"

const NONE: ReadonlySet<string> = new Set()

const monthsOf = ({ data, spec }: Payload): ReadonlyArray<string> =>
  spec.plan.flatMap((step) =>
    step._tag === "Transition" && step.period !== undefined ? [monthOf(step.period.date(data))] : []
  )

/**
 * The approved ones among the months in which `items` are dated. One question to the ledger, and none at all unless the
 * entity's policy is `approval`. An approval that comes later releases what has begun to wait.
 */
export const approvedPeriods = Effect.fnUntraced(function* (
  claim: Claim,
  company: Company,
  items: ReadonlyArray<Item>,
) {
  if (company.latePolicy !== "approval") return NONE
  const months = [...new Set(items.flatMap(({ payload }) => payload === null ? [] : monthsOf(payload)))]
  if (months.length === 0) return NONE
  const ledger = yield* Ledger
  const questions = months.map((key) => ({ eventId: `${PERIOD_FLOW}#${key}`, key, references: [] }))
  const answers = yield* ledger.admit(claim, PERIOD_FLOW, questions).pipe(untilAvailable("approvals"))
  return new Set(months.filter((_, index) => answers[index]?.mapping !== null))
})
