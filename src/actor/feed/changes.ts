/** What is to be told of the records on a page: what others know is compared with what stands in Odoo. Pure. */
import { toMessage } from "../../broker/cloudevents.ts"
import type { Aspect, Feed } from "../../flow/Feed.ts"
import type { Change, FeedState, Told } from "../../ledger/Told.ts"
import type { OdooRecord } from "../../odoo/CompanyCalls.ts"
import type { OdooTime } from "./Scan.ts"

/** A record of the feed as it is read. */
export interface Stamped extends OdooRecord {
  readonly create_date: OdooTime
  readonly write_date: OdooTime
}

export interface Seen {
  readonly feed: Feed
  readonly entity: string
  readonly page: ReadonlyArray<Stamped>
  /** By aspect. */
  readonly known: ReadonlyMap<string, FeedState["told"]>
  /** Business keys of records of Weir's that nothing is known of, by record. */
  readonly keys: ReadonlyMap<number, string>
  /** Records made after it are new. Null: nothing is, and nothing goes out; the feed begins. */
  readonly floor: OdooTime | null
  /** Whether a new record of Weir's, told by no flow yet, is left for its flow this time. */
  readonly leaves: (record: Stamped) => boolean
  readonly nowMillis: number
}

export interface Found {
  /** By aspect, in the order of the feed's. */
  readonly changes: ReadonlyMap<string, ReadonlyArray<Change>>
  /** Records to be looked at again. */
  readonly left: ReadonlyArray<Stamped>
}

/** Ids of records that nothing is known of. */
export const unknownOf = ({ aspects }: Feed, page: ReadonlyArray<Stamped>, known: Seen["known"]) =>
  page.filter(({ id }) => aspects.every(({ name }) => known.get(name)?.has(id) !== true)).map(({ id }) => id)

/** What flows tell of record `id`, which knows where it comes from, or else what a feed told. */
const originOf = ({ feed, known }: Seen, id: number): Told | undefined => {
  const told = feed.aspects.flatMap(({ name }) => known.get(name)?.get(id) ?? [])
  return told.find(({ causationId }) => causationId !== null) ?? told.find(({ key }) => key !== null) ?? told[0]
}

export const changesOf = (seen: Seen): Found => {
  const { feed, known, page } = seen
  const changes = new Map(feed.aspects.map(({ name }) => [name, new Array<Change>()]))
  const left: Array<Stamped> = []
  for (const record of page) {
    const origin = originOf(seen, record.id)
    const key = origin === undefined ? seen.keys.get(record.id) ?? null : origin.key
    const own: Array<readonly [string, Change]> = []
    let isLeft = false
    for (const aspect of feed.aspects) {
      const told = known.get(aspect.name)?.get(record.id)
      const content = aspect.content(record)
      if (content === undefined || content === told?.content) continue
      const change = changeOf(seen, aspect, record, { content, key, told, origin })
      isLeft ||= aspect.toldByFlow === true && told === undefined && key !== null && change.publication !== null &&
        seen.leaves(record)
      own.push([aspect.name, change])
    }
    if (isLeft) left.push(record)
    else for (const [name, change] of own) changes.get(name)!.push(change)
  }
  return { changes, left }
}

const changeOf = (
  { entity, feed, floor, nowMillis }: Seen,
  aspect: Aspect,
  record: Stamped,
  { content, key, origin, told }: {
    readonly content: string
    readonly key: string | null
    readonly told: Told | undefined
    readonly origin: Told | undefined
  },
): Change => {
  const revision = told?.revision ?? 0
  const base = { record: record.id, content, revision, key }
  const isNew = floor !== null && record.create_date > floor
  const before = told?.content ?? null
  const fact = floor === null ? undefined : aspect.fact({ record, key, before, after: content, isNew })
  if (fact === undefined) return { ...base, publication: null }
  return {
    ...base,
    publication: toMessage(
      {
        specversion: "1.0",
        // Told again after a crash, it is the same.
        id: `${aspect.name}/${record.id}/${revision + 1}`,
        source: `weir/${entity}`,
        type: fact.type,
        time: new Date(nowMillis).toISOString(),
        subject: key ?? `${feed.model}/${record.id}`,
        datacontenttype: "application/json",
        ...(origin !== undefined && origin.causationId !== null && { causationid: origin.causationId }),
        correlationid: origin?.correlationId ?? `${entity}/${feed.model}/${record.id}`,
        data: fact.data,
      },
      `erp-out.${entity}.${fact.type}`,
      "structured",
    ),
  }
}
