/** How archiving stands of a legal entity: its newest runs that let rows go. */
import { Effect } from "effect"
import { requestOf, resultOf } from "../archive/Request.ts"
import { Runs } from "../ledger/Runs.ts"
import type { ArchiveStanding } from "./StatusReport.ts"

/** Archivings looked through: dry runs are among them. */
const LOOKED_THROUGH = 20

export const archiveStanding = Effect.fnUntraced(function* (entity: string) {
  const runs = yield* Runs
  const ended = yield* runs.runs({ entity, kind: "archive", states: ["done", "failed"], limit: LOOKED_THROUGH })
  const applied = ended.filter((run) => requestOf(run).apply)
  const [last] = applied
  const good = applied.find(({ state }) => state === "done")
  const standing: ArchiveStanding = {
    entity,
    at: good === undefined ? null : new Date(good.changedAtMillis).toISOString(),
    oldest: good === undefined ? null : resultOf(good)?.oldest["events"] ?? null,
    trouble: last?.state === "failed" ? last.trouble : "",
  }
  return standing
})
