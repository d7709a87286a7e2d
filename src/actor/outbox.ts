/**
 * Business facts for others. They become durable with the outcome that they tell of (transactional outbox) and are
 * published afterwards, with deterministic ids: published twice, the broker and every consumer can tell.
 */
import { Effect } from "effect"
import { Broker, type Publication } from "../broker/Broker.ts"
import { toMessage } from "../broker/cloudevents.ts"
import type { OutcomeEvent } from "../flow/Flow.ts"
import { type Claim, Ledger } from "../ledger/Ledger.ts"
import type { Telling } from "../ledger/Told.ts"
import type { Item } from "./Item.ts"
import { untilAvailable } from "./patience.ts"

/** Rows published at a time. */
const PAGE = 200

export const publicationsOf = (
  { event, payload, traceparent }: Item,
  outcomes: ReadonlyArray<OutcomeEvent>,
  entity: string,
  nowMillis: number,
): ReadonlyArray<Publication> =>
  outcomes.map(({ data, type }) => {
    if (payload?.spec.publishes?.includes(type) !== true) {
      throw new Error(`${event.type} does not say that it publishes ${type}`)
    }
    return toMessage(
      {
        specversion: "1.0",
        id: `${event.eventId}/${type}`,
        source: `weir/${entity}`,
        type,
        time: new Date(nowMillis).toISOString(),
        subject: event.key,
        datacontenttype: "application/json",
        causationid: event.eventId,
        correlationid: event.correlationId ?? event.eventId,
        ...(traceparent === null ? {} : { traceparent }),
        data,
      },
      `erp-out.${entity}.${type}`,
      "structured",
    )
  })

/** What these publications tell of records in Odoo. */
export const tellingsOf = (
  { event }: Item,
  outcomes: ReadonlyArray<OutcomeEvent>,
  publications: ReadonlyArray<Publication>,
): ReadonlyArray<Telling> =>
  outcomes.flatMap(({ tells }, at) =>
    tells === undefined ? [] : [{
      feed: tells.aspect,
      record: tells.record,
      content: tells.content,
      key: event.key,
      messageId: publications[at]!.messageId,
    }]
  )

/** Publishes what lies in the outbox; returns when it is empty. */
export const relay = Effect.fnUntraced(function* (claim: Claim) {
  const ledger = yield* Ledger
  const broker = yield* Broker
  while (true) {
    const rows = yield* ledger.outbox(claim, PAGE).pipe(untilAvailable("outbox"))
    if (rows.length === 0) return
    yield* broker.publish(rows.map(({ publication }) => publication)).pipe(untilAvailable("outbox"))
    yield* ledger.published(claim, rows.map(({ id }) => id)).pipe(untilAvailable("outbox"))
  }
})
