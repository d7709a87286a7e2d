/** The check step: a rule that needs no call. */
import type { Check } from "../../flow/Step.ts"
import type { Batch } from "./Batch.ts"

export const runCheck = (step: Check<unknown>, batch: Batch): void => {
  for (const index of batch.alive) {
    const refusal = step.refuse(batch.writes[index]!)
    if (refusal !== undefined) batch.refuse(index, refusal)
  }
}
