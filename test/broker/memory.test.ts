import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Broker } from "../../src/broker/Broker.ts"
import * as MemoryBroker from "../../src/broker/MemoryBroker.ts"
import { brokerSuite, idOf, numbered, open, timesheets } from "./Broker.suite.ts"

brokerSuite("memory", {
  test: it.effect,
  fresh: MemoryBroker.layer(),
  pass: TestClock.adjust,
  deleteConsumers: MemoryBroker.BrokerFaults.use((faults) => faults.interruptConsumers()),
})

describe("the broker in memory", () => {
  const test = (
    sentence: string,
    body: Effect.Effect<void, unknown, Broker | MemoryBroker.BrokerFaults | Scope.Scope>,
  ) =>
    it.effect(sentence, () =>
      Broker.use((broker) => broker.provision).pipe(
        Effect.andThen(body),
        Effect.scoped,
        Effect.provide(MemoryBroker.layer({ ackWait: "60 seconds" })),
      ))

  test(
    "delivers again after the ack wait what was not acknowledged",
    Effect.gen(function* () {
      yield* Broker.use((broker) => broker.publish(numbered(3)))
      const consumer = yield* open(timesheets)
      const [first] = yield* consumer.take(3)
      first?.ack()
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* consumer.waiting, 0)
      yield* TestClock.adjust("1 second")
      const again = yield* consumer.take(2)
      assert.deepStrictEqual(again.map((one) => [idOf(one), one.redelivered]), [[2, true], [3, true]])
    }),
  )
  test(
    "forgets message ids after the duplicate window",
    Effect.gen(function* () {
      const { publish } = yield* Broker
      yield* publish(numbered(1))
      yield* TestClock.adjust("119 seconds")
      assert.isTrue((yield* publish(numbered(1)))[0]?.duplicate)
      yield* TestClock.adjust("1 second")
      assert.isFalse((yield* publish(numbered(1)))[0]?.duplicate)
    }),
  )
  test(
    "fails the next calls as scripted and works again",
    Effect.gen(function* () {
      const broker = yield* Broker
      const faults = yield* MemoryBroker.BrokerFaults
      yield* faults.failNext("publish", { times: 2 })
      assert.strictEqual((yield* Effect.flip(broker.publish(numbered(1)))).reason, "Unreachable")
      assert.strictEqual((yield* Effect.flip(broker.publish(numbered(1)))).reason, "Unreachable")
      assert.strictEqual((yield* broker.publish(numbered(1)))[0]?.streamSequence, 1)
      yield* faults.failNext("consume", { reason: "Interrupted" })
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(broker.consume(timesheets)))).reason, "Interrupted")
      assert.strictEqual((yield* (yield* open(timesheets)).take(1)).length, 1)
    }),
  )
  test(
    "interrupts consumers and refuses calls while it is away",
    Effect.gen(function* () {
      const broker = yield* Broker
      const faults = yield* MemoryBroker.BrokerFaults
      const consumer = yield* open(timesheets)
      yield* Effect.yieldNow
      yield* faults.setReachable(false)
      assert.strictEqual((yield* consumer.failure).reason, "Interrupted")
      assert.strictEqual((yield* Effect.flip(broker.describe)).reason, "Unreachable")
      yield* faults.setReachable(true)
      yield* broker.describe
    }),
  )
  test(
    "delivers twice, loses acks and loses confirmations when told to",
    Effect.gen(function* () {
      const broker = yield* Broker
      const faults = yield* MemoryBroker.BrokerFaults
      yield* faults.loseConfirmations(1)
      assert.strictEqual((yield* Effect.flip(broker.publish(numbered(2)))).reason, "Unreachable")
      assert.deepStrictEqual((yield* broker.publish(numbered(2))).map((one) => one.duplicate), [true, true])
      yield* faults.duplicateDeliveries(1)
      yield* faults.loseAcks(1)
      const consumer = yield* open(timesheets)
      const deliveries = yield* consumer.take(3)
      assert.deepStrictEqual(deliveries.map((one) => [idOf(one), one.redelivered]), [[1, false], [1, true], [2, false]])
      deliveries[2]?.ack()
      deliveries[0]?.ack()
      yield* TestClock.adjust("61 seconds")
      assert.deepStrictEqual((yield* consumer.take(1)).map(idOf), [2])
    }),
  )
})
