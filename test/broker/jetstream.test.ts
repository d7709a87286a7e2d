import { jetstreamManager } from "@nats-io/jetstream"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Ref, Schedule, Scope, Stream } from "effect"
import { readFile } from "node:fs/promises"
import { afterAll, beforeAll } from "vitest"
import { Broker } from "../../src/broker/Broker.ts"
import * as JetStreamBroker from "../../src/broker/JetStreamBroker.ts"
import { connect } from "../../src/broker/jetstream/transport.ts"
import { NatsServer, type RunningNatsServer } from "../../src/embedded/NatsServer.ts"
import { brokerSuite, idOf, numbered, open, timesheets } from "./Broker.suite.ts"
import { folder } from "./folder.ts"

// One server for the contract; its streams are deleted before each test.
const shared = Effect.runSync(Scope.make())
let server: RunningNatsServer
beforeAll(async () => {
  server = await folder.pipe(
    Effect.flatMap((storeDir) => NatsServer.start({ storeDir })),
    Scope.provide(shared),
    Effect.runPromise,
  )
})
afterAll(() => Effect.runPromise(Scope.close(shared, Exit.void)))

const manage = <A>(body: (jsm: Awaited<ReturnType<typeof jetstreamManager>>) => Promise<A>) =>
  Effect.promise(async () => {
    const nc = await connect({ servers: server.url })
    try {
      return await body(await jetstreamManager(nc))
    } finally {
      await nc.close()
    }
  })

const emptied = Layer.effectDiscard(Effect.suspend(() =>
  manage(async (jsm) => {
    for (const stream of await jsm.streams.names().next()) await jsm.streams.delete(stream)
  })
))

brokerSuite("JetStream", {
  test: it.live,
  fresh: Layer.unwrap(Effect.sync(() => JetStreamBroker.layer({ servers: server.url }))).pipe(Layer.provide(emptied)),
  pass: Effect.sleep,
  deleteConsumers: manage(async (jsm) => {
    for (const consumer of await jsm.consumers.list("ERP").next()) await jsm.consumers.delete("ERP", consumer.name)
  }),
})

/** A signal takes a moment to reach all threads of a process. */
const stopped = (pid: number) =>
  Effect.promise(() => readFile(`/proc/${pid}/stat`, "utf8")).pipe(
    Effect.filterOrFail((stat) => / T /u.test(stat), () => "still running"),
    Effect.retry(Schedule.spaced("5 millis")),
  )

