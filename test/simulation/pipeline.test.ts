import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Layer, Scope } from "effect"
import { Faults, raise } from "../../fixtures/odoo/Faults.ts"
import type { StandIn } from "../../fixtures/odoo/StandIn.ts"
import { LegalEntity } from "../../src/actor/LegalEntity.ts"
import { Broker, type Publication } from "../../src/broker/Broker.ts"
import { BrokerFaults } from "../../src/broker/MemoryBroker.ts"
import type { Flow } from "../../src/flow/Flow.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { MemoryLedger } from "../../src/ledger/MemoryLedger.ts"
import { catalog } from "../../streams/catalog.ts"
import { customer, engagement, invoice, payment, timesheet } from "../streams/samples.ts"
import { configuration, pass, ports, publication, publish, running, tallies } from "./World.ts"

const encoder = new TextEncoder()
const onePayment = { ...payment, invoices: ["INV-1"] }
const customerEvent = (sequence: number, name = customer.name, id?: string) =>
  publication("customer.upserted", { ...customer, name }, { sequence, ...(id === undefined ? {} : { id }) })
/** With the same VAT number it would be a duplicate. */
const { vat: _, ...another } = customer
const engagementEvent = publication("engagement.activated", engagement)
const invoiceEvent = publication("invoice.requested", invoice)
const quoteToCash: ReadonlyArray<Publication> = [
  customerEvent(1),
  engagementEvent,
  publication("timesheet.approved", timesheet),
  invoiceEvent,
  publication("payment.received", onePayment),
]
/** Flows of its events. */
const written = ["customers", "engagements", "timesheets", "invoices", "payments"]
const bytes = (subject: string, data: string | Uint8Array, headers: Record<string, string> = {}): Publication => ({
  subject,
  headers,
  data: typeof data === "string" ? encoder.encode(data) : data,
  messageId: `${subject}-${data.length}`,
})

const rows = (standIn: StandIn, model: string) => [...standIn.store.tables.get(model)!.rows.values()]
const invoices = (standIn: StandIn) => rows(standIn, "account.move").filter((row) => row["move_type"] === "out_invoice")
const partner = (standIn: StandIn) => rows(standIn, "res.partner").find((row) => row["ref"] === customer.key)

const exceptions = Effect.gen(function* () {
  const ledger = yield* Ledger
  return yield* ledger.exceptions({ limit: 100 })
})
const codes = Effect.map(exceptions, (held) => held.map(({ code, state }) => `${state} ${code}`).sort())

/** Records of a quote-to-cash, each exactly once, paid. */
const assertCash = (standIn: StandIn) => {
  assert.strictEqual(rows(standIn, "res.partner").filter((row) => row["ref"] === customer.key).length, 1)
  assert.strictEqual(rows(standIn, "sale.order").length, 1)
  // Posting an invoice leaves analytic lines too; those with a project are timesheets.
  assert.strictEqual(rows(standIn, "account.analytic.line").filter((row) => row["project_id"] !== 0).length, 1)
  assert.deepStrictEqual(invoices(standIn).map((row) => [row["state"], row["payment_state"]]), [["posted", "paid"]])
  assert.strictEqual(rows(standIn, "account.payment").length, 1)
}

