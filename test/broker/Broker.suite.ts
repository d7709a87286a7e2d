/**
 * What every broker must do (`src/broker/Broker.ts`). One suite, run over each adapter: `memory.test.ts` in virtual
 * time, `jetstream.test.ts` against a real server.
 */
import { assert, describe, type it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, type Layer, Queue, Scope, Stream } from "effect"
import {
  Broker,
  type BrokerError,
  type ConsumeRequest,
  type Delivery,
  type Publication,
} from "../../src/broker/Broker.ts"

export interface Harness<Extra> {
  readonly test: typeof it.effect
  /** A broker without streams, and what the harness itself needs. */
  readonly fresh: Layer.Layer<Broker | Extra, unknown>
  /** Lets so much of the broker's time pass. */
  readonly pass: (millis: number) => Effect.Effect<void>
  /** Takes the open consumers away behind the broker's back. */
  readonly deleteConsumers: Effect.Effect<void, unknown, Extra>
}

export const publication = (subject: string, id: string | number): Publication => ({
  subject,
  headers: { "Content-Type": "application/json" },
  data: new TextEncoder().encode(JSON.stringify({ id })),
  messageId: `test#${id}`,
})

export const numbered = (count: number, subject = "erp.be01.timesheet.approved", from = 1): Array<Publication> =>
  Array.from({ length: count }, (_, i) => publication(subject, from + i))

export const timesheets: ConsumeRequest = {
  entity: "be01",
  flow: "timesheets",
  epoch: 1,
  subject: "erp.be01.timesheet.>",
  afterSequence: 0,
  maxInFlight: 100,
}

export const idOf = (message: { readonly data: Uint8Array }): number =>
  JSON.parse(new TextDecoder().decode(message.data)).id

/** Runs a consumer in the background and hands out what it delivers. */
export const open = Effect.fnUntraced(function* (request: ConsumeRequest) {
  const { consume } = yield* Broker
  const arrived = yield* Queue.unbounded<Delivery>()
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
  const fiber = yield* consume(request).pipe(
    Stream.runForEachArray((deliveries) => Queue.offerAll(arrived, deliveries)),
    Effect.forkIn(scope),
  )
  return {
    take: (count: number): Effect.Effect<ReadonlyArray<Delivery>> =>
      Effect.forEach(Array.from({ length: count }), () => Queue.take(arrived)),
    waiting: Queue.size(arrived),
    failure: Effect.flatMap(
      Fiber.await(fiber),
      (exit) =>
        Exit.isFailure(exit) ? Effect.fromOption(Cause.findErrorOption(exit.cause)) : Effect.die("the stream ended"),
    ),
    close: Scope.close(scope, Exit.void),
  }
})

const reasonOf = (effect: Effect.Effect<unknown, BrokerError, Broker>) =>
  Effect.map(Effect.flip(effect), (error) => error.reason)
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

