/**
 * Fairness between keys. One key goes through one event at a time, so a key with a thousand events would fill the flow's
 * places in flight, and all others would wait for it. What a key has beyond its share is set aside: held in the ledger
 * behind its predecessors, where it costs no place and no memory, and handed back one by one.
 */
import type { Item } from "./Item.ts"
import type { Schedule } from "./Schedule.ts"

/** Part of a flow's places in flight that one key may take. */
const SHARE = 1 / 8
/** It may always take so many. */
const AT_LEAST = 8

/** Most events of one key in flight. */
export const depthOf = (inFlight: number): number => Math.max(AT_LEAST, Math.floor(inFlight * SHARE))

export interface Parted {
  /** To be scheduled. */
  readonly here: ReadonlyArray<Item>
  /** To be held behind their predecessors. */
  readonly aside: ReadonlyArray<Item>
}

/** Parts what arrived just now. From the first event of a key that is set aside on, all later ones are. Pure. */
export const part = (items: ReadonlyArray<Item>, schedule: Pick<Schedule, "queued">, depth: number): Parted => {
  const here: Array<Item> = []
  const aside: Array<Item> = []
  const counts = new Map<string, number>()
  for (const item of items) {
    const { key } = item.event
    const count = (counts.get(key) ?? schedule.queued(key)) + 1
    counts.set(key, count)
    if (count > depth && mayWait(item)) aside.push(item)
    else here.push(item)
  }
  return aside.length === 0 ? { here: items, aside } : { here, aside }
}

/**
 * A verdict that is final already costs nothing; the ledger need not keep the message for it. What a replay brings is kept
 * with its run.
 */
const mayWait = ({ replay, verdict: { _tag } }: Item): boolean =>
  replay === undefined && (_tag === "Write" || _tag === "Wait" || _tag === "Behind")
