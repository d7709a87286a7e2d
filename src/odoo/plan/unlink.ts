/** The unlink step: deletes what still stands; whatever the call said, what is read at the end decides. */
import { Effect } from "effect"
import type { Unlink } from "../../flow/Step.ts"
import type { CompanyCalls } from "../CompanyCalls.ts"
import type { OdooError } from "../Odoo.ts"
import type { Batch } from "./Batch.ts"
import { isolate } from "./isolate.ts"

export const runUnlink = Effect.fnUntraced(function* (step: Unlink<unknown>, batch: Batch, calls: CompanyCalls) {
  const wanted = batch.alive.map((index) => ({ index, ids: step.records(batch.writes[index]!) }))
  const standing = (ids: ReadonlyArray<number>) => calls.read(step.model, ids, ["id"])
  const before = yield* standing(wanted.flatMap(({ ids }) => ids))
  const left = wanted
    .map(({ ids, index }) => ({ index, ids: ids.filter((id) => before.has(id)) }))
    .filter(({ ids }) => ids.length > 0)
  if (left.length === 0) return
  const errors = new Map<number, OdooError>()
  yield* isolate(left, {
    call: (part) => calls.call(step.model, "unlink", { ids: [...new Set(part.flatMap(({ ids }) => ids))] }),
    refuse: ({ index }, error) => errors.set(index, error),
  })
  if (errors.size === 0) return
  // Somebody may have been quicker: then it is done all the same.
  const after = yield* standing(left.filter(({ index }) => errors.has(index)).flatMap(({ ids }) => ids))
  for (const { ids, index } of left) {
    const error = errors.get(index)
    if (error !== undefined && ids.some((id) => after.has(id))) batch.refuseFor(index, error)
  }
})
