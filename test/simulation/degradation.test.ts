import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Deferred, Effect, Exit, Layer, Scope } from "effect"
import { Faults } from "../../fixtures/odoo/Faults.ts"
import { StandIn } from "../../fixtures/odoo/StandIn.ts"
import { make as makeOdoo } from "../../fixtures/odoo/StandInOdoo.ts"
import { LegalEntity } from "../../src/actor/LegalEntity.ts"
import { Dependencies, makeMemory } from "../../src/actor/modes/Dependencies.ts"
import { Thresholds } from "../../src/actor/modes/Thresholds.ts"
import { Broker } from "../../src/broker/Broker.ts"
import * as MemoryBroker from "../../src/broker/MemoryBroker.ts"
import type { Flow } from "../../src/flow/Flow.ts"
import { verifyAudit } from "../../src/ledger/Governance.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import * as MemoryLedger from "../../src/ledger/MemoryLedger.ts"
import { Odoo } from "../../src/odoo/Odoo.ts"
import { catalog } from "../../streams/catalog.ts"
import { customer, engagement, invoice, payment, timesheet } from "../streams/samples.ts"
import { configuration, pass, publication, publish, running, tallies, type WorldOptions } from "./World.ts"

interface Call {
  readonly atMillis: number
  readonly company: unknown
  readonly failed: boolean
}

/** The ports in memory, with an Odoo whose calls are written down and whose faults can be switched on and off. */
const world = () => {
  const faults = new Faults(1)
  const standIn = new StandIn({
    employees: [{ name: "Consultant 1", work_email: "c01@be01.example.test", company: 3 }],
    now: () => 0,
  })
  const inner = makeOdoo(standIn, { faults })
  const calls: Array<Call> = []
  const odoo = Odoo.of({
    ...inner,
    call: (call) =>
      inner.call(call).pipe(Effect.onExit((exit) =>
        Effect.map(Clock.currentTimeMillis, (atMillis) =>
          void calls.push({
            atMillis,
            company: (call.context?.["allowed_company_ids"] as ReadonlyArray<number>)[0],
            failed: Exit.isFailure(exit),
          }))
      )),
  })
  const ports = Layer.mergeAll(MemoryBroker.layer(), MemoryLedger.layer, Layer.succeed(Odoo, odoo))
  const provisioned = Layer.effectDiscard(Effect.flatMap(Broker, (broker) => broker.provision))
  return { faults, calls, standIn, layer: Layer.provideMerge(provisioned, ports) }
}

const run = <A, E>(
  given: ReturnType<typeof world>,
  body: Effect.Effect<A, E, Layer.Success<ReturnType<typeof running>> | Layer.Success<typeof given.layer>>,
  options: WorldOptions = {},
) =>
  body.pipe(
    // The product's shutdown waits in virtual time: a failed test would hang in it.
    Effect.tapCause((cause) => Effect.sync(() => console.error(Cause.pretty(cause)))),
    Effect.provide(running(options)),
    Effect.provide(given.layer),
  )

const customerEvent = (sequence: number, name = `Name ${sequence}`, entity = "be01") =>
  publication("customer.upserted", { ...customer, name }, { sequence, entity, id: `${entity}-${sequence}` })

const applied = (flow: string, entity = "be01") => Effect.map(tallies(entity), (rows) => rows.get(flow)?.applied ?? 0)
const statusOf = (entity = "be01") => Effect.flatMap(LegalEntity.client, (client) => client(entity).Status())
const circuitOf = (dependency: string, entity = "be01") =>
  Effect.map(statusOf(entity), ({ circuits }) => circuits.find((circuit) => circuit.dependency === dependency)?.state)
const incidents = Effect.flatMap(Ledger, (ledger) => ledger.incidents({ limit: 100 }))
const trail = (entity = "be01") => Effect.flatMap(Ledger, (ledger) => ledger.audit({ entity, after: 0, limit: 1_000 }))
/** `from -> to by actor` of every change of the mode. */
const changes = Effect.map(
  trail(),
  (records) =>
    records.filter(({ action }) => action === "mode.changed").map(({ actor, detail }) => {
      const { from, to } = JSON.parse(detail)
      return `${from} -> ${to} by ${actor}`
    }),
)
/** Asks for a mode and lets time pass until it is in effect. */
const setMode = (payload: { mode: "full" | "essential" | "drafts" | "hold" | "auto"; until?: number }) =>
  Effect.gen(function* () {
    const client = yield* LegalEntity.client
    const done = yield* Deferred.make<string>()
    yield* client("be01").SetMode({
      mode: payload.mode,
      actor: "ada",
      reason: "a test",
      untilMillis: payload.until ?? null,
    }).pipe(
      Effect.flatMap(({ mode }) => Deferred.succeed(done, mode)),
      Effect.forkChild,
    )
    yield* pass(1)
    return yield* Deferred.await(done)
  })

