/**
 * What the broker and its client can do at most: nats.js consumers of the same shape as Weir's, without Weir. And what is
 * left of it once each event has to be durable before it is acknowledged.
 */
import { PgClient } from "@effect/sql-pg"
import { AckPolicy, jetstream, jetstreamManager, type JsMsg } from "@nats-io/jetstream"
import { connect, nanos } from "@nats-io/transport-node"
import { Effect, type Redacted, Result, Schema, type Scope } from "effect"
import { Reactivity } from "effect/reactivity"
import { Envelope } from "../schemas/envelope.ts"
import { TimesheetApproved } from "../schemas/timesheet.ts"
import { parseEnvelope } from "../src/broker/cloudevents.ts"
import { bigintColumn, textColumn } from "../src/ledger/sql/parameters.ts"
import { timesheets } from "../streams/timesheets.ts"

const MAX_PULL = 512

const envelopeOf = Schema.decodeUnknownResult(Envelope)
const timesheetOf = Schema.decodeUnknownResult(TimesheetApproved, { errors: "all" })
const noHeaders = {}

const decoded = (message: JsMsg) => {
  const raw = parseEnvelope({ subject: message.subject, headers: noHeaders, data: message.data })
  const envelope = Result.getOrThrow(envelopeOf(Result.getOrThrow(raw)))
  return { id: envelope.id, source: envelope.source, key: Result.getOrThrow(timesheetOf(envelope.data)).key }
}

/** What is done with each message; `done` acknowledges it. */
export type OnMessage = (entity: string, message: JsMsg, done: (message: JsMsg) => void) => void

export const ack: OnMessage = (_entity, message, done) => done(message)

/** Envelope and payload, checked; throws on what is no time line: nothing else is published here. */
export const decode: OnMessage = (_entity, message, done) => {
  decoded(message)
  done(message)
}

/** Rows of one statement at most. */
const ROWS = 1_000

/**
 * `decode`, and one row of each event in PostgreSQL by its identity, before it is acknowledged: the least that whoever
 * settles an event once has to do. No second look at anything, no id from Odoo, no Odoo; one statement at a time for each
 * entity, of all that has come meanwhile.
 */
export const durable = Effect.fnUntraced(
  function* (url: Redacted.Redacted, entities: ReadonlyArray<string>) {
    const sql = yield* PgClient.make({ url, maxConnections: entities.length })
    yield* sql`create table settled (
      entity text, event_id text, key text, stream_sequence bigint, primary key (entity, event_id)
    )`
    const statement = `insert into settled select $1, i.* from unnest($2::text[], $3::text[], $4::bigint[])
      as i(id, key, sequence) on conflict (entity, event_id) do nothing`
    interface Arrived {
      readonly id: string
      readonly key: string
      readonly message: JsMsg
    }
    const waiting = new Map<string, Array<Arrived>>(entities.map((entity) => [entity, []]))
    const running = new Set<string>()
    const settle = (entity: string, done: (message: JsMsg) => void): Effect.Effect<void, unknown> =>
      Effect.suspend(() => {
        const rows = waiting.get(entity)!.splice(0, ROWS)
        if (rows.length === 0) {
          running.delete(entity)
          return Effect.void
        }
        return sql.unsafe(statement, [
          entity,
          textColumn(rows, ({ id }) => id),
          textColumn(rows, ({ key }) => key),
          bigintColumn(rows, ({ message }) => message.seq),
        ]).pipe(Effect.andThen(Effect.suspend(() => {
          for (const { message } of rows) done(message)
          return settle(entity, done)
        })))
      })
    const onMessage: OnMessage = (entity, message, done) => {
      const { id, key, source } = decoded(message)
      waiting.get(entity)!.push({ id: `${source}#${id}`, key, message })
      if (running.has(entity)) return
      running.add(entity)
      // After all that stands in the same packet. What fails ends the benchmark.
      setTimeout(() => void Effect.runPromise(settle(entity, done)), 0)
    }
    return onMessage
  },
  (made): Effect.Effect<OnMessage, unknown, Scope.Scope> => Effect.provide(made, Reactivity.layer),
)

/** One pull consumer an entity, until `events` have come and are acknowledged. Milliseconds from the first to the last. */
export const consume = async (
  url: string,
  entities: ReadonlyArray<string>,
  events: number,
  onMessage: OnMessage,
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
      const settled = (message: JsMsg) => {
        message.ack()
        if (++count === events) done()
      }
      consumers.forEach((consumer, index) => {
        const entity = entities[index]!
        const callback = (message: JsMsg) => {
          try {
            if (first === 0) first = performance.now()
            onMessage(entity, message, settled)
          } catch (cause) {
            fail(cause)
          }
        }
        consumer.consume({ max_messages: Math.min(timesheets.inFlight, MAX_PULL), callback }).catch(fail)
      })
    })
    return performance.now() - first
  } finally {
    for (const entity of entities) await manager.consumers.delete("ERP", name(entity))
    await nc.close()
  }
}
