/** An empty ledger reconstructed from the stream and from Odoo's external ids: what it knows then, and that it goes on. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { StandIn } from "../../fixtures/odoo/StandIn.ts"
import { make as makeOdoo } from "../../fixtures/odoo/StandInOdoo.ts"
import { LegalEntity } from "../../src/actor/LegalEntity.ts"
import { Broker } from "../../src/broker/Broker.ts"
import * as MemoryBroker from "../../src/broker/MemoryBroker.ts"
import * as MemoryLedger from "../../src/ledger/MemoryLedger.ts"
import { Recall } from "../../src/ledger/Recall.ts"
import { Runs } from "../../src/ledger/Runs.ts"
import { Odoo } from "../../src/odoo/Odoo.ts"
import { configuration, pass, publication, publish, running, tallies } from "../simulation/World.ts"
import { customer, engagement, invoice, payment, timesheet } from "../streams/samples.ts"

const events = [
  publication("customer.upserted", customer, { sequence: 1 }),
  publication("engagement.activated", engagement),
  publication("timesheet.approved", timesheet),
  publication("invoice.requested", invoice),
  publication("customer.upserted", { ...customer, name: "Delft Marine NV" }, { sequence: 2 }),
  publication("payment.received", { ...payment, invoices: ["INV-1"] }),
  publication("invoice.requested", { ...invoice, key: "INV-2", customer: "NOBODY" }),
]

const held = { ...configuration, entities: { be01: { ...configuration.entities.be01, mode: "hold" } } }

/** Stream and Odoo outlast the ledger. */
const world = Effect.gen(function* () {
  const standIn = new StandIn({
    employees: [{ name: "Consultant 1", work_email: timesheet.consultant, company: 3 }],
    now: () => 0,
  })
  const context = yield* Layer.build(
    Layer.provideMerge(
      Layer.effectDiscard(Effect.flatMap(Broker, (broker) => broker.provision)),
      Layer.mergeAll(MemoryBroker.layer(), Layer.succeed(Odoo, makeOdoo(standIn))),
    ),
  )
  /** With a ledger that knows nothing. */
  const withNewLedger = <A, E, R>(body: Effect.Effect<A, E, R>) =>
    body.pipe(Effect.provide(MemoryLedger.layer), Effect.provideContext(context))
  return { books: () => [...standIn.store.dump()].join("\n"), withNewLedger, standIn }
})

/** What the ledger answers about every key that somebody may refer to. */
const known = Effect.gen(function* () {
  const recall = yield* Recall
  const keys = [
    ["customers", customer.key],
    ["engagements", engagement.key],
    ["engagements", `${engagement.key}.line-senior`],
    ["timesheets", timesheet.key],
    ["invoices", "INV-1"],
    ["payments", payment.key],
  ] as const
  return yield* Effect.forEach(keys, ([flow, key]) =>
    Effect.map(
      recall.answers("be01", flow, [{ eventId: "nobody's", key, references: [] }]),
      ([answer]) => ({ flow, key, mapping: answer!.mapping, blocked: answer!.blocked }),
    ))
})

const order = (verb: "Drain" | "Resume") =>
  Effect.flatMap(LegalEntity.client, (client) => client("be01")[verb]({ actor: "ada" }))

let ids = 0
const rebuilt = Effect.gen(function* () {
  const runs = yield* Runs
  const runId = `rebuild-${++ids}`
  const run = { entity: "be01", runId, kind: "rebuild", state: "examining", request: {} } as const
  yield* runs.open({ ...run, requestedBy: "ada", reason: "restored without a backup" })
  yield* pass(10)
  return (yield* runs.run("be01", runId))!
})

describe("a ledger that is rebuilt", () => {
  it.effect("knows what it knew, without a write to Odoo, and goes on from there", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 10, 2))
      const { books, standIn, withNewLedger } = yield* world
      const before = yield* withNewLedger(
        Effect.gen(function* () {
          yield* publish(...events)
          yield* pass(20)
          return yield* known
        }).pipe(Effect.provide(running())),
      )
      const stood = books()
      yield* withNewLedger(
        Effect.gen(function* () {
          yield* pass(5)
          const running = yield* rebuilt
          assert.strictEqual(running.state, "failed")
          assert.include(running.trouble, "drain it first")
          yield* order("Drain")
          const run = yield* rebuilt
          assert.strictEqual(run.state, "done", run.trouble)
          assert.deepStrictEqual(run.totals, {
            customers: { recorded: 2, superseded: 0, left: 0 },
            engagements: { recorded: 1, superseded: 0, left: 0 },
            timesheets: { recorded: 1, superseded: 0, left: 0 },
            invoices: { recorded: 1, superseded: 0, left: 1 },
            payments: { recorded: 1, superseded: 0, left: 0 },
          })
          assert.deepStrictEqual(yield* known, before, "every mapping with its version, links and parts")
          assert.strictEqual(books(), stood, "nothing was written")
          const again = yield* rebuilt
          assert.include(again.trouble, "only an empty one is rebuilt")

          yield* order("Resume")
          yield* pass(5)
          const client = yield* LegalEntity.client
          yield* Effect.forkChild(client("be01").SetMode({ mode: "full", reason: "rebuilt" }))
          yield* publish(
            publication("invoice.requested", { ...invoice, key: "INV-3" }),
            publication("payment.received", { ...payment, key: "PAY-3", invoices: ["INV-3"] }),
          )
          yield* pass(20)
          const counts = yield* tallies()
          const invoices = counts.get("invoices")!
          assert.deepStrictEqual([invoices.applied, invoices.waiting], [2, 1], "INV-1, INV-3; INV-2 waits again")
          assert.strictEqual(counts.get("payments")?.applied, 2)
          assert.strictEqual(counts.get("customers")?.duplicate, 0, "what is recorded is not delivered again")
          const refs = [...standIn.store.tables.get("account.move")!.rows.values()]
            .filter((row) => row["move_type"] === "out_invoice").map(({ ref, state }) => [ref, state])
          assert.deepStrictEqual(refs.sort(), [["INV-1", "posted"], ["INV-3", "posted"]])
        }).pipe(Effect.provide(running({ configuration: held }))),
      )
    }).pipe(Effect.scoped), 60_000)
})
