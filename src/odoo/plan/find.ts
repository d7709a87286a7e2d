/** The find step: a record that Odoo owns, by the exact value of a field, through the cache of `MasterData`. */
import { Effect } from "effect"
import type { Find } from "../../flow/Step.ts"
import type { MasterData } from "../MasterData.ts"
import type { CompanyCalls } from "../CompanyCalls.ts"
import type { Batch } from "./Batch.ts"

export const runFind = Effect.fnUntraced(
  function* (step: Find<unknown>, batch: Batch, calls: CompanyCalls, master: MasterData["Service"]) {
    const values = batch.alive.map((index) => step.value(batch.writes[index]!))
    const found = yield* master.find(calls.company, calls.lane, step.model, step.field, values)
    batch.alive.forEach((index, n) => {
      const value = values[n]!
      const ids = found.get(value) ?? []
      if (ids.length === 1) {
        batch.writes[index]!.ids[step.name] = ids[0]!
        return
      }
      const about = `${step.model} with ${step.field} "${value}" in company ${calls.company.id}`
      batch.refuse(index, {
        code: "MASTER-DATA-MISSING",
        detail: ids.length === 0 ? `Odoo has no ${about}` : `Odoo has ${ids.length} ${about}: ${ids.join(", ")}`,
      })
    })
  },
)
