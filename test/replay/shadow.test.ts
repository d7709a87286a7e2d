/**
 * An entity that another system still writes for: what it has made is recognised and held against the events, what it has
 * not made is named, and nothing at all is written.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import type { StandIn } from "../../fixtures/odoo/StandIn.ts"
import { fixtures, isAct, type Line, type Message } from "../../fixtures/replay/Fixture.ts"
import { configurationOf, filled, localised, places } from "../../fixtures/replay/Place.ts"
import { Envelope } from "../../schemas/envelope.ts"
import { toMessage } from "../../src/broker/cloudevents.ts"
import { Odoo } from "../../src/odoo/Odoo.ts"
import { make as makeOdoo } from "../../fixtures/odoo/StandInOdoo.ts"
import type { Publication } from "../../src/broker/Broker.ts"
import { LegalEntity } from "../../src/actor/LegalEntity.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { type RunEvent, Runs } from "../../src/ledger/Runs.ts"
import { configuration, pass, ports, publication, publish, running, tallies } from "../simulation/World.ts"
import { customer, engagement, invoice, payment, timesheet } from "../streams/samples.ts"

const TODAY = Date.UTC(2026, 10, 22, 4, 57)
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
          yield* TestClock.adjust("6 minutes")
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
        yield* TestClock.adjust("6 minutes")
        yield* pass(10)
        const [found] = (yield* findingsOf("shadow-2026-11-22")).filter(({ flow }) => flow === "invoices")
        assert.deepStrictEqual([found!.finding, found!.detail["code"]], ["refused", "SHADOW-AMBIGUOUS"])
      }).pipe(Effect.provide(started(shadowed)), Effect.provide(ports({ standIn }).layer))
    }), 60_000)
})

/** Shadow, and the cut-over to the first of December. */
const cutOver = {
  ...configuration,
  entities: {
    be01: {
      ...configuration.entities.be01,
      mode: "shadow",
      cutover: {
        from: { customers: "2026-12-01", invoices: "2026-12-01", payments: "2026-12-01" },
      },
    },
  },
}
/** Of the engagement, which the other system made, Weir knows nothing. */
const { engagement: _engagement, ...bare } = invoice
const lines = invoice.lines.map(({ engagementLine: _, ...line }) => line)
const december = [
  publication("invoice.requested", { ...bare, lines, key: "INV-9", invoiceDate: "2026-12-02", dueDate: "2026-12-31" }),
  publication("payment.received", { ...payment, key: "PAY-9", date: "2026-12-03", invoices: ["INV-9"] }),
]
const ordered = (mode: "full" | "shadow") =>
  Effect.gen(function* () {
    const client = yield* LegalEntity.client
    yield* client("be01").SetMode({ mode, actor: "ada", reason: "cut-over", untilMillis: null }).pipe(Effect.forkChild)
    yield* pass(2)
  })
const documents = ({ store }: StandIn) =>
  ["account.move", "account.payment"].flatMap((model) =>
    [...store.tables.get(model)!.rows.values()].filter(({ move_type }) => move_type !== "entry")
      .map((row) => `${String(row["ref"] ?? row["memo"])} ${row["state"]}`)
  ).toSorted()
const exceptions = Effect.map(
  Ledger.use((ledger) => ledger.exceptions({ entity: "be01", limit: 50 })),
  (all) => all.map(({ code, key }) => `${key} ${code}`).toSorted(),
)

