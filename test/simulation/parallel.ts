/**
 * A campaign over several processes: each takes the next few seeds until all are done. A process ends after its few, so
 * that a night's memory is that of one of them.
 */
import { type Campaign, campaign, type Failure, merged, type Range, reportOf } from "./campaign.ts"
import { runIn } from "./worker.ts"

const NOTHING: Campaign = { seeds: 0, events: 0, virtualMillis: 0, cpuMillis: 0, failures: [], coverage: {} }
/** Seeds of one process. */
const PART = 500

export const parallel = async (
  range: Range,
  jobs: number,
): Promise<{ readonly failures: ReadonlyArray<Failure>; readonly report: ReadonlyArray<string> }> => {
  const begin = performance.now()
  const size = Math.min(PART, Math.ceil(range.count / jobs))
  const parts = Array.from({ length: Math.ceil(range.count / size) }, (_, n) => ({
    from: range.from + n * size,
    count: Math.min(size, range.count - n * size),
  }))
  let all = NOTHING
  const next = parts.values()
  const work = async (): Promise<void> => {
    for (const part of next) all = merged(all, parts.length === 1 ? campaign(part) : await runIn(part))
  }
  await Promise.all(Array.from({ length: jobs }, work))
  return { failures: all.failures, report: reportOf(all, performance.now() - begin) }
}