describe("while Odoo is away", () => {
  it.effect("nobody calls but a probe, intake stops, and everything goes on by itself", () => {
    const given = world()
    const { calls, faults } = given
    return run(
      given,
      Effect.gen(function* () {
        yield* publish(customerEvent(1))
        yield* pass(5)
        assert.strictEqual(yield* applied("customers"), 1)
        const before = calls.length
        faults.add({ fault: { kind: "away" } })
        yield* publish(customerEvent(2))
        yield* pass(10)
        assert.strictEqual(yield* circuitOf("odoo"), "open")
        const status = yield* statusOf()
        assert.deepStrictEqual([status.mode, status.incidents], ["full", 1])
        yield* publish(customerEvent(3))
        yield* pass(20)
        const failed = calls.slice(before).filter((call) => call.failed)
        // Three failures open it; probes come after 1, 2, 4, 8 and 16 seconds.
        assert.isAtMost(failed.length, 3 + 5)
        assert.strictEqual((yield* statusOf()).flows.find(({ flow }) => flow === "customers")?.inFlight, 1)
        assert.deepStrictEqual(
          failed.slice(4).map(({ atMillis }, index) => Math.round((atMillis - failed[index + 3]!.atMillis) / 1_000)),
          [2, 4, 8],
        )
        faults.clear()
        yield* pass(40)
        assert.strictEqual(yield* circuitOf("odoo"), "closed")
        assert.strictEqual(yield* applied("customers"), 3)
        assert.deepStrictEqual(yield* changes, [], "a short outage leaves the mode alone")

        const answered = calls.find(({ atMillis, failed: no }) => !no && atMillis > failed[0]!.atMillis)!
        const [incident, ...others] = yield* incidents
        assert.deepStrictEqual(others, [])
        assert.deepInclude(incident, {
          cause: "odoo",
          detectedAtMillis: failed[0]!.atMillis,
          containedAtMillis: failed[2]!.atMillis,
          restoredAtMillis: answered.atMillis,
        })
      }),
    )
  })

  it.effect("for longer the mode is hold, told to others, and full again when it answers", () => {
    const given = world()
    const { calls, faults } = given
    return run(
      given,
      Effect.gen(function* () {
        yield* pass(5)
        const before = calls.length
        faults.add({ fault: { kind: "away" } })
        yield* publish(customerEvent(1))
        yield* pass(60)
        const failed = calls.slice(before).filter((call) => call.failed)
        const openedAtMillis = failed[2]!.atMillis
        assert.deepStrictEqual(yield* changes, [])
        yield* pass(10)
        assert.deepStrictEqual(yield* changes, ["full -> hold by weir"])
        const [record] = (yield* trail()).filter(({ action }) => action === "mode.changed")
        assert.strictEqual(record?.atMillis, openedAtMillis + 60_000)
        const held = yield* statusOf()
        assert.deepStrictEqual([held.mode, held.state], ["hold", "stopped"])
        assert.isTrue(held.flows.every(({ inFlight, state }) => state === "stopped" && inFlight === 0))
        yield* publish(customerEvent(2))
        yield* pass(200)
        assert.strictEqual(yield* applied("customers"), 0)
        faults.clear()
        yield* pass(45)
        assert.deepStrictEqual(yield* changes, ["full -> hold by weir", "hold -> full by weir"])
        assert.strictEqual(yield* applied("customers"), 2)
        const back = (yield* trail()).filter(({ action }) => action === "mode.changed")[1]
        const [incident] = yield* incidents
        assert.deepInclude(incident, {
          detectedAtMillis: failed[0]!.atMillis,
          containedAtMillis: openedAtMillis,
          restoredAtMillis: back!.atMillis,
        })
        const said = incident!.steps.map(({ what }) => what.split(":")[0])
        assert.deepStrictEqual([said[0], said.at(-1)], ["calls stopped", "restored"])
        assert.includeMembers(said, ["mode hold", "mode full"])
        const out = yield* Effect.flatMap(Broker, (broker) => broker.subjects("erp-out.be01.mode.>"))
        assert.deepStrictEqual([...out], [["erp-out.be01.mode.changed", 2]])
        assert.strictEqual(verifyAudit(yield* trail()), null)
      }),
    )
  })

  it.effect("again and again for a short time, the mode does not flap and it is one incident", () => {
    const given = world()
    const { faults } = given
    return run(
      given,
      Effect.gen(function* () {
        yield* pass(5)
        for (let outage = 1; outage <= 8; outage++) {
          faults.add({ fault: { kind: "away" } })
          yield* publish(customerEvent(outage))
          yield* pass(15)
          faults.clear()
          while ((yield* circuitOf("odoo")) !== "closed") yield* pass(1)
          yield* pass(2)
        }
        yield* pass(30)
        assert.strictEqual(yield* applied("customers"), 8)
        assert.deepStrictEqual(yield* changes, [])
        const found = yield* incidents
        assert.strictEqual(found.length, 1)
        assert.isNotNull(found[0]?.restoredAtMillis)
      }),
    )
  })

  it.effect("a drain does not wait for it: what is in flight is given back and comes again", () => {
    const given = world()
    const { faults } = given
    return run(
      given,
      Effect.gen(function* () {
        yield* pass(5)
        faults.add({ fault: { kind: "away" } })
        yield* publish(customerEvent(1))
        yield* pass(10)
        const client = yield* LegalEntity.client
        const drained = yield* Deferred.make<string>()
        yield* client("be01").Drain({ actor: "ada" }).pipe(
          Effect.flatMap(({ state }) => Deferred.succeed(drained, state)),
          Effect.forkChild,
        )
        yield* pass(2)
        assert.strictEqual(yield* Deferred.await(drained), "stopped")
        faults.clear()
        yield* client("be01").Resume({ actor: "ada" }).pipe(Effect.forkChild)
        yield* pass(40)
        assert.strictEqual(yield* applied("customers"), 1)
        const commands = (yield* trail()).filter(({ actor }) => actor === "ada").map(({ action }) => action)
        assert.deepStrictEqual(commands, ["drained", "resumed"])
      }),
    )
  })

  it.effect("a mode that somebody sets during a drain does not hold the drain up, and counts afterwards", () => {
    const given = world()
    const { faults } = given
    return run(
      given,
      Effect.gen(function* () {
        yield* pass(5)
        // Something is in flight for a while, so that the drain has to wait.
        faults.add({ fault: { kind: "slow", millis: 5_000 }, method: "load", times: 1 })
        yield* publish(customerEvent(1))
        yield* pass(2)
        const client = yield* LegalEntity.client
        const drained = yield* Deferred.make<string>()
        yield* client("be01").Drain({}).pipe(
          Effect.flatMap(({ state }) => Deferred.succeed(drained, state)),
          Effect.forkChild,
        )
        yield* pass(1)
        yield* client("be01").SetMode({ mode: "drafts" }).pipe(Effect.exit, Effect.forkChild)
        yield* pass(20)
        assert.isTrue(Deferred.isDoneUnsafe(drained))
        assert.strictEqual(yield* Deferred.await(drained), "stopped")
        yield* client("be01").Resume({}).pipe(Effect.forkChild)
        yield* pass(10)
        assert.deepInclude(yield* statusOf(), { state: "running", mode: "drafts" })
      }),
    )
  })

  it.effect("a draft that the ledger hears of after the mode that posts is posted too", () => {
    const given = world()
    const { faults, standIn } = given
    const bills = () => [...standIn.store.tables.get("account.move")!.rows.values()].map(({ state }) => state)
    return run(
      given,
      Effect.gen(function* () {
        yield* publish(customerEvent(1), publication("engagement.activated", engagement))
        yield* pass(5)
        assert.strictEqual(yield* setMode({ mode: "drafts" }), "drafts")
        const { failNext } = yield* MemoryLedger.MemoryLedger
        yield* failNext(12, "before", "settle")
        yield* publish(publication("invoice.requested", invoice))
        yield* pass(2)
        assert.deepStrictEqual([bills(), yield* tallies().pipe(Effect.map((rows) => rows.get("invoices")))], [
          ["draft"],
          undefined,
        ])
        faults.add({ fault: { kind: "away" } })
        yield* publish(customerEvent(2))
        yield* pass(10)
        assert.strictEqual(yield* circuitOf("odoo"), "open")
        assert.strictEqual(yield* setMode({ mode: "full" }), "full")
        yield* pass(40)
        faults.clear()
        yield* pass(60)
        assert.deepStrictEqual([bills(), yield* applied("invoices"), yield* applied("customers")], [["posted"], 1, 2])
      }),
    )
  })

  it.effect("at a restart in the middle, the next process takes over mode and incident", () => {
    const given = world()
    const { faults } = given
    return Effect.gen(function* () {
      const first = yield* Scope.make()
      yield* Layer.buildWithScope(running(), first)
      yield* pass(5)
      faults.add({ fault: { kind: "away" } })
      yield* publish(customerEvent(1))
      yield* pass(80)
      yield* Scope.close(first, Exit.void).pipe(Effect.forkChild)
      yield* pass(5)
      const [open] = yield* incidents
      assert.strictEqual(open?.restoredAtMillis, null)
      const second = yield* Scope.make()
      yield* Layer.buildWithScope(running(), second)
      yield* pass(80)
      assert.strictEqual((yield* incidents).length, 1, "the same incident")
      faults.clear()
      yield* pass(60)
      assert.strictEqual(yield* applied("customers"), 1)
      assert.isNotNull((yield* incidents)[0]?.restoredAtMillis)
      assert.strictEqual((yield* changes).at(-1), "hold -> full by weir")
      assert.strictEqual(verifyAudit(yield* trail()), null)
      yield* Scope.close(second, Exit.void).pipe(Effect.forkChild)
      yield* pass(5)
    }).pipe(Effect.provide(given.layer))
  })

  it.effect("for one entity, the others do not notice", () => {
    const given = world()
    const { calls, faults } = given
    const [be01] = Object.values(configuration.entities)
    const both = {
      databases: { ...configuration.databases, other: configuration.databases.main },
      entities: { be01, be02: { ...be01, database: "other", company: 1, currency: "USD", journals: {}, taxes: {} } },
    }
    const flows = catalog.filter(({ name }) => name === "customers")
    return run(
      given,
      Effect.gen(function* () {
        yield* pass(5)
        faults.add({ fault: { kind: "hang", commits: false }, company: 3 })
        yield* publish(customerEvent(1), customerEvent(1, "Other", "be02"))
        yield* pass(600)
        assert.deepStrictEqual([yield* applied("customers"), yield* applied("customers", "be02")], [0, 1])
        const [one, other] = [yield* statusOf(), yield* statusOf("be02")]
        assert.deepStrictEqual([one.circuits[0]?.state === "closed", other.circuits[0]?.state], [false, "closed"])
        assert.deepStrictEqual([one.mode, other.mode, other.incidents], ["hold", "full", 0])
        assert.isTrue(other.flows.every(({ restarts, state }) => restarts === 0 && state === "running"))
        assert.isFalse(calls.some(({ company, failed }) => company === 1 && failed))
        faults.clear()
        yield* pass(60)
        assert.strictEqual(yield* applied("customers"), 1)
      }),
      { configuration: both, flows },
    )
  })
})

