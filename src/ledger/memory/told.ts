/** What others were told, in memory, step by step as `../sql/adding.ts` and `../sql/told.ts`. */
import type { EventRecord } from "../Ledger.ts"
import { printable, printableOrNull } from "../text.ts"
import type { FeedState, FeedStep, Telling, Told } from "../Told.ts"
import type { EntityState } from "./state.ts"

const nameOf = (feed: string, record: number): string => printable(`${feed}\n${record}`)

/** Message ids of publications that tell what was told before. */
export const echoes = (state: EntityState, tells: ReadonlyArray<Telling>): ReadonlySet<string> =>
  new Set(
    tells.flatMap(({ content, feed, messageId, record }) =>
      state.told.get(nameOf(feed, record))?.content === printable(content) ? [printable(messageId)] : []
    ),
  )

/** Keeps what events told, echoes left out. Of several in one settlement that tell of a record, the last one counts. */
export const tell = (state: EntityState, tellings: ReadonlyArray<readonly [EventRecord, Telling]>): void => {
  const last = new Map(tellings.map(([event, telling]) => [nameOf(telling.feed, telling.record), { event, telling }]))
  for (const [name, { event: { correlationId, eventId }, telling }] of last) {
    const known = state.told.get(name)
    state.told.set(name, {
      content: printable(telling.content),
      revision: (known?.revision ?? 0) + 1,
      key: known?.key ?? printableOrNull(telling.key),
      correlationId: known?.correlationId ?? printable(correlationId ?? eventId),
      causationId: known?.causationId ?? printable(eventId),
    })
  }
}

export const feedOf = (state: EntityState, feed: string, records: ReadonlyArray<number>): FeedState => ({
  watermark: state.feeds.get(printable(feed)) ?? null,
  told: new Map(records.flatMap((record): ReadonlyArray<readonly [number, Told]> => {
    const told = state.told.get(nameOf(feed, record))
    return told === undefined ? [] : [[record, told]]
  })),
})

export const advance = (
  state: EntityState,
  { changes, feed, watermark }: FeedStep,
  nextOutboxId: () => number,
): number => {
  let changed = 0
  for (const { content, key, publication, record, revision } of changes) {
    const known = state.told.get(nameOf(feed, record))
    if ((known?.revision ?? 0) !== revision) continue
    changed++
    state.told.set(nameOf(feed, record), {
      content: printable(content),
      revision: revision + 1,
      key: known?.key ?? printableOrNull(key),
      correlationId: known?.correlationId ?? null,
      causationId: known?.causationId ?? null,
    })
    if (publication !== null) {
      state.outbox.push({ id: nextOutboxId(), publication: { ...publication, data: publication.data.slice() } })
    }
  }
  const before = state.feeds.get(printable(feed)) ?? null
  const after = watermark === null || (before !== null && before > watermark) ? before : printable(watermark)
  state.feeds.set(printable(feed), after)
  return changed
}
