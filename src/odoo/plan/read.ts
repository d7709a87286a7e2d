/** The read step: records by their ids, one call for all events of the batch. */
import { Effect } from "effect"
import type { Read } from "../../flow/Step.ts"
import type { CompanyCalls } from "../CompanyCalls.ts"
import type { Batch } from "./Batch.ts"

export const runRead = Effect.fnUntraced(function* (step: Read<unknown>, batch: Batch, calls: CompanyCalls) {
  const wanted = batch.alive.map((index) => ({ write: batch.writes[index]!, ids: step.records(batch.writes[index]!) }))
  const found = yield* calls.read(step.model, wanted.flatMap(({ ids }) => ids), step.fields)
  for (const { ids, write } of wanted) write.read[step.name] = { records: ids.flatMap((id) => found.get(id) ?? []) }
})
