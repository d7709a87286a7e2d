/** Whether the heap that this process was started with is enough for the legal entities of its configuration. */
import { Effect, Stream, SubscriptionRef } from "effect"
import { getHeapStatistics } from "node:v8"
import { catalog } from "../../streams/catalog.ts"
import { flowsOf } from "../actor/Roster.ts"
import type { Settings } from "../config/Configuration.ts"
import type { Live } from "../config/Live.ts"

/** What a process needs that works with all its might, in MiB, and what each flow of an entity adds (`bench/scaling.ts`). */
const BASE_MIB = 130
const FLOW_MIB = 0.15
const MIB = 1024 * 1024

/** The bound of this process's heap, old and young generation together, in MiB. */
export const heapLimitMiB = (): number => getHeapStatistics().heap_size_limit / MIB

/** Of the old generation, in MiB, for so many flows over all entities. */
export const heapNeededMiB = (flows: number): number => Math.ceil((BASE_MIB + flows * FLOW_MIB) / 10) * 10

/** What is wrong and what to do; null when it is enough. A runner of several may come to have all entities. */
export const heapProblem = (
  { entities }: Pick<Settings, "entities">,
  limitMiB = heapLimitMiB(),
): { readonly detail: string; readonly action: string } | null => {
  const flows = Object.values(entities).reduce((sum, entity) => sum + flowsOf(catalog, entity).length, 0)
  const needed = heapNeededMiB(flows)
  if (needed <= limitMiB) return null
  return {
    detail: `bounded to ${Math.floor(limitMiB)} MiB; ${
      Object.keys(entities).length
    } legal entities with ${flows} flows need about ${needed} to be fast, and cannot run with much less`,
    action:
      `Start with --max-old-space-size=${needed} among the --v8-flags (docs/deploying.md), or name the flows that ` +
      "each entity takes (entities.<code>.flows).",
  }
}

/** Says so at the start and whenever legal entities are taken up for which it is not; what was said is not repeated. */
export const watchHeap = ({ settings }: Pick<Live["Service"], "settings">, limitMiB = heapLimitMiB()) =>
  SubscriptionRef.changes(settings).pipe(
    Stream.map((configuration) => heapProblem(configuration, limitMiB)),
    Stream.changesWith((a, b) => a?.detail === b?.detail),
    Stream.runForEach((heap) =>
      heap === null ? Effect.void : Effect.logWarning(`the heap is ${heap.detail}. ${heap.action}`)
    ),
  )
