import { errors } from "@nats-io/transport-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { ConsumeRequest } from "../../src/broker/Broker.ts"
import type { Client } from "../../src/broker/jetstream/Client.ts"
import { Doorbell } from "../../src/broker/jetstream/Doorbell.ts"
import { together } from "../../src/broker/jetstream/together.ts"

const requestOf = (entity: string, afterSequence = 0): ConsumeRequest => ({
  entity,
  flow: "timesheets",
  epoch: 1,
  subject: `erp.${entity}.timesheet.>`,
  afterSequence,
  maxInFlight: 10,
})

/** A stream, and a connection on which a message goes by only when `passes` says so. */
const makeStream = () => {
  const stored: Array<{ readonly subject: string; readonly sequence: number }> = []
  const listeners = new Map<string, (error: Error | null) => void>()
  const asked = { holdings: 0, last: 0 }
  const onReconnect = new Set<() => void>()
  let answers = true
  const client = {
    nc: {
      info: { jetstream: true },
      subscribe: (subject: string, { callback }: { readonly callback: (error: Error | null) => void }) => {
        listeners.set(subject, callback)
        return { unsubscribe: () => listeners.delete(subject) }
      },
    },
    jsm: {
      streams: {
        info: async () => {
          asked.holdings++
          await new Promise<void>((done) => setTimeout(done, 1))
          if (!answers) throw new Error("away")
          const subjects: Record<string, number> = {}
          for (const { subject } of stored) subjects[subject] = (subjects[subject] ?? 0) + 1
          return { state: { last_seq: stored.at(-1)?.sequence ?? 0, subjects } }
        },
        getMessage: (_: string, { last_by_subj }: { readonly last_by_subj: string }) => {
          asked.last++
          const found = stored.findLast(({ subject }) => subject.startsWith(last_by_subj.slice(0, -1)))
          return Promise.resolve(found === undefined ? null : { seq: found.sequence })
        },
      },
    },
    streamOf: () => "ERP",
    onReconnect,
  } as unknown as Client
  return {
    asked,
    client,
    listeners,
    reconnect: () => onReconnect.forEach((told) => told()),
    away: (is: boolean) => answers = !is,
    /** Into the stream, and nobody hears it. */
    store: (subject: string) => stored.push({ subject, sequence: stored.length + 1 }),
  }
}

/** Lets promises settle: the client's answers are no part of the test's clock. */
const settled = Effect.promise(() => new Promise<void>((done) => setTimeout(done, 20)))

describe("who has nothing to deliver", () => {
  const start = Effect.gen(function* () {
    const stream = makeStream()
    const doorbell = new Doorbell(stream.client, "ERP")
    yield* Effect.forkScoped(doorbell.sweeping)
    const listens = Effect.fnUntraced(function* (request: ConsumeRequest) {
      const fiber = yield* Effect.forkScoped(doorbell.rings(request))
      yield* settled
      return { rang: () => fiber.pollUnsafe() !== undefined, exit: Fiber.await(fiber) }
    })
    return { ...stream, doorbell, listens }
  })

  it.effect("rings at once for what lies there, and by the message that goes by", () =>
    Effect.gen(function* () {
      const { doorbell, listeners, listens, store } = yield* start
      store("erp.be01.timesheet.approved")
      assert.isTrue((yield* listens(requestOf("be01"))).rang())
      const quiet = yield* listens(requestOf("be01", 1))
      assert.isFalse(quiet.rang())
      assert.isTrue(doorbell.isQuiet("weir_be01_timesheets_e1"))
      listeners.get("erp.be01.timesheet.>")!(null)
      yield* settled
      assert.isTrue(quiet.rang())
      assert.isFalse(doorbell.isQuiet("weir_be01_timesheets_e1"))
      assert.strictEqual(listeners.size, 0)
    }))

  it.effect("asks the stream once for all, and only about those whose messages became other ones", () =>
    Effect.gen(function* () {
      const { asked, listens, store } = yield* start
      const entities = Array.from({ length: 50 }, (_, n) => `be${n}`)
      const all = yield* Effect.forEach(entities, (entity) => listens(requestOf(entity)), { concurrency: 50 })
      assert.isBelow(asked.holdings, 4)
      assert.strictEqual(asked.last, 0)
      // Nobody heard these: one for a flow that listens, one for none.
      store("erp.be7.timesheet.approved")
      store("erp.be8.invoice.requested")
      const before = asked.holdings
      yield* TestClock.adjust("5 seconds")
      yield* settled
      assert.deepStrictEqual(all.flatMap(({ rang }, n) => rang() ? [entities[n]] : []), ["be7"])
      assert.deepStrictEqual([asked.holdings - before, asked.last], [1, 1])
    }))

  it.effect("is asked about anew after the connection was lost, and waits on while the stream says nothing", () =>
    Effect.gen(function* () {
      const { away, listens, reconnect, store } = yield* start
      const quiet = yield* listens(requestOf("be01"))
      away(true)
      store("erp.be01.timesheet.approved")
      yield* TestClock.adjust("20 seconds")
      yield* settled
      assert.isFalse(quiet.rang())
      away(false)
      reconnect()
      yield* settled
      assert.isTrue(quiet.rang())
    }))

  it.effect("is told when the stream ends before what is settled", () =>
    Effect.gen(function* () {
      const { doorbell, store } = yield* start
      store("erp.be01.timesheet.approved")
      const error = yield* Effect.flip(doorbell.rings(requestOf("be01", 7)))
      assert.strictEqual(error.reason, "Refused")
      assert.include(error.message, "ends at 1, but be01 timesheets is settled up to 7")
    }))

  it.effect("gets up for good where the broker lets nobody listen", () =>
    Effect.gen(function* () {
      const { doorbell, listeners, listens } = yield* start
      const quiet = yield* listens(requestOf("be01"))
      const said = `Permissions Violation for Subscription to "erp.be01.timesheet.>"`
      listeners.get("erp.be01.timesheet.>")!(
        new errors.PermissionViolationError(said, "subscription", "erp.be01.timesheet.>", undefined),
      )
      yield* settled
      assert.isTrue(quiet.rang())
      assert.isFalse(doorbell.mayListen)
      assert.isTrue((yield* listens(requestOf("nl01"))).rang())
      assert.strictEqual(listeners.size, 0)
    }))
})

describe("one question for all", () => {
  it("answers nobody with what was asked before", async () => {
    let asked = 0
    const answers: Array<() => void> = []
    const ask = together(() => {
      const own = ++asked
      return new Promise<number>((done) => answers.push(() => done(own)))
    })
    const turn = () => new Promise<void>((done) => setTimeout(done, 0))
    const first = ask()
    await turn()
    const [second, third] = [ask(), ask()]
    await turn()
    assert.strictEqual(asked, 1)
    answers[0]!()
    await turn()
    answers[1]!()
    assert.deepStrictEqual(await Promise.all([first, second, third]), [1, 2, 2])
  })

  it("asks anew after a failure", async () => {
    let asked = 0
    const ask = together(() => ++asked === 1 ? Promise.reject(new Error("away")) : Promise.resolve(asked))
    await ask().then(() => assert.fail(), () => undefined)
    assert.strictEqual(await ask(), 2)
  })
})
