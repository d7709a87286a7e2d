/** What the broker and its client can do at most: nats.js consumers of the same shape as Weir's, without Weir. */
import { AckPolicy, jetstream, jetstreamManager, type JsMsg } from "@nats-io/jetstream"
import { connect, nanos } from "@nats-io/transport-node"
import { Result, Schema } from "effect"
import { Envelope } from "../schemas/envelope.ts"
import { TimesheetApproved } from "../schemas/timesheet.ts"
import { parseEnvelope } from "../src/broker/cloudevents.ts"
import { timesheets } from "../streams/timesheets.ts"

const MAX_PULL = 512

const envelopeOf = Schema.decodeUnknownResult(Envelope)
const timesheetOf = Schema.decodeUnknownResult(TimesheetApproved, { errors: "all" })
const noHeaders = {}

/** Envelope and payload, checked; throws on what is no time line: nothing else is published here. */
export const decode = (message: JsMsg): void => {
  const raw = parseEnvelope({ subject: message.subject, headers: noHeaders, data: message.data })
  const envelope = envelopeOf(Result.getOrThrow(raw))
  Result.getOrThrow(timesheetOf(Result.getOrThrow(envelope).data))
}

/** One pull consumer an entity, callback and ack, until `events` have come. Milliseconds from the first to the last. */
export const consume = async (
  url: string,
  entities: ReadonlyArray<string>,
  events: number,
  onMessage: (message: JsMsg) => void,
): Promise<number> => {
  const nc = await connect({ servers: url, noAsyncTraces: true })
  const manager = await jetstreamManager(nc)
  const js = jetstream(nc)
  const name = (entity: string) => `bare-${entity}`
  try {
    let count = 0
    let first = 0
    const consumers = await Promise.all(entities.map(async (entity) => {
      await manager.consumers.add("ERP", {
        durable_name: name(entity),
        filter_subject: `erp.${entity}.timesheet.>`,
        ack_policy: AckPolicy.Explicit,
        ack_wait: nanos(60_000),
        max_ack_pending: timesheets.inFlight,
      })
      return await js.consumers.get("ERP", name(entity))
    }))
    await new Promise<void>((done, fail) => {
      const callback = (message: JsMsg) => {
        try {
          if (count === 0) first = performance.now()
          onMessage(message)
          message.ack()
          if (++count === events) done()
        } catch (cause) {
          fail(cause)
        }
      }
      for (const consumer of consumers) {
        consumer.consume({ max_messages: Math.min(timesheets.inFlight, MAX_PULL), callback }).catch(fail)
      }
    })
    return performance.now() - first
  } finally {
    for (const entity of entities) await manager.consumers.delete("ERP", name(entity))
    await nc.close()
  }
}
