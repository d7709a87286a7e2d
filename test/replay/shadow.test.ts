/**
 * An entity that another system still writes for: what it has made is recognised and held against the events, what it has
 * not made is named, and nothing at all is written.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import type { StandIn } from "../../fixtures/odoo/StandIn.ts"
import { make as makeOdoo } from "../../fixtures/odoo/StandInOdoo.ts"
import type { Publication } from "../../src/broker/Broker.ts"
import { type RunEvent, Runs } from "../../src/ledger/Runs.ts"
import { configuration, pass, ports, publication, publish, running, tallies } from "../simulation/World.ts"
import { customer, engagement, invoice, payment, timesheet } from "../streams/samples.ts"

const TODAY = Date.UTC(2026, 10, 22, 4)
const paid = { ...payment, memo: "PAY-1", invoices: ["INV-1"] }
const events = [
  publication("customer.upserted", customer, { sequence: 1 }),
  publication("engagement.activated", engagement),
  publication("timesheet.approved", timesheet),
  publication("invoice.requested", invoice),
  publication("invoice.requested", { ...invoice, key: "INV-2" }),
  publication("payment.received", paid),
]

/** The entity as another system keeps it, and the day's look made at five. */
const shadowed = { ...configuration, entities: { be01: { ...configuration.entities.be01, mode: "shadow" } } }
const started = (configured: unknown) =>
  Layer.unwrap(Effect.as(TestClock.setTime(TODAY), running({ configuration: configured })))

const books = (standIn: StandIn): string => [...standIn.store.dump()].join("\n")

/** What Weir wrote loses its external ids: another system has made it, as far as anybody can see. */
const disown = ({ store }: StandIn): void => {
  for (const [model, ids] of store.externalIds) {
    const { rows } = store.tables.get(model)!
    for (const [name, id] of [...ids]) {
      if (!name.startsWith("weir_be01.")) continue
      ids.delete(name)
      const rec = rows.get(id)
      if (rec !== undefined && rec["_external_id"] === name) delete (rec as Record<string, unknown>)["_external_id"]
    }
  }
}

/** Another system brings `done` into Odoo; then Weir is set beside it, with a ledger of its own. */
const beside = Effect.fnUntraced(function* (
  done: ReadonlyArray<Publication>,
  then: (standIn: StandIn) => Effect.Effect<void, unknown>,
) {
  const other = ports()
  yield* Effect.gen(function* () {
    yield* publish(...done)
    yield* pass(30)
  }).pipe(Effect.provide(started(configuration)), Effect.provide(other.layer))
  yield* then(other.standIn).pipe(Effect.orDie)
  disown(other.standIn)
  return other.standIn
})

const findingsOf = (runId: string): Effect.Effect<ReadonlyArray<RunEvent>, never, Runs> =>
  Effect.orDie(Runs.use((runs) => runs.events({ entity: "be01", runId, after: 0, limit: 500 })))
const byHand = (standIn: StandIn, model: string, method: string, ids: ReadonlyArray<number>, vals?: object) =>
  makeOdoo(standIn).call({
    database: "main",
    model,
    method,
    ids,
    ...vals !== undefined && { args: { vals: vals as never } },
    context: { allowed_company_ids: [3] },
  })
const moveOf = ({ store }: StandIn, ref: string) =>
  [...store.tables.get("account.move")!.rows.values()].find((row) => row["ref"] === ref)!.id

describe("an entity in shadow", () => {
  it.effect(
    "is looked at every day: what agrees, what differs, what only Weir would have written",
    () =>
      Effect.gen(function* () {
        // The other system has all but the second invoice, and one amount of the first is wrong.
        const standIn = yield* beside(events.toSpliced(4, 1), (standIn) =>
          Effect.gen(function* () {
            const move = moveOf(standIn, "INV-1")
            yield* byHand(standIn, "account.move", "button_draft", [move])
            const lines = [...standIn.store.tables.get("account.move.line")!.rows.values()]
            const travel = lines.find(({ name }) => name === "Travel")!
            yield* byHand(standIn, "account.move.line", "write", [travel.id], { price_unit: 3.23 })
            yield* byHand(standIn, "account.move", "action_post", [move])
          }))
        const before = books(standIn)
        const world = ports({ standIn })
        yield* Effect.gen(function* () {
          yield* publish(...events)
          yield* pass(10)
          assert.deepStrictEqual(
            [...(yield* tallies()).values()].map(({ applied }) => applied),
            [],
            "nothing is taken in",
          )
          yield* TestClock.adjust("70 minutes")
          yield* pass(10)
          const runId = "shadow-2026-11-22"
          const run = (yield* Runs.use((runs) => runs.run("be01", runId)))!
          assert.strictEqual(run.state, "examined", run.trouble)
          assert.deepStrictEqual(run.totals, {
            customers: { unrecorded: 1 },
            engagements: { unrecorded: 1 },
            timesheets: { create: 1 },
            invoices: { changed: 1, create: 1 },
            payments: { unrecorded: 1 },
          })
          const [changed] = (yield* findingsOf(runId)).filter(({ finding }) => finding === "changed")
          const differences = changed!.detail["differences"] as unknown as ReadonlyArray<
            { field: string; odoo: string }
          >
          assert.deepStrictEqual(differences.map(({ field }) => field).toSorted(), [
            "amount_tax",
            "amount_total",
            "amount_untaxed",
          ])
          assert.strictEqual(books(standIn), before, "nothing was written")
        }).pipe(Effect.provide(started(shadowed)), Effect.provide(world.layer))
      }),
    60_000,
  )

  it.effect("says so when several records are alike", () =>
    Effect.gen(function* () {
      const standIn = yield* beside(events.slice(0, 4), (standIn) =>
        Effect.gen(function* () {
          const rows = [...standIn.store.tables.get("account.move")!.rows.values()]
          const partner = rows.find(({ ref }) => ref === "INV-1")!["partner_id"]
          yield* makeOdoo(standIn).call({
            database: "main",
            model: "account.move",
            method: "create",
            args: { vals_list: [{ move_type: "out_invoice", ref: "INV-1", partner_id: partner as number }] },
            context: { allowed_company_ids: [3] },
          })
        }))
      yield* Effect.gen(function* () {
        yield* publish(...events.slice(0, 4))
        yield* TestClock.adjust("70 minutes")
        yield* pass(10)
        const [found] = (yield* findingsOf("shadow-2026-11-22")).filter(({ flow }) => flow === "invoices")
        assert.deepStrictEqual([found!.finding, found!.detail["code"]], ["refused", "SHADOW-AMBIGUOUS"])
      }).pipe(Effect.provide(started(shadowed)), Effect.provide(ports({ standIn }).layer))
    }), 60_000)
})