describe("a cut-over", () => {
  it.effect(
    "takes over what is dated earlier, writes what is dated later, and can be taken back and done again",
    () =>
      Effect.gen(function* () {
        const standIn = yield* beside(events.toSpliced(4, 1), () => Effect.void)
        const world = ports({ standIn })
        yield* Effect.gen(function* () {
          const alone = (key: string) => publication("invoice.requested", { ...bare, lines, key })
          yield* publish(events[0]!, alone("INV-1"), alone("INV-2"), events[5]!, ...december)
          yield* pass(10)
          const before = documents(standIn)
          assert.deepStrictEqual(before, ["INV-1 posted", "PAY-1 paid"])

          yield* ordered("full")
          yield* pass(30)
          assert.deepStrictEqual(documents(standIn), [
            "INV-1 posted",
            "INV-9 posted",
            "PAY-1 paid",
            "transfer PAY-9 paid",
          ])
          // The second invoice is the other system's, which has not made it.
          assert.deepStrictEqual(yield* exceptions, ["INV-2 CUTOVER-MISSING"])
          const applied = [...yield* tallies()].map(([flow, own]) => `${flow} ${own.applied}`).toSorted()
          assert.deepStrictEqual(applied, ["customers 1", "invoices 2", "payments 2"])
          const named = standIn.store.externalIds.get("account.move")!
          assert.isTrue(named.has("weir_be01.invoices_INV-1"), "what was taken over has its name now")

          // And back: nothing more is written; then again.
          yield* ordered("shadow")
          yield* publish(
            publication("payment.received", { ...payment, key: "PAY-8", date: "2026-12-04", invoices: ["INV-1"] }),
          )
          yield* pass(10)
          assert.strictEqual(documents(standIn).length, 4)
          yield* ordered("full")
          yield* pass(30)
          assert.include(documents(standIn), "transfer PAY-8 in_process", "a payment of an invoice that was taken over")
          assert.strictEqual(documents(standIn).length, 5)
        }).pipe(Effect.provide(started(cutOver)), Effect.provide(world.layer))
      }),
    60_000,
  )

  it.effect("makes an exception of what says something else, until it is right", () =>
    Effect.gen(function* () {
      const standIn = yield* beside(events.slice(0, 4), () => Effect.void)
      yield* Effect.gen(function* () {
        const wrong = {
          ...bare,
          lines: [lines[0]!],
          totals: { untaxed: "909.88", tax: "191.07", total: "1100.95" },
        }
        yield* publish(events[0]!, publication("invoice.requested", wrong))
        yield* pass(5)
        yield* ordered("full")
        yield* pass(20)
        assert.deepStrictEqual(yield* exceptions, ["INV-1 CUTOVER-DIFFERS"])
        const before = books(standIn)
        const ledger = yield* Ledger
        const [held] = yield* ledger.exceptions({ entity: "be01", limit: 5 })
        assert.include(held!.detail, "amount_total 1100.95, not 1103.65")
        yield* ledger.retry("be01", [held!.eventId])
        yield* pass(20)
        assert.deepStrictEqual(yield* exceptions, ["INV-1 CUTOVER-DIFFERS"])
        assert.strictEqual(books(standIn), before)
      }).pipe(Effect.provide(started(cutOver)), Effect.provide(ports({ standIn }).layer))
    }), 60_000)
})

describe("leaving shadow", () => {
  it.effect("is refused as long as nobody has said what is whose", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* pass(5)
      const client = yield* LegalEntity.client
      const refused = yield* client("be01").SetMode({ mode: "full" }).pipe(Effect.flip, Effect.forkChild)
      yield* pass(2)
      assert.include((yield* Fiber.join(refused)).message, "cutover")
      yield* publish(...events)
      yield* pass(10)
      assert.deepStrictEqual(documents(world.standIn), [])
    }).pipe(Effect.provide(started(shadowed)), Effect.provide(world.layer))
  })
})

describe("a look at the fixtures of all flows", () => {
  it.effect("writes nothing, and only reads", () => {
    const world = ports()
    const called = new Set<string>()
    return Effect.gen(function* () {
      const odoo = yield* Odoo
      const all = yield* places(odoo, "01")
      const configured = configurationOf(all)
      const entities = Object.fromEntries(
        Object.entries(configured.entities).map(([code, entity]) => [code, { ...entity, mode: "shadow" }]),
      )
      const noting = Odoo.of({
        ...odoo,
        call: (call) => {
          called.add(call.method)
          return odoo.call(call)
        },
      })
      yield* Effect.gen(function* () {
        let count = 0
        for (const place of all) {
          for (const { lines } of fixtures()) {
            // What acts would have made is nobody's here.
            const messages = lines.filter((text) => !isAct(JSON.parse(text) as Line) && !text.includes("{id:"))
            yield* publish(...messages.map((text): Publication => {
              const line = localised(JSON.parse(filled(text, place, new Map())), place.label) as unknown as Message
              const contents = "raw" in line
                ? { subject: line.subject, headers: {}, data: new TextEncoder().encode(line.raw) }
                : toMessage(Schema.decodeUnknownSync(Envelope)(line.envelope), line.subject)
              return { ...contents, messageId: `${count++}` }
            }))
          }
        }
        const before = books(world.standIn)
        yield* TestClock.adjust("6 minutes")
        yield* pass(60)
        for (const { entity } of all) {
          const run = yield* Runs.use((runs) => runs.run(entity, "shadow-2026-11-22"))
          assert.strictEqual(run?.state, "examined", run?.trouble)
          assert.isAbove(Number(run!.progress["seen"]), 300)
        }
        assert.strictEqual(books(world.standIn), before)
      }).pipe(Effect.provide(started({ ...configured, entities })), Effect.provideService(Odoo, noting))
      const looking = ["read", "search_read", "get_metadata", "fields_get", "check_object_reference", "get_external_id"]
      // The products that all flows share are loaded when an entity starts.
      const writing = [...called].filter((method) => !looking.includes(method) && method !== "load")
      assert.deepStrictEqual(writing, [])
    }).pipe(Effect.provide(world.layer))
  }, 60_000)
})
