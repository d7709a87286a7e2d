/** The query step: records by a condition, one call per event, bounded. */
import { Effect } from "effect"
import type { Query } from "../../flow/Step.ts"
import type { CompanyCalls, OdooRecord } from "../CompanyCalls.ts"
import type { Batch } from "./Batch.ts"

/**
 * The records with their external ids. `ir.model.data` is not for technical users, but every model tells the external ids
 * of records that one may read (`odoo/orm/models.py`, `get_external_id`); of a record with several it tells the first.
 */
const named = Effect.fnUntraced(function* (model: string, records: ReadonlyArray<OdooRecord>, calls: CompanyCalls) {
  if (records.length === 0) return records
  const answer = yield* calls.call(model, "get_external_id", { ids: records.map(({ id }) => id) })
  const names = answer as { readonly [id: string]: string }
  return records.map((record): OdooRecord => ({ ...record, external_id: names[String(record.id)] ?? "" }))
})

export const runQuery = Effect.fnUntraced(function* (step: Query<unknown>, batch: Batch, calls: CompanyCalls) {
  for (const index of batch.alive) {
    const write = batch.writes[index]!
    const domain = step.domain(write)
    const found: ReadonlyArray<OdooRecord> = domain === null ? [] : yield* calls.searchRead(
      step.model,
      domain,
      step.fields,
      // One more than may be, so that too many are noticed.
      { limit: step.limit + 1, order: step.order ?? "id" },
    )
    if (found.length > step.limit) {
      batch.refuse(index, {
        code: "ODOO-TOO-MANY",
        detail: `more than ${step.limit} records of ${step.model} (${step.name})`,
      })
      continue
    }
    const records = step.externalIds === true ? yield* named(step.model, found, calls) : found
    write.read[step.name] = { records }
  }
})