describe("a person's mode", () => {
  it.effect("goes before the automatic steps until it is lifted", () => {
    const given = world()
    const { faults } = given
    return run(
      given,
      Effect.gen(function* () {
        yield* pass(5)
        assert.strictEqual(yield* setMode({ mode: "full" }), "full")
        faults.add({ fault: { kind: "away" } })
        yield* publish(customerEvent(1))
        yield* pass(100)
        assert.strictEqual((yield* statusOf()).mode, "full")
        assert.include((yield* trail()).map(({ action }) => action), "mode.overridden")
        assert.strictEqual(yield* setMode({ mode: "auto" }), "hold", "what Weir would have done")
        faults.clear()
        yield* pass(60)
        assert.deepStrictEqual(yield* changes, [
          "full -> full by ada",
          "full -> hold by ada",
          "hold -> full by weir",
        ])
        assert.strictEqual(yield* applied("customers"), 1)
      }),
    )
  })

  it.effect("ends by itself at its time, to the millisecond, and is kept over a restart", () => {
    const given = world()
    return Effect.gen(function* () {
      const first = yield* Scope.make()
      const context = yield* Layer.buildWithScope(running(), first)
      yield* pass(5)
      const until = (yield* Clock.currentTimeMillis) + 30_050
      assert.strictEqual(yield* Effect.provide(setMode({ mode: "hold", until }), context), "hold")
      yield* publish(customerEvent(1))
      yield* Scope.close(first, Exit.void).pipe(Effect.forkChild)
      yield* pass(5)
      const second = yield* Scope.make()
      const next = yield* Layer.buildWithScope(running(), second)
      yield* pass(10)
      const status = yield* Effect.provide(statusOf(), next)
      assert.deepStrictEqual([status.mode, status.override?.actor], ["hold", "ada"])
      assert.strictEqual(yield* applied("customers"), 0)
      yield* pass(20)
      assert.deepStrictEqual(yield* changes, ["full -> hold by ada", "hold -> full by weir"])
      assert.strictEqual((yield* trail()).at(-1)?.atMillis, until)
      assert.strictEqual(yield* applied("customers"), 1)
      yield* Scope.close(second, Exit.void).pipe(Effect.forkChild)
      yield* pass(5)
    }).pipe(Effect.provide(given.layer))
  })

  it.effect("essential stops the other flows only, without a restart of the critical ones", () => {
    const given = world()
    return run(
      given,
      Effect.gen(function* () {
        yield* publish(customerEvent(1))
        yield* pass(5)
        const epoch = (yield* statusOf()).epoch
        yield* setMode({ mode: "essential" })
        const { flows } = yield* statusOf()
        const lanes = new Map(catalog.map(({ lane, name }) => [name, lane]))
        for (const { flow, state } of flows) {
          assert.strictEqual(state, lanes.get(flow) === "critical" ? "running" : "stopped", flow)
        }
        yield* publish(customerEvent(2))
        yield* pass(10)
        assert.strictEqual(yield* applied("customers"), 1)
        yield* setMode({ mode: "auto" })
        yield* pass(5)
        assert.strictEqual(yield* applied("customers"), 2)
        assert.strictEqual((yield* statusOf()).epoch, epoch)
      }),
    )
  })
})

