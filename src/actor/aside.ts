/**
 * Fairness between keys. One key goes through one event at a time, so a key with a thousand events would fill the flow's
 * places in flight, and all others would wait for it. What a key has beyond its share is set aside: held in the ledger
 * behind its predecessors, where it costs no place and no memory, and handed back one by one.
 *
 * The share is a fraction of the places that are free (Choudhury, Hahne, "Dynamic Queue Length Thresholds for
 * Shared-Memory Packet Switches", IEEE/ACM Transactions on Networking 6(2), 1998): however many keys are busy, they leave
 * places for those that are not.
 */
import type { Item } from "./Item.ts"
import type { Schedule } from "./Schedule.ts"

/** Part of the free places that one key may have taken. */
const SHARE = 1 / 4
/** It may always take so many: a few events of one key in a row are no crowd. */
const AT_LEAST = 4

/** Events of one key that may be in flight while so many places are free. */
export const shareOf = (free: number): number => Math.max(AT_LEAST, Math.floor(free * SHARE))

export interface Parted {
  /** To be scheduled. */
  readonly here: ReadonlyArray<Item>
  /** To be held behind their predecessors. */
  readonly aside: ReadonlyArray<Item>
}

/**
 * Parts what arrived just now, `free` places being free. From the first event of a key that is set aside on, all later
 * ones that may be set aside are. Pure.
 */
export const part = (
  items: ReadonlyArray<Item>,
  schedule: Pick<Schedule, "queued" | "meets">,
  free: number,
): Parted => {
  const here: Array<Item> = []
  const aside: Array<Item> = []
  const identities = new Set<string>()
  const counts = new Map<string, number>()
  for (const item of items) {
    const { eventId, key } = item.event
    const count = counts.get(key) ?? schedule.queued(key)
    if (count >= shareOf(free) && mayWait(item) && !schedule.meets(eventId) && !identities.has(eventId)) {
      aside.push(item)
    } else {
      here.push(item)
      counts.set(key, count + 1)
      free--
    }
    identities.add(eventId)
  }
  return aside.length === 0 ? { here: items, aside } : { here, aside }
}

/**
 * A verdict that is final already costs nothing; the ledger need not keep the message for it. What the ledger has just
 * handed back is the one event of its key that it does hand back: set aside again, it would come again at once.
 */
const mayWait = ({ delivery, verdict: { _tag } }: Item): boolean =>
  delivery !== null && (_tag === "Write" || _tag === "Wait" || _tag === "Behind")