describe("the pipeline", () => {
  it.effect("brings a quote-to-cash into Odoo whatever the order in which its events arrive", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...quoteToCash.toReversed())
      yield* pass(20)
      for (const name of written) assert.strictEqual((yield* tallies()).get(name)?.applied, 1, name)
      assertCash(world.standIn)
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  })

  it.effect("counts an event published twice as a duplicate and writes it once", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...quoteToCash)
      yield* pass(20)
      yield* publish(...quoteToCash.map((event) => ({ ...event, messageId: `${event.messageId}-again` })))
      yield* pass(5)
      const flows = yield* tallies()
      for (const name of written) {
        assert.strictEqual(flows.get(name)?.applied, 1, name)
        assert.strictEqual(flows.get(name)?.duplicate, 1, name)
      }
      assertCash(world.standIn)
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  })

  it.effect("never lets an older version overwrite a newer one", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(customerEvent(2, "New name"), customerEvent(1, "Old name"), customerEvent(3, "Newest name"))
      yield* pass(5)
      const { applied, superseded } = (yield* tallies()).get("customers")!
      assert.deepStrictEqual([applied, superseded], [2, 1])
      assert.strictEqual(partner(world.standIn)?.["name"], "Newest name")
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  })

  it.effect("turns whatever it cannot understand into an exception with a code and the original bytes", () => {
    const world = ports()
    const large = new Uint8Array(1_000_000).fill(65)
    const event = (change: Record<string, unknown>) =>
      JSON.stringify({ specversion: "1.0", id: "1", source: "t", type: "customer.upserted", data: customer, ...change })
    return Effect.gen(function* () {
      yield* publish(
        bytes("erp.be01.customer.upserted", "not json"),
        bytes("erp.be01.customer.upserted", large),
        bytes("erp.be01.customer.upserted", "{}"),
        bytes("erp.be01.customer.upserted", event({ id: "a", type: "customer.vanished" })),
        bytes("erp.be01.customer.vanished", event({ id: "b", type: "customer.vanished" })),
        bytes("erp.be01.customer.upserted", event({ id: "c", type: "customer.upserted.v9" })),
        bytes("erp.be01.customer.upserted", event({ id: "d", data: { ...customer, name: 7 } })),
        bytes("erp.zz99.customer.upserted", event({ id: "e" })),
        bytes("erp.be01.weather.changed", event({ id: "f", type: "weather.changed" })),
        customerEvent(1),
      )
      yield* pass(15)
      assert.deepStrictEqual(yield* codes, [
        "parked EVENT-FUTURE-VERSION",
        "parked EVENT-INVALID",
        "parked EVENT-NOT-CLOUDEVENT",
        "parked EVENT-NOT-JSON",
        "parked EVENT-SUBJECT-MISMATCH",
        "parked EVENT-TOO-LARGE",
        "parked EVENT-UNKNOWN-ENTITY",
        "parked EVENT-UNKNOWN-TYPE",
        "parked EVENT-UNKNOWN-TYPE",
      ])
      const kept = (yield* exceptions).find(({ code }) => code === "EVENT-TOO-LARGE")
      assert.deepStrictEqual(kept?.message.data, large)
      assert.strictEqual((yield* tallies()).get("customers")?.applied, 1, "nothing else is stopped")
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  })

  it.effect("parks only the later events of a failing key, and they follow in order once it is dismissed", () => {
    const world = ports()
    const bad = publication("invoice.requested", {
      ...invoice,
      totals: { untaxed: "912.11", tax: "0.00", total: "912.11" },
    })
    return Effect.gen(function* () {
      yield* publish(customerEvent(1), engagementEvent, bad)
      yield* pass(10)
      yield* publish(
        publication("invoice.requested", invoice, { id: "second" }),
        publication("invoice.requested", { ...invoice, key: "INV-2" }),
      )
      yield* pass(10)
      assert.deepStrictEqual(yield* codes, ["behind BEHIND-EXCEPTION", "parked TAX-MISMATCH"])
      assert.deepStrictEqual(invoices(world.standIn).map((row) => row["state"]).sort(), ["draft", "posted"])
      const ledger = yield* Ledger
      const [parked] = (yield* exceptions).filter(({ state }) => state === "parked")
      yield* ledger.dismiss("be01", [parked!.eventId], "wrong totals, sent again")
      yield* pass(10)
      assert.deepStrictEqual(yield* codes, [])
      assert.strictEqual((yield* tallies()).get("invoices")?.applied, 2)
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  })

  it.effect("makes an exception of a reference that never arrives and names what is missing", () => {
    const world = ports()
    const flows = catalog.map((flow): Flow => ({ ...flow, referenceDeadline: "1 minute" }))
    return Effect.gen(function* () {
      yield* publish(engagementEvent)
      yield* pass(5)
      assert.deepStrictEqual(yield* codes, ["waiting REFERENCE-MISSING"])
      yield* pass(70)
      assert.deepStrictEqual(yield* codes, ["parked REFERENCE-OVERDUE"])
      assert.include((yield* exceptions)[0]?.detail, customer.key)
    }).pipe(Effect.provide(running({ flows })), Effect.provide(world.layer))
  })

  it.effect("parks an event that crashes Weir twice, and only that one", () => {
    const world = ports()
    const [customers] = catalog.filter(({ name }) => name === "customers")
    const spec = customers!.events[0]!
    const explosive: Flow = {
      ...customers!,
      events: [{
        ...spec,
        plan: spec.plan.map((step) =>
          step._tag !== "Load" ? step : ({
            ...step,
            rows: (write: Parameters<typeof step.rows>[0]) => {
              if (write.key === "BOOM") throw new Error("a defect of the flow")
              return step.rows(write)
            },
          })
        ),
      }],
    }
    return Effect.gen(function* () {
      yield* publish(
        customerEvent(1),
        publication("customer.upserted", { ...another, key: "BOOM" }),
        publication("customer.upserted", { ...another, key: "CUS-2" }),
      )
      yield* pass(10)
      assert.deepStrictEqual(yield* codes, ["parked DEFECT"])
      assert.strictEqual((yield* tallies()).get("customers")?.applied, 2)
    }).pipe(Effect.provide(running({ flows: [explosive] })), Effect.provide(world.layer))
  })

  it.effect("drafts in mode drafts, and posts what is owed when the mode is full again", () => {
    const world = ports()
    const drafts = { ...configuration, entities: { be01: { ...configuration.entities.be01, mode: "drafts" } } }
    return Effect.gen(function* () {
      yield* publish(...quoteToCash)
      yield* pass(20)
      assert.deepStrictEqual(invoices(world.standIn).map((row) => row["state"]), ["draft"])
      const client = yield* LegalEntity.client
      yield* client("be01").SetMode({ mode: "full" }).pipe(Effect.forkChild)
      yield* pass(40)
      assertCash(world.standIn)
      assert.deepStrictEqual(yield* codes, [])
    }).pipe(Effect.provide(running({ configuration: drafts })), Effect.provide(world.layer))
  })

  for (
    const [what, fault] of [
      ["the answer is lost after the commit", { kind: "reset", when: "after" }],
      ["the call is lost before the commit", { kind: "reset", when: "before" }],
      ["it answers only after the timeout", { kind: "late", millis: 200_000 }],
      ["it never answers", { kind: "hang", commits: true }],
      ["its database is away", { kind: "away" }],
      ["the key has run out", { kind: "key" }],
      ["concurrent updates collide", raise.serializationFailure],
      ["its database session is killed", raise.sessionKilled],
    ] as const
  ) {
    it.effect(`writes everything exactly once when Odoo fails: ${what}`, () => {
      const faults = new Faults(7)
      faults.add({ fault, probability: 0.4, times: 12 })
      const world = ports({ odoo: { faults } })
      return Effect.gen(function* () {
        yield* publish(...quoteToCash)
        yield* pass(fault.kind === "late" || fault.kind === "hang" ? 3_000 : fault.kind === "key" ? 1_500 : 400)
        assert.isAbove(faults.counts.get(fault.kind) ?? 0, 0)
        for (const name of written) assert.strictEqual((yield* tallies()).get(name)?.applied, 1, name)
        assertCash(world.standIn)
      }).pipe(Effect.provide(running()), Effect.provide(world.layer))
    }, 60_000)
  }

  it.effect("goes on where it stood after a crash at any moment", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...quoteToCash)
      for (let crash = 1; crash <= 12; crash++) {
        const scope = yield* Scope.make()
        yield* Layer.buildWithScope(running(), scope)
        yield* pass(crash * 0.1)
        // A crash settles nothing: the scope closes as interrupted, without the drain's time to pass.
        yield* Scope.close(scope, Exit.interrupt(0)).pipe(Effect.forkChild)
        yield* pass(1)
      }
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(running(), scope)
      yield* pass(30)
      for (const name of written) assert.strictEqual((yield* tallies()).get(name)?.applied, 1, name)
      assertCash(world.standIn)
      yield* Scope.close(scope, Exit.void).pipe(Effect.forkChild)
      yield* pass(5)
    }).pipe(Effect.provide(world.layer))
  })

  it.effect("refuses a stale owner's settlements and lets the new owner finish", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...quoteToCash)
      yield* pass(0.3)
      const ledger = yield* Ledger
      yield* ledger.claim("be01", "another process")
      yield* pass(40)
      for (const name of written) assert.strictEqual((yield* tallies()).get(name)?.applied, 1, name)
      assertCash(world.standIn)
      const owners = yield* ledger.owners
      assert.isAbove(owners.find(({ entity }) => entity === "be01")!.epoch, 2)
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  })

  it.effect("goes on after a change of mode that failed because another owner had claimed", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* pass(2)
      const ledger = yield* Ledger
      yield* ledger.claim("be01", "another process")
      const client = yield* LegalEntity.client
      yield* client("be01").SetMode({ mode: "full" }).pipe(Effect.exit, Effect.forkChild)
      yield* pass(10)
      yield* publish(...quoteToCash)
      yield* pass(30)
      for (const name of written) assert.strictEqual((yield* tallies()).get(name)?.applied, 1, name)
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  })

  it.effect("loses nothing when broker and ledger fail in turns", () => {
    const world = ports()
    return Effect.gen(function* () {
      const broker = yield* BrokerFaults
      const { failNext } = yield* MemoryLedger
      for (const [index, event] of quoteToCash.toReversed().entries()) {
        yield* publish(event)
        yield* failNext(2, index % 2 === 0 ? "before" : "after", "settle")
        yield* failNext(1, "before", "admit")
        yield* broker.interruptConsumers()
        yield* broker.duplicateDeliveries(1)
        yield* pass(3)
        yield* broker.setReachable(false)
        yield* pass(2)
        yield* broker.setReachable(true)
        yield* pass(6)
      }
      yield* pass(30)
      for (const name of written) assert.strictEqual((yield* tallies()).get(name)?.applied, 1, name)
      assertCash(world.standIn)
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  })

  it.effect("goes on when as many acks get lost as may be in flight", () => {
    const world = ports()
    const flows = catalog.map((flow): Flow => ({ ...flow, batch: { ...flow.batch, size: 1 }, inFlight: 2 }))
    return Effect.gen(function* () {
      const { loseAcks } = yield* BrokerFaults
      for (let version = 1; version <= 3; version++) {
        yield* loseAcks(1)
        yield* publish(customerEvent(version))
        yield* pass(2)
      }
      yield* pass(65)
      yield* publish(customerEvent(4))
      yield* pass(5)
      assert.strictEqual((yield* tallies()).get("customers")?.applied, 4)
    }).pipe(Effect.provide(running({ flows })), Effect.provide(world.layer))
  })

  it.effect("answers Drain when everything in flight is settled, and takes up intake on Resume", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(customerEvent(1))
      yield* pass(5)
      const client = yield* LegalEntity.client
      const drained = yield* Deferred.make<string>()
      yield* client("be01").Drain({}).pipe(
        Effect.flatMap(({ state }) => Deferred.succeed(drained, state)),
        Effect.forkChild,
      )
      yield* pass(5)
      assert.strictEqual(yield* Deferred.await(drained), "stopped")
      yield* publish(customerEvent(2, "After the drain"))
      yield* pass(5)
      assert.strictEqual((yield* tallies()).get("customers")?.applied, 1)
      yield* client("be01").Resume({}).pipe(Effect.forkChild)
      yield* pass(5)
      assert.strictEqual((yield* tallies()).get("customers")?.applied, 2)
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  })

  it.effect("publishes what it did through the outbox, each fact once", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...quoteToCash)
      yield* pass(20)
      const broker = yield* Broker
      const subjects = yield* broker.subjects("erp-out.>")
      assert.deepStrictEqual(Object.fromEntries(subjects), {
        "erp-out.be01.engagement.provisioned": 1,
        "erp-out.be01.invoice.posted": 1,
        "erp-out.be01.payment.reconciled": 1,
        "erp-out.be01.timesheet.ready": 1,
      })
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  })
})