describe("under sustained overload", () => {
  it.effect("only critical lanes run, until it has been quiet for long enough", () => {
    const given = world()
    const { faults } = given
    const quick = Layer.effect(
      Thresholds,
      Effect.map(Thresholds, (defaults) => ({
        ...defaults,
        criticalObjective: defaults.window,
        overloadedWindows: 3,
        quietWindows: 6,
        idleWindows: 7,
      })),
    )
    return Effect.gen(function* () {
      yield* publish(customerEvent(1), publication("engagement.activated", engagement))
      yield* pass(10)
      faults.add({ fault: { kind: "slow", millis: 40_000 }, model: "account.move", method: "load", times: 1 })
      const publishedAtMillis = yield* Clock.currentTimeMillis
      yield* publish(publication("invoice.requested", invoice))
      yield* pass(30)
      assert.deepStrictEqual(yield* changes, ["full -> essential by weir"])
      yield* publish(customerEvent(2))
      yield* pass(12)
      assert.strictEqual(yield* applied("invoices"), 1)
      assert.strictEqual(yield* applied("customers"), 1)
      yield* pass(40)
      assert.deepStrictEqual(yield* changes, ["full -> essential by weir", "essential -> full by weir"])
      assert.strictEqual(yield* applied("customers"), 2)
      const [down, up] = (yield* trail()).filter(({ action }) => action === "mode.changed")
      yield* pass(15)
      const [incident] = yield* incidents
      assert.deepInclude(incident, {
        cause: "overload",
        containedAtMillis: down!.atMillis,
        restoredAtMillis: up!.atMillis,
      })
      assert.strictEqual(down!.atMillis - incident!.detectedAtMillis, 10_000, "the first of three windows of 5 s")
      assert.isAbove(incident!.detectedAtMillis, publishedAtMillis + 5_000)
    }).pipe(
      Effect.provide(running().pipe(Layer.provide(quick))),
      Effect.provide(given.layer),
    )
  })
})

