/** The resolve step: external ids to database ids, through the memory of `MasterData`. */
import { Effect } from "effect"
import type { Resolve } from "../../flow/Step.ts"
import type { CompanyCalls } from "../CompanyCalls.ts"
import type { MasterData } from "../MasterData.ts"
import type { Batch } from "./Batch.ts"

export const runResolve = Effect.fnUntraced(
  function* (step: Resolve<unknown>, batch: Batch, calls: CompanyCalls, master: MasterData["Service"]) {
    const wanted = batch.alive.map((index) => step.externalId(batch.writes[index]!))
    const externalIds = new Set(wanted)
    externalIds.delete(null)
    if (externalIds.size === 0) return
    const ids = yield* master.resolve(calls.company, calls.lane, step.model, [...externalIds as Set<string>])
    for (let n = 0; n < wanted.length; n++) {
      const externalId = wanted[n]!
      if (externalId === null) continue
      const index = batch.alive[n]!
      const id = ids.get(externalId)
      const write = batch.writes[index]!
      if (id !== undefined) write.ids[step.name] = id
      else {
        batch.refuse(
          index,
          step.missing?.(write) ??
            { code: "ODOO-RECORD-MISSING", detail: `Odoo has no ${step.model} with the external id ${externalId}` },
        )
      }
    }
  },
)