export const brokerSuite = <Extra>(name: string, harness: Harness<Extra>): void => {
  const test = (sentence: string, body: Effect.Effect<void, unknown, Broker | Extra | Scope.Scope>) =>
    harness.test(sentence, () => body.pipe(Effect.scoped, Effect.provide(harness.fresh)))
  const provisioned = (sentence: string, body: Effect.Effect<void, unknown, Broker | Extra | Scope.Scope>) =>
    test(sentence, Effect.andThen(Broker.use((broker) => broker.provision), body))

  describe(`${name}: streams`, () => {
    test(
      "refuses to work before its streams are there, and creates them once",
      Effect.gen(function* () {
        const broker = yield* Broker
        assert.strictEqual(yield* reasonOf(broker.describe), "Refused")
        assert.strictEqual(yield* reasonOf(Stream.runDrain(broker.consume(timesheets))), "Refused")
        yield* broker.provision
        yield* broker.publish(numbered(2))
        yield* broker.provision
        const { stream } = yield* broker.describe
        assert.strictEqual(stream.messages, 2)
        assert.strictEqual(stream.lastSequence, 2)
      }),
    )
  })

  describe(`${name}: publishing`, () => {
    provisioned(
      "answers in order and stores in order",
      Effect.gen(function* () {
        const broker = yield* Broker
        const published = yield* broker.publish(numbered(1_200))
        assert.deepStrictEqual(published.map((one) => one.streamSequence), range(1, 1_200))
        const stored = yield* Stream.runCollect(broker.read({ subject: "erp.>", fromSequence: 1 }))
        assert.deepStrictEqual(stored.map(idOf), range(1, 1_200))
      }),
    )
    provisioned(
      "drops a message id that it has already, also within one call",
      Effect.gen(function* () {
        const { describe, publish } = yield* Broker
        const [first] = yield* publish(numbered(1))
        const again = yield* publish([...numbered(1), ...numbered(1, undefined, 2), ...numbered(1, undefined, 2)])
        assert.deepStrictEqual(again.map((one) => one.duplicate), [true, false, true])
        assert.strictEqual(again[0]?.streamSequence, first?.streamSequence)
        assert.strictEqual((yield* describe).stream.messages, 2)
      }),
    )
    provisioned(
      "keeps ids apart whatever characters they hold",
      Effect.gen(function* () {
        const { publish } = yield* Broker
        const ids = ["a b", "a%20b", " a b", "a b ", "a\nb", "a\r\nb", "é", "日本", "%", "a"]
        const published = yield* publish(ids.map((messageId) => ({ ...publication("erp.be01.x.y", 1), messageId })))
        assert.deepStrictEqual(published.map((one) => one.duplicate), ids.map(() => false))
      }),
    )
    provisioned(
      "refuses what is too large instead of trying again",
      Effect.gen(function* () {
        const { publish } = yield* Broker
        const large = { ...publication("erp.be01.x.y", 1), data: new Uint8Array(1024 * 1024 + 1) }
        assert.strictEqual(yield* reasonOf(publish([large])), "Refused")
      }),
    )
    provisioned(
      "keeps what goes out apart from what comes in",
      Effect.gen(function* () {
        const broker = yield* Broker
        yield* broker.publish([...numbered(1), publication("erp-out.be01.invoice.posted", 7)])
        assert.strictEqual((yield* broker.describe).stream.messages, 1)
        const out = yield* Stream.runCollect(broker.read({ subject: "erp-out.>", fromSequence: 1 }))
        assert.deepStrictEqual(out.map(idOf), [7])
      }),
    )
  })

  describe(`${name}: consuming`, () => {
    provisioned(
      "delivers in stream order what matches, with lower-case header names",
      Effect.gen(function* () {
        const { publish } = yield* Broker
        yield* publish([...numbered(3), publication("erp.nl01.timesheet.approved", 99), ...numbered(3, undefined, 4)])
        const consumer = yield* open(timesheets)
        const deliveries = yield* consumer.take(6)
        assert.deepStrictEqual(deliveries.map(idOf), range(1, 6))
        assert.deepStrictEqual(deliveries.map((one) => one.streamSequence), [1, 2, 3, 5, 6, 7])
        assert.deepStrictEqual(deliveries.map((one) => one.redelivered), range(1, 6).map(() => false))
        assert.strictEqual(deliveries[0]?.headers["content-type"], "application/json")
        assert.strictEqual(deliveries[0]?.headers["nats-msg-id"], "test#1")
        assert.strictEqual(deliveries[0]?.subject, "erp.be01.timesheet.approved")
        yield* publish(numbered(1, undefined, 7))
        assert.deepStrictEqual((yield* consumer.take(1)).map(idOf), [7])
      }),
    )
    provisioned(
      "delivers each of thousands once, in order, while they are acknowledged",
      Effect.gen(function* () {
        const broker = yield* Broker
        yield* broker.publish(numbered(3_000))
        const seen = yield* broker.consume(timesheets).pipe(
          Stream.tap((delivery) => Effect.sync(() => delivery.ack())),
          Stream.take(3_000),
          Stream.runCollect,
        )
        assert.deepStrictEqual(seen.map(idOf), range(1, 3_000))
      }),
    )
    provisioned(
      "has no more in flight than asked for",
      Effect.gen(function* () {
        yield* Broker.use((broker) => broker.publish(numbered(20)))
        const consumer = yield* open({ ...timesheets, maxInFlight: 5 })
        const first = yield* consumer.take(5)
        yield* harness.pass(300)
        assert.strictEqual(yield* consumer.waiting, 0)
        first[0]?.ack()
        first[1]?.ack()
        assert.deepStrictEqual((yield* consumer.take(2)).map(idOf), [6, 7])
        yield* harness.pass(300)
        assert.strictEqual(yield* consumer.waiting, 0)
      }),
    )
    provisioned(
      "goes on behind a message without ack, which holds one place and no more",
      Effect.gen(function* () {
        yield* Broker.use((broker) => broker.publish(numbered(400)))
        const consumer = yield* open({ ...timesheets, maxInFlight: 3 })
        const [stuck, ...others] = yield* consumer.take(3)
        for (const delivery of others.toReversed()) delivery.ack()
        for (let id = 4; id <= 400; id++) {
          const [delivery] = yield* consumer.take(1)
          assert.strictEqual(idOf(delivery!), id)
          delivery!.ack()
          delivery!.ack()
        }
        stuck?.ack()
        yield* Broker.use((broker) => broker.publish(numbered(4, undefined, 401)))
        assert.deepStrictEqual((yield* consumer.take(3)).map(idOf), [401, 402, 403])
        yield* harness.pass(300)
        assert.strictEqual(yield* consumer.waiting, 0)
      }),
    )
    provisioned(
      "starts strictly after a sequence",
      Effect.gen(function* () {
        yield* Broker.use((broker) => broker.publish(numbered(10)))
        const consumer = yield* open({ ...timesheets, afterSequence: 7 })
        assert.deepStrictEqual((yield* consumer.take(3)).map(idOf), [8, 9, 10])
        const none = yield* open({ ...timesheets, epoch: 2, afterSequence: 10 })
        yield* harness.pass(200)
        assert.strictEqual(yield* none.waiting, 0)
        yield* Broker.use((broker) => broker.publish(numbered(1, undefined, 11)))
        assert.deepStrictEqual((yield* none.take(1)).map(idOf), [11])
      }),
    )
    provisioned(
      "interrupts the smaller epoch when a larger one opens, and leaves other flows alone",
      Effect.gen(function* () {
        const { publish } = yield* Broker
        yield* publish(numbered(4))
        const old = yield* open(timesheets)
        const other = yield* open({ ...timesheets, flow: "unrouted" })
        const neighbour = yield* open({ ...timesheets, entity: "be01-x" })
        yield* old.take(4)
        const taker = yield* open({ ...timesheets, epoch: 12, afterSequence: 2 })
        assert.deepStrictEqual((yield* taker.take(2)).map(idOf), [3, 4])
        assert.strictEqual((yield* old.failure).reason, "Interrupted")
        assert.isTrue((yield* old.failure).isRetryable)
        // A straggler with a smaller epoch does not harm the owner.
        yield* open({ ...timesheets, epoch: 11 })
        yield* publish(numbered(1, undefined, 5))
        assert.deepStrictEqual((yield* taker.take(1)).map(idOf), [5])
        assert.strictEqual((yield* other.take(5)).length, 5)
        assert.strictEqual((yield* neighbour.take(5)).length, 5)
      }),
    )
    provisioned(
      "is interrupted when its consumer is deleted",
      Effect.gen(function* () {
        yield* Broker.use((broker) => broker.publish(numbered(1)))
        const consumer = yield* open(timesheets)
        yield* consumer.take(1)
        yield* harness.deleteConsumers
        assert.strictEqual((yield* consumer.failure).reason, "Interrupted")
      }),
    )
    provisioned(
      "begins anew after it was closed: an ack is flow control, the start is the caller's",
      Effect.gen(function* () {
        yield* Broker.use((broker) => broker.publish(numbered(3)))
        const first = yield* open(timesheets)
        for (const delivery of yield* first.take(3)) delivery.ack()
        yield* first.close
        const second = yield* open(timesheets)
        const deliveries = yield* second.take(3)
        assert.deepStrictEqual(deliveries.map(idOf), [1, 2, 3])
        yield* second.close
        // Too late, and harmless.
        for (const delivery of deliveries) delivery.ack()
      }),
    )
    provisioned(
      "refuses a consumer that may have nothing in flight",
      Effect.gen(function* () {
        const { consume } = yield* Broker
        assert.strictEqual(yield* reasonOf(Stream.runDrain(consume({ ...timesheets, maxInFlight: 0 }))), "Refused")
      }),
    )
  })

  describe(`${name}: looking`, () => {
    provisioned(
      "reads a range up to the last message at the time of the call",
      Effect.gen(function* () {
        const { publish, read } = yield* Broker
        yield* publish([
          ...numbered(700),
          ...numbered(3, "erp.nl01.timesheet.approved", 701),
          ...numbered(2, undefined, 704),
        ])
        const ids = yield* read({ subject: "erp.be01.>", fromSequence: 600 }).pipe(
          Stream.tap((message) =>
            idOf(message) === 600 ? Effect.asVoid(publish(numbered(1, undefined, 999))) : Effect.void
          ),
          Stream.map(idOf),
          Stream.runCollect,
        )
        assert.deepStrictEqual(ids, [...range(600, 700), 704, 705])
        const nothing = yield* Stream.runCollect(read({ subject: "erp.de01.>", fromSequence: 1 }))
        assert.deepStrictEqual(nothing, [])
        assert.deepStrictEqual(yield* Stream.runCollect(read({ subject: "erp.>", fromSequence: 100_000 })), [])
      }),
    )
    provisioned(
      "reads on when the broker has dropped what it was read with",
      Effect.gen(function* () {
        const { publish, read } = yield* Broker
        yield* publish(numbered(400))
        const ids = yield* read({ subject: "erp.be01.>", fromSequence: 1 }).pipe(
          Stream.tap((message) => idOf(message) === 100 ? harness.deleteConsumers : Effect.void),
          Stream.map(idOf),
          Stream.runCollect,
        )
        assert.deepStrictEqual(ids, range(1, 400))
      }),
    )
    provisioned(
      "reads from a time on, and from a place in the stream, whichever comes later",
      Effect.gen(function* () {
        const { publish, read } = yield* Broker
        yield* publish(numbered(3))
        yield* harness.pass(20)
        yield* publish(numbered(3, undefined, 4))
        const stored = yield* Stream.runCollect(read({ subject: "erp.>", fromSequence: 1 }))
        const fromMillis = stored[3]!.storedAtMillis
        assert.isAbove(fromMillis, stored[2]!.storedAtMillis)
        const idsFrom = (range: { readonly fromSequence: number; readonly fromMillis: number }) =>
          Effect.map(Stream.runCollect(read({ subject: "erp.>", ...range })), (found) => found.map(idOf))
        assert.deepStrictEqual(yield* idsFrom({ fromSequence: 1, fromMillis }), [4, 5, 6])
        assert.deepStrictEqual(yield* idsFrom({ fromSequence: 5, fromMillis }), [5, 6])
        assert.deepStrictEqual(yield* idsFrom({ fromSequence: 1, fromMillis: 0 }), range(1, 6))
        assert.deepStrictEqual(yield* idsFrom({ fromSequence: 1, fromMillis: stored[5]!.storedAtMillis + 10_000 }), [])
      }),
    )
    provisioned(
      "counts messages by subject",
      Effect.gen(function* () {
        const { publish, subjects } = yield* Broker
        yield* publish([
          ...numbered(3),
          ...numbered(2, "erp.be01.invoice.requested", 4),
          ...numbered(1, "erp.nl01.x.y", 6),
        ])
        const counted = yield* subjects("erp.be01.>")
        assert.deepStrictEqual(
          Object.fromEntries(counted),
          { "erp.be01.timesheet.approved": 3, "erp.be01.invoice.requested": 2 },
        )
        assert.strictEqual((yield* subjects("erp.*.*.*")).size, 3)
        assert.strictEqual((yield* subjects("erp.de01.>")).size, 0)
      }),
    )
    provisioned(
      "counts what a consumer has still before it, also when there is none yet",
      Effect.gen(function* () {
        const { backlog, publish } = yield* Broker
        yield* publish([...numbered(10), ...numbered(5, "erp.nl01.timesheet.approved", 11)])
        assert.strictEqual(yield* backlog(timesheets), 10)
        assert.strictEqual(yield* backlog({ ...timesheets, afterSequence: 4 }), 6)
        assert.strictEqual(yield* backlog({ ...timesheets, afterSequence: 15 }), 0)
        const consumer = yield* open({ ...timesheets, maxInFlight: 3 })
        yield* consumer.take(3)
        assert.strictEqual(yield* backlog(timesheets), 7)
      }),
    )
  })
}
