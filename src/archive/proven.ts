/** Which months a proof of completeness says are complete: the newest one of all flows counts. */
import { Effect } from "effect"
import { type Run, Runs } from "../ledger/Runs.ts"
import { keptIn } from "../reconcile/Report.ts"
import { requestOf } from "../reconcile/Request.ts"
import type { Retention } from "./policy.ts"

/** Proofs read at a time. */
const PAGE = 200

export const provenMonths = Effect.fnUntraced(function* (entity: string, { unproven }: Pick<Retention, "unproven">) {
  if (unproven === "archive") return () => true
  const runs = yield* Runs
  const complete = new Map<string, boolean>()
  let before: Run | undefined
  while (true) {
    const page: ReadonlyArray<Run> = yield* runs.runs({
      entity,
      kind: "reconciliation",
      states: ["done"],
      limit: PAGE,
      ...(before !== undefined && { before }),
    })
    for (const run of page) {
      const { flows, period } = requestOf(run)
      // Newest first; a proof of some flows proves nothing of the others.
      if (flows === undefined && !complete.has(period)) {
        complete.set(period, keptIn(run.result)?.report.complete === true)
      }
    }
    before = page.at(-1)
    if (page.length < PAGE) return (month: string): boolean => complete.get(month) === true
  }
})