describe("the broker on JetStream", () => {
  const build = (options: JetStreamBroker.JetStreamOptions) =>
    Effect.map(Layer.build(JetStreamBroker.layer(options)), (context) => Context.get(context, Broker))

  it.live("says quickly that nobody listens, so that the caller can try again", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(build({ servers: "nats://127.0.0.1:1", connectTimeout: "1 second" }))
      assert.strictEqual(error.reason, "Unreachable")
      assert.include(error.message, "nats://127.0.0.1:1")
    }).pipe(Effect.scoped))

  it.live("refuses to go on with wrong credentials and without JetStream", () =>
    Effect.gen(function* () {
      const secured = yield* NatsServer.start({ storeDir: yield* folder, config: `authorization { token: "right" }` })
      assert.strictEqual((yield* Effect.flip(build({ servers: secured.url }))).reason, "Refused")
      const bare = yield* NatsServer.start({ storeDir: yield* folder, config: "jetstream: false" })
      const broker = yield* build({ servers: bare.url })
      assert.strictEqual((yield* Effect.flip(broker.provision)).reason, "Refused")
    }).pipe(Effect.scoped))

  it.live("survives servers that reset the connection, over and over", () =>
    Effect.gen(function* () {
      const secured = yield* NatsServer.start({ storeDir: yield* folder, config: `authorization { token: "right" }` })
      // A reset that nobody listens to would end the process: the test run reports it as an unhandled error.
      const attempts = Effect.replicateEffect(Effect.flip(build({ servers: secured.url })), 200, { concurrency: 8 })
      assert.isTrue((yield* attempts).every((error) => error.reason === "Refused"))
    }).pipe(Effect.scoped))

  it.live("refuses a stream of its name that would not keep events", () =>
    Effect.gen(function* () {
      yield* Layer.build(emptied)
      yield* manage((jsm) => jsm.streams.add({ name: "ERP", subjects: ["other.>"] }))
      const error = yield* Effect.flip((yield* build({ servers: server.url })).provision)
      assert.strictEqual(error.reason, "Refused")
      assert.include(error.message, "erp.>")
    }).pipe(Effect.scoped))

  it.live("leaves no consumer behind", () =>
    Effect.gen(function* () {
      yield* Layer.build(emptied)
      const broker = yield* build({ servers: server.url })
      yield* broker.provision
      yield* broker.publish(numbered(80))
      yield* Stream.runDrain(Stream.take(broker.consume(timesheets), 80))
      const consumer = yield* Effect.provideService(open({ ...timesheets, epoch: 2 }), Broker, broker)
      yield* consumer.take(1)
      yield* consumer.close
      yield* Stream.runDrain(broker.read({ subject: "erp.>", fromSequence: 1 }))
      yield* broker.backlog({ ...timesheets, flow: "none" })
      const left = manage(async (jsm) => (await jsm.consumers.list("ERP").next()).map((info) => info.name))
      // The reader's deletions are not awaited.
      const noneLeft = Effect.filterOrFail(left, (names) => names.length === 0)
      yield* Effect.retry(noneLeft, { schedule: Schedule.spaced("20 millis"), times: 50 })
    }).pipe(Effect.scoped))

  const consumerInfo = manage((jsm) => jsm.consumers.info("ERP", "weir_be01_timesheets_e1"))

  it.live("acknowledges to the broker what lies before the first message without ack", () =>
    Effect.gen(function* () {
      yield* Layer.build(emptied)
      const broker = yield* build({ servers: server.url })
      yield* broker.provision
      yield* broker.publish(numbered(10))
      const consumer = yield* Effect.provideService(open(timesheets), Broker, broker)
      const deliveries = yield* consumer.take(10)
      const acknowledged = (ids: ReadonlyArray<number>, floor: number) =>
        Effect.suspend(() => {
          for (const id of ids) deliveries[id - 1]!.ack()
          const there = Effect.filterOrFail(consumerInfo, (info) => info.ack_floor.stream_seq === floor)
          return Effect.retry(there, { schedule: Schedule.spaced("10 millis"), times: 100 })
        })
      yield* acknowledged([2, 1, 3, 5, 9], 3)
      yield* acknowledged([4], 5)
      yield* acknowledged([6, 7, 8, 10], 10)
    }).pipe(Effect.scoped))

  it.live("holds a bounded number of messages, however many consumers have a backlog", () =>
    Effect.gen(function* () {
      yield* Layer.build(emptied)
      const broker = yield* build({ servers: server.url, maxInFlight: 100 })
      yield* broker.provision
      const entities = ["be01", "de01", "fr01"]
      const subjectOf = (entity: string) => `erp.${entity}.timesheet.approved`
      yield* broker.publish(entities.flatMap((entity, n) => numbered(400, subjectOf(entity), 1 + 400 * n)))
      const consumers = yield* Effect.forEach(
        entities,
        (entity) =>
          Effect.provideService(
            open({ ...timesheets, entity, subject: `erp.${entity}.timesheet.>`, maxInFlight: 1_000 }),
            Broker,
            broker,
          ),
      )
      // What has its own places comes to everybody; the hundred of the stock go to whoever asks first.
      const held = yield* Effect.forEach(consumers, (consumer) => consumer.take(64))
      yield* Effect.sleep(300)
      const waiting = (yield* Effect.forEach(consumers, (consumer) => consumer.waiting)).reduce((a, b) => a + b)
      assert.strictEqual(waiting, 100)
      for (const delivery of held.flat()) delivery.ack()
      // Everybody gets everything in the end.
      for (const [n, consumer] of consumers.entries()) {
        for (let left = 400 - 64; left > 0; left--) for (const delivery of yield* consumer.take(1)) delivery.ack()
        assert.strictEqual(yield* consumer.waiting, 0, entities[n])
      }
    }).pipe(Effect.scoped))

  const consumers = manage(async (jsm) => (await jsm.consumers.list("ERP").next()).map(({ name }) => name))
  const consumersBecome = (count: number) =>
    Effect.retry(Effect.filterOrFail(consumers, ({ length }) => length === count), {
      schedule: Schedule.spaced("20 millis"),
      times: 200,
    })

  it.live(
    "has a consumer while there is something to deliver, and delivers each message once over many of them",
    () =>
      Effect.gen(function* () {
        yield* Layer.build(emptied)
        const broker = yield* build({ servers: server.url, quietAfter: "100 millis" })
        yield* broker.provision
        // Of another flow: the stream moves, and this one has nothing to do with it.
        yield* broker.publish(numbered(5, "erp.be01.invoice.requested", 1_000))
        const consumer = yield* Effect.provideService(open(timesheets), Broker, broker)
        for (let round = 0; round < 4; round++) {
          yield* consumersBecome(0)
          // Between the consumer's end and its being known as quiet, what lies after the sequence is counted.
          const settled = { ...timesheets, afterSequence: round === 0 ? 0 : 5 + round * 10 }
          assert.strictEqual(yield* broker.backlog(settled), 0)
          yield* broker.publish(numbered(10, undefined, 1 + round * 10))
          const deliveries = yield* consumer.take(10)
          assert.deepStrictEqual(deliveries.map(idOf), Array.from({ length: 10 }, (_, n) => 1 + round * 10 + n))
          assert.strictEqual((yield* consumers).length, 1)
          // What is not acknowledged is in flight: its consumer stays.
          yield* Effect.sleep(round === 0 ? 1_500 : 0)
          assert.strictEqual((yield* consumers).length, 1)
          for (const delivery of deliveries) delivery.ack()
        }
        assert.strictEqual(yield* consumer.waiting, 0)
      }).pipe(Effect.scoped),
    20_000,
  )

  it.live("misses nothing of what comes while a consumer is given back", () =>
    Effect.gen(function* () {
      yield* Layer.build(emptied)
      const broker = yield* build({ servers: server.url, quietAfter: "1 millis" })
      yield* broker.provision
      const consumer = yield* Effect.provideService(open(timesheets), Broker, broker)
      const seen: Array<number> = []
      // A feed is looked at every second: some of these fall into the moment of giving back.
      for (let id = 1; id <= 120; id++) {
        yield* broker.publish(numbered(1, undefined, id))
        for (const delivery of yield* consumer.take(1)) {
          seen.push(idOf(delivery))
          delivery.ack()
        }
        yield* Effect.sleep(id % 20 === 0 ? 950 + id / 2 : 1)
      }
      assert.deepStrictEqual(seen, Array.from({ length: 120 }, (_, n) => n + 1))
      assert.strictEqual(yield* consumer.waiting, 0)
    }).pipe(Effect.scoped), 30_000)

  it.live("drops what the broker delivers again", () =>
    Effect.gen(function* () {
      yield* Layer.build(emptied)
      const broker = yield* build({ servers: server.url })
      yield* broker.provision
      yield* broker.publish(numbered(3))
      const consumer = yield* Effect.provideService(open({ ...timesheets, maxInFlight: 4 }), Broker, broker)
      const [first, second] = yield* consumer.take(3)
      second?.ack()
      yield* Effect.promise(async () => {
        const nc = await connect({ servers: server.url })
        for (const sequence of [1, 2]) {
          nc.publish(`$JS.ACK.ERP.weir_be01_timesheets_e1.1.${sequence}.${sequence}.0.0`, "-NAK")
        }
        await nc.flush()
        await nc.close()
      })
      const again = Effect.filterOrFail(consumerInfo, (info) => info.delivered.consumer_seq === 5)
      yield* Effect.retry(again, { schedule: Schedule.spaced("10 millis"), times: 100 })
      assert.strictEqual(yield* consumer.waiting, 0)
      first?.ack()
      yield* broker.publish(numbered(1, undefined, 4))
      assert.deepStrictEqual((yield* consumer.take(1)).map(idOf), [4])
    }).pipe(Effect.scoped))

  it.live("notices a message that went out and never came, when nothing comes after it", () =>
    Effect.gen(function* () {
      yield* Layer.build(emptied)
      const broker = yield* build({ servers: server.url })
      yield* broker.provision
      yield* broker.publish(numbered(3))
      const consumer = yield* Effect.provideService(open({ ...timesheets, maxInFlight: 2 }), Broker, broker)
      const deliveries = yield* consumer.take(2)
      // Somebody else gets the third one.
      yield* Effect.promise(async () => {
        const nc = await connect({ servers: server.url })
        const next = "$JS.API.CONSUMER.MSG.NEXT.ERP.weir_be01_timesheets_e1"
        assert.strictEqual(idOf(await nc.request(next, "1", { noMux: true, timeout: 1_000 })), 3)
        await nc.close()
      })
      for (const delivery of deliveries) delivery.ack()
      const failure = yield* consumer.failure
      assert.strictEqual(failure.reason, "Interrupted")
      assert.include(failure.message, "3 deliveries went out, 2 arrived")
    }).pipe(Effect.scoped))

  it.live("goes on when the server was frozen for a moment", () =>
    Effect.gen(function* () {
      const frozen = yield* NatsServer.start({ storeDir: yield* folder })
      const broker = yield* build({ servers: frozen.url, requestTimeout: "500 millis" })
      yield* broker.provision
      yield* broker.publish(numbered(3))
      const consumer = yield* Effect.provideService(open(timesheets), Broker, broker)
      yield* consumer.take(3)
      process.kill(frozen.pid, "SIGSTOP")
      yield* stopped(frozen.pid)
      assert.strictEqual((yield* Effect.flip(broker.publish(numbered(1, undefined, 4)))).reason, "Unreachable")
      assert.strictEqual((yield* Effect.flip(broker.describe)).reason, "Unreachable")
      process.kill(frozen.pid, "SIGCONT")
      // The unconfirmed one was stored: the message id makes trying again safe.
      const [again, next] = yield* broker.publish(numbered(2, undefined, 4))
      assert.deepStrictEqual([again?.duplicate, next?.duplicate], [true, false])
      assert.deepStrictEqual((yield* consumer.take(2)).map(idOf), [4, 5])
    }).pipe(Effect.scoped))

  it.live("loses nothing when the server is killed and comes back while events flow", () =>
    Effect.gen(function* () {
      const storeDir = yield* folder
      const first = yield* Scope.make()
      const victim = yield* NatsServer.start({ storeDir }).pipe(Scope.provide(first))
      const broker = yield* build({ servers: victim.url, requestTimeout: "1 second" })
      yield* broker.provision
      yield* broker.publish(numbered(2_000))
      // What the actor does: settle, remember the position, open a fresh consumer there when continuity is lost.
      const seen: Array<number> = []
      const checkpoint = yield* Ref.make({ sequence: 0, epoch: 0 })
      const once = Effect.gen(function* () {
        const { epoch, sequence } = yield* Ref.updateAndGet(checkpoint, (at) => ({ ...at, epoch: at.epoch + 1 }))
        yield* broker.consume({ ...timesheets, epoch, afterSequence: sequence, maxInFlight: 50 }).pipe(
          Stream.tap((delivery) =>
            Effect.gen(function* () {
              if (idOf(delivery) === 500) process.kill(victim.pid, "SIGKILL")
              const { sequence } = yield* Ref.get(checkpoint)
              if (delivery.streamSequence <= sequence) return delivery.ack()
              seen.push(idOf(delivery))
              yield* Ref.update(checkpoint, (at) => ({ ...at, sequence: delivery.streamSequence }))
              delivery.ack()
            })
          ),
          Stream.takeUntil((delivery) => idOf(delivery) === 2_100),
          Stream.runDrain,
        )
      })
      const restart = Effect.gen(function* () {
        yield* victim.exited
        yield* Effect.sleep(300)
        yield* NatsServer.start({ storeDir, port: victim.port })
        yield* broker.publish(numbered(100, undefined, 2_001)).pipe(Effect.retry(Schedule.spaced("100 millis")))
      })
      yield* Effect.all([once.pipe(Effect.retry(Schedule.spaced("100 millis"))), restart], { concurrency: 2 })
      assert.deepStrictEqual(seen, Array.from({ length: 2_100 }, (_, i) => i + 1))
      yield* Scope.close(first, Exit.void)
    }).pipe(Effect.scoped), 20_000)
})
