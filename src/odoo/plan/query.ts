/** The query step: records by a condition, one call per event, bounded. */
import { Effect } from "effect"
import type { Query } from "../../flow/Step.ts"
import type { CompanyCalls, OdooRecord } from "../CompanyCalls.ts"
import type { Batch } from "./Batch.ts"

export const runQuery = Effect.fnUntraced(function* (step: Query<unknown>, batch: Batch, calls: CompanyCalls) {
  for (const index of batch.alive) {
    const write = batch.writes[index]!
    const domain = step.domain(write)
    const records: ReadonlyArray<OdooRecord> = domain === null ? [] : yield* calls.searchRead(
      step.model,
      domain,
      step.fields,
      // One more than may be, so that too many are noticed.
      { limit: step.limit + 1, order: step.order ?? "id" },
    )
    if (records.length > step.limit) {
      batch.refuse(index, {
        code: "ODOO-TOO-MANY",
        detail: `more than ${step.limit} records of ${step.model} (${step.name})`,
      })
    } else write.read[step.name] = { records }
  }
})
