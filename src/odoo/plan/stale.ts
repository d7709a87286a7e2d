/**
 * Master data that a refused write may have been refused for: remembered a while ago, changed in Odoo since. It is asked
 * anew, and the event goes through its plan once more.
 */
import { Duration } from "effect"
import type { EventSpec } from "../../flow/Flow.ts"
import type { Write } from "../../flow/Write.ts"
import type { ReasonCode } from "../../reason/Reason.ts"
import type { MasterData } from "../MasterData.ts"
import type { Batch } from "./Batch.ts"

/** What was asked more recently than this before the run is not to blame. */
export const FRESH_MILLIS = Duration.toMillis(Duration.seconds(30))

/** Refusals that a stale id explains: a deleted or archived record, a tax or journal of another company. */
const explained = new Set<ReasonCode>(["ODOO-VALIDATION", "ODOO-RECORD-MISSING", "ODOO-ACCESS"])

/** Positions of the events that may have been refused for stale master data. */
export const suspectsIn = (batch: Batch): ReadonlyArray<number> =>
  batch.writes.flatMap((_, index) => {
    const code = batch.refusalOf(index)?.code
    return code !== undefined && explained.has(code) ? [index] : []
  })

/** What the plan of `write` asked master data for: model, field (null: external id) and value. */
const askedFor = (spec: EventSpec<unknown>, write: Write<unknown>) =>
  spec.plan.flatMap((step): ReadonlyArray<readonly [string, string | null, string]> => {
    if (step._tag === "Find") return [[step.model, step.field, step.value(write)]]
    const externalId = step._tag === "Resolve" ? step.externalId(write) : null
    return step._tag === "Resolve" && externalId !== null ? [[step.model, null, externalId]] : []
  })

/** Forgets what was remembered from before `beforeMillis` for these events; the positions of those it concerns. */
export const forgetFor = (
  spec: EventSpec<unknown>,
  batch: Batch,
  indexes: ReadonlyArray<number>,
  master: MasterData["Service"],
  beforeMillis: number,
): ReadonlySet<number> => {
  const stale = new Map<string, boolean>()
  const concerned = new Set<number>()
  for (const index of indexes) {
    const write = batch.writes[index]!
    for (const [model, field, value] of askedFor(spec, write)) {
      const name = JSON.stringify([model, field, value])
      if (!stale.has(name)) stale.set(name, master.forget(write.company, model, field, value, beforeMillis))
      if (stale.get(name) === true) concerned.add(index)
    }
  }
  return concerned
}
