/**
 * Flows that fall quiet and wake again on a server that is killed, frozen and robbed of its consumers: whatever happens,
 * each flow gets everything that was published for it once and in order. `WEIR_SEED` repeats the order of events.
 */
import { assert, describe, it } from "@effect/vitest"
import { jetstreamManager } from "@nats-io/jetstream"
import { Effect, Fiber, Schedule, Scope, Stream } from "effect"
import process from "node:process"
import { Random } from "../../fixtures/generator/Random.ts"
import type { Broker } from "../../src/broker/Broker.ts"
import * as JetStreamBroker from "../../src/broker/JetStreamBroker.ts"
import { connect } from "../../src/broker/jetstream/transport.ts"
import { NatsServer, type RunningNatsServer } from "../../src/embedded/NatsServer.ts"
import { seedOf } from "../faults/seed.ts"
import { idOf, numbered } from "./Broker.suite.ts"
import { folder } from "./folder.ts"

const ENTITIES = ["at01", "be01", "de01", "fr01", "gb01", "nl01"] as const
const TURNS = 8
const seed = seedOf("quiet")

const subjectOf = (entity: string) => `erp.${entity}.timesheet.approved`

/** What the actor does: settles, remembers the position, opens a fresh consumer there when continuity is lost. */
const follow = (broker: Broker["Service"], entity: string, seen: Array<number>) => {
  let epoch = 0
  let settled = 0
  return Effect.suspend(() =>
    broker.consume({
      entity,
      flow: "timesheets",
      epoch: ++epoch,
      subject: `erp.${entity}.timesheet.>`,
      afterSequence: settled,
      maxInFlight: 20,
    }).pipe(
      Stream.runForEach((delivery) =>
        Effect.sync(() => {
          // A consumer's own order is the port's promise; a number at or below the position would be a second time.
          assert.isAbove(delivery.streamSequence, settled)
          seen.push(idOf(delivery))
          settled = delivery.streamSequence
          delivery.ack()
        })
      ),
    )
  ).pipe(Effect.retry(Schedule.spaced("50 millis")))
}

const robbed = (url: string, random: Random) =>
  Effect.promise(async () => {
    const nc = await connect({ servers: url })
    try {
      const jsm = await jetstreamManager(nc)
      for (const { name } of await jsm.consumers.list("ERP").next()) {
        if (random.chance(0.5)) await jsm.consumers.delete("ERP", name).catch(() => undefined)
      }
    } finally {
      await nc.close()
    }
  })

describe("flows that fall quiet and wake", () => {
  it.live("get everything once and in order, whatever happens to the server", () =>
    Effect.gen(function* () {
      const random = new Random(seed, "quiet")
      const storeDir = yield* folder
      const scope = yield* Effect.scope
      const start = (port?: number) =>
        NatsServer.start({ storeDir, ...(port !== undefined && { port }) }).pipe(Scope.provide(scope))
      let server: RunningNatsServer = yield* start()
      const options = { servers: server.url, requestTimeout: "1 second" } as const
      const broker = yield* JetStreamBroker.make({ ...options, quietAfter: "100 millis" })
      // Another connection: after a restart it is back before the other one listens again, or later.
      const upstream = yield* JetStreamBroker.make(options)
      yield* broker.provision

      const published = new Map(ENTITIES.map((entity) => [entity, 0]))
      const seen = new Map(ENTITIES.map((entity) => [entity, [] as Array<number>]))
      const followers = yield* Effect.forEach(
        ENTITIES,
        (entity) => Effect.forkScoped(follow(broker, entity, seen.get(entity)!)),
      )

      const publish = Effect.suspend(() => {
        const entity = random.pick(ENTITIES)
        const count = random.pick([1, 1, 1, 3, 40])
        const from = published.get(entity)! + 1
        published.set(entity, from + count - 1)
        const messages = numbered(count, subjectOf(entity), from).map((one) => ({
          ...one,
          messageId: `${entity}#${one.messageId}`,
        }))
        return Effect.retry(upstream.publish(messages), Schedule.spaced("50 millis"))
      })
      const killed = Effect.gen(function* () {
        process.kill(server.pid, "SIGKILL")
        yield* server.exited
        server = yield* start(server.port)
      })
      const frozen = Effect.suspend(() => {
        process.kill(server.pid, "SIGSTOP")
        return Effect.andThen(
          Effect.sleep(random.int(100, 1_500)),
          Effect.sync(() => process.kill(server.pid, "SIGCONT")),
        )
      })

      /** Before the next message comes: it would wake who has overheard the last one. */
      const allHere = Effect.gen(function* () {
        const wanted = Object.fromEntries(
          ENTITIES.map((entity) => [entity, Array.from({ length: published.get(entity)! }, (_, n) => n + 1)]),
        )
        yield* Effect.sync(() => ENTITIES.every((entity) => seen.get(entity)!.length >= wanted[entity]!.length)).pipe(
          Effect.filterOrFail((isComplete) => isComplete),
          Effect.retry({ schedule: Schedule.spaced("20 millis"), times: 750 }),
          Effect.ignore,
        )
        assert.deepStrictEqual(Object.fromEntries(seen), wanted)
        for (const follower of followers) assert.isUndefined(follower.pollUnsafe())
      })

      for (let turn = 0; turn < TURNS; turn++) {
        for (let burst = random.int(1, 12); burst > 0; burst--) {
          yield* publish
          yield* Effect.sleep(random.pick([0, 1, 5, 30, 200]))
        }
        // A feed is looked at every second: the pauses of some turns let everybody fall quiet.
        yield* Effect.sleep(random.pick([0, 50, 1_000, 1_050, 1_100, 2_300]))
        const strike = random.pick(["killed", "killed", "frozen", "robbed", "none"] as const)
        const victim = strike === "robbed" ? robbed(server.url, random) : strike === "killed" ? killed : frozen
        if (strike !== "none") yield* Effect.all([victim, publish], { concurrency: 2 })
        yield* allHere
      }
      // Nothing comes after all of it.
      yield* Effect.sleep(200)
      yield* allHere
      yield* Effect.forEach(followers, Fiber.interrupt)
    }).pipe(Effect.scoped), 120_000)
})