describe("after an overload", () => {
  it.effect("the other lanes run again as soon as nothing critical has been there for a while", () => {
    const given = world()
    const quick = Layer.effect(
      Thresholds,
      Effect.map(Thresholds, (defaults) => ({
        ...defaults,
        criticalObjective: defaults.window,
        overloadedWindows: 3,
        quietWindows: 1_000,
        idleWindows: 2,
      })),
    )
    return Effect.gen(function* () {
      yield* publish(customerEvent(1), publication("engagement.activated", engagement))
      yield* pass(10)
      given.faults.add({ fault: { kind: "slow", millis: 40_000 }, model: "account.move", method: "load", times: 1 })
      yield* publish(publication("invoice.requested", invoice))
      yield* pass(30)
      yield* publish(customerEvent(2))
      // Within its objective again, but still there: that is not enough.
      given.faults.add({ fault: { kind: "slow", millis: 4_000 }, model: "account.payment", method: "load", times: 20 })
      yield* publish(publication("payment.received", { ...payment, invoices: ["INV-1"] }))
      yield* pass(15)
      assert.deepStrictEqual([yield* applied("invoices"), yield* applied("customers")], [1, 1])
      yield* pass(25)
      assert.deepStrictEqual(yield* changes, ["full -> essential by weir", "essential -> full by weir"])
      const up = (yield* trail()).findLast(({ action }) => action === "mode.changed")
      assert.include(up?.detail, "nothing critical in flight for 10s")
      assert.strictEqual(yield* applied("customers"), 2)
    }).pipe(
      Effect.provide(running().pipe(Layer.provide(quick))),
      Effect.provide(given.layer),
    )
  })
})

