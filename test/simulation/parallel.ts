/** A campaign over several processes: each takes the next few seeds until all are done. */
import { type Campaign, campaign, type Failure, merged, type Range, reportOf } from "./campaign.ts"
import { runIn } from "./worker.ts"

const NOTHING: Campaign = { seeds: 0, events: 0, virtualMillis: 0, cpuMillis: 0, failures: [], coverage: {} }

export const parallel = async (
  range: Range,
  jobs: number,
): Promise<{ readonly failures: ReadonlyArray<Failure>; readonly report: ReadonlyArray<string> }> => {
  const begin = performance.now()
  const share = Math.ceil(range.count / jobs)
  const parts = Array.from({ length: jobs }, (_, n) => ({
    from: range.from + n * share,
    count: Math.max(0, Math.min(share, range.count - n * share)),
  })).filter(({ count }) => count > 0)
  const done = parts.length === 1 ? [campaign(range)] : await Promise.all(parts.map((part) => runIn(part)))
  const all = done.reduce(merged, NOTHING)
  return { failures: all.failures, report: reportOf(all, performance.now() - begin) }
}
