import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Faults } from "../../fixtures/odoo/Faults.ts"
import type { StandIn } from "../../fixtures/odoo/StandIn.ts"
import { make as makeOdoo } from "../../fixtures/odoo/StandInOdoo.ts"
import { LegalEntity } from "../../src/actor/LegalEntity.ts"
import type { Flow } from "../../src/flow/Flow.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { Odoo, type OdooCall, OdooError } from "../../src/odoo/Odoo.ts"
import { catalog } from "../../streams/catalog.ts"
import { customer, engagement, invoice } from "../streams/samples.ts"
import { pass, ports, publication, publish, running, tallies } from "./World.ts"

/** Nothing in it tells that two of them are one. */
const { reference: _reference, vat: _vat, ...anonymous } = customer
const customerNamed = (key: string, sequence = 1) =>
  publication("customer.upserted", { ...anonymous, key, name: `Customer ${key}` }, { sequence })

const held = Effect.flatMap(Ledger, (ledger) => ledger.exceptions({ limit: 100 }))
const applied = (flow: string) => Effect.map(tallies(), (flows) => flows.get(flow)?.applied ?? 0)
const rows = (standIn: StandIn, model: string) => [...standIn.store.tables.get(model)!.rows.values()]
const status = Effect.flatMap(LegalEntity.client, (client) => client("be01").Status())

/** Long stretches in steps of ten seconds. */
const hours = (count: number) =>
  Effect.gen(function* () {
    for (let second = 0; second < count * 3_600; second += 10) {
      yield* TestClock.adjust("10 seconds")
      yield* Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
    }
  })

/** Odoo that never answers calls in which `word` occurs, within the timeout of `millis`. */
const deafTo = (standIn: StandIn, word: string, millis: number, code: "ODOO-NO-ANSWER" | "ODOO-CONTENTION") =>
  Layer.effect(
    Odoo,
    Effect.sync(() => {
      const odoo = makeOdoo(standIn)
      return Odoo.of({
        ...odoo,
        call: (call: OdooCall) =>
          call.method === "load" && JSON.stringify(call.args ?? {}).includes(word)
            ? Effect.andThen(
              Effect.sleep(millis),
              Effect.fail(new OdooError({ code, operation: `${call.model}/${call.method}`, message: "deaf" })),
            )
            : odoo.call(call),
      })
    }),
  )

/** The flows that are asked here; the others would only let time pass. */
const quick: ReadonlyArray<Flow> = catalog
  .filter(({ name }) => ["customers", "engagements", "invoices", "approvals"].includes(name))
  .map((flow) => ({ ...flow, retryFor: "5 minutes" }))

describe("retries", () => {
  it.effect("give up the one event that never goes through, and the others of its batch do", () => {
    const world = ports()
    const odoo = deafTo(world.standIn, "Customer POISON", 30_000, "ODOO-NO-ANSWER")
    return Effect.gen(function* () {
      yield* publish(...["A", "B", "POISON", "C", "D", "E"].map((key) => customerNamed(key)))
      yield* publish(customerNamed("POISON", 2))
      // What else goes on is the evidence that Odoo works.
      for (let minute = 0; minute < 40; minute++) {
        yield* publish(customerNamed(`OTHER-${minute}`))
        yield* hours(1 / 60)
      }
      const exceptions = yield* held
      assert.deepStrictEqual(exceptions.map(({ code, key, state }) => `${key} ${state} ${code}`).sort(), [
        "POISON behind BEHIND-EXCEPTION",
        "POISON parked ODOO-NO-ANSWER",
      ])
      const parked = exceptions.find(({ state }) => state === "parked")!
      assert.isAbove(parked.attempts, 5)
      assert.include(parked.detail, "Given up after")
      assert.strictEqual(yield* applied("customers"), 45)
    }).pipe(Effect.provide(running({ flows: quick })), Effect.provide(Layer.merge(world.layer, odoo)))
  }, 60_000)

  it.effect("give up an event on which Odoo collides for ever, also when nothing else is going on", () => {
    const world = ports()
    const odoo = deafTo(world.standIn, "Customer POISON", 100, "ODOO-CONTENTION")
    return Effect.gen(function* () {
      yield* publish(customerNamed("POISON"))
      yield* pass(240)
      assert.deepStrictEqual(yield* held, [])
      const [line] = (yield* status).flows.filter(({ flow }) => flow === "customers")
      assert.deepInclude(line, { state: "troubled", retrying: 1, trouble: "ODOO-CONTENTION: deaf" })
      assert.isAbove(line!.attempts, 20)
      assert.isAtLeast(line!.nextTryMillis!, yield* Clock.currentTimeMillis)
      yield* pass(120)
      assert.deepStrictEqual((yield* held).map(({ code, state }) => `${state} ${code}`), ["parked ODOO-CONTENTION"])
    }).pipe(Effect.provide(running({ flows: quick })), Effect.provide(Layer.merge(world.layer, odoo)))
  }, 60_000)

  for (
    const [what, fault] of [
      ["away", { kind: "away" }],
      ["silent", { kind: "hang", commits: false }],
      ["cutting every connection", { kind: "reset", when: "before" }],
      ["refusing the key", { kind: "key" }],
    ] as const
  ) {
    it.effect(`park nothing while Odoo as a whole is ${what} for an hour`, () => {
      const faults = new Faults(1)
      const world = ports({ odoo: { faults } })
      return Effect.gen(function* () {
        yield* publish(customerNamed("A"), customerNamed("B"))
        yield* pass(5)
        faults.add({ fault, probability: 1, times: 1_000_000 })
        yield* publish(
          ...["A", "B"].map((key) => customerNamed(key, 2)),
          publication("engagement.activated", { ...engagement, customer: "A" }),
          publication("invoice.requested", { ...invoice, customer: "A" }),
          publication("customer.upserted", customer, { sequence: 1 }),
        )
        yield* hours(1)
        assert.deepStrictEqual((yield* held).filter(({ state }) => state === "parked"), [])
        faults.clear()
        yield* pass(400)
        assert.deepStrictEqual(yield* held, [])
        for (const [flow, count] of [["customers", 5], ["engagements", 1], ["invoices", 1]] as const) {
          assert.strictEqual(yield* applied(flow), count, flow)
        }
        assert.strictEqual(rows(world.standIn, "sale.order").length, 1)
        const [calm] = (yield* status).flows.filter(({ flow }) => flow === "customers")
        assert.deepInclude(calm, { attempts: 0, retrying: 0, nextTryMillis: null, trouble: "", state: "running" })
      }).pipe(Effect.provide(running({ flows: quick })), Effect.provide(world.layer))
    }, 60_000)
  }
})