describe("a dependency beside Odoo", () => {
  it.effect("that does not work keeps only the flows waiting that need it", () => {
    const given = world()
    const tax = makeMemory("tax")
    const flows = catalog.map((flow): Flow => flow.name === "invoices" ? { ...flow, needs: ["tax"] } : flow)
    return Effect.gen(function* () {
      yield* pass(5)
      tax.setWorking(false)
      yield* pass(35)
      assert.deepStrictEqual([yield* circuitOf("odoo"), (yield* circuitOf("tax")) === "closed"], ["closed", false])
      yield* publish(
        customerEvent(1),
        publication("engagement.activated", engagement),
        publication("timesheet.approved", timesheet),
        publication("invoice.requested", invoice),
      )
      yield* pass(100)
      for (const flow of ["customers", "engagements", "timesheets"]) assert.strictEqual(yield* applied(flow), 1, flow)
      assert.strictEqual(yield* applied("invoices"), 0)
      const status = yield* statusOf()
      assert.strictEqual(status.mode, "full", "and it is no overload")
      assert.include(status.flows.find(({ flow }) => flow === "invoices")?.trouble, "waits for tax")
      tax.setWorking(true)
      yield* pass(50)
      assert.strictEqual(yield* applied("invoices"), 1)
      const [incident] = yield* incidents
      assert.strictEqual(incident?.cause, "tax")
      assert.isNotNull(incident?.restoredAtMillis)
    }).pipe(
      Effect.provide(
        running({ flows }).pipe(
          Layer.provide(Layer.succeed(Dependencies, new Map([["tax", tax.dependency]]))),
        ),
      ),
      Effect.provide(given.layer),
    )
  })
})

describe("supervision", () => {
  it.effect("replaces a consumer that went silent while the stream is ahead, and counts it", () => {
    const given = world()
    return run(
      given,
      Effect.gen(function* () {
        yield* publish(customerEvent(1))
        yield* pass(5)
        const faults = yield* MemoryBroker.BrokerFaults
        yield* faults.silenceConsumers()
        yield* publish(customerEvent(2))
        yield* pass(10)
        assert.strictEqual(yield* applied("customers"), 1)
        yield* pass(25)
        assert.strictEqual(yield* applied("customers"), 2)
        const rebuilds = (yield* statusOf()).flows.map(({ flow, rebuilds }) => [flow, rebuilds] as const)
        assert.deepStrictEqual(rebuilds.filter(([, count]) => count > 0), [["customers", 1]], "and no other one")
        yield* pass(120)
        assert.deepStrictEqual((yield* statusOf()).flows.find(({ flow }) => flow === "customers")?.rebuilds, 1)
      }),
    )
  })

  it.effect("restarts a pump that crashes, and that pump only", () => {
    const given = world()
    return run(
      given,
      Effect.gen(function* () {
        yield* publish(customerEvent(1))
        yield* pass(5)
        const faults = yield* MemoryBroker.BrokerFaults
        // Whoever opens its consumer next is refused, which no pump survives.
        yield* faults.failNext("consume", { reason: "Refused" })
        yield* faults.interruptConsumers()
        yield* pass(5)
        yield* publish(customerEvent(2), publication("engagement.activated", engagement))
        yield* pass(20)
        const { epoch, flows } = yield* statusOf()
        assert.strictEqual(flows.filter(({ restarts }) => restarts === 1).length, 1)
        assert.strictEqual(flows.filter(({ restarts }) => restarts === 0).length, flows.length - 1)
        assert.strictEqual(epoch, 1)
        assert.deepStrictEqual([yield* applied("customers"), yield* applied("engagements")], [2, 1])
      }),
    )
  })
})
